package validate

import (
	"fmt"
	"math"
	"strings"

	"barrow/report"
)

const (
	generated = "generated"
	published = "reference"
)

// Page lays the result out as one page: a table of all checks and the plots.
func (r *Result) Page() report.Page {
	failed := len(r.Failed())
	p := report.Page{
		Title:    "Simulated wafers against published distributions",
		Subtitle: fmt.Sprintf("%d of %d checks within tolerance", len(r.Checks)-failed, len(r.Checks)),
		Summary: []string{"Generated images are compared with histograms and images of the CMS simulation. " +
			"The model and its parameters are described in docs/simulation.md."},
		Palette: []string{generated, published},
		Footer:  r.Origins,
	}
	if r.Seeds > 1 {
		p.Summary = append(p.Summary, fmt.Sprintf("Every number is the worst of %d seeds; the plots show the first.", r.Seeds))
	}
	p.Tables = []report.Table{r.summary()}
	p.Sections = []report.Section{r.occupancySection(), r.spectraSection(), r.distanceSection()}
	return p
}

// groups returns the checks by group, in order.
func (r *Result) groups() ([]string, map[string][]Check) {
	var names []string
	by := map[string][]Check{}
	for _, c := range r.Checks {
		if by[c.Group] == nil {
			names = append(names, c.Group)
		}
		by[c.Group] = append(by[c.Group], c)
	}
	return names, by
}

// worst is how much of its tolerance a check uses up.
func (c *Check) worst() float64 {
	limit := c.Tolerance
	if c.Relative {
		limit *= math.Abs(c.Want)
	}
	return math.Abs(c.Got-c.Want) / limit
}

func (r *Result) summary() report.Table {
	t := report.Table{Title: "Checks", Columns: []report.Column{{Name: "what"}, {Name: "closest to its limit"}, {Name: "checks", Numeric: true},
		{Name: "outside", Numeric: true}, {Name: "generated", Numeric: true}, {Name: "reference", Numeric: true},
		{Name: "tolerance", Numeric: true}}}
	names, by := r.groups()
	for _, name := range names {
		var worst Check
		outside := 0
		for _, c := range by[name] {
			if worst.Name == "" || c.worst() > worst.worst() {
				worst = c
			}
			if !c.OK() {
				outside++
			}
		}
		t.Rows = append(t.Rows, []string{name, worst.Name, fmt.Sprint(len(by[name])), fmt.Sprint(outside),
			number(worst.Got), number(worst.Want), worst.limit()})
	}
	return t
}

func number(v float64) string { return fmt.Sprintf("%.4g", v) }

// limit is the tolerance as text.
func (c *Check) limit() string {
	if c.Relative {
		return fmt.Sprintf("%.3g %%", 100*c.Tolerance)
	}
	return fmt.Sprintf("%.3g", c.Tolerance)
}

// Text is the whole list as lines of a table for a terminal.
func (r *Result) Text() string {
	var b strings.Builder
	names, by := r.groups()
	for _, name := range names {
		fmt.Fprintf(&b, "%s\n  %-28s %12s %12s %8s %9s\n", name, "", generated, published, "ratio", "tolerance")
		for _, c := range by[name] {
			mark := ""
			if !c.OK() {
				mark = "  OUTSIDE"
			}
			ratio := "–"
			if c.Want != 0 {
				ratio = fmt.Sprintf("%.3f", c.Got/c.Want)
			}
			fmt.Fprintf(&b, "  %-28s %12s %12s %8s %9s%s\n", c.Name, number(c.Got), number(c.Want), ratio, c.limit(), mark)
		}
	}
	return b.String()
}

func (r *Result) table(group string) report.Table {
	t := report.Table{Columns: []report.Column{{Name: "quantity"}, {Name: "within"}, {Name: "generated", Numeric: true},
		{Name: "reference", Numeric: true}, {Name: "tolerance", Numeric: true}}}
	_, by := r.groups()
	for n, c := range by[group] {
		ok := "yes"
		if !c.OK() {
			ok = "no"
			t.Emphasis = append(t.Emphasis, n)
		}
		t.Rows = append(t.Rows, []string{c.Name, ok, number(c.Got), number(c.Want), c.limit()})
	}
	return t
}

func (r *Result) occupancySection() report.Section {
	s := report.Section{Title: "Occupancy", Text: []string{
		"Trigger cells above 1.35 MIP_T in a full module, ttbar events at pile-up 200, CMSSW geometry V11."}}
	ks := report.Lines{X: report.Axis{Label: "layer"}, Y: report.Axis{Label: "KS distance", Min: report.At(0)}}
	line := report.Line{Name: "KS distance"}
	for _, l := range r.layers {
		line.X, line.Y = append(line.X, float64(l.layer)), append(line.Y, l.ks)
	}
	ks.Series = []report.Line{line, {Name: "tolerance", X: []float64{line.X[0], line.X[len(line.X)-1]}, Y: []float64{0.02, 0.02}, Dashed: true}}
	s.Figures = append(s.Figures, report.Figure{ID: "ks", Title: "Distance of the distributions, all modules of a layer", Lines: &ks})
	for _, l := range r.layers {
		switch l.layer {
		case 1, 5, 9, 13, 21, 30, 40:
			s.Figures = append(s.Figures, l.histogram(), l.meanFigure())
		}
	}
	s.Tables = []report.Table{r.table("occupancy, distribution"), r.table("occupancy, mean")}
	return s
}

