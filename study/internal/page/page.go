// Package page holds what the pages of all kinds of runs have in common.
package page

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"barrow/internal/version"
	"barrow/report"
	"barrow/run"
)

// UnitOf is the unit of distances on a ground metric.
func UnitOf(metric string) string {
	switch metric {
	case "benchmark":
		return "½ TC pitch"
	case "cmssw":
		return "cm"
	}
	return "units of the metric"
}

// Sign says at the page's foot which program made the run. Rows of which there is
// no number are left out: a figure that cannot be had must not cost a run its page.
func Sign(p *report.Page, by version.Program) {
	for i := range p.Sections {
		for _, f := range p.Sections[i].Figures {
			if f.Intervals != nil {
				f.Intervals.Rows = slices.DeleteFunc(f.Intervals.Rows, func(r report.Interval) bool {
					sum := r.Low + r.Value + r.High
					return math.IsNaN(sum) || math.IsInf(sum, 0)
				})
			}
		}
	}
	p.Footer = append(p.Footer, "Barrow "+by.String())
}

// Write draws a run's page into its folder, signed by this program.
func Write(f *run.Folder, p *report.Page) error {
	Sign(p, version.Current())
	return f.Write(run.Report, func(w io.Writer) error { return report.Write(w, *p) })
}

// ID is a figure's name, which not every character may be in.
func ID(parts ...string) string {
	clean := func(r rune) rune {
		switch {
		case r == '*':
			return 'x'
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("+-._@", r):
			return r
		}
		return '-'
	}
	return strings.Map(clean, strings.Join(parts, "-"))
}

// A Curve is the training and the validation loss of every epoch.
type Curve struct {
	Name   string
	Points [][2]float64
}

// Curves draws training curves, solid, with those on the validation images,
// dashed. Values that a logarithmic axis cannot show are left out.
func Curves(id, title, loss string, curves ...Curve) report.Figure {
	l := report.Lines{X: report.Axis{Label: "epoch"}, Y: report.Axis{Label: loss, Log: true}}
	for _, c := range curves {
		for side, what := range []string{"training", "validation"} {
			line := report.Line{Name: c.Name + ", " + what, Group: c.Name, Dashed: side == 1}
			for k, p := range c.Points {
				if p[side] > 0 {
					line.X, line.Y = append(line.X, float64(k+1)), append(line.Y, p[side])
				}
			}
			l.Series = append(l.Series, line)
		}
	}
	return report.Figure{ID: id, Title: title, Lines: &l}
}

// CurvesText goes with them.
const CurvesText = "Solid lines: on the training images; dashed: on the validation images, which choose the epoch that is kept. Losses of different kinds do not compare."

// Of gives a number and what is counted, in the plural where there are several.
func Of(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
