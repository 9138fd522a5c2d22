package cluster

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"barrow/autoencoder"
	"barrow/report"
	"barrow/run"
	"barrow/study/internal/page"
)

// Page lays out the page of a finished run.
func Page(folder string) (*report.Page, error) {
	var r Results
	if err := run.ReadJSON(folder, run.Results, &r); err != nil {
		return nil, err
	}
	if len(r.Seeds) == 0 || len(r.Found.Groups) == 0 || len(r.Found.Map) == 0 {
		return nil, fmt.Errorf("cluster: %s: the results lack seeds or clusters", folder)
	}
	return lay(&r), nil
}

// lay is the page of a run.
func lay(r *Results) *report.Page {
	p := r.Plan
	out := &report.Page{
		Title:    fmt.Sprintf("%d clusters of %s", p.Classes, r.what()),
		Subtitle: fmt.Sprintf("Contrastive training of the %s network, %s, %s", p.Network, page.Of(p.Epochs, "epoch"), page.Of(p.Seeds, "seed")),
		Summary:  []string{r.Verdict(), r.terms()},
		Footer:   []string{fmt.Sprintf("Seed %d.", p.Seed)},
	}
	if p.Digest != "" {
		out.Footer = append(out.Footer, "SHA-256 of the images: "+p.Digest)
	}
	if len(r.Classes) > 0 {
		out.Sections = append(out.Sections, r.truthSection())
	}
	out.Sections = append(out.Sections, r.clusterSection(), r.mapSection(), r.oddSection(), r.trainingSection())
	return out
}

// what is clustered, in words.
func (r *Results) what() string {
	n := len(r.Found.Label)
	switch {
	case len(r.Plan.By) > 0:
		return fmt.Sprintf("%d modules of %s", n, r.Plan.Source)
	case r.Plan.Source != "":
		return fmt.Sprintf("%d images of %s", n, r.Plan.Source)
	}
	return fmt.Sprintf("%d simulated modules, means of %d events each", n, r.Plan.Events)
}

// Verdict says in a sentence or two what was found.
func (r *Results) Verdict() string {
	o := &r.Seeds[0]
	text := fmt.Sprintf("%.0f %% of the rows have a sure label, of a probability of %v or more.", 100*o.Confident, r.Plan.Confidence)
	if o.Silhouette != nil {
		text += fmt.Sprintf(" The silhouette of the labels is %.2f.", *o.Silhouette)
	}
	if o.Labels != nil {
		text += fmt.Sprintf(" %.1f %% of the rows have the label of their true class", 100*o.Labels.Accuracy)
		if b := o.best(false); b != nil {
			text += fmt.Sprintf("; by k-means on pixels, in the best way of %d, it is %.1f %% (%s)", o.ways(), 100*b.Accuracy, b.Name)
		}
		text += "."
	}
	if m := o.Monitor; m != nil {
		text += fmt.Sprintf(" Among %d modules in pile-up %d with a defect are sought: the odd score finds them with a ROC area of %.3f.", m.Modules, m.Defects, m.Area)
	}
	return text
}

// ways is in how many ways pixels were clustered.
func (o *Outcome) ways() (n int) {
	for _, b := range o.Beside {
		if !b.Outputs {
			n++
		}
	}
	return n
}

// terms explains the words of the page.
func (r *Results) terms() string {
	n := features
	if r.Plan.Network == networkEncoder {
		n = autoencoder.Latent
	}
	text := fmt.Sprintf("A network learned, without labels, to tell rows apart but not two views of one, changed at random by what leaves its kind as it is. The %d numbers that it makes of a row are its features. "+
		"They were cut into clusters; a linear classifier of them, the head, then learned from those labels of its own that it was sure of (self-labelling). "+
		"The silhouette, by the features, is 1 where clusters lie far apart, 0 where they touch, and less where rows lie nearer to another cluster than to their own.", n)
	if r.modules() {
		text += " A row is a module: the mean of its events, and its agreement, the correlation over the events of the root of a cell's charge with the mean of its neighbours'."
	}
	return text
}

// modules is whether rows are put together from events.
func (r *Results) modules() bool {
	return len(r.Found.Oddest) > 0 && r.Found.Oddest[0].Agreement != nil
}

func percent(v float64) string { return fmt.Sprintf("%.1f %%", 100*v) }

const outputsText = "The encoder's outputs are those of the chip's autoencoder, trained on these images; on one scale is with each divided by its spread. "

