package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strings"
	"time"

	"barrow/evaluate"
	"barrow/internal/outfile"
	"barrow/nn"
	"barrow/report"
)

// A file is one of docs/results.
type file struct {
	Command  string           `json:"command"`
	Measured string           `json:"measured"`
	Columns  []column         `json:"columns"`
	Rows     []map[string]any `json:"rows"`
}

type column struct {
	Head string `json:"head"`
	Cell string `json:"cell"`
}

// A result is what a loss led to.
type result struct {
	Loss        string
	Reliability reliability
	Mean, Std   scores // over seeds, in the order of names
	// Brier is the Brier score over the MSE's, by seed and field, nil without an MSE.
	Brier *evaluate.Paired
	seeds []scores
	each  [][]float64 // Brier scores, by seed and field
}

// compare holds the Brier scores of all losses against the MSE's, on the same fields and, seed by
// seed, after trainings on the same fields.
func compare(results []result) error {
	i := slices.IndexFunc(results, func(r result) bool { return r.Loss == "mse" })
	if i < 0 {
		return nil
	}
	for k := range results {
		p, err := evaluate.CompareSeeds(results[k].each, results[i].each, 1000, 1)
		if err != nil {
			return fmt.Errorf("%s: %w", results[k].Loss, err)
		}
		results[k].Brier = &p
	}
	return nil
}

// names are the scores as a file has them.
var names = []string{"calibration", "brier", "skill", "csi", "fss_1", "fss_3", "fss_7"}

// A reliability is, by bin of the forecast, how many forecasts there were, of all seeds, how
// likely they said storms to be on average and how often storms came.
type reliability struct {
	Count, Said, Came [bins]float64
}

func (r *reliability) finish() {
	for b, n := range r.Count {
		if n > 0 {
			r.Said[b] /= n
			r.Came[b] /= n
		}
	}
}

func (r *result) summarise() {
	r.Mean, r.Std = make(scores, len(names)), make(scores, len(names))
	n := float64(len(r.seeds))
	for k := range names {
		for _, s := range r.seeds {
			r.Mean[k] += s[k] / n
		}
		for _, s := range r.seeds {
			r.Std[k] += (s[k] - r.Mean[k]) * (s[k] - r.Mean[k]) / max(1, n-1)
		}
		r.Std[k] = math.Sqrt(r.Std[k])
	}
}

// cells are the scores as a table has them.
func (r *result) cells() []string {
	var cells []string
	for k := range names {
		if len(r.seeds) == 1 {
			cells = append(cells, fmt.Sprintf("%.4f", r.Mean[k]))
			continue
		}
		cells = append(cells, fmt.Sprintf("%.4f ± %.4f", r.Mean[k], r.Std[k]))
	}
	return cells
}

// writeJSON writes the table as docs/tables reads it, with the curves.
func writeJSON(name string, results []result) error {
	columns := []column{{"loss", "`{loss}`"}}
	for k, head := range []string{"calibration error", "Brier score", "skill", "CSI at ½", "FSS, 1 km", "3 km", "7 km"} {
		digits := 3
		if k < 2 { // small numbers
			digits = 4
		}
		if k == 2 && results[0].Brier != nil {
			columns = append(columns, column{"over the MSE's", "{brier_ratio:.3f} [{brier_low:.3f}, {brier_high:.3f}]"})
		}
		columns = append(columns, column{head, fmt.Sprintf("{%[1]s:.%[2]df} ± {%[1]s_std:.%[2]df}", names[k], digits)})
	}
	var rows []map[string]any
	for _, r := range results {
		row := map[string]any{"loss": r.Loss, "forecasts": r.Reliability.Count, "said": round(r.Reliability.Said[:]), "came": round(r.Reliability.Came[:])}
		for k, name := range names {
			row[name], row[name+"_std"] = digits(r.Mean[k]), digits(r.Std[k])
		}
		if p := r.Brier; p != nil {
			row["brier_ratio"], row["brier_low"], row["brier_high"] = digits(p.Ratio), digits(p.Low), digits(p.High)
		}
		rows = append(rows, row)
	}
	b, err := json.MarshalIndent(file{
		Command:  fmt.Sprintf("go run ./bench/fields -train %d -epochs %d -seeds %d -rate %g -threads %d -losses %s", *trained, *epochs, *seeds, *rate, *threads, *list),
		Measured: fmt.Sprintf("%s, kernel %s, %s", time.Now().Format("2006-01-02"), nn.Kernels()[0], strings.Replace(runtime.Version(), "go", "Go ", 1)),
		Columns:  columns,
		Rows:     rows,
	}, "", " ")
	if err != nil {
		return err
	}
	return outfile.Write(name, true, func(w io.Writer) error {
		_, err := w.Write(append(b, '\n'))
		return err
	})
}

func digits(v float64) float64 { return math.Round(v*1e5) / 1e5 }

func round(list []float64) []float64 {
	out := make([]float64, len(list))
	for i, v := range list {
		out[i] = digits(v)
	}
	return out
}

// drawn are the losses in the picture, where they are among those measured.
var drawn = []string{"mse", "spectral:shortest=6", "spectral:shortest=4:longest=24", "spectral:shortest=4:longest=24+0.1*mse", "neighbourhood", "csi:threshold=0.5"}

// drawCurves draws how often storms came by how likely they were said to be.
func drawCurves(name string, results []result) error {
	lines := &report.Lines{
		X:      report.Axis{Label: "forecast probability", Min: report.At(0), Max: report.At(1)},
		Y:      report.Axis{Label: "observed frequency", Min: report.At(0), Max: report.At(1)},
		Series: []report.Line{{Name: "calibrated", X: []float64{0, 1}, Y: []float64{0, 1}, Dashed: true}},
	}
	for _, want := range drawn {
		for _, r := range results {
			if r.Loss != want {
				continue
			}
			line := report.Line{Name: want, Points: true}
			for b, n := range r.Reliability.Count {
				if n >= 100 { // of fewer, chance says more than the loss
					line.X, line.Y = append(line.X, r.Reliability.Said[b]), append(line.Y, r.Reliability.Came[b])
				}
			}
			lines.Series = append(lines.Series, line)
		}
	}
	figure := report.Figure{Title: "Reliability by loss", Lines: lines}
	return outfile.Write(name, true, func(w io.Writer) error { return report.PNG(w, figure) })
}
