package compare

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"barrow/evaluate"
	"barrow/internal/setting"
	"barrow/loss"
	"barrow/physics"
	"barrow/report"
	"barrow/run"
	"barrow/study/internal/page"
)

// Page lays out the page of a finished run.
func Page(folder string) (*report.Page, error) {
	var t Table
	var times Times
	if err := run.ReadJSON(folder, run.Results, &t); err != nil {
		return nil, err
	}
	if err := run.ReadJSON(folder, run.Times, &times); err != nil {
		return nil, err
	}
	if len(t.Rows) == 0 || len(times.Rows) != len(t.Rows) {
		return nil, fmt.Errorf("compare: %s: %d rows of results and %d of times", folder, len(t.Rows), len(times.Rows))
	}
	if t.Protocol != nil && (t.Plan.Protocol == nil || len(t.Plan.Protocol.Contenders) != len(t.Protocol.Contenders) || len(times.Contenders) != len(t.Protocol.Contenders)) {
		return nil, fmt.Errorf("compare: %s: %d contenders in the results, %d in the times", folder, len(t.Protocol.Contenders), len(times.Contenders))
	}
	return Lay(&t, &times), nil
}

// Lay lays out the page of a comparison, or of one encoder.
func Lay(t *Table, times *Times) *report.Page {
	p := t.Plan
	out := &report.Page{
		Title:    fmt.Sprintf("%s compared", page.Of(len(t.Rows), "kind")+" of encoders"),
		Subtitle: fmt.Sprintf("%s: %d images to train on, %d to choose by, %d held out; %s of each", p.Source, t.Images[0], t.Images[1], t.Images[2], page.Of(p.Seeds, "training")),
		Summary: []string{fmt.Sprintf("Distances are exact earth mover's distances between held-out images and what the encoder with its decoder makes of them, both scaled to sum 1, in %s.",
			page.UnitOf(p.Metric))},
		Tables: []report.Table{t.figures(), t.costs(times)},
		Footer: []string{p.Words(), "SHA-256 of the images: " + p.Digest},
	}
	if t.Protocol != nil {
		out.Title = fmt.Sprintf("%s compared", page.Of(len(t.Protocol.Contenders), "contender"))
		out.Summary = append([]string{t.protocolWords()}, out.Summary...)
		out.Tables = t.Standings(times)
	}
	if t.Chip != nil {
		out.Tables = append(out.Tables, t.Chip.table())
	}
	if t.Kept != nil {
		out.Title = "Encoder trained with " + loss.Label(t.Rows[0].Loss)
		if p.Seeds > 1 {
			out.Summary = append(out.Summary, fmt.Sprintf("Of %s the one from seed %d, with the smallest validation loss, is kept as %s.", page.Of(p.Seeds, "training"), t.Kept.Seed, t.Kept.File))
		}
	}
	out.Palette = t.palette()
	out.Sections = []report.Section{t.distances(), t.merits(), t.training()}
	if t.Physics != nil {
		out.Sections = slices.Insert(out.Sections, 2, t.trigger())
	}
	if t.Protocol != nil {
		out.Sections = append(t.contest(times), out.Sections...)
	}
	return out
}

// palette are the names that have colours of their own: a protocol's are those of its contenders, in
// all figures.
func (t *Table) palette() (names []string) {
	if t.Protocol != nil {
		for _, c := range t.Plan.Protocol.Contenders {
			names = append(names, c.Name)
		}
		return names
	}
	for _, l := range t.Plan.losses() {
		names = append(names, loss.Label(l))
	}
	return names
}

// name is what a row's loss is called: by its protocol, if there is one, or else by itself.
func (t *Table) name(r *Row) string {
	if t.Plan.Protocol != nil {
		for _, c := range t.Plan.Protocol.Contenders {
			if c.Loss == r.Loss {
				return c.Name
			}
		}
	}
	return loss.Label(r.Loss)
}

