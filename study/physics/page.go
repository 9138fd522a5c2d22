package physics

import (
	"fmt"
	"math"
	"path/filepath"
	"slices"
	"strings"

	"barrow/physics"
	"barrow/report"
	"barrow/run"
	"barrow/study/internal/page"
)

// Page lays out the page of a finished run.
func Page(folder string) (*report.Page, error) {
	var r Results
	var t Times
	if err := run.ReadJSON(folder, run.Results, &r); err != nil {
		return nil, err
	}
	if err := run.ReadJSON(folder, run.Times, &t); err != nil {
		return nil, err
	}
	if len(r.Contenders) == 0 || len(r.Figures) == 0 {
		return nil, fmt.Errorf("physics: %s: nothing was measured", filepath.Join(folder, run.Results))
	}
	return lay(&r, &t), nil
}

func lay(r *Results, t *Times) *report.Page {
	p := &report.Page{
		Title:    "What the trigger sees",
		Subtitle: r.Words(),
		Summary: []string{
			fmt.Sprintf("Every wafer went through %d contenders, %s; clusters were found in what arrives and calibrated for each contender, those of events of even numbers by the events of odd ones and the other way round. Errors are standard deviations over %d draws of the events with replacement, the same for all contenders; calibrations stay as they are.", len(r.Contenders), r.precisions(), r.Plan.Draws),
			strings.TrimSpace(r.Order.Text + " " + r.OnLinks()),
		},
		Tables: r.overview(),
		Footer: []string{r.Plan.Words()},
	}
	for _, c := range r.Contenders {
		p.Palette = append(p.Palette, r.title(c))
	}
	p.Sections = []report.Section{
		r.section("Energy", "The ratio of a cluster's transverse momentum, calibrated, to the particle's. Resolution is the standard deviation over the mean; the half-width is that of the shortest interval with 68 %.", first, "resolution", "response"),
		r.section("Place", "Differences of a cluster's direction and the particle's.", "eta_resolution", "phi_resolution", "eta_bias", "phi_bias"),
		r.section("Finding clusters", "The share of particles with a cluster of at least half their p_T within 0.02 in x/z and y/z, and of those that minimum bias would find as well at another φ; the share of all particles, found or not, whose p_T is within 30 %. Where a share is 0 or 1, the error is that of a flat prior.", "efficiency", "accidental", "within_30"),
	}
	for _, s := range []report.Section{r.trigger(), r.identity(), r.shapeSection(), r.predictions(), r.paperSection(), r.weights(), r.training(), r.costs(t)} {
		if len(s.Figures)+len(s.Tables) > 0 {
			p.Sections = append(p.Sections, s)
		}
	}
	r.mark(p)
	return p
}

// mark puts the plan's label onto all plots.
func (r *Results) mark(p *report.Page) {
	if r.Plan.Label == "" {
		return
	}
	experiment, status, _ := strings.Cut(r.Plan.Label, ",")
	l := &report.Label{Experiment: strings.TrimSpace(experiment), Status: strings.TrimSpace(status)}
	if len(r.Plan.Data) == 0 {
		l.Right = fmt.Sprintf("%ss, %g PU", r.Plan.Class, r.Plan.PileUp)
	}
	for i := range p.Sections {
		for k := range p.Sections[i].Figures {
			if f := &p.Sections[i].Figures[k]; f.Wafers == nil {
				f.Label = l
			}
		}
	}
}

func columns(head []string) []report.Column {
	var list []report.Column
	for k, name := range head {
		list = append(list, report.Column{Name: name, Numeric: k > 0})
	}
	return list
}

func table(title, note string, head []string, rows [][]string) report.Table {
	for _, row := range rows {
		for k := range row {
			if k > 0 {
				row[k] = page.Minus(row[k])
			}
		}
	}
	return report.Table{Title: title, Columns: columns(head), Rows: rows, Note: note}
}

// leading are the figures of the page's first table; the others are in a second.
func leading() []string { return []string{"emd", "efficiency", "resolution_68", "phi_resolution", auc} }

// kept says what the share of pile-up is, where it was measured.
func (r *Results) kept() string {
	if !r.measured(background) {
		return ""
	}
	return " Pile-up kept: the share of pile-up’s clusters that pass where 95 % of the particles do; < is a limit at 95 % confidence where none passes."
}

