package masks

import (
	"fmt"
	"slices"

	"barrow/report"
	"barrow/run"
	"barrow/study/compare"
)

// Page lays out the page of a finished run.
func Page(folder string) (*report.Page, error) {
	var r Results
	var times compare.Times
	if err := run.ReadJSON(folder, run.Results, &r); err != nil {
		return nil, err
	}
	if err := run.ReadJSON(folder, run.Times, &times); err != nil {
		return nil, err
	}
	if len(r.Trials) == 0 || r.Encoder == nil || len(r.Encoder.Rows) != 1 || len(times.Rows) != 1 {
		return nil, fmt.Errorf("masks: %s: the results lack trials or the encoder", folder)
	}
	return lay(&r, &times), nil
}

// lay is the page of the encoder with the mask, the search before all else.
func lay(r *Results, times *compare.Times) *report.Page {
	out := compare.Lay(r.Encoder, times)
	out.Title = fmt.Sprintf("Bits of the encoder's outputs on %d link(s): %s", r.Links, r.Mask)
	text := fmt.Sprintf("%d link(s) carry %d bits of the encoder's outputs. Every mask was tried on %d images, from one encoder with all 144 bits (validation loss %.4f at the full budget), its most important outputs first; the best, %s, was then trained as any encoder is.",
		r.Links, r.Bits, r.Plan.Trial, r.AllBits, r.Mask)
	search := report.Section{Title: "The search", Text: []string{text}, Tables: []report.Table{r.Table()}}
	out.Sections = slices.Insert(out.Sections, 0, search)
	return out
}

// Table lists the trials, the best first.
func (r *Results) Table() report.Table {
	t := report.Table{
		Title: "Masks tried", Columns: []report.Column{{Name: "mask"}, {Name: "bits", Numeric: true}, {Name: "round", Numeric: true}, {Name: "validation loss", Numeric: true}},
		Note: "Outputs by bits: 9x2,7x0 are nine outputs of two bits and seven of none. Round 0: outputs of each width; then single bits are moved. The loss is that after a short training.",
	}
	trials := slices.Clone(r.Trials)
	slices.SortStableFunc(trials, func(a, b Trial) int {
		switch {
		case a.Loss < b.Loss:
			return -1
		case a.Loss > b.Loss:
			return 1
		}
		return 0
	})
	for k, x := range trials {
		t.Rows = append(t.Rows, []string{x.Mask, fmt.Sprint(x.Bits), fmt.Sprint(x.Round), fmt.Sprintf("%.4f", x.Loss)})
		if k == 0 {
			t.Emphasis = []int{0}
		}
	}
	return t
}