// Words are what was asked for, for the foot of a page.
func (p Plan) Words() string {
	parts := []string{
		fmt.Sprintf("Seeds from %d; ground metric %s; %s in batches of %d at a learning rate of %g, %s", p.Seed, p.Metric, page.Of(p.Epochs, "epoch"), p.Batch, p.Rate, p.Schedule),
	}
	parts = append(append(parts, given(&p.Architecture)...), given(&p.Budget, "epochs", "batch", "learning_rate", "schedule")...)
	if p.CNN != "" {
		parts = append(parts, "EMD network "+p.CNN)
	}
	if len(p.Pretrain) > 0 {
		parts = append(parts, fmt.Sprintf("pretrained for %s on %s", page.Of(p.PretrainEpochs, "epoch"), strings.Join(p.Pretrain, ", ")))
	}
	return strings.Join(parts, "; ") + "."
}

// given are the settings of a struct that are not left to their defaults, but for those that
// are said elsewhere.
func given(s any, but ...string) []string {
	var words []string
	for _, f := range setting.Fields(s, false) {
		if f.Zero() || slices.Contains(but, f.Key) {
			continue
		}
		word := strings.ReplaceAll(f.Key, "_", " ")
		if f.Kind() != reflect.Bool {
			word += " " + f.Text()
		}
		words = append(words, word)
	}
	return words
}

// kind is a row's precision and width.
func (r *Row) kind() string {
	if r.Bits == 0 && r.Mask == "" {
		return r.Precision
	}
	return fmt.Sprintf("%s, %s bits", r.Precision, r.Width())
}

// Width says how many bits the outputs have: "3", or "9x2,7x0" where they differ; "–" stands
// for the precision's own.
func (r *Row) Width() string {
	switch {
	case r.Mask != "":
		return r.Mask
	case r.Bits == 0:
		return "–"
	}
	return fmt.Sprint(r.Bits)
}

func columns(first []string, numeric ...string) []report.Column {
	var list []report.Column
	for _, name := range first {
		list = append(list, report.Column{Name: name})
	}
	for _, name := range numeric {
		list = append(list, report.Column{Name: name, Numeric: true})
	}
	return list
}

func (t *Table) figures() report.Table {
	out := report.Table{
		Title:   "Held-out images",
		Columns: columns([]string{"loss", "precision"}, "mean EMD", "worst seed", "median", "16–84 %", "ratio to "+loss.Label(t.Baseline), "made worse", "p"),
		Note:    "Mean ± standard deviation over seeds. Ratio, made worse (share of images) and p (of the least significant seed) are against the baseline of the same precision, width and seed.",
	}
	plain := t.HasMSE()
	if plain {
		out.Columns = append(out.Columns, columns(nil, "ratio to MSE, 95 %", lowerHead)...)
		out.Note += " Ratio to MSE: of mean EMDs over the seeds, with the interval for " + t.Plan.others() + "; " + lowerNote + "."
	}
	for _, f := range t.Figures() {
		out.Columns = append(out.Columns, report.Column{Name: f.Label, Numeric: true})
		out.Note += " " + f.Meaning
	}
	least, toMSE := 0, t.AgainstMSE()
	for i, r := range t.Rows {
		if r.EMD.Mean < t.Rows[least].EMD.Mean {
			least = i
		}
		base := t.AgainstBaseline(r)
		row := []string{loss.Label(r.Loss), r.kind(), r.EMD.Print(), fmt.Sprintf("%.3f", r.Worst),
			fmt.Sprintf("%.3f", r.Median.Mean), fmt.Sprintf("%.2f–%.2f", r.P16.Mean, r.P84.Mean), base[0], base[1], base[2]}
		if plain {
			row = append(row, toMSE[i]...)
		}
		for _, f := range r.Figures {
			row = append(row, page.Print(f))
		}
		out.Rows = append(out.Rows, row)
	}
	if len(t.Rows) > 1 {
		out.Emphasis = []int{least}
	}
	return out
}