func (r *Results) overview() []report.Table {
	var tables []report.Table
	for _, t := range []struct {
		title, note string
		first       bool
	}{
		{"Contenders", "Value ± standard deviation by the bootstrap, which holds calibrations as they are. Over all p_T and |η| measured: " + r.spectrum() + ". Over all cells’: the ratio to the resolution of all cells, of the particles that both find; its error is small because both are of the same events. " + strings.Join(r.Notes(), " "), true},
		{"The same contenders’ other figures", "Sum/p_T: the cluster’s sum, not calibrated." + r.kept(), false},
	} {
		out := report.Table{Title: t.title, Note: strings.TrimSpace(t.note), Columns: []report.Column{{Name: "contender"}}}
		var list []physics.Figure
		for _, f := range r.main() {
			if slices.Contains(leading(), f.Name) != t.first {
				continue
			}
			list = append(list, f)
			h := r.heading(f)
			h.Name = strings.ReplaceAll(h.Name, " %", "\u00a0%")
			out.Columns = append(out.Columns, h)
			if f.Name == first {
				out.Columns = append(out.Columns, report.Column{Name: "over all cells’", Numeric: true})
			}
		}
		for _, c := range r.Contenders {
			row := []string{r.title(c)}
			for _, f := range list {
				row = append(row, page.Minus(printed(c.Value(f.Name), f)))
				if f.Name == first {
					row = append(row, page.Minus(c.Ratio(f.Name).Print(3)))
				}
			}
			out.Rows = append(out.Rows, row)
		}
		if len(list) > 0 {
			tables = append(tables, out)
		}
	}
	return tables
}

// section draws figures by contender, and against p_T and |η|.
func (r *Results) section(title, text string, names ...string) report.Section {
	s := report.Section{Title: title, Text: []string{text}}
	for _, name := range names {
		f := figure(name)
		s.Figures = append(s.Figures, r.overall(name)...)
		s.Figures = append(s.Figures, r.ratios(f)...)
		y := report.Axis{Label: f.Label, Unit: f.Unit}
		for _, by := range []struct {
			id   string
			x    report.Axis
			bins func(*physics.Measured) []physics.Bin
		}{
			{"-by-pt", report.Axis{Label: "generated p_T", Unit: "GeV", Log: true}, func(m *physics.Measured) []physics.Bin { return m.ByPt }},
			{"-by-eta", report.Axis{Label: "|η|"}, func(m *physics.Measured) []physics.Bin { return m.ByEta }},
		} {
			if l := r.lines(f, by.x, y, of(name, by.bins)); len(l.Series) > 0 {
				s.Figures = append(s.Figures, report.Figure{ID: page.ID(name + by.id), Title: upper(f.Label) + " against " + by.x.Label, Lines: l, Caption: "Of the particles in bins of " + by.x.Label + ": within a bin the contenders’ points stand side by side. Error bars are standard deviations."})
			}
		}
	}
	return s
}

// overall draws figures over all particles, one row a contender.
func (r *Results) overall(names ...string) []report.Figure {
	var list []report.Figure
	for _, name := range names {
		f := figure(name)
		if iv := r.intervals(f); len(iv.Rows) > 0 {
			list = append(list, report.Figure{ID: page.ID(name), Title: upper(f.Label), Intervals: iv, Caption: strings.TrimSpace(r.count(f) + " " + r.caption(f))})
		}
	}
	return list
}

// count says of how many a figure is.
func (r *Results) count(f physics.Figure) string {
	lo, hi := 0, 0
	for _, c := range r.Contenders {
		if v := c.Value(f.Name); !math.IsNaN(v.Value) && v.N > 0 {
			if lo == 0 || v.N < lo {
				lo = v.N
			}
			hi = max(hi, v.N)
		}
	}
	what := "particles"
	switch {
	case hi == 0:
		return ""
	case strings.HasPrefix(f.Name, "fakes_"), f.Name == "threshold":
		what = "endcaps of minimum bias"
	case f.Name == auc, f.Name == background:
		what = "clusters of pile-up"
	}
	if lo < hi {
		return fmt.Sprintf("Of %s to %s %s.", thousands(lo), thousands(hi), what)
	}
	return fmt.Sprintf("Of %s %s.", thousands(hi), what)
}

