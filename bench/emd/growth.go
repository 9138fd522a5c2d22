package main

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"barrow/report"
)

// A growth is how the time of one program for one norm's images grows with the pixels.
type growth struct {
	name     string
	x, y     []float64 // pixels; milliseconds, medians over the classes
	exponent float64   // of the line fitted through the logarithms, NaN for one size
}

// growths has Barrow first for each norm, then the peers.
func growths(rows []largeRow, peers []*largePeer) []growth {
	norms := map[string]bool{}
	for _, x := range rows {
		if x.Side > 0 {
			norms[x.Norm] = true
		}
	}
	var list []growth
	for _, norm := range []string{"l1", "linf", "l2"} {
		if !norms[norm] {
			continue
		}
		list = append(list, newGrowth("Barrow, "+norm, norm, rows, func(x largeRow) (float64, bool) { return x.BarrowMS, true }))
		for _, p := range peers {
			g := newGrowth(p.name+", "+norm, norm, rows, func(x largeRow) (float64, bool) {
				ms, ok := x.Peers[p.name]
				return ms, ok
			})
			if len(g.x) > 0 {
				list = append(list, g)
			}
		}
	}
	return list
}

func newGrowth(name, norm string, rows []largeRow, of func(largeRow) (float64, bool)) growth {
	bySize := map[float64][]float64{}
	for _, x := range rows {
		if ms, ok := of(x); ok && x.Norm == norm && x.Side > 0 {
			bySize[float64(x.Points)] = append(bySize[float64(x.Points)], ms)
		}
	}
	g := growth{name: name, exponent: math.NaN()}
	for n := range bySize {
		g.x = append(g.x, n)
	}
	slices.Sort(g.x)
	var mx, my, xx, xy float64
	for _, n := range g.x {
		g.y = append(g.y, median(bySize[n]))
		mx += math.Log(n) / float64(len(g.x))
		my += math.Log(g.y[len(g.y)-1]) / float64(len(g.x))
	}
	for k, n := range g.x {
		dx := math.Log(n) - mx
		xx += dx * dx
		xy += dx * (math.Log(g.y[k]) - my)
	}
	if len(g.x) > 1 {
		g.exponent = xy / xx
	}
	return g
}

// power is the exponent after the words, nothing where there is none.
func (g *growth) power(words string) string {
	if math.IsNaN(g.exponent) {
		return ""
	}
	return fmt.Sprintf("%s%.2f", words, g.exponent)
}

// printGrowth prints the medians over the classes and their fitted exponents.
func printGrowth(rows []largeRow, peers []*largePeer) {
	list := growths(rows, peers)
	if len(list) == 0 {
		return
	}
	fmt.Println("\nMedians over the images, ms by pixels, and the exponent of the growth:")
	for _, g := range list {
		var parts []string
		for k, n := range g.x {
			parts = append(parts, fmt.Sprintf("%.0f: %.3g", n, g.y[k]))
		}
		fmt.Printf("- %s: %s%s\n", g.name, strings.Join(parts, ", "), g.power("; pixels^"))
	}
}

// plotGrowth draws them on logarithmic axes, as SVG or PNG by the file's ending.
func plotGrowth(path string, rows []largeRow, peers []*largePeer) error {
	lines := &report.Lines{X: report.Axis{Label: "pixels", Log: true}, Y: report.Axis{Label: "processor time of a pair", Unit: "ms", Log: true}}
	for _, g := range growths(rows, peers) {
		program, _, _ := strings.Cut(g.name, ",")
		lines.Series = append(lines.Series, report.Line{Name: g.name + g.power(": exponent "), X: g.x, Y: g.y, Points: true, Dashed: program != "Barrow"})
	}
	f := report.Figure{ID: "emd-growth", Title: "Exact EMD of whole images: growth of the time",
		Caption: "Medians over the classes of images, one thread.", Lines: lines}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	if filepath.Ext(path) == ".png" {
		err = report.PNG(out, f)
	} else {
		err = report.SVG(out, f)
	}
	return cmp.Or(err, out.Close())
}