// HasMSE tells whether rows have ratios to the MSE: where it takes part beside others.
func (t *Table) HasMSE() bool {
	return len(t.Rows) > 1 && slices.ContainsFunc(t.Rows, func(r Row) bool { return r.ToMSE != nil })
}

// AgainstMSE are the cells of every row about its ratio to the MSE: the ratio with its 95 % interval, and
// whether it is lower, and by 10 %.
func (t *Table) AgainstMSE() [][]string {
	var list []*evaluate.Paired
	for _, r := range t.Rows {
		if r.Loss == plainLoss {
			r.ToMSE = nil
		}
		list = append(list, r.ToMSE)
	}
	out := against(list)
	for i, p := range list {
		if p == nil {
			out[i][0] = "–"
		}
	}
	return out
}

func (t *Table) costs(times *Times) report.Table {
	out := report.Table{Title: "Costs", Columns: columns([]string{"loss", "precision"}, "seconds a training", "best epochs", "weights", "multiplications", "wafers/s"),
		Note: "Seconds: mean over seeds. Wafers a second: encoded by one core."}
	for i, r := range t.Rows {
		var epochs []string
		for _, e := range r.Epochs {
			epochs = append(epochs, fmt.Sprint(e))
		}
		out.Rows = append(out.Rows, []string{loss.Label(r.Loss), r.kind(), fmt.Sprintf("%.1f", times.Rows[i].Seconds), strings.Join(epochs, ", "),
			fmt.Sprint(r.Cost.Weights), fmt.Sprint(r.Cost.Multiplications), fmt.Sprintf("%.3g", times.Rows[i].Wafers)})
	}
	return out
}

// kinds lists the rows by precision and width, in their order.
func (t *Table) kinds() (names []string, rows map[string][]*Row) {
	rows = map[string][]*Row{}
	for i := range t.Rows {
		r := &t.Rows[i]
		if rows[r.kind()] == nil {
			names = append(names, r.kind())
		}
		rows[r.kind()] = append(rows[r.kind()], r)
	}
	return names, rows
}

func (t *Table) distances() report.Section {
	unit := page.UnitOf(t.Plan.Metric)
	s := report.Section{Title: "The exact EMD"}
	means := &report.Intervals{X: report.Axis{Label: "mean EMD", Unit: unit}, Spread: "from the best to the worst seed"}
	names, rows := t.kinds()
	for _, kind := range names {
		occupancy := &report.Profile{X: report.Axis{Label: fmt.Sprintf("trigger cells above %g", t.Plan.Threshold)}, Y: report.Axis{Label: "EMD", Unit: unit, Min: report.At(0)}}
		eta := &report.Profile{X: report.Axis{Label: "|η|"}, Y: occupancy.Y}
		for _, r := range rows[kind] {
			name := t.name(r)
			label := name
			if len(names) > 1 {
				label += ", " + kind
			}
			means.Rows = append(means.Rows, spreadOf(label, r.EMD))
			add(occupancy, name, r.ByOccupancy)
			add(eta, name, r.ByEta)
		}
		s.Figures = append(s.Figures, report.Figure{ID: page.ID("occupancy", kind), Title: "EMD against occupancy, " + kind, Profile: occupancy,
			Caption: "Median and central 68 % of the held-out images, means over the seeds."})
		if len(eta.Series) > 0 {
			s.Figures = append(s.Figures, report.Figure{ID: page.ID("eta", kind), Title: "EMD against |η|, " + kind, Profile: eta})
		}
	}
	s.Figures = append([]report.Figure{{ID: "mean-emd", Title: "Mean EMD of the held-out images", Intervals: means}}, s.Figures...)
	return s
}