// ratios draw a figure's ratio to all cells, of which the error is smallest.
func (r *Results) ratios(f physics.Figure) []report.Figure {
	if f.Name != first {
		return nil
	}
	iv := &report.Intervals{X: report.Axis{Label: "ratio to all cells"}, Spread: "± error", Marks: []report.Mark{{Name: allCells, At: 1}}}
	for _, c := range r.Contenders[1:] {
		if v := c.Ratio(f.Name); !math.IsNaN(v.Value) {
			iv.Rows = append(iv.Rows, interval(r.title(c), v, f))
		}
	}
	if len(iv.Rows) == 0 {
		return nil
	}
	return []report.Figure{{ID: page.ID(f.Name + "-ratio"), Title: upper(f.Label) + ", over that of all cells", Intervals: iv,
		Caption: "Of the particles that both find. Errors are small because the events are the same."}}
}

// caption names the contenders without a value, and why.
func (r *Results) caption(f physics.Figure) string {
	var missing []string
	for _, c := range r.Contenders {
		if v := c.Value(f.Name); math.IsNaN(v.Value) && v.Note != "" {
			missing = append(missing, fmt.Sprintf("%s: %s", r.title(c), v.Note))
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return "Not shown: " + strings.Join(missing, "; ") + "."
}

// upper begins a title. σ and p_T stay as they are.
func upper(label string) string {
	if label == "" || label[0] >= 0x80 || strings.HasPrefix(label, "p_T") {
		return label
	}
	return strings.ToUpper(label[:1]) + label[1:]
}

// intervals are a figure of all contenders.
func (r *Results) intervals(f physics.Figure) *report.Intervals {
	iv := &report.Intervals{X: report.Axis{Label: f.Label, Unit: r.unit(f)}, Spread: "± error", Digits: digits(f)}
	for _, c := range r.Contenders {
		if v := c.Value(f.Name); !math.IsNaN(v.Value) {
			iv.Rows = append(iv.Rows, interval(r.title(c), v, f))
			iv.Digits = max(iv.Digits, digitsOf(f, v))
		}
	}
	return iv
}

// isShare reports whether a figure is between 0 and 1, and so are the ends of its errors.
func isShare(name string) bool {
	return slices.Contains([]string{"efficiency", "accidental", "within_30", "turn_on", auc, background}, name)
}

func interval(name string, v physics.Value, f physics.Figure) report.Interval {
	e := v.Error
	if math.IsNaN(e) {
		e = 0
	}
	out := report.Interval{Name: name, Value: v.Value, Low: v.Value - e, High: v.Value + e}
	if isShare(f.Name) {
		out.Low, out.High = min(v.Value, max(out.Low, 0)), max(v.Value, min(out.High, 1))
	}
	return out
}

// of finds a figure's bins.
func of(name string, bins func(*physics.Measured) []physics.Bin) func(*Contender) []physics.Bin {
	return func(c *Contender) []physics.Bin {
		if m := c.merit.Figure(name); m != nil {
			return bins(m)
		}
		return nil
	}
}

// lines draw bins of a figure of all contenders, each with its error bars. Within a bin the
// contenders stand side by side, and the axis ends where bins do.
func (r *Results) lines(f physics.Figure, x, y report.Axis, bins func(*Contender) []physics.Bin) *report.Lines {
	out := &report.Lines{X: x, Y: y, Legend: true}
	for k, c := range r.Contenders {
		line := report.Line{Name: r.title(c), Points: true}
		for _, b := range bins(c) {
			at := within(b, x.Log, 0.5+0.5*((float64(k)+0.5)/float64(len(r.Contenders))-0.5))
			if math.IsNaN(b.Value.Value) || math.IsNaN(at) || x.Log && !(at > 0) || y.Log && !(b.Value.Value > 0) {
				continue
			}
			v := interval("", b.Value, f)
			if y.Log && !(v.Low > 0) {
				v.Low = v.Value
			}
			line.X, line.Y = append(line.X, at), append(line.Y, v.Value)
			line.Low, line.High = append(line.Low, v.Low), append(line.High, v.High)
			if b.Low < b.High {
				out.X.Min, out.X.Max = end(out.X.Min, b.Low), end(out.X.Max, b.High)
				*out.X.Min, *out.X.Max = min(*out.X.Min, b.Low), max(*out.X.Max, b.High)
			}
		}
		if len(line.X) > 0 {
			out.Series = append(out.Series, line)
		}
	}
	return out
}

// within is the place at a share of a bin's width.
func within(b physics.Bin, log bool, share float64) float64 {
	if log {
		return b.Low * math.Pow(b.High/b.Low, share)
	}
	return b.Low + share*(b.High-b.Low)
}

// end is an axis' end, or one to begin with.
func end(have *float64, at float64) *float64 {
	if have != nil {
		return have
	}
	return report.At(at)
}

// where is in words which clusters rates are of.
func (r *Results) where() string {
	if lo, hi, err := r.Plan.bounds(); err == nil && hi > 0 {
		return fmt.Sprintf(", at |η| %g to %g", lo, hi)
	}
	return ""
}

// fewestPredicted contenders beside all cells say something of a correlation.
const fewestPredicted = 3

// predictions are the section on correlations, if there is one.
func (r *Results) predictions() report.Section {
	if len(r.Contenders)-1 < fewestPredicted {
		return report.Section{}
	}
	return r.correlation()
}

func (r *Results) shapeSection() report.Section {
	s := report.Section{Title: "Shapes of clusters"}
	if head, rows := r.shapes(); len(rows) > 0 && len(head) > 1 {
		s.Tables = append(s.Tables, table("Mean less that of all cells, on the same particles", "± is a standard deviation. docs/physics.md says what the variables are.", head, rows))
	}
	return s
}

func (r *Results) paperSection() report.Section {
	s := report.Section{Title: "The paper’s figures"}
	if head, rows := r.paperTable(); len(rows) > 0 {
		s.Tables = append(s.Tables, table("", "arXiv:2306.04712. ± is a standard deviation; the paper gives none.", head, rows))
	}
	return s
}

// training is what the encoders trained here keep of held-out wafers.
func (r *Results) training() report.Section {
	s := report.Section{Title: "Encoders trained for this"}
	if r.Encoders == nil {
		return s
	}
	head := []string{"loss", "output bits", "mean EMD", "best epoch", "response"}
	var rows [][]string
	for i := range r.Encoders.Rows {
		e := &r.Encoders.Rows[i]
		response := "–"
		for _, f := range e.Figures {
			if f.Name == "response" {
				response = f.Print()
			}
		}
		bits := e.Width()
		if e.Bits == 0 && e.Mask == "" {
			bits = "9"
		}
		rows = append(rows, []string{e.Loss, bits, fmt.Sprintf("%.3f", e.EMD.Mean), fmt.Sprint(e.Epochs[0]), response})
	}
	s.Tables = append(s.Tables, table("Held-out wafers", fmt.Sprintf("On %d wafers with charge around simulated particles, %d to choose the epoch by and %d held out; precision asic, decoder %s. Mean exact EMD in %s.",
		r.Encoders.Images[0], r.Encoders.Images[1], r.Encoders.Images[2], r.Plan.Decoder, page.UnitOf(r.Plan.Metric)), head, rows))
	return s
}

// costs are the run's times.
func (r *Results) costs(t *Times) report.Section {
	s := report.Section{Title: "Times"}
	var rows [][]string
	for _, p := range t.Parts {
		speed := "–"
		if p.Wafers > 0 && p.Seconds > 0 {
			speed = fmt.Sprintf("%.0f", float64(p.Wafers)*float64(len(r.Contenders))/p.Seconds)
		}
		rows = append(rows, []string{p.Name, fmt.Sprintf("%.1f", p.Seconds), speed})
	}
	if len(rows) > 0 {
		s.Tables = append(s.Tables, table("", "Of the call that finished the run. A wafer counts once for each contender; drawing, decoding, the exact EMD and the finding of clusters are in the time.", []string{"part", "seconds", "wafers/s"}, rows))
	}
	return s
}
