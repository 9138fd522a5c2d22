package decoders

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"barrow/evaluate"
	"barrow/loss"
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
	if len(r.Sets) == 0 || len(r.Rows) == 0 {
		return nil, fmt.Errorf("decoders: %s: %d sets of images and %d rows", folder, len(r.Sets), len(r.Rows))
	}
	return lay(&r), nil
}

// parts are the sets with their densities, each all of its images first.
func (r *Results) parts() (list [][2]string) {
	for _, row := range r.Rows {
		if p := [2]string{row.Set, row.Density}; !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	return list
}

// densityWords are what densities are called.
func densityWords(density string) string {
	switch density {
	case evaluate.LowDensity:
		return "low density"
	case evaluate.HighDensity:
		return "high density"
	}
	return "both densities"
}

// rows are a part's, by links.
func (r *Results) rows(part [2]string) (list []*Row) {
	for i := range r.Rows {
		if row := &r.Rows[i]; row.Set == part[0] && row.Density == part[1] {
			list = append(list, row)
		}
	}
	slices.SortStableFunc(list, func(a, b *Row) int { return a.Links - b.Links })
	return list
}

// head is that of a part's table.
func head() []string {
	return []string{"links", "algorithm", "largest cell or nothing", "spread evenly", "learned", "simulated only", "learned / better rule", "95 %", "response, learned", "best"}
}

// cells are a row's.
func (r *Row) cells() []string {
	byHand := func(d evaluate.Decoding) string {
		for _, rule := range r.Rules {
			if rule.Decoding == d {
				return fmt.Sprintf("%.3f", rule.EMD)
			}
		}
		return "–"
	}
	spread, untuned := byHand(evaluate.DecodeSpread), "–"
	if r.Rules[0].Decoding == decodeOwn {
		spread = fmt.Sprintf("%.3f (own decoder)", r.Rules[0].EMD)
	}
	if r.Untuned != nil {
		untuned = fmt.Sprintf("%.3f ± %.3f", r.Untuned.EMD.Mean, r.Untuned.EMD.Std)
	}
	name := r.Name
	if r.Threshold > 0 {
		name += fmt.Sprintf(", from %d counts", r.Threshold)
	}
	return []string{fmt.Sprint(r.Links), name, byHand(evaluate.DecodeKept), spread,
		fmt.Sprintf("%.3f ± %.3f", r.Learned.EMD.Mean, r.Learned.EMD.Std), untuned, fmt.Sprintf("%.3f", r.Ratio),
		fmt.Sprintf("%.3f–%.3f", r.Interval.Low, r.Interval.High), fmt.Sprintf("%.3f", r.Learned.Response.Mean), r.word()}
}

// word is which decoding is best, and which other images would have one take where that is
// another one.
func (r *Row) word() string {
	if r.Chosen != r.Best {
		return fmt.Sprintf("%s (chosen: %s)", r.Best, r.Chosen)
	}
	return string(r.Best)
}

// wins tells whether the row's is what leaves least on its links.
func (r *Results) wins(row *Row) bool {
	w := r.winner(row.Set, row.Density, row.Links)
	return w != nil && w.Algorithm == row.Algorithm
}

// note explains the columns.
func (r *Results) note() string {
	return fmt.Sprintf("Mean exact EMD of the held-out images. By hand: a super trigger cell's sum in its largest cell or shared evenly, the rest's sum of best choice and threshold sum left out or spread evenly. An encoder has its own decoder in the place of rules. Learned: mean ± standard deviation over %s; simulated only: of a file, before they went on with its images. Ratio: to the better rule by hand on these images, with the interval of %d draws of images in pairs. Best: on these images; in brackets what the images that are chosen by would have one take, where that is another. Bold: least of all on its links. Of images of both densities threshold sum has one threshold, with which the mean frame of all fits the links: it is in no table of one of them.",
		page.Of(r.Plan.Seeds, "seed"), r.Plan.Draws)
}

// about says what was done.
func (r *Results) about() []string {
	p := r.Plan
	return []string{
		fmt.Sprintf("Distances are exact earth mover's distances between images and what is made of the frames that the chip sends of them, in %s.", page.UnitOf(p.Metric)),
		fmt.Sprintf("Every decoder learns by %s from %d simulated images (%s), fresh ones in every epoch, and goes on with a file's training images for %s, where that is better on the file's validation images.",
			loss.Label(p.Loss), p.Images, p.Preset, page.Of(p.Tune, "epoch")),
	}
}

// title is a part's.
func (r *Results) title(part [2]string) string {
	return part[0] + ", " + densityWords(part[1])
}

func lay(r *Results) *report.Page {
	p := r.Plan
	out := &report.Page{
		Title:    "Decoders that learned, by algorithm and links",
		Subtitle: fmt.Sprintf("%s of each of %d kinds", page.Of(p.Seeds, "decoder"), len(p.kinds())+len(p.Encoders)),
		Summary:  append(r.about(), r.Remarks...),
		Footer:   []string{fmt.Sprintf("Seeds from %d; ground metric %s; decoders of %s.", p.Seed, p.Metric, shape(p))},
	}
	for k, x := range r.Sets {
		text := fmt.Sprintf("%s: %d images held out, %d chosen by, SHA-256 %s", x.Name, x.HeldOut, x.Validation, p.Digests[k])
		if x.Train > 0 {
			text += fmt.Sprintf(", %d trained on", x.Train)
		}
		out.Footer = append(out.Footer, text)
	}
	for _, part := range r.parts() {
		s := report.Section{Title: r.title(part), Figures: []report.Figure{r.figure(part)}}
		s.Tables = []report.Table{r.table(part)}
		out.Sections = append(out.Sections, s)
	}
	return out
}

// table is a part's.
func (r *Results) table(part [2]string) report.Table {
	t := report.Table{Note: r.note()}
	for k, name := range head() {
		t.Columns = append(t.Columns, report.Column{Name: name, Numeric: k != 1 && k < 9})
	}
	for k, row := range r.rows(part) {
		t.Rows = append(t.Rows, row.cells())
		if r.wins(row) {
			t.Emphasis = append(t.Emphasis, k)
		}
	}
	return t
}

// A Text is a table of plain text, its head first.
type Text struct {
	Title string
	Rows  [][]string
}

// Legend says in a line or two what Tables have.
const Legend = `Mean exact EMD; kept is a sum in its largest cell or nowhere, spread evenly; best of these images,
in brackets what the images to choose by would have one take; * leaves least on its links.`

// Tables are those of all sets, with a star at what leaves least on its links.
func (r *Results) Tables() []Text {
	var list []Text
	for _, part := range r.parts() {
		t := Text{r.title(part), [][]string{head()}}
		for _, row := range r.rows(part) {
			cells := row.cells()
			if r.wins(row) {
				cells[len(cells)-1] += " *"
			}
			t.Rows = append(t.Rows, cells)
		}
		list = append(list, t)
	}
	return list
}

// shape is the decoders' architecture in words.
func shape(p Plan) string {
	a := p.Architecture
	text := fmt.Sprintf("%d units and %s", a.Units, page.Of(a.Blocks, "block"))
	if a.Conditions {
		text += ", with conditions"
	}
	return text
}

// figure draws a part's mean EMDs against links.
func (r *Results) figure(part [2]string) report.Figure {
	l := &report.Lines{X: report.Axis{Label: "links", Min: report.At(0)}, Y: report.Axis{Label: "mean EMD", Unit: page.UnitOf(r.Plan.Metric), Min: report.At(0)}}
	at := map[string]int{}
	for _, row := range r.rows(part) {
		k, ok := at[row.Name]
		if !ok {
			k = len(l.Series)
			at[row.Name] = k
			l.Series = append(l.Series, report.Line{Name: row.Name + ", learned", Group: row.Name, Points: true},
				report.Line{Name: row.Name + ", by hand", Group: row.Name, Dashed: true, Points: true})
		}
		for side, v := range []float64{row.Learned.EMD.Mean, row.better().EMD} {
			s := &l.Series[k+side]
			s.X, s.Y = append(s.X, float64(row.Links)), append(s.Y, v)
		}
	}
	return report.Figure{ID: page.ID("emd", part[0], part[1]), Title: "Mean EMD by links, " + r.title(part), Lines: l,
		Caption: "Solid: decoders that learned, mean over seeds; dashed: the better rule by hand."}
}

// write writes the tables as Markdown.
func (r *Results) write(w io.Writer) error {
	var b strings.Builder
	for _, text := range r.about() {
		fmt.Fprintf(&b, "%s\n\n", text)
	}
	for _, part := range r.parts() {
		names := head()
		fmt.Fprintf(&b, "## %s\n\n| %s |\n|%s\n", r.title(part), strings.Join(names, " | "), strings.Repeat("---|", len(names)))
		for _, row := range r.rows(part) {
			cells := row.cells()
			if r.wins(row) {
				for k, c := range cells {
					cells[k] = "**" + c + "**"
				}
			}
			fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | "))
		}
		b.WriteString("\n")
	}
	b.WriteString(r.note() + "\n")
	_, err := io.WriteString(w, b.String())
	return err
}