// spreadOf is a figure's mean with its least and its greatest seed.
func spreadOf(name string, v Spread) report.Interval {
	row := report.Interval{Name: name, Value: v.Mean, Low: v.Mean, High: v.Mean}
	for _, x := range v.Values {
		row.Low, row.High = min(row.Low, x), max(row.High, x)
	}
	return row
}

// add draws a row's bins, which are the same for all rows; the images fill some
// of them, and between those there may be gaps.
func add(p *report.Profile, name string, bins []Bin) {
	if len(bins) == 0 {
		return
	}
	p.Edges = []float64{bins[0].Low}
	band := report.Band{Name: name}
	put := func(b Bin) {
		p.Edges = append(p.Edges, b.High)
		band.Mid, band.Low, band.High, band.Count = append(band.Mid, b.Median), append(band.Low, b.P16), append(band.High, b.P84), append(band.Count, b.N)
	}
	for _, b := range bins {
		if last := p.Edges[len(p.Edges)-1]; b.Low > last {
			put(Bin{High: b.Low})
		}
		put(b)
	}
	p.Series = append(p.Series, band)
}

// merits draws the figures of merit but the EMD.
func (t *Table) merits() report.Section {
	s := report.Section{Title: "Energy and place"}
	for k, f := range t.Figures() {
		iv := &report.Intervals{X: page.Axis(f.Figure, t.Plan.Metric), Spread: "spread over images, mean over seeds", Marks: []report.Mark{page.Ideal(f.Figure)}}
		for i := range t.Rows {
			r := &t.Rows[i]
			if k >= len(r.Figures) {
				continue
			}
			v := r.Figures[k]
			iv.Rows = append(iv.Rows, report.Interval{Name: t.name(r) + ", " + r.kind(), Value: v.Mean, Low: v.Mean - v.Width, High: v.Mean + v.Width})
		}
		s.Figures = append(s.Figures, page.Merit(f.Figure, iv, ""))
	}
	return s
}

// trigger sets out what the encoders, and the chip's algorithms beside them, leave of particles.
func (t *Table) trigger() report.Section {
	p := t.Physics
	s := report.Section{Title: "What the trigger sees", Text: []string{
		p.Words + fmt.Sprintf(". Of each kind of encoders the one of the seed with the smallest validation loss; all of it is in report.html of %s.", strings.Join(p.Folders, ", ")),
	}}
	out := report.Table{Columns: columns([]string{"loss", "precision"}), Note: "Value ± standard deviation over draws of the events; intervals of other tables are of 95 %. docs/physics.md has the figures’ definitions."}
	for _, f := range p.Figures {
		out.Columns = append(out.Columns, report.Column{Name: f.Label, Unit: f.Unit, Numeric: true})
	}
	add := func(first, second string, values []physics.Value) {
		row := []string{first, second}
		for k, f := range p.Figures {
			text := "–"
			if k < len(values) {
				text = page.Minus(values[k].Print(f.Digits))
			}
			row = append(row, text)
		}
		out.Rows = append(out.Rows, row)
	}
	for k, v := range p.References {
		add("all cells", p.Folders[k], v)
	}
	for _, a := range p.Algorithms {
		add(a.Name, a.Folder, a.Values)
	}
	for i := range t.Rows {
		add(t.name(&t.Rows[i]), t.Rows[i].kind(), t.Rows[i].Physics)
	}
	s.Tables = []report.Table{out}
	return s
}

func (t *Table) training() report.Section {
	s := report.Section{Title: "Training", Text: []string{page.CurvesText}}
	for i := range t.Rows {
		r := &t.Rows[i]
		var curves []page.Curve
		for k, c := range r.Curves {
			curves = append(curves, page.Curve{Name: fmt.Sprintf("seed %d", t.Plan.Seed+uint64(k)), Points: c})
		}
		s.Figures = append(s.Figures, page.Curves(page.ID("curve", r.kind(), r.Loss), t.name(r)+", "+r.kind(), "loss", curves...))
	}
	return s
}
