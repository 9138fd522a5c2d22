package plan

import (
	"fmt"
	"path/filepath"

	"barrow/report"
	"barrow/run"
	"barrow/study/internal/page"
)

// Page lays out the page of a finished plan.
func Page(folder string) (*report.Page, error) {
	var r Results
	if err := run.ReadJSON(folder, run.Results, &r); err != nil {
		return nil, err
	}
	if len(r.Classes) == 0 || len(r.Singles) == 0 {
		return nil, fmt.Errorf("plan: %s: no modules", filepath.Join(folder, run.Results))
	}
	for _, c := range r.Classes {
		if c.Choice < 0 || c.Choice >= len(c.Scores) {
			return nil, fmt.Errorf("plan: %s: %s: a choice that there is not", filepath.Join(folder, run.Results), c.Name)
		}
	}
	return lay(&r), nil
}

func lay(r *Results) *report.Page {
	p := &report.Page{
		Title: "Plan for " + page.Of(r.Modules, "module"), Subtitle: r.Words(),
		Summary: []string{r.Conclusion(),
			"A class of like modules is measured by its own images: the candidates on validation images, by which is chosen, and the choice on others, of which the figures here are. Cut modules are taken to see what whole ones in their place would."},
		Palette: palette(r),
		Footer: []string{fmt.Sprintf("Seed %d; ground metric %s; geometry %s; modules within %g of |η| and %d trigger layers are a class, of %d at least.",
			r.Plan.Seed, r.Plan.Metric, r.Plan.Geometry, r.Plan.EtaBand, r.Plan.LayerBand, r.Plan.Fewest)},
	}
	if r.Plan.Digest != "" {
		p.Footer = append(p.Footer, "SHA-256 of the images: "+r.Plan.Digest)
	}
	p.Tables = []report.Table{choices(r), singlesTable(r)}
	if head, rows := r.Seeds(); rows != nil {
		p.Tables = append(p.Tables, report.Table{Title: "Plans of several seeds", Columns: append([]report.Column{{Name: head[0]}}, numeric(head[1:]...)...), Rows: rows, Emphasis: []int{len(rows) - 1},
			Note: "Every seed has images and trainings of its own. Mean ± standard deviation over seeds; the ratio's interval draws the images of every class anew, in pairs. The table of modules is the first seed's."})
	}
	p.Sections = []report.Section{maps(r), {Title: "Classes", Figures: []report.Figure{gains(r)}, Tables: []report.Table{classTable(r)}}}
	if s := trainings(r); len(s.Tables) > 0 {
		p.Sections = append(p.Sections, s)
	}
	return p
}

// palette has the settings in the order of their frequency.
func palette(r *Results) (names []string) {
	for _, k := range r.kinds() {
		names = append(names, k.label)
	}
	return names
}

func numeric(names ...string) (list []report.Column) {
	for _, n := range names {
		list = append(list, report.Column{Name: n, Numeric: true})
	}
	return list
}

func choices(r *Results) report.Table {
	head, rows := r.Overview()
	return report.Table{Title: "What is chosen", Columns: append([]report.Column{{Name: head[0]}}, numeric(head[1:]...)...), Rows: rows, Emphasis: []int{len(rows) - 1},
		Note: "Learned: a decoder that has learned shares out what arrived as sums. Without a word: charges where they were sent, and nothing elsewhere. Spread: sums shared evenly."}
}

func singlesTable(r *Results) report.Table {
	t := report.Table{Title: "One algorithm for all modules", Columns: append([]report.Column{{Name: "algorithm"}}, numeric("mean EMD")...), Emphasis: []int{0}}
	if r.Plan.Figure != figureMean {
		t.Columns = append(t.Columns, numeric(r.Plan.figureWords())...)
	}
	for _, s := range r.Singles {
		row := []string{s.Label(), fmt.Sprintf("%.3f", s.MeanEMD)}
		if r.Plan.Figure != figureMean {
			row = append(row, r.Plan.say(s.Value))
		}
		t.Rows = append(t.Rows, row)
	}
	return t
}