// truthSection holds the labels against the truth.
func (r *Results) truthSection() report.Section {
	s := report.Section{Title: "Against the truth", Text: []string{
		"Accuracy is the share of rows with the label of their class, when clusters are matched to classes one to one as is best. NMI, the mutual information over the mean entropy, and ARI, the Rand index less chance, are 1 for clusters that are the classes, and 0 for independence (NMI) or chance (ARI).",
		"Beside the features stands k-means, the best of ten starts, on the pixels taken in several ways: shares are charges over their mean in the image; agreement as above. " + outputsText + "Gains are over the best way of each seed, as if one knew it. The linear probe is a classifier that is told 1 % of the labels.",
	}}
	s.Tables = append(s.Tables, r.Table())
	if len(r.Gains) > 0 {
		t := report.Table{Title: "Gains, paired by seed", Columns: []report.Column{{Name: "what"}, {Name: "points", Numeric: true}}, Note: "Mean over the seeds with 95 % interval by Student's t."}
		iv := &report.Intervals{X: report.Axis{Label: "points"}, Marks: []report.Mark{{Name: "no gain", At: 0}}, Spread: "95 % interval over seeds", Digits: 1}
		for _, g := range r.Gains {
			half := 0.0
			text := fmt.Sprintf("%+.1f", 100*g.Mean)
			if g.Spread != nil {
				half = *g.Spread
				text += fmt.Sprintf(" ± %.1f", 100*half)
			}
			t.Rows = append(t.Rows, []string{g.Name, text})
			iv.Rows = append(iv.Rows, report.Interval{Name: g.Name, Value: 100 * g.Mean, Low: 100 * (g.Mean - half), High: 100 * (g.Mean + half)})
		}
		s.Tables = append(s.Tables, t)
		if r.Gains[0].Spread != nil {
			s.Figures = append(s.Figures, report.Figure{ID: "gains", Title: "Gains in accuracy", Intervals: iv})
		}
	}
	return s
}

// Table has a row for every way of making labels.
func (r *Results) Table() report.Table {
	t := report.Table{Title: "Labels by what made them", Columns: []report.Column{{Name: "labels"}, {Name: "accuracy", Numeric: true}, {Name: "NMI", Numeric: true}, {Name: "ARI", Numeric: true}},
		Note: fmt.Sprintf("Means over %s.", page.Of(len(r.Seeds), "seed")), Emphasis: []int{1}}
	row := func(name string, of func(o *Outcome) Agreement) {
		var a Agreement
		n := float64(len(r.Seeds))
		for k := range r.Seeds {
			v := of(&r.Seeds[k])
			a.Accuracy, a.NMI, a.ARI = a.Accuracy+v.Accuracy/n, a.NMI+v.NMI/n, a.ARI+v.ARI/n
		}
		t.Rows = append(t.Rows, []string{name, percent(a.Accuracy), fmt.Sprintf("%.3f", a.NMI), fmt.Sprintf("%.3f", a.ARI)})
	}
	if r.Seeds[0].Labels == nil {
		return t
	}
	row("features, "+r.Plan.Method, func(o *Outcome) Agreement { return *o.First })
	row(fmt.Sprintf("features, after %s of self-labelling", page.Of(r.Plan.Rounds, "round")), func(o *Outcome) Agreement { return *o.Labels })
	for k, b := range r.Seeds[0].Beside {
		name := "pixels, "
		if b.Outputs {
			name = "encoder's "
		}
		row(name+b.Name+", k-means", func(o *Outcome) Agreement { return o.Beside[k].Agreement })
	}
	return t
}

// clusterSection shows what each cluster looks like.
func (r *Results) clusterSection() report.Section {
	s := report.Section{Title: "Clusters", Text: []string{"Of each cluster the mean image and the five rows of whose label the head is surest. A cluster of fewer rows is not drawn."}}
	t := report.Table{Title: "Clusters", Columns: []report.Column{{Name: "cluster", Numeric: true}, {Name: "rows", Numeric: true}}}
	truth := len(r.Classes) > 0
	if truth {
		t.Columns = append(t.Columns, report.Column{Name: "class"})
		for _, c := range r.Classes {
			t.Columns = append(t.Columns, report.Column{Name: c, Numeric: true})
		}
		t.Note = "Rows of each true class by cluster, of the first seed; class: the one that the cluster is matched to."
	}
	wafers := r.drawing()
	for k, g := range r.Found.Groups {
		line := []string{fmt.Sprint(k), fmt.Sprint(g.Size)}
		if truth {
			line = append(line, g.Class)
			n := make([]int, len(r.Classes))
			for i, c := range r.Found.Label {
				if c == k {
					n[r.Found.Truth[i]]++
				}
			}
			for _, v := range n {
				line = append(line, fmt.Sprint(v))
			}
		}
		t.Rows = append(t.Rows, line)
		if len(g.Members) < shownMembers {
			continue
		}
		row := report.WaferRow{Name: fmt.Sprintf("cluster %d", k), Input: g.Mean}
		for _, m := range g.Members {
			row.Decoded, row.Notes = append(row.Decoded, m.Image), append(row.Notes, m.note())
		}
		wafers.Rows = append(wafers.Rows, row)
	}
	s.Tables = append(s.Tables, t)
	for k := range shownMembers {
		wafers.Columns = append(wafers.Columns, fmt.Sprintf("member %d", k+1))
	}
	if len(wafers.Rows) > 0 {
		s.Figures = append(s.Figures, report.Figure{ID: "clusters", Title: "Mean images and surest members", Wafers: wafers,
			Caption: "Above, the images, each with the total 1; below, row − mean: blue where a row has less, orange where it has more. Each cluster has scales of its own."})
	}
	return s
}

