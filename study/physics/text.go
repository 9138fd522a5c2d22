package physics

import (
	"fmt"
	"io"
	"math"
	"strings"

	"barrow/physics"
	"barrow/report"
	"barrow/study/internal/page"
)

// digits of a figure behind the point.
func digits(f physics.Figure) int {
	switch {
	case strings.HasPrefix(f.Name, "eta_"), strings.HasPrefix(f.Name, "phi_"), strings.HasPrefix(f.Name, "spread_"):
		return 5
	case f.Unit == "GeV":
		return 1
	case strings.HasPrefix(f.Name, "resolution"), f.Name == background:
		return 4
	}
	return 3
}

// first is the figure whose ratio to all cells stands beside it: tails do not decide it.
const first = "resolution_68"

// main are the figures of the overview, as far as they were measured.
func (r *Results) main() []physics.Figure {
	var list []physics.Figure
	for _, name := range []string{"emd", "efficiency", "within_30", "response_raw", "response", "resolution_68", "resolution", "eta_resolution", "phi_resolution", auc, inROC, background, "threshold", "turn_on_95"} {
		if r.measured(name) {
			list = append(list, figure(name))
		}
	}
	return list
}

// measured reports whether any contender has a value.
func (r *Results) measured(name string) bool {
	for _, c := range r.Contenders {
		if !math.IsNaN(c.Value(name).Value) {
			return true
		}
	}
	return false
}

// figure is what a name means.
func figure(name string) physics.Figure {
	for _, f := range figures() {
		if f.Name == name {
			return f
		}
	}
	return physics.Figure{Name: name, Label: name}
}

// heads are the names of columns for figures, shorter than their labels.
func heads() map[string]string {
	return map[string]string{
		"emd": "mean EMD", "efficiency": "found", "within_30": "p_T within 30 %",
		"response_raw": "sum/p_T", "response": "response", "resolution_68": "p_T resolution, 68 %", "resolution": "p_T resolution, σ/mean",
		"eta_resolution": "η resolution, 68 %", "phi_resolution": "φ resolution, 68 %",
		auc: "area under ROC", inROC: "in the ROC", background: fmt.Sprintf("pile-up kept at %.0f %%", 100*passing),
		"threshold": "threshold", "turn_on_95": "p_T of 95 %",
	}
}

// heading is a figure's column.
func (r *Results) heading(f physics.Figure) report.Column {
	name := heads()[f.Name]
	if name == "" {
		name = f.Label
	}
	return report.Column{Name: name, Unit: r.unit(f), Numeric: true}
}

// unit of a figure; that of the EMD is the metric's.
func (r *Results) unit(f physics.Figure) string {
	if strings.HasPrefix(f.Name, distance) {
		return page.UnitOf(r.Plan.Metric)
	}
	return f.Unit
}

// title is a contender's name, without the links where they are those of all.
func (r *Results) title(c *Contender) string {
	if common := r.links(); common != "" && c.Links == common {
		return strings.TrimSuffix(c.Name, ", "+common)
	}
	return c.Name
}

// links are those that contenders share, which is said once: all but the repeater have them.
func (r *Results) links() string {
	n, most := map[string]int{}, ""
	for _, c := range r.Contenders {
		if c.Links == "" {
			continue
		}
		if n[c.Links]++; most == "" || n[c.Links] > n[most] {
			most = c.Links
		}
	}
	return most
}

// OnLinks says them in words.
func (r *Results) OnLinks() string {
	common := r.links()
	if common == "" {
		return ""
	}
	return "On " + common + " unless the name says otherwise."
}

// printed is a value in words: with a digit of its error at least, and where nothing passes a
// limit.
func printed(v physics.Value, f physics.Figure) string {
	if f.Name == background && v.Value == 0 && math.IsNaN(v.Error) && v.N > 0 {
		return fmt.Sprintf("< %.2g", 3/float64(v.N))
	}
	return v.Print(digitsOf(f, v))
}

// digitsOf a value: more than the figure's where its error would read as 0.
func digitsOf(f physics.Figure, v physics.Value) int {
	d := digits(f)
	for e := v.Error * math.Pow(10, float64(d)); v.Error > 0 && e < 1 && d < 6; d++ {
		e *= 10
	}
	return d
}

// Overview is the closing table: a head and a row for each contender.
func (r *Results) Overview() (head []string, rows [][]string) {
	head = []string{"contender"}
	for _, f := range r.main() {
		h := r.heading(f)
		if h.Unit != "" {
			h.Name += " (" + h.Unit + ")"
		}
		head = append(head, h.Name)
		if f.Name == first {
			head = append(head, "over all cells’")
		}
	}
	for _, c := range r.Contenders {
		row := []string{r.title(c)}
		for _, f := range r.main() {
			row = append(row, printed(c.Value(f.Name), f))
			if f.Name == first {
				row = append(row, c.Ratio(f.Name).Print(3))
			}
		}
		rows = append(rows, row)
	}
	return head, rows
}

