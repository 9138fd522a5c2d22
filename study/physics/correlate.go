package physics

import (
	"fmt"
	"math"
	"slices"

	"barrow/physics"
	"barrow/report"
	"barrow/study/internal/page"
)

// Predicted says whether the mean EMD predicts a figure over the contenders.
type Predicted struct {
	Figure string `json:"figure"`
	Label  string `json:"label"`
	By     string `json:"by"` // the EMD's key: mean over wafers, or over their charge
	// Of says over which contenders: all, algorithms of the chip or encoders. They are families
	// whose members resemble each other, which P does not know of.
	Of string `json:"of"`
	physics.Correlation
}

// predicted are the figures that are set against the mean EMD.
func predicted() []string {
	return []string{"resolution", "resolution_68", "resolution_raw", "eta_resolution", "phi_resolution", "longitudinal_bias", "transverse_bias", "efficiency", auc, background, "turn_on_95"}
}

// correlate sets every figure against the mean EMD, all cells apart, which have none.
func (r *Results) correlate() []Predicted {
	list := []Predicted{}
	for _, name := range predicted() {
		if !r.measured(name) {
			continue
		}
		// Algorithms come before encoders.
		own, rest := 0, r.Contenders[1:]
		for _, word := range r.Plan.Contenders {
			if slices.Contains(algorithmNames(), word) {
				own++
			}
		}
		for _, group := range []struct {
			of   string
			list []*Contender
		}{{"all", rest}, {"algorithms", rest[:own]}, {"encoders", rest[own:]}} {
			if group.of != "all" && len(group.list) < 3 {
				continue
			}
			for _, by := range []string{distance, charged} {
				var x, y []physics.Value
				for _, c := range group.list {
					x, y = append(x, c.Value(by)), append(y, c.Value(name))
				}
				list = append(list, Predicted{name, figure(name).Label, by, group.of, physics.Correlate(x, y, r.Plan.Seed)})
			}
		}
	}
	return list
}

// distance is the figure that the others are set against.
const distance = "emd"

// charged is the same weighted by charge: most wafers around a particle are pile-up's alone, of
// which its energy knows nothing.
const charged = "emd_charge"

// correlations are the table of them.
func (r *Results) correlations() (head []string, rows [][]string) {
	head = []string{"figure", "EMD", "over", "contenders", "Pearson", "Spearman", "p of Spearman"}
	for _, c := range r.Correlations {
		p := "–"
		if !math.IsNaN(c.P.Value) {
			p = fmt.Sprintf("%.3g", c.P.Value)
		}
		rows = append(rows, []string{c.Label, map[string]string{distance: "of wafers", charged: "of charge"}[c.By], c.Of, fmt.Sprint(c.Pearson.N), c.Pearson.Print(3), c.Spearman.Print(3), p})
	}
	return head, rows
}

// correlation draws figures against the mean EMD.
func (r *Results) correlation() report.Section {
	s := report.Section{Title: "Does the mean EMD predict it?", Text: []string{"A point is a contender. The coefficients’ errors are those of the events; that there are few contenders, and which, is what p is for: the share of all orders of the contenders that agree or disagree at least as much by chance. It takes contenders for independent of each other; those of a family, such as encoders of one network or two ways of decoding one algorithm, are not, so that p of all is too small. Coefficients for algorithms and encoders apart stand below those of all."}}
	if head, rows := r.correlations(); len(rows) > 0 {
		s.Tables = append(s.Tables, table("Correlation with the mean EMD over contenders", "± is a standard deviation over draws of events.", head, rows))
	}
	for _, name := range []string{"resolution_68", "phi_resolution", background} {
		f := figure(name)
		l := &report.Lines{X: report.Axis{Label: figure(distance).Label, Unit: page.UnitOf(r.Plan.Metric)}, Y: report.Axis{Label: f.Label, Unit: f.Unit}}
		for _, c := range r.Contenders[1:] {
			x, y := c.Value(distance), c.Value(name)
			if math.IsNaN(x.Value) || math.IsNaN(y.Value) {
				continue
			}
			h, v := interval("", x, figure(distance)), interval("", y, f)
			l.Series = append(l.Series, report.Line{Name: r.title(c), X: []float64{x.Value}, Y: []float64{y.Value}, Loose: true,
				Low: []float64{v.Low}, High: []float64{v.High}, XLow: []float64{h.Low}, XHigh: []float64{h.High}})
		}
		if len(l.Series) > 2 {
			s.Figures = append(s.Figures, report.Figure{ID: page.ID("emd-" + name), Title: upper(f.Label) + " against mean EMD", Lines: l})
		}
	}
	return s
}