// maps draws every layer.
func maps(r *Results) report.Section {
	s := report.Section{Title: "Layers", Text: []string{"Every module in its place, coloured by its setting. Of a geometry one of three equal sectors is drawn."}}
	names := palette(r)
	for _, l := range r.Layers {
		a := &report.Areas{X: report.Axis{Label: "x", Unit: "cm"}, Y: report.Axis{Label: "y", Unit: "cm"}}
		for _, n := range names {
			a.Kinds = append(a.Kinds, report.AreaKind{Name: n})
		}
		for _, m := range l.Modules {
			k := int(m[2])
			if k < 0 || k >= len(r.Classes) {
				continue
			}
			label := r.Classes[k].chosen().Label()
			for i := range a.Kinds {
				if a.Kinds[i].Name == label {
					a.Kinds[i].Areas = append(a.Kinds[i].Areas, outline(m[0], m[1]))
				}
			}
		}
		s.Figures = append(s.Figures, report.Figure{ID: fmt.Sprintf("layer-%d", l.Layer), Title: fmt.Sprintf("Layer %d", l.Layer), Areas: a})
	}
	return s
}

// gains draws what every class gains.
func gains(r *Results) report.Figure {
	l := &report.Lines{X: report.Axis{Label: r.BestSingle.Label() + ", mean EMD", Unit: page.UnitOf(r.Plan.Metric)}, Y: report.Axis{Label: "plan, mean EMD", Unit: page.UnitOf(r.Plan.Metric)}}
	for _, name := range palette(r) {
		line := report.Line{Name: name, Points: true, Loose: true}
		for _, at := range sortedClasses(r, name) {
			line.X, line.Y = append(line.X, at[0]), append(line.Y, at[1])
		}
		l.Series = append(l.Series, line)
	}
	return report.Figure{ID: "classes", Title: "The plan against the best single algorithm", Lines: l, Caption: "A point a class of modules."}
}

func classTable(r *Results) report.Table {
	t := report.Table{Title: "Classes of modules", Columns: []report.Column{{Name: "class"}, {Name: "setting"}, {Name: "weights"}}}
	t.Columns = append(t.Columns, numeric("modules", "images", "mean EMD", r.BestSingle.Label())...)
	for i := range r.Classes {
		c := &r.Classes[i]
		s := c.chosen()
		t.Rows = append(t.Rows, []string{c.Name, s.setting(), s.Set, fmt.Sprint(c.Modules), fmt.Sprint(c.Images[heldOut]), fmt.Sprintf("%.3f", c.EMD), fmt.Sprintf("%.3f", c.Single)})
	}
	return t
}

// setting is a candidate in words, with its links and the bits that it drops.
func (c Candidate) setting() string {
	text := c.Label() + ", " + links(c.Links)
	if c.drops() {
		text += fmt.Sprintf(", drop_lsb %d", c.Drop)
	}
	return text
}

// trainings are the sets of weights with their curves.
func trainings(r *Results) report.Section {
	s := report.Section{Title: "Trained weights", Text: []string{page.CurvesText}}
	if len(r.Sets) == 0 {
		return s
	}
	t := report.Table{Columns: []report.Column{{Name: "weights"}, {Name: "algorithm"}, {Name: "outputs"}}}
	t.Columns = append(t.Columns, numeric("links", "images seen", "best epoch", "modules it is for", "modules that use it")...)
	for _, x := range r.Sets {
		t.Rows = append(t.Rows, []string{x.Name, x.Algorithm, x.Mask, fmt.Sprint(x.Links), fmt.Sprint(x.Images), fmt.Sprint(x.BestEpoch), fmt.Sprint(x.Modules), fmt.Sprint(x.Used)})
		if x.Used > 0 {
			s.Figures = append(s.Figures, page.Curves(page.ID("curve", x.Name), x.Name, "loss", page.Curve{Name: x.Name, Points: x.Curve}))
		}
	}
	s.Tables = []report.Table{t}
	return s
}
