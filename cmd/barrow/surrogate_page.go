package main

import (
	"fmt"
	"io"
	"math"

	"barrow/report"
	"barrow/run"
	"barrow/surrogate"
)

// surrogateResults is what a finished training leaves in its folder.
type surrogateResults struct {
	Config   surrogateConfig    `json:"config"`
	Accuracy surrogate.Accuracy `json:"accuracy"`
	Best     int                `json:"best_epoch"`
	Curve    [][2]float64       `json:"curve"` // training and validation loss
}

func (r *surrogateResults) write(folder *run.Folder, c *surrogate.Comparison) error {
	page := &report.Page{
		Title:    "EMD network " + r.Config.Architecture,
		Subtitle: fmt.Sprintf("%d epochs of %d pairs (%s) of %s", r.Config.Epochs, r.Config.Pairs, r.Config.Kind, r.Config.Source),
		Tables:   []report.Table{r.table()},
		Sections: []report.Section{{Title: "Held-out pairs", Figures: accuracyFigures(c)}, {Title: "Training", Figures: []report.Figure{r.curve()}}},
		Footer:   []string{fmt.Sprintf("seed %d; images %s", r.Config.Seed, r.Config.Digest)},
	}
	if err := folder.Write(run.Report, func(w io.Writer) error { return report.Write(w, *page) }); err != nil {
		return err
	}
	return folder.WriteJSON(run.Results, r)
}

func (r *surrogateResults) table() report.Table {
	a := r.Accuracy
	return report.Table{
		Columns: []report.Column{{Name: "pairs", Numeric: true}, {Name: "bias", Numeric: true}, {Name: "spread", Numeric: true}, {Name: "mean |error|", Numeric: true},
			{Name: "correlation", Numeric: true}, {Name: "gradient cosine, median", Numeric: true}, {Name: "10th percentile", Numeric: true}},
		Rows: [][]string{{fmt.Sprint(a.N), fmt.Sprintf("%+.4f", a.Bias), fmt.Sprintf("%.4f", a.Spread), fmt.Sprintf("%.4f", a.MAE),
			fmt.Sprintf("%.5f", a.Correlation), fmt.Sprintf("%.3f", a.CosineMedian), fmt.Sprintf("%.3f", a.CosineP10)}},
		Note: "Bias and spread: mean and standard deviation of (predicted − exact)/exact.",
	}
}

func (r *surrogateResults) curve() report.Figure {
	l := report.Lines{X: report.Axis{Label: "epoch"}, Y: report.Axis{Label: "loss", Log: true}}
	for side, name := range []string{"training", "validation"} {
		line := report.Line{Name: name, Group: "loss", Dashed: side == 1}
		for k, v := range r.Curve {
			if v[side] > 0 {
				line.X, line.Y = append(line.X, float64(k+1)), append(line.Y, v[side])
			}
		}
		l.Series = append(l.Series, line)
	}
	return report.Figure{ID: "curve", Title: "Loss", Lines: &l}
}

// Bins of the figures.
const (
	valueBins    = 60
	relativeEnd  = 0.3 // of the relative difference
	relativeBins = 60
)

// accuracyFigures are those that the paper draws of its networks: both
// distributions of values, one value against the other, and the relative
// difference.
func accuracyFigures(c *surrogate.Comparison) []report.Figure {
	top := 0.0
	var relative []float64
	for i, e := range c.Exact {
		top = max(top, e, c.Predicted[i])
		if e > 0 {
			relative = append(relative, (c.Predicted[i]-e)/e)
		}
	}
	top = math.Floor(2*top)/2 + 0.5
	edges := linear(0, top, valueBins)
	cells := make([]float64, valueBins*valueBins)
	for i, e := range c.Exact {
		x, y := binOf(edges, e), binOf(edges, c.Predicted[i])
		if x >= 0 && y >= 0 {
			cells[y*valueBins+x]++
		}
	}
	axis := func(name string) report.Axis { return report.Axis{Label: name, Unit: "metric units"} }
	pairs := report.Axis{Label: "pairs"}
	inner := linear(-relativeEnd, relativeEnd, relativeBins)
	return []report.Figure{
		{ID: "values", Title: "Values", Histogram: &report.Histogram{X: axis("EMD"), Y: pairs, Edges: edges,
			Series: []report.Counts{{Name: "exact", Count: counts(edges, c.Exact)}, {Name: "predicted", Count: counts(edges, c.Predicted)}}}},
		{ID: "predicted", Title: "Predicted against exact EMD",
			Density: &report.Density{X: axis("exact EMD"), Y: axis("predicted EMD"), XEdges: edges, YEdges: edges, Count: cells, Diagonal: true}},
		{ID: "relative", Title: "Relative difference", Caption: fmt.Sprintf("Mean %+.4f, standard deviation %.4f.", c.Bias, c.Spread),
			Histogram: &report.Histogram{X: report.Axis{Label: "(predicted − exact) / exact"}, Y: pairs, Edges: inner,
				Series: []report.Counts{{Name: "pairs", Count: counts(inner, relative)}}}},
	}
}

func linear(low, high float64, n int) []float64 {
	e := make([]float64, n+1)
	for k := range e {
		e[k] = low + (high-low)*float64(k)/float64(n)
	}
	return e
}

// binOf is the bin of v between equally spaced edges, or -1 outside.
func binOf(edges []float64, v float64) int {
	n := len(edges) - 1
	if !(v >= edges[0] && v < edges[n]) {
		return -1
	}
	return min(n-1, int(float64(n)*(v-edges[0])/(edges[n]-edges[0])))
}

func counts(edges, values []float64) []float64 {
	out := make([]float64, len(edges)-1)
	for _, v := range values {
		if k := binOf(edges, v); k >= 0 {
			out[k]++
		}
	}
	return out
}
