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
	name     string // of the program
	norm     string
	x, y     []float64 // pixels; milliseconds, medians over the classes
	exponent float64   // of the line fitted through the logarithms, NaN for one size
}

// fitFrom is the number of pixels from which exponents are fitted: below, Barrow is another
// program, that for sets of cells in 64 bits.
const fitFrom = 100

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
		list = append(list, newGrowth("Barrow", norm, rows, func(x largeRow) (float64, bool) { return x.BarrowMS, true }))
		for _, p := range peers {
			g := newGrowth(strings.TrimSuffix(p.title, ", ms"), norm, rows, func(x largeRow) (float64, bool) {
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
	g := growth{name: name, norm: norm, exponent: math.NaN()}
	for n := range bySize {
		g.x = append(g.x, n)
	}
	slices.Sort(g.x)
	var count, sx, sy, sxx, sxy float64
	for _, n := range g.x {
		y := median(bySize[n])
		g.y = append(g.y, y)
		if n < fitFrom {
			continue
		}
		lx, ly := math.Log(n), math.Log(y)
		count, sx, sy, sxx, sxy = count+1, sx+lx, sy+ly, sxx+lx*lx, sxy+lx*ly
	}
	if count > 1 {
		g.exponent = (count*sxy - sx*sy) / (count*sxx - sx*sx)
	}
	return g
}

// fittedFrom says from how many pixels on exponents are fitted.
func fittedFrom(list []growth) string {
	least := math.Inf(1)
	for _, g := range list {
		for _, n := range g.x {
			if n >= fitFrom {
				least = min(least, n)
			}
		}
	}
	if math.IsInf(least, 1) {
		return ""
	}
	return fmt.Sprintf(" from %.0f² on", math.Sqrt(least))
}

// power is the exponent after the words, nothing where there is none.
func (g *growth) power(words string) string {
	if math.IsNaN(g.exponent) {
		return ""
	}
	return fmt.Sprintf("%s%.2f", words, g.exponent)
}

// printGrowth prints the medians over the classes and their fitted exponents.
func printGrowth(list []growth) {
	if len(list) == 0 {
		return
	}
	fmt.Println("\nMedians over the images, ms by pixels, and the exponent of the growth:")
	for _, g := range list {
		var parts []string
		for k, n := range g.x {
			parts = append(parts, fmt.Sprintf("%.0f: %.3g", n, g.y[k]))
		}
		fmt.Printf("- %s, %s: %s%s\n", g.name, g.norm, strings.Join(parts, ", "), g.power("; pixels^"))
	}
}

// plotGrowth draws them on logarithmic axes, a figure for each norm, as SVG or PNG by the
// file's ending.
func plotGrowth(path string, list []growth) error {
	var figures []report.Figure
	titles := map[string]string{"l1": "L1", "linf": "the maximum norm", "l2": "straight lines"}
	for _, g := range list {
		if len(figures) == 0 || figures[len(figures)-1].ID != "emd-growth-"+g.norm {
			figures = append(figures, report.Figure{ID: "emd-growth-" + g.norm, Title: "Exact EMD of whole images, " + titles[g.norm],
				Caption: "Medians over the classes of images, one thread; exponents" + fittedFrom(list) + ".",
				Lines:   &report.Lines{X: report.Axis{Label: "pixels", Log: true}, Y: report.Axis{Label: "processor time of a pair", Unit: "ms", Log: true}}})
		}
		lines := figures[len(figures)-1].Lines
		lines.Series = append(lines.Series, report.Line{Name: g.name + g.power(", pixels to the "), Group: g.name, X: g.x, Y: g.y, Points: true, Dashed: g.name != "Barrow"})
	}
	png := filepath.Ext(path) == ".png"
	if !png && len(figures) != 1 {
		return fmt.Errorf("--plot %s: an .svg has one figure, and these are %d: choose one of --norms, or a .png", path, len(figures))
	}
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	if png {
		err = report.PNG(out, figures...)
	} else {
		err = report.SVG(out, figures[0])
	}
	return cmp.Or(err, out.Close())
}