func (l *layerResult) histogram() report.Figure {
	last := 0
	for n := range l.want {
		if l.want[n] > 1e-3 || l.got[n] > 1e-3 {
			last = n
		}
	}
	h := report.Histogram{X: report.Axis{Label: "trigger cells above 1.35 MIP_T"}, Y: report.Axis{Label: "share of modules"},
		Series: []report.Counts{{Name: generated, Count: l.got[:last+1]}, {Name: published, Count: l.want[:last+1]}}}
	for n := range last + 2 {
		h.Edges = append(h.Edges, float64(n)-0.5)
	}
	return report.Figure{ID: fmt.Sprintf("cells-%d", l.layer), Title: fmt.Sprintf("Layer %d: cells hit", l.layer), Histogram: &h}
}

func (l *layerResult) meanFigure() report.Figure {
	g, w := report.Line{Name: generated}, report.Line{Name: published, Dashed: true}
	for _, b := range l.bins {
		g.X, g.Y = append(g.X, b.eta), append(g.Y, b.got)
		w.X, w.Y = append(w.X, b.eta), append(w.Y, b.want)
	}
	return report.Figure{ID: fmt.Sprintf("mean-%d", l.layer), Title: fmt.Sprintf("Layer %d: mean against η", l.layer),
		Lines: &report.Lines{X: report.Axis{Label: "|η|"}, Y: report.Axis{Label: "mean cells hit", Log: true}, Series: []report.Line{g, w}}}
}

func (r *Result) spectraSection() report.Section {
	s := report.Section{Title: "Charges and their correlation", Text: []string{
		"Real images of one wafer each against a module whose occupancy agrees; see docs/simulation.md for what the files do not say.",
		"Charges are ADC counts as the front end writes them, in its 7-bit format; every code counts as evenly spread over its width."}}
	for _, c := range []struct {
		name string
		id   string
		comparison
	}{{lowDensity.name, "ld", r.ld}, {highDensity.name, "hd", r.hd}} {
		g, w := report.Line{Name: generated}, report.Line{Name: published, Dashed: true}
		for _, p := range percents {
			key := fmt.Sprintf("cell %g %%", p)
			if c.got[key] > 0 && c.want[key] > 0 {
				g.X, g.Y = append(g.X, p), append(g.Y, c.got[key])
				w.X, w.Y = append(w.X, p), append(w.Y, c.want[key])
			}
		}
		s.Figures = append(s.Figures, report.Figure{ID: "cell-" + c.id, Title: "Charge of a cell: " + c.name,
			Lines: &report.Lines{X: report.Axis{Label: "quantile", Unit: "%"}, Y: report.Axis{Label: "charge", Unit: "ADC counts", Log: true},
				Series: []report.Line{g, w}}})
		s.Tables = append(s.Tables, r.table(c.name))
	}
	g, w := report.Line{Name: generated}, report.Line{Name: published, Dashed: true}
	for k, end := range bands {
		g.X, g.Y = append(g.X, end), append(g.Y, r.ld.got[bandName(k)])
		w.X, w.Y = append(w.X, end), append(w.Y, r.ld.want[bandName(k)])
	}
	s.Figures = append(s.Figures, report.Figure{ID: "correlation", Title: "Correlation of cells being hit",
		Lines: &report.Lines{X: report.Axis{Label: "distance up to", Unit: "half pitches"}, Y: report.Axis{Label: "correlation"}, Series: []report.Line{g, w}}})
	return s
}

func (r *Result) distanceSection() report.Section {
	s := report.Section{Title: "Earth mover's distances", Text: []string{
		"Exact, on the benchmark metric. Best choice (BC) keeps the largest cells; the rest is left out, or spread evenly over the other cells. " +
			"Super trigger cells (STC) put the charge of 4 or 16 cells on the largest."}}
	i := report.Intervals{X: report.Axis{Label: "EMD"}, Spread: "5–95 % of pairs"}
	for _, name := range []string{"EMD of pairs", "EMD to uniform", "EMD of BC4", "EMD of BC6", "EMD of BC9", "EMD of BC14", "EMD of STC4", "EMD of STC16"} {
		for _, side := range []struct {
			what string
			v    values
		}{{generated, r.ld.got}, {published, r.ld.want}} {
			i.Rows = append(i.Rows, report.Interval{Name: strings.TrimPrefix(name, "EMD ") + ", " + side.what,
				Value: side.v[name], Low: min(side.v[name+", 5 %"], side.v[name]), High: max(side.v[name+", 95 %"], side.v[name])})
		}
	}
	s.Figures = []report.Figure{{ID: "emd", Title: "Distances on the low-density wafer", Intervals: &i}}
	return s
}
