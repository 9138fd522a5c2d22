package estimate

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"

	"barrow/internal/jsonout"
	"barrow/report"
	"barrow/surrogate"
)

// A PairSet is the accuracy on one kind of held-out pairs, with what is drawn of
// them.
type PairSet struct {
	Name string `json:"name"`
	surrogate.Accuracy
	Density  Density   `json:"density"`             // predicted against exact
	Relative Histogram `json:"relative_difference"` // (predicted−exact)/exact
}

// Density is a two-dimensional histogram over equal ranges of x and y.
type Density struct {
	Edges []float64 `json:"edges"`
	Count []float64 `json:"count"` // rows of x counts, lowest y first
}

// Histogram counts values between edges; values outside are not counted.
type Histogram struct {
	Edges []float64 `json:"edges"`
	Count []float64 `json:"count"`
}

// Bins of the figures.
const (
	bins        = 60
	relativeEnd = 0.3 // of the relative difference
)

// Count sorts values from 0 on, such as distances of which the largest is top,
// into equal bins that end at a round number above them.
func Count(values []float64, top float64) (Histogram, error) {
	return count(values, report.Even(0, roundUp(top), bins))
}

func count(values, edges []float64) (Histogram, error) {
	n, _, err := report.Bin(values, edges)
	return Histogram{edges, n}, err
}

// roundUp is a round number above every distance, the end of an axis.
func roundUp(top float64) float64 { return math.Floor(top*2)/2 + 0.5 }

// Measured is what is kept of a comparison of pairs.
func Measured(name string, c *surrogate.Comparison) (PairSet, error) {
	s := PairSet{Name: name, Accuracy: c.Accuracy}
	top := 0.0
	var relative []float64
	for i, e := range c.Exact {
		top = max(top, e, c.Predicted[i])
		if e > 0 {
			relative = append(relative, (c.Predicted[i]-e)/e)
		}
	}
	s.Density.Edges = report.Even(0, roundUp(top), bins)
	var err error
	if s.Density.Count, _, err = report.BinXY(c.Exact, c.Predicted, s.Density.Edges, s.Density.Edges); err != nil {
		return s, err
	}
	s.Relative, err = count(relative, report.Even(-relativeEnd, relativeEnd, bins))
	return s, err
}

const accuracyNote = "Bias and spread: mean and standard deviation of (predicted − exact)/exact."

func accuracyColumns() []report.Column {
	var list []report.Column
	for _, name := range []string{"pairs", "bias", "spread", "mean |error|", "correlation", "gradient cosine, median", "10th percentile"} {
		list = append(list, report.Column{Name: name, Numeric: true})
	}
	return list
}

func accuracyCells(a surrogate.Accuracy) []string {
	cells := []string{fmt.Sprint(a.N)}
	for _, x := range []struct {
		format string
		v      float64
	}{{"%+.4f", a.Bias}, {"%.4f", a.Spread}, {"%.4f", a.MAE}, {"%.5f", a.Correlation}, {"%.3f", a.CosineMedian}, {"%.3f", a.CosineP10}} {
		cell := "–"
		// A figure that there is none of is NaN, null in the results and 0 when they are
		// read; no network gives exactly that.
		if !math.IsNaN(x.v) && x.v != 0 {
			cell = strings.Replace(fmt.Sprintf(x.format, x.v), "-", "−", 1)
		}
		cells = append(cells, cell)
	}
	return cells
}

// kept is an accuracy in a record, which must come back as it was: what is null
// there is NaN.
type kept surrogate.Accuracy

// MarshalJSON writes it.
func (k kept) MarshalJSON() ([]byte, error) { return jsonout.Marshal(surrogate.Accuracy(k)) }

// UnmarshalJSON reads it.
func (k *kept) UnmarshalJSON(b []byte) error {
	none := math.NaN()
	*k = kept{Bias: none, Spread: none, MAE: none, Correlation: none, CosineMedian: none, CosineP10: none}
	return json.Unmarshal(b, (*surrogate.Accuracy)(k))
}

// Table is that of the accuracies on several kinds of pairs.
func Table(what string, sets []PairSet) report.Table {
	t := report.Table{Columns: append([]report.Column{{Name: what}}, accuracyColumns()...), Note: accuracyNote}
	for _, s := range sets {
		t.Rows = append(t.Rows, append([]string{s.Name}, accuracyCells(s.Accuracy)...))
	}
	return t
}

// The figures are those that the paper draws of its networks: both distributions
// of values, one value against the other, and the relative difference.

// values are both distributions, which the density holds.
func (s PairSet) values(unit string) report.Figure {
	n := max(0, len(s.Density.Edges)-1)
	exact, predicted := make([]float64, n), make([]float64, n)
	for i, c := range s.Density.Count {
		exact[i%n] += c
		predicted[i/n] += c
	}
	return report.Figure{ID: "values", Title: "Values", Histogram: &report.Histogram{
		X: report.Axis{Label: "EMD", Unit: unit}, Y: report.Axis{Label: "pairs"}, Edges: s.Density.Edges,
		Series: []report.Counts{{Name: "exact", Count: exact}, {Name: "predicted", Count: predicted}},
	}}
}

// Predicted draws one value against the other.
func (s PairSet) Predicted(id, title, unit string) report.Figure {
	axis := func(label string) report.Axis { return report.Axis{Label: label, Unit: unit} }
	return report.Figure{ID: id, Title: title, Density: &report.Density{
		X: axis("exact EMD"), Y: axis("predicted EMD"), XEdges: s.Density.Edges, YEdges: s.Density.Edges, Count: s.Density.Count, Diagonal: true,
	}}
}

// Relative draws the relative differences.
func Relative(sets []PairSet) report.Figure {
	h := &report.Histogram{X: report.Axis{Label: "(predicted − exact) / exact"}, Y: report.Axis{Label: "pairs"}}
	for _, s := range sets {
		h.Edges = s.Relative.Edges
		h.Series = append(h.Series, report.Counts{Name: s.Name + " pairs", Count: s.Relative.Count})
	}
	f := report.Figure{ID: "relative", Title: "Relative difference", Histogram: h}
	if len(sets) == 1 {
		f.Caption = fmt.Sprintf("Mean %+.4f, standard deviation %.4f.", sets[0].Bias, sets[0].Spread)
	}
	return f
}
