// Program filters draws what the spatial losses see of wafers, the picture of
// docs/losses.md:
//
//	go run ./docs/filters
package main

import (
	"fmt"
	"io"
	"os"

	"barrow/internal/outfile"
	"barrow/loss"
	"barrow/report"
	"barrow/simulate"
)

func main() {
	if err := draw("docs/pictures/filters.png"); err != nil {
		fmt.Fprintln(os.Stderr, "filters:", err)
		os.Exit(1)
	}
}

var filters = []string{"neighbourhood", "neighbourhood:filter=max", "spectral", "wavelet", "fss:threshold=1"}

func draw(name string) error {
	figure := report.Figure{Title: "What spatial losses compare", Wafers: &report.Wafers{Unit: "charge (MIP_T)"}}
	for _, f := range filters {
		figure.Wafers.Columns = append(figure.Wafers.Columns, loss.Label(f))
	}
	for _, example := range []struct {
		name, preset string
		seed         uint64
	}{{"an electron", "electrons", 5}, {"200 collisions", "pileup200", 7}} {
		set, err := simulate.Generate(1, simulate.Settings{Preset: example.preset, Seed: example.seed, Unit: simulate.MIPT})
		if err != nil {
			return err
		}
		row := report.WaferRow{Name: example.name, Input: set.Image(0)}
		for _, f := range filters {
			seen, err := loss.Filter(f, loss.Wafer(), row.Input)
			if err != nil {
				return err
			}
			for c := range seen { // low waves overshoot a little beside a peak
				seen[c] = max(0, seen[c])
			}
			row.Decoded = append(row.Decoded, seen)
		}
		figure.Wafers.Rows = append(figure.Wafers.Rows, row)
	}
	return outfile.Write(name, true, func(w io.Writer) error { return report.PNG(w, figure) })
}
