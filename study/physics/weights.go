package physics

import (
	"fmt"
	"slices"

	"barrow/physics"
	"barrow/report"
)

// calibrated are the contenders that are, and their two fits.
func (r *Results) calibrated() []*Contender {
	return slices.DeleteFunc(slices.Clone(r.Contenders), func(c *Contender) bool { return len(c.Calibration.Even.Weights) == 0 })
}

// fits are the numbers of every contender's fits beside the layers' weights, by even and by
// odd events.
func (r *Results) fits() (head []string, rows [][]string) {
	head = []string{"contender", "common, GeV/MIP_T", "negative layers", "gain, by unit of |η|", "around, GeV/MIP_T", "offset, GeV", "slope, GeV by area", "spread, of p_T", "spread, GeV"}
	for _, c := range r.calibrated() {
		a, b := &c.Calibration.Even, &c.Calibration.Odd
		row := []string{c.Name}
		add := func(format string, of func(f *physics.Fit) any) {
			row = append(row, fmt.Sprintf(format+", "+format, of(a), of(b)))
		}
		add("%.4f", func(f *physics.Fit) any { return f.Common })
		add("%d", func(f *physics.Fit) any {
			n := 0
			for _, w := range f.Weights {
				if w < 0 {
					n++
				}
			}
			return n
		})
		add("%.5f", func(f *physics.Fit) any { return f.Gain })
		add("%.4f", func(f *physics.Fit) any { return f.Around })
		add("%.2f", func(f *physics.Fit) any { return f.Offset })
		add("%.4f", func(f *physics.Fit) any { return f.Slope })
		add("%.4f", func(f *physics.Fit) any { return f.Relative })
		add("%.2f", func(f *physics.Fit) any { return f.Absolute })
		rows = append(rows, row)
	}
	return head, rows
}

// weights shows what the calibrations are.
func (r *Results) weights() report.Section {
	s := report.Section{Title: "Calibration", Text: []string{"Clusters’ energies in the layers are weighted by least squares, each half of the events by the weights that the other half gives. What of it is pile-up’s is taken away by what is around a cluster, an offset and the area that the cluster has in η and φ: docs/physics.md."}}
	lines := &report.Lines{X: report.Axis{Label: "trigger layer"}, Y: report.Axis{Label: "weight", Unit: "GeV/MIP_T"}}
	for _, c := range r.calibrated() {
		line := report.Line{Name: c.Name, Points: true}
		for l, w := range c.Calibration.Even.Weights {
			v := c.Calibration.Odd.Weights[l]
			line.X, line.Y = append(line.X, float64(l+1)), append(line.Y, (w+v)/2)
			line.Low, line.High = append(line.Low, min(w, v)), append(line.High, max(w, v))
		}
		lines.Series = append(lines.Series, line)
	}
	if len(lines.Series) == 0 {
		return s
	}
	s.Figures = append(s.Figures, report.Figure{ID: "weights", Title: "Weights of layers", Lines: lines, Caption: "The mean of both fits; bars reach from one to the other."})
	head, rows := r.fits()
	s.Tables = append(s.Tables, table("Other numbers of the fits", "Each by events of even and by those of odd numbers. Spread: of p_T about the generated one, √(a²·p_T² + b²).", head, rows))
	return s
}
