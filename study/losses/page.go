package losses

import (
	"fmt"

	"barrow/internal/version"
	"barrow/report"
	"barrow/study/internal/page"
)

// Page has the figures as a table and a plot.
func (r *Result) Page() report.Page {
	table := report.Table{Columns: []report.Column{{Name: "loss"}, {Name: "Spearman", Numeric: true}, {Name: "error", Numeric: true}, {Name: "time", Unit: "µs", Numeric: true}}}
	for _, d := range r.Distortions {
		table.Columns = append(table.Columns, report.Column{Name: d, Numeric: true})
	}
	plot := &report.Lines{X: report.Axis{Label: "time of a pair", Unit: "µs", Log: true}, Y: report.Axis{Label: "error after one scale factor", Min: report.At(0)}}
	for _, row := range r.Best() {
		cells := []string{row.Label, fmt.Sprintf("%.3f", row.Spearman), row.error(), fmt.Sprintf("%.2f", row.Microseconds)}
		for _, v := range row.Each {
			cells = append(cells, fmt.Sprintf("%.3f", v))
		}
		table.Rows = append(table.Rows, cells)
		plot.Series = append(plot.Series, report.Line{Name: row.Loss, X: []float64{max(row.Microseconds, 1e-3)}, Y: []float64{row.Error}})
	}
	table.Note = "Spearman: rank correlation with the exact EMD, over all pairs and by distortion. Error: √(Σ(aL − E)²/ΣE²) with the best a; √: of the loss's root, which is nearer."
	p := report.Page{
		Title:   "Losses beside the exact EMD",
		Summary: []string{fmt.Sprintf("%s, %d pairs of an image and a distorted one, metric %s (%s).", r.Images, r.Pairs, r.Metric, page.UnitOf(r.Metric))},
		Sections: []report.Section{{
			Title: "How well losses order and measure pairs", Tables: []report.Table{table},
			Figures: []report.Figure{{ID: "cost", Title: "Error by time", Lines: plot, Caption: "Below and left is better."}},
		}},
	}
	page.Sign(&p, version.Current())
	return p
}

// error is the row's error, with the mark of a root.
func (r Row) error() string {
	if r.Root {
		return fmt.Sprintf("√ %.3f", r.Error)
	}
	return fmt.Sprintf("%.3f", r.Error)
}

// Text is the table in lines, tabs between its columns.
func (r *Result) Text() string {
	out := "loss\tSpearman\terror\tµs"
	for _, d := range r.Distortions {
		out += "\t" + d
	}
	for _, row := range r.Best() {
		out += fmt.Sprintf("\n%s\t%.3f\t%s\t%.2f", row.Loss, row.Spearman, row.error(), row.Microseconds)
		for _, v := range row.Each {
			out += fmt.Sprintf("\t%.3f", v)
		}
	}
	return out + "\n"
}