// name says which row it is.
func (m Member) name() string {
	if m.Module != "" {
		return m.Module
	}
	return fmt.Sprintf("row %d", m.Number)
}

// note is the name with the true class.
func (m Member) note() string {
	if m.Truth == "" {
		return m.name()
	}
	return m.name() + ", " + m.Truth
}

// drawing is an empty figure of images.
func (r *Results) drawing() *report.Wafers {
	w := &report.Wafers{Unit: "share of the total", First: "mean", Difference: "row − mean"}
	if r.Plan.Grid == "" {
		return w
	}
	h, wide, err := parseGrid(r.Plan.Grid)
	if err != nil {
		return w
	}
	for i := range h * wide {
		x, y := float64(i%wide), float64(h-1-i/wide)
		w.Cells = append(w.Cells, [][2]float64{{x, y}, {x + 1, y}, {x + 1, y + 1}, {x, y + 1}})
	}
	w.Outline = [][2]float64{{0, 0}, {float64(wide), 0}, {float64(wide), float64(h)}, {0, float64(h)}}
	return w
}

// mostPoints of a map are drawn.
const mostPoints = 2000

// mapSection is the plane in which the features vary most.
func (r *Results) mapSection() report.Section {
	s := report.Section{Title: "Map", Text: []string{fmt.Sprintf("The features of the rows along the two directions in which they vary most (principal components): %.0f %% and %.0f %% of their variance. Distances in the full space are not those of this plane.", 100*r.Found.Share[0], 100*r.Found.Share[1])}}
	draw := func(id, title, caption string, names []string, of []int) {
		l := &report.Lines{X: report.Axis{Label: "first component"}, Y: report.Axis{Label: "second component"}, Legend: true}
		step := max(1, (len(of)+mostPoints-1)/mostPoints)
		for c, name := range names {
			var at [][2]float64
			for i := 0; i < len(of); i += step {
				if of[i] == c {
					at = append(at, r.Found.Map[i])
				}
			}
			slices.SortFunc(at, func(a, b [2]float64) int { return cmp.Compare(a[0], b[0]) })
			line := report.Line{Name: name, Loose: true}
			for _, p := range at {
				line.X, line.Y = append(line.X, p[0]), append(line.Y, p[1])
			}
			if len(at) > 0 {
				l.Series = append(l.Series, line)
			}
		}
		s.Figures = append(s.Figures, report.Figure{ID: id, Title: title, Lines: l, Caption: caption})
	}
	var names []string
	for k := range r.Found.Groups {
		names = append(names, fmt.Sprintf("cluster %d", k))
	}
	draw("map", "Rows by cluster", "A point is a row; the numbers are in clusters.csv.", names, r.Found.Label)
	if len(r.Classes) > 0 {
		draw("map-truth", "Rows by true class", "The same points by what they are.", r.Classes, r.Found.Truth)
	}
	return s
}

// oddSection shows the oddest rows, or the oddest modules among those monitored, and how well defects are found.
func (r *Results) oddSection() report.Section {
	what := "its charge, as the logarithm of its share,"
	if r.modules() {
		what = "its charge, as the logarithm of its share, and its agreement"
	}
	s := report.Section{Title: "Odd rows", Text: []string{fmt.Sprintf("How far a row is from what rows are like: at every cell %s, beside the mean over all rows, in units of their spread with its correlations (the distance of Mahalanobis); and the same of what the network's convolutions make of the cell with its surroundings. "+
		"The score is the root of the mean square of both over the image, about 1 for a usual row. The worst cell is the one that is farthest by itself. The rows are their own reference: most of them must be sound.", what)}}
	list, beside := r.Found.Oddest, func(m Member) (string, Means) {
		c := r.Found.Label[m.Row]
		return fmt.Sprintf("of its cluster, %d", c), r.Found.Groups[c].Means
	}
	title := "Oddest rows"
	if m := r.Seeds[0].Monitor; m != nil && m.All != nil {
		s.Tables = append(s.Tables, *r.Defects())
		list, beside, title = m.Oddest, func(Member) (string, Means) { return "of all modules", *m.All }, "Oddest of the modules in pile-up"
	}
	s.Tables = append(s.Tables, r.oddest(title, list))
	w, a := r.drawing(), r.drawing()
	w.Columns, a.Columns, a.Unit = []string{"odd row"}, []string{"odd row"}, "correlation with the neighbours"
	for _, m := range list[:min(len(list), shownOdd/2)] {
		name, mean := beside(m)
		w.Rows = append(w.Rows, report.WaferRow{Name: name, Input: mean.Mean, Decoded: [][]float64{m.Image}, Notes: []string{m.note()}})
		a.Rows = append(a.Rows, report.WaferRow{Name: name, Input: positive(mean.Agreement), Decoded: [][]float64{positive(m.Agreement)}, Notes: []string{m.note()}})
	}
	s.Figures = append(s.Figures, report.Figure{ID: "odd", Title: "The oddest rows beside a mean", Wafers: w, Caption: "The first of the table, each with scales of its own."})
	if r.modules() {
		s.Figures = append(s.Figures, report.Figure{ID: "odd-agreement", Title: "How far their cells go with their neighbours", Wafers: a,
			Caption: "Agreement of the same; below 0 is drawn as 0. A cell that stands elsewhere than it is said to does not go with its neighbours."})
	}
	return s
}

