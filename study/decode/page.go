package decode

import (
	"fmt"
	"path/filepath"

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
	if len(r.Trainings) == 0 || len(r.Rules) == 0 || len(r.Rules) != len(r.Validation) || r.Against == nil || r.Learned.Fidelity.Of(evaluate.EMD).N == 0 {
		return nil, fmt.Errorf("decode: %s: nothing was measured", filepath.Join(folder, run.Results))
	}
	return lay(&r), nil
}

func lay(r *Results) *report.Page {
	p := r.Plan
	out := &report.Page{
		Title:    "Decoder of " + r.Frames,
		Subtitle: fmt.Sprintf("Trained with %s on %s; measured on %d held-out images", p.Loss, learnt(p), r.Learned.Fidelity.Of(evaluate.EMD).N),
		Summary:  append([]string{r.Verdict()}, r.Remarks...),
		Tables:   []report.Table{r.table()},
		Footer: []string{
			fmt.Sprintf("Seed %d; ground metric %s; wafer density %s.", p.Seed, p.Metric, r.Density), "SHA-256 of the images: " + p.Digest,
		},
	}
	training := report.Section{Title: "Training", Text: []string{page.CurvesText}}
	if len(r.Trainings) > 1 {
		training.Tables = []report.Table{r.seeds()}
	}
	var first, then []page.Curve
	for _, t := range r.Trainings {
		name := fmt.Sprintf("seed %d", t.Seed)
		first = append(first, page.Curve{Name: name, Points: t.Curve})
		if t.Data != nil {
			then = append(then, page.Curve{Name: name, Points: t.Data})
		}
	}
	training.Figures = append(training.Figures, page.Curves("curve", "Loss on the first images", p.Loss, first...))
	if then != nil {
		training.Figures = append(training.Figures, page.Curves("curve-data", "Loss on the given images", p.Loss, then...))
	}
	out.Sections = []report.Section{{Title: "Held-out images", Figures: []report.Figure{r.figure()}}, training}
	return out
}

// learnt says what a plan's decoders learn from.
func learnt(p Plan) string {
	first := fmt.Sprintf("%d simulated images (%s)", p.Epochs*p.PerEpoch, p.Preset)
	if len(p.Pretrain) > 0 {
		first = fmt.Sprintf("given images (%s of them)", page.Of(p.Epochs, "epoch"))
	}
	if len(p.Data) == 0 {
		return first
	}
	return first + " and then " + p.Source
}

// Verdict says how the decoder compares with the rules.
func (r *Results) Verdict() string {
	text := verdict(r.Against, r.Rules[r.BestRule()].Decoding, r.Learned.Fidelity.Of(evaluate.EMD).N)
	if r.Best != evaluate.DecodeLearned {
		text += fmt.Sprintf(" On the images to choose by %s is better: take that.", r.Best)
	}
	return text
}

// table has a row for each decoding.
func (r *Results) table() report.Table {
	t := report.Table{Title: "Decodings of the same frames", Columns: []report.Column{{Name: "decoding"}},
		Note: fmt.Sprintf("Of %.1f bits on average. kept: sums nowhere, or in a super trigger cell's largest cell; spread: evenly; own: the encoder's decoder.", r.Learned.Bits)}
	figures := r.Learned.Fidelity.Figures
	for _, f := range figures {
		t.Columns = append(t.Columns, report.Column{Name: f.Label, Numeric: true})
	}
	t.Columns = append(t.Columns, report.Column{Name: "nothing arrives", Numeric: true})
	for _, c := range r.contenders() {
		row := []string{string(c.Decoding)}
		for _, f := range figures {
			row = append(row, page.Print(c.Fidelity.Of(f.Name)))
		}
		t.Rows = append(t.Rows, append(row, fmt.Sprintf("%.1f %%", 100*c.Empty)))
		if c.Decoding == r.Best {
			t.Emphasis = append(t.Emphasis, len(t.Rows)-1)
		}
	}
	return t
}

// contenders are the rules and what was learned.
func (r *Results) contenders() []evaluate.ChipResult {
	return append(r.Rules[:len(r.Rules):len(r.Rules)], r.Learned)
}

// figure draws the EMD of each decoding.
func (r *Results) figure() report.Figure {
	of := r.Learned.Fidelity.Of(evaluate.EMD).Figure
	iv := &report.Intervals{X: page.Axis(of, r.Plan.Metric), Spread: "mean, and 16–84 % of the images"}
	for _, c := range r.contenders() {
		s := c.Fidelity.Of(evaluate.EMD).Summary
		iv.Rows = append(iv.Rows, report.Interval{Name: string(c.Decoding), Value: s.Mean, Low: s.P16, High: s.P84})
	}
	return report.Figure{ID: "emd", Title: "EMD by decoding", Intervals: iv, Caption: of.Meaning}
}

// kept says which decoder is kept.
func kept(r *Results) string {
	if r.Together {
		return "Kept is the mean of all of them, whose EMD is the smallest on the images to choose by."
	}
	return "The decoder with the smallest EMD on the images to choose by is kept."
}

// seeds has a row for each training.
func (r *Results) seeds() report.Table {
	t := report.Table{Title: "Seeds", Note: kept(r), Columns: []report.Column{
		{Name: "seed"}, {Name: "EMD, to choose by", Numeric: true}, {Name: "EMD, held out", Numeric: true}, {Name: "best epoch", Numeric: true},
	}}
	for k, s := range r.Trainings {
		t.Rows = append(t.Rows, []string{fmt.Sprint(s.Seed), fmt.Sprintf("%.4f", s.Validation), fmt.Sprintf("%.4f", s.EMD), fmt.Sprint(s.BestEpoch)})
		if s.Seed == r.Seed && !r.Together {
			t.Emphasis = []int{k}
		}
	}
	return t
}
