package compare

import (
	"fmt"

	"barrow/report"
	"barrow/study/internal/page"
)

// contest is the section about a protocol's contenders.
func (t *Table) contest(times *Times) []report.Section {
	j := t.Protocol
	unit := page.UnitOf(t.Plan.Metric)
	ratios := &report.Intervals{X: report.Axis{Label: "ratio of mean EMDs to " + t.Plan.Protocol.Baseline}, Spread: "95 % interval over seeds and images", Marks: []report.Mark{{Name: "as the baseline", At: 1}}}
	fronts := []*report.Front{
		{X: report.Axis{Label: "multiplications of the encoder"}},
		{X: report.Axis{Label: "cost of a step of training, that with the MSE 1"}},
		{X: report.Axis{Label: "µs a wafer", Log: true}},
	}
	for _, i := range j.order() {
		s := &j.Contenders[i]
		ratios.Rows = append(ratios.Rows, report.Interval{Name: s.Name, Value: s.Ratio.Ratio, Low: min(s.Ratio.Low, s.Ratio.Ratio), High: max(s.Ratio.High, s.Ratio.Ratio)})
		of := spreadOf(s.Name, s.EMD)
		for k, x := range []float64{float64(s.Cost.Multiplications), s.Step, 1e6 / times.Contenders[i].Wafers} {
			fronts[k].Points = append(fronts[k].Points, report.FrontPoint{Name: s.Name, X: x, Y: of.Value, Low: of.Low, High: of.High})
		}
	}
	first := report.Section{Title: "What is had for what", Text: []string{
		"Bars go from the best to the worst seed. The dashed line joins those that no other beats in one without losing in the other; less is better in both. Contenders without training stand at 0 steps.",
	}}
	for k, id := range []string{"front-multiplications", "front-training", "front-microseconds"} {
		fronts[k].Y = report.Axis{Label: "mean EMD", Unit: unit}
		first.Figures = append(first.Figures, report.Figure{ID: id, Title: "Mean EMD against " + fronts[k].X.Label, Front: fronts[k]})
	}
	first.Figures = append(first.Figures, report.Figure{ID: "ratios", Title: "Mean EMD over that of " + t.Plan.Protocol.Baseline, Intervals: ratios})

	second := report.Section{Title: "Ranks", Text: []string{"Bars join contenders whose mean ranks are closer than the critical difference, so that they are not told apart. docs/protocol.md says which blocks answer which question."}}
	list, names, texts := j.rankings(t.Plan.Seeds)
	for k, r := range list {
		d := &report.Ranks{Critical: r.Critical}
		if r.Critical > 0 {
			d.Groups = r.Cliques()
		}
		for i, mean := range r.Ranks {
			d.Rows = append(d.Rows, report.Rank{Name: j.Contenders[i].Name, Mean: mean})
		}
		second.Figures = append(second.Figures, report.Figure{ID: page.ID("ranks", names[k]), Title: "Mean ranks " + names[k], Ranks: d, Caption: texts[k] + " " + test(r)})
	}
	return []report.Section{first, second}
}

// protocolWords say what a protocol's page is about.
func (t *Table) protocolWords() string {
	p := t.Plan.Protocol
	return fmt.Sprintf("Protocol %s: %s. All have %d links, %d bits a bunch crossing, and the same images.", p.Name, p.About, t.Protocol.Links, t.Protocol.LinkBits)
}
