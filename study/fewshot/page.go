package fewshot

import (
	"fmt"
	"strings"

	"barrow/evaluate"
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
	if len(r.Rows) == 0 || len(r.Tasks) == 0 {
		return nil, fmt.Errorf("fewshot: %s: the results lack contenders or tasks", folder)
	}
	return lay(&r), nil
}

func lay(r *Results) *report.Page {
	p := &r.Plan
	out := &report.Page{
		Title:    "A start for new tasks",
		Subtitle: fmt.Sprintf("%d held-out tasks, %d wafers, at most %d steps; learned from %d tasks", p.Test, p.Shots, p.Steps, p.Tasks),
		Summary: []string{
			r.Conclusion(),
			fmt.Sprintf("A task is what one module sends at one time of its life. Each training may cost %g million wafers forward and backward: pooled is one encoder trained on the wafers of all tasks at once; %s goes on from there by meta-learning. Every contender is tuned in the way that suited it best on %d other tasks; with moments, it may be by the moments of the gradients that training has left.",
				float64(p.Budget)/1e6, strings.Join(p.Methods, " or "), p.Choice),
			fmt.Sprintf("EMD is the mean exact one between image and decoded image of %d further wafers a task, in %s; less is better. The intervals are of 95 %%, of bootstraps over the held-out tasks, paired. Precisions are number formats: asic is the chip's own arithmetic.", p.Judged, page.UnitOf("benchmark")),
		},
		Tables: []report.Table{r.Table()},
	}
	for _, precision := range p.Precisions {
		out.Sections = append(out.Sections, r.section(precision))
	}
	return out
}

// Conclusion says in a sentence what came of the first method.
func (r *Results) Conclusion() string {
	for _, row := range r.Rows {
		if row.Carried == nil {
			continue
		}
		verdict := "not told apart from"
		switch {
		case row.Pooled.Interval.High < 1:
			verdict = "below"
		case row.Pooled.Interval.Low > 1:
			verdict = "above"
		}
		s := fmt.Sprintf("%s, %s: after tuning the mean EMD is %.4f, %s that of pooled training of equal compute, %s times it", row.Precision, row.Contender, row.EMD, verdict, ratio(row.Pooled))
		s += fmt.Sprintf("; it is %s times that of pooled training tuned by the moments that it carries", ratio(row.Carried))
		if row.Full != nil {
			s += fmt.Sprintf(", and %s times that of full training on the task", ratio(row.Full))
		}
		return s + "."
	}
	return ""
}

// ratio is a comparison in words.
func ratio(v *evaluate.Versus) string {
	return fmt.Sprintf("%.3f (%.3f to %.3f)", v.Ratio, v.Interval.Low, v.Interval.High)
}

// Table lists the contenders.
func (r *Results) Table() report.Table {
	t := report.Table{
		Title: "Contenders",
		Columns: []report.Column{{Name: "precision"}, {Name: "start"}, {Name: "tuned by"}, {Name: "steps", Numeric: true}, {Name: "EMD before", Numeric: true}, {Name: "EMD after", Numeric: true},
			{Name: "ratio to pooled"}, {Name: "to the same with moments"}, {Name: "to full training"}, {Name: "passes", Unit: "10⁶", Numeric: true}},
		Note: "Before and after are of tuning, of so many steps; passes are wafers forward and backward in training. Full training begins at random weights and sees all of its task.",
	}
	show := func(v *evaluate.Versus) string {
		if v == nil {
			return ""
		}
		return ratio(v)
	}
	for _, row := range r.Rows {
		t.Rows = append(t.Rows, []string{row.Precision, row.Contender, row.Words, fmt.Sprint(row.Steps), fmt.Sprintf("%.4f", row.Before), fmt.Sprintf("%.4f", row.EMD),
			show(row.Pooled), show(row.Carried), show(row.Full), fmt.Sprintf("%.2f", row.Passes/1e6)})
	}
	for _, f := range r.Full {
		t.Rows = append(t.Rows, []string{f.Precision, "full training", "", "", "", fmt.Sprintf("%.4f", f.EMD), "", "", "", fmt.Sprintf("%.2f", float64(r.Plan.Full*r.Plan.Epochs)/1e6)})
	}
	return t
}

// section has the curves and the tasks of a precision.
func (r *Results) section(precision string) report.Section {
	lines := report.Lines{X: report.Axis{Label: "steps"}, Y: report.Axis{Label: "mean EMD", Unit: page.UnitOf("benchmark")}}
	table := report.Table{Title: "Held-out tasks", Note: "Mean EMD after tuning. A task is its layer, the module's u and v, density (LD, HD), links, particles, and what ageing has done: cells dead or hot, and noise in CALQ counts.", Columns: []report.Column{{Name: "task"}}}
	var columns [][]float64
	for _, row := range r.Rows {
		if row.Precision != precision {
			continue
		}
		line := report.Line{Name: row.Contender}
		for k, v := range row.Curve {
			line.X, line.Y = append(line.X, float64(k)), append(line.Y, v)
		}
		lines.Series = append(lines.Series, line)
		table.Columns, columns = append(table.Columns, report.Column{Name: row.Contender, Numeric: true}), append(columns, row.Tasks)
	}
	for _, f := range r.Full {
		if f.Precision == precision {
			lines.Series = append(lines.Series, report.Line{Name: "full training", Dashed: true, X: []float64{0, float64(r.Plan.Steps)}, Y: []float64{f.EMD, f.EMD}})
			table.Columns, columns = append(table.Columns, report.Column{Name: "full training", Numeric: true}), append(columns, f.Tasks)
		}
	}
	for k, t := range r.Tasks {
		row := []string{t.Name()}
		for _, c := range columns {
			row = append(row, fmt.Sprintf("%.3f", c[k]))
		}
		table.Rows = append(table.Rows, row)
	}
	return report.Section{
		Title: "Precision " + precision,
		Figures: []report.Figure{{ID: page.ID("steps", precision), Title: "EMD by the number of steps, " + precision, Lines: &lines,
			Caption: "Mean over the held-out tasks and the seeds, each contender tuned in its chosen way. Pooled lies under pooled with moments where both were tuned alike. Full training has no steps."}},
		Tables: []report.Table{table, r.tried(precision)},
	}
}

// tried lists the ways of tuning.
func (r *Results) tried(precision string) report.Table {
	t := report.Table{Title: "Ways of tuning", Columns: []report.Column{{Name: "start"}, {Name: "tuned by"}}, Note: "Mean EMD on the tasks to choose by, after so many steps. In bold: the way that was chosen, by the least of these."}
	for k := range r.Plan.Steps + 1 {
		t.Columns = append(t.Columns, report.Column{Name: fmt.Sprint(k), Numeric: true})
	}
	for _, row := range r.Rows {
		if row.Precision != precision {
			continue
		}
		for _, x := range row.Tried {
			if x.Tuning == row.Words {
				t.Emphasis = append(t.Emphasis, len(t.Rows))
			}
			cells := []string{row.Contender, x.Tuning}
			for _, v := range x.Curve {
				cells = append(cells, fmt.Sprintf("%.4f", v))
			}
			t.Rows = append(t.Rows, cells)
		}
	}
	return t
}