// Notes say of which contenders figures are missing in the overview, and why.
func (r *Results) Notes() []string {
	var list, reasons []string
	without := map[string][]string{} // contenders without a ROC, by the reason
	for _, c := range r.Contenders {
		if c.Note != "" {
			list = append(list, fmt.Sprintf("%s is not calibrated: %s.", r.title(c), c.Note))
			continue
		}
		if v := c.Value(auc); c.identification != nil && math.IsNaN(v.Value) {
			if without[v.Note] == nil {
				reasons = append(reasons, v.Note)
			}
			without[v.Note] = append(without[v.Note], r.title(c))
		}
	}
	for _, reason := range reasons {
		who := " of " + strings.Join(without[reason], ", ")
		if len(without[reason]) == len(r.Contenders) {
			who = ""
		}
		list = append(list, fmt.Sprintf("No ROC%s: %s.", who, reason))
	}
	return list
}

const correlationTitle = "Does the mean EMD predict it?"

// writeTables writes the tables as Markdown.
func writeTables(w io.Writer, r *Results) error {
	var b strings.Builder
	fmt.Fprintf(&b, "# What the trigger sees\n\n%s. %s\n\n%s %s\n", r.Words(), r.OnLinks(), r.Order.Text, r.turnOn())
	table := func(title string, head []string, rows [][]string) {
		if len(rows) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n## %s\n\n", title)
		line := func(cells []string) {
			for _, c := range cells {
				fmt.Fprintf(&b, "| %s ", strings.ReplaceAll(c, "|", "\\|"))
			}
			b.WriteString("|\n")
		}
		line(head)
		b.WriteString(strings.Repeat("|---", len(head)) + "|\n")
		for _, row := range rows {
			line(row)
		}
	}
	head, rows := r.Overview()
	table("Contenders", head, rows)
	for _, note := range r.Notes() {
		fmt.Fprintf(&b, "\n%s\n", note)
	}
	for _, t := range []struct {
		title string
		of    func() ([]string, [][]string)
	}{{"All figures", r.all}, {"Shapes: mean less that of all cells", r.shapes}, {correlationTitle, r.correlations}, {"The paper's figures", r.paperTable}, {"Calibrations, by even and odd events", r.fits}} {
		head, rows := t.of()
		if t.title == correlationTitle && len(r.Contenders)-1 < fewestPredicted {
			continue
		}
		table(t.title, head, rows)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// all is every figure, a row each, with a column for each contender.
func (r *Results) all() (head []string, rows [][]string) {
	head = []string{"figure", "unit"}
	for _, c := range r.Contenders {
		head = append(head, r.title(c))
	}
	for _, f := range figures() {
		if !r.measured(f.Name) {
			continue
		}
		row := []string{f.Label, r.unit(f)}
		for _, c := range r.Contenders {
			v := c.Value(f.Name)
			text := printed(v, f)
			if math.IsNaN(v.Value) && v.Note != "" {
				text += " (" + v.Note + ")"
			}
			row = append(row, text)
		}
		rows = append(rows, row)
	}
	return head, rows
}

// shapeEnd ends the names of the figures of shapes, and those of two that are none.
const shapeEnd = "_bias"

// shapes are the biases of the clusters' shapes.
func (r *Results) shapes() (head []string, rows [][]string) {
	head = []string{"contender"}
	var list []physics.Figure
	for _, f := range figures() {
		if strings.HasSuffix(f.Name, shapeEnd) && !strings.HasPrefix(f.Name, "eta_") && !strings.HasPrefix(f.Name, "phi_") {
			list = append(list, f)
			head = append(head, strings.TrimPrefix(f.Label, "bias of "))
		}
	}
	for _, c := range r.Contenders[1:] { // the first is what they are compared with
		row := []string{r.title(c)}
		for _, f := range list {
			row = append(row, printed(c.Value(f.Name), f))
		}
		rows = append(rows, row)
	}
	return head, rows
}

func (r *Results) paperTable() (head []string, rows [][]string) {
	head = []string{"what", "contender", "paper", "here", "what differs"}
	for _, p := range r.Paper {
		rows = append(rows, []string{p.What, p.Name, fmt.Sprint(p.Paper), p.Ours.Print(4), p.Differs})
	}
	return head, rows
}
