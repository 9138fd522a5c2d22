package estimate

import (
	"fmt"
	"math"
	"path/filepath"
	"strings"

	"barrow/report"
	"barrow/run"
	"barrow/study/internal/page"
)

// Page lays out the page of a finished training.
func Page(folder string) (*report.Page, error) {
	var r Results
	if err := run.ReadJSON(folder, run.Results, &r); err != nil {
		return nil, err
	}
	if r.Accuracy.N == 0 {
		return nil, fmt.Errorf("estimate: %s: nothing was measured", filepath.Join(folder, run.Results))
	}
	return lay(&r), nil
}

// ScanPage lays out the page of a finished scan.
func ScanPage(folder string) (*report.Page, error) {
	var r ScanResults
	if err := run.ReadJSON(folder, run.Results, &r); err != nil {
		return nil, err
	}
	if len(r.Trials) == 0 {
		return nil, fmt.Errorf("estimate: %s: no networks", filepath.Join(folder, run.Results))
	}
	return layScan(&r), nil
}

func lay(r *Results) *report.Page {
	p := r.Plan
	unit := page.UnitOf(p.Metric)
	return &report.Page{
		Title:    "EMD network " + p.Architecture,
		Subtitle: p.subtitle(),
		Tables:   []report.Table{Table("pairs", []PairSet{r.Pairs})},
		Sections: []report.Section{
			{Title: "Held-out pairs", Figures: []report.Figure{r.Pairs.values(unit), r.Pairs.Predicted("predicted", "Predicted against exact EMD", unit), Relative([]PairSet{r.Pairs})}},
			{Title: "Training", Text: []string{page.CurvesText}, Figures: []report.Figure{page.Curves("curve", "Loss", "loss", page.Curve{Name: "network", Points: r.Curve})}},
		},
		Footer: p.Budget.footer(p.Loss),
	}
}

func (b Budget) subtitle() string {
	return fmt.Sprintf("%s of %d pairs (%s) of %s", page.Of(b.Epochs, "epoch"), b.Pairs, b.Kind, b.Source)
}

func (b Budget) footer(loss string) []string {
	words := []string{fmt.Sprintf("Seed %d; ground metric %s", b.Seed, b.Metric)}
	if loss != "" {
		words = append(words, "loss "+loss)
	}
	if b.Gradient != 0 {
		words = append(words, fmt.Sprintf("gradient's error with weight %g", b.Gradient))
	}
	if len(b.Encoders) > 0 {
		words = append(words, "decoded by "+strings.Join(b.Encoders, ", "))
	}
	return []string{strings.Join(words, "; ") + ".", "SHA-256 of the images: " + b.Digest}
}

func layScan(r *ScanResults) *report.Page {
	p := r.Plan
	tab := report.Table{Title: "Best first", Note: accuracyNote + " The order is by the root mean square of the relative difference."}
	tab.Columns = append([]report.Column{{Name: "architecture"}, {Name: "loss"}, {Name: "no.", Numeric: true}}, accuracyColumns()...)
	tab.Columns = append(tab.Columns, report.Column{Name: "best epoch", Numeric: true})
	iv := &report.Intervals{X: report.Axis{Label: "(predicted − exact) / exact"}, Spread: "bias ± spread over held-out pairs", Marks: []report.Mark{{Name: "exact", At: 0}}}
	for _, t := range r.Trials {
		row := append([]string{t.Architecture, t.Loss, fmt.Sprint(t.Repeat)}, accuracyCells(t.Accuracy)...)
		tab.Rows = append(tab.Rows, append(row, fmt.Sprint(t.BestEpoch)))
		a := t.Accuracy
		if math.IsNaN(a.Bias) || a.Spread == 0 {
			continue
		}
		iv.Rows = append(iv.Rows, report.Interval{Name: fmt.Sprintf("%s, %s, %d", t.Architecture, t.Loss, t.Repeat), Value: a.Bias, Low: a.Bias - a.Spread, High: a.Bias + a.Spread})
	}
	tab.Emphasis = []int{0}
	out := &report.Page{
		Title:    page.Of(len(r.Trials), "EMD network") + " compared",
		Subtitle: "Each " + p.subtitle(),
		Tables:   []report.Table{tab},
		Footer:   p.Budget.footer(""),
	}
	training := report.Section{Title: "Training", Text: []string{page.CurvesText}}
	for _, a := range p.Architectures {
		var curves []page.Curve
		for _, t := range r.Trials {
			if t.Architecture == a {
				curves = append(curves, page.Curve{Name: fmt.Sprintf("%s, %d", t.Loss, t.Repeat), Points: t.Curve})
			}
		}
		training.Figures = append(training.Figures, page.Curves(page.ID("curve", a), a, "loss", curves...))
	}
	out.Sections = []report.Section{{Title: "Held-out pairs", Figures: []report.Figure{{ID: "relative", Title: "Relative difference", Intervals: iv}}}, training}
	return out
}
