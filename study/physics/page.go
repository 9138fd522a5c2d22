package physics

import (
	"fmt"
	"math"
	"path/filepath"
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
			fmt.Sprintf("Every wafer went through %d contenders, in the integers of the trigger chip; clusters were found in what arrives and calibrated for each contender, those of events of even numbers by the events of odd ones and the other way round. Errors are standard deviations over %d draws of the events with replacement, the same for all contenders; calibrations stay as they are.", len(r.Contenders), r.Plan.Draws),
			r.Order.Text,
		},
		Tables: []report.Table{r.overview()},
		Footer: []string{r.Plan.Words()},
	}
	for _, c := range r.Contenders {
		p.Palette = append(p.Palette, c.Name)
	}
	p.Sections = []report.Section{
		r.section("Energy", "The ratio of a cluster's transverse momentum, calibrated, to the particle's. Resolution is the standard deviation over the mean; the half-width is that of the shortest interval with 68 %.", first, "resolution", "response"),
		r.section("Place", "Differences of a cluster's direction and the particle's.", "eta_resolution", "phi_resolution", "eta_bias", "phi_bias"),
		r.section("Finding clusters", "The share of particles with a cluster of at least half their p_T within 0.02 in x/z and y/z, and of those that minimum bias would find as well at another φ; the share of all particles, found or not, whose p_T is within 30 %.", "efficiency", "accidental", "within_30"),
	}
	for _, s := range []report.Section{r.trigger(), r.identity(), r.shapeSection(), r.correlation(), r.paperSection(), r.weights(), r.training(), r.costs(t)} {
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

func (r *Results) overview() report.Table {
	head, rows := r.Overview()
	return table("Contenders", "Value ± standard deviation by the bootstrap, which holds calibrations as they are. Over all p_T and |η| measured: "+r.spectrum()+". To all cells: the ratio of the 68 % half-width/mean of the particles that both find, whose error is small because both are of the same events. "+strings.Join(r.Notes(), " "), head, rows)
}

// section draws figures by contender, and against p_T and |η|.
func (r *Results) section(title, text string, names ...string) report.Section {
	s := report.Section{Title: title, Text: []string{text}}
	for _, name := range names {
		f := figure(name)
		s.Figures = append(s.Figures, r.overall(name)...)
		y := report.Axis{Label: f.Label, Unit: f.Unit}
		for _, by := range []struct {
			id   string
			x    report.Axis
			bins func(*physics.Measured) []physics.Bin
		}{
			{"-by-pt", report.Axis{Label: "generated p_T", Unit: "GeV", Log: true}, func(m *physics.Measured) []physics.Bin { return m.ByPt }},
			{"-by-eta", report.Axis{Label: "|η|"}, func(m *physics.Measured) []physics.Bin { return m.ByEta }},
		} {
			if l := r.lines(by.x, y, of(name, by.bins)); len(l.Series) > 0 {
				s.Figures = append(s.Figures, report.Figure{ID: page.ID(name + by.id), Title: upper(f.Label) + " against " + by.x.Label, Lines: l})
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
			list = append(list, report.Figure{ID: page.ID(name), Title: upper(f.Label), Intervals: iv, Caption: r.caption(f)})
		}
	}
	return list
}

// roc is the curve of a contender.
func roc(c *Contender) []physics.Bin {
	if c.identification == nil {
		return nil
	}
	var bins []physics.Bin
	for _, p := range c.identification.Curve {
		bins = append(bins, physics.Bin{Low: p.Efficiency, High: p.Efficiency, Value: p.Value})
	}
	return bins
}

// caption names the contenders without a value, and why.
func (r *Results) caption(f physics.Figure) string {
	var missing []string
	for _, c := range r.Contenders {
		if v := c.Value(f.Name); math.IsNaN(v.Value) && v.Note != "" {
			missing = append(missing, fmt.Sprintf("%s: %s", c.Name, v.Note))
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return "Not shown: " + strings.Join(missing, "; ") + "."
}

// upper begins a title. σ stays as it is.
func upper(label string) string {
	if label == "" || label[0] >= 0x80 {
		return label
	}
	return strings.ToUpper(label[:1]) + label[1:]
}

// intervals are a figure of all contenders.
func (r *Results) intervals(f physics.Figure) *report.Intervals {
	iv := &report.Intervals{X: report.Axis{Label: f.Label, Unit: f.Unit}, Spread: "± error", Digits: digits(f)}
	for _, c := range r.Contenders {
		if v := c.Value(f.Name); !math.IsNaN(v.Value) {
			iv.Rows = append(iv.Rows, interval(c.Name, v))
		}
	}
	return iv
}

func interval(name string, v physics.Value) report.Interval {
	e := v.Error
	if math.IsNaN(e) {
		e = 0
	}
	return report.Interval{Name: name, Value: v.Value, Low: v.Value - e, High: v.Value + e}
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

// lines draw bins of all contenders, each with its error bars.
func (r *Results) lines(x, y report.Axis, bins func(*Contender) []physics.Bin) *report.Lines {
	out := &report.Lines{X: x, Y: y}
	for _, c := range r.Contenders {
		line := report.Line{Name: c.Name, Points: true}
		for _, b := range bins(c) {
			at := (b.Low + b.High) / 2
			if x.Log {
				at = math.Sqrt(b.Low * b.High)
			}
			if math.IsNaN(b.Value.Value) || math.IsNaN(at) || x.Log && !(at > 0) || y.Log && !(b.Value.Value > 0) {
				continue
			}
			v := interval("", b.Value)
			if y.Log && !(v.Low > 0) {
				v.Low = v.Value
			}
			line.X, line.Y = append(line.X, at), append(line.Y, v.Value)
			line.Low, line.High = append(line.Low, v.Low), append(line.High, v.High)
		}
		if len(line.X) > 0 {
			out.Series = append(out.Series, line)
		}
	}
	return out
}

// where is in words which clusters rates are of.
func (r *Results) where() string {
	if lo, hi, err := r.Plan.bounds(); err == nil && hi > 0 {
		return fmt.Sprintf(", at |η| %g to %g", lo, hi)
	}
	return ""
}

// turnOn is in words at which rate turn-ons are.
func (r *Results) turnOn() string {
	if r.Rate == 0 {
		return "There is no turn-on: too little minimum bias tells no rate that a trigger has."
	}
	return fmt.Sprintf("The turn-on is the share of particles above the threshold of %g kHz for every contender.", r.Rate)
}

// spectrum is in words what figures over all particles are of.
func (r *Results) spectrum() string {
	if len(r.Plan.Data) > 0 {
		return "it is of the files’ particles"
	}
	return fmt.Sprintf("it is of %s GeV, uniform in ln p_T", strings.ReplaceAll(r.Plan.Pt, ":", "–"))
}

// trigger draws rates and turn-on curves.
func (r *Results) trigger() report.Section {
	s := report.Section{Title: "Rates and turn-on", Text: []string{"The rate is that of crossings in which either endcap has a cluster above the threshold" + r.where() + ". " + r.turnOn() + " Efficiency overall, unlike p_T of 50 and 95 %, depends on the spectrum: " + r.spectrum() + "."}}
	if l := r.lines(report.Axis{Label: "threshold in p_T", Unit: "GeV"}, report.Axis{Label: "rate", Unit: "kHz", Log: true}, of("rate", func(m *physics.Measured) []physics.Bin { return m.ByThreshold })); len(l.Series) > 0 {
		s.Figures = append(s.Figures, report.Figure{ID: "rate", Title: "Rate against threshold", Lines: l})
	}
	if l := r.lines(report.Axis{Label: "generated p_T", Unit: "GeV", Log: true}, report.Axis{Label: "efficiency"}, of("turn_on", func(m *physics.Measured) []physics.Bin { return m.ByPt })); len(l.Series) > 0 {
		s.Figures = append(s.Figures, report.Figure{ID: "turn-on", Title: "Turn-on at a fixed rate", Lines: l})
	}
	s.Figures = append(s.Figures, r.overall("threshold", "turn_on_50", "turn_on_95", "fakes_5", "fakes_10", "fakes_20")...)
	return s
}

// identity draws what tells particles from minimum bias.
func (r *Results) identity() report.Section {
	s := report.Section{Title: "Particles against pile-up", Text: []string{"Boosted trees on the clusters’ shapes, trained for each contender on events of even numbers and measured on those of odd ones, and the reverse; signal is weighted to the background’s p_T and |η|. The curve is of the particles with a cluster in range: what share they are of all stands below."}}
	if l := r.lines(report.Axis{Label: "share of particles that pass"}, report.Axis{Label: "share of pile-up clusters that pass", Log: true}, roc); len(l.Series) > 0 {
		for i := range l.Series {
			l.Series[i].Points, l.Series[i].Low, l.Series[i].High = false, nil, nil
		}
		s.Figures = append(s.Figures, report.Figure{ID: "roc", Title: "Particles against pile-up", Lines: l})
	}
	s.Figures = append(s.Figures, r.overall(auc, background, inROC)...)
	return s
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
		bits := e.Bits
		if bits == 0 {
			bits = 9
		}
		rows = append(rows, []string{e.Loss, fmt.Sprint(bits), fmt.Sprintf("%.3f", e.EMD.Mean), fmt.Sprint(e.Epochs[0]), response})
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