// oddest is a table of odd rows.
func (r *Results) oddest(title string, list []Member) report.Table {
	t := report.Table{Title: title}
	column := func(name string, numeric bool, of func(m Member) string) {
		t.Columns = append(t.Columns, report.Column{Name: name, Numeric: numeric})
		for k, m := range list {
			if len(t.Rows) < len(list) {
				t.Rows = append(t.Rows, nil)
			}
			t.Rows[k] = append(t.Rows[k], of(m))
		}
	}
	if r.modules() {
		name := "layer/u/v"
		if len(r.Plan.By) > 0 {
			name = strings.Join(r.Plan.By, "/")
		}
		column(name, false, func(m Member) string { return m.Module })
	}
	column("row", true, func(m Member) string { return fmt.Sprint(m.Number) })
	column("score", true, func(m Member) string { return fmt.Sprintf("%.2f", m.Odd) })
	column("worst cell", true, func(m Member) string { return fmt.Sprint(m.Worst) })
	if m := r.Seeds[0].Monitor; m == nil || m.All == nil {
		column("cluster", true, func(m Member) string { return fmt.Sprint(r.Found.Label[m.Row]) })
	}
	if len(r.Classes) > 0 {
		column("true class", false, func(m Member) string { return m.Truth })
	}
	return t
}

// positive is an image of what is above 0.
func positive(v []float64) []float64 {
	out := make([]float64, len(v))
	for k, q := range v {
		out[k] = max(0, q)
	}
	return out
}

// Defects is the table of how well defects are found, nil where none were sought.
func (r *Results) Defects() *report.Table {
	if r.Seeds[0].Monitor == nil {
		return nil
	}
	m0 := r.Seeds[0].Monitor
	t := &report.Table{Title: "Defects found among modules in pile-up", Columns: []report.Column{{Name: "seed", Numeric: true}, {Name: "modules", Numeric: true}, {Name: "defects", Numeric: true}, {Name: "ROC area", Numeric: true}},
		Note: "ROC area: the share of pairs of a module with a defect and a sound one in which the former has the larger score; of all defects, then of each sort. The network has seen the same modules, without knowing which have defects. pixels: by the sum of squares of all pixels' deviations from their means, each in units of its spread, in the best way of taking pixels."}
	for _, k := range m0.Kinds {
		t.Columns = append(t.Columns, report.Column{Name: k, Numeric: true})
	}
	t.Columns = append(t.Columns, report.Column{Name: "pixels", Numeric: true})
	for _, o := range r.Seeds {
		m := o.Monitor
		line := []string{fmt.Sprint(o.Seed), fmt.Sprint(m.Modules), fmt.Sprint(m.Defects), fmt.Sprintf("%.3f", m.Area)}
		for _, v := range m.ByKind {
			line = append(line, fmt.Sprintf("%.3f", v))
		}
		t.Rows = append(t.Rows, append(line, fmt.Sprintf("%.3f", m.Pixels)))
	}
	return t
}

// trainingSection has the course of the loss.
func (r *Results) trainingSection() report.Section {
	s := report.Section{Title: "Training", Text: []string{"Solid: the contrastive loss (NT-Xent) over the steps of each epoch; dashed, validation: of the same views of up to 256 of the same rows after it. It is the larger one where the last step of an epoch has fewer rows, which are told apart more easily. No rows are held out: there is nothing to choose."}}
	var curves []page.Curve
	for _, o := range r.Seeds {
		curves = append(curves, page.Curve{Name: fmt.Sprintf("seed %d", o.Seed), Points: o.Curve})
	}
	s.Figures = append(s.Figures, page.Curves("curve", "Contrastive loss", "NT-Xent", curves...))
	return s
}
