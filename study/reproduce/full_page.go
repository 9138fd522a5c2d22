package reproduce

import (
	"fmt"

	"barrow/report"
	"barrow/run"
	"barrow/study/compare"
)

// FullPage lays out the page of a finished full run.
func FullPage(folder string) (*report.Page, error) {
	var r FullResults
	var t compare.Times
	if err := run.ReadJSON(folder, run.Results, &r); err != nil {
		return nil, err
	}
	if err := run.ReadJSON(folder, run.Times, &t); err != nil {
		return nil, err
	}
	if r.Table == nil || len(r.Rows) == 0 || len(t.Rows) != len(r.Rows) {
		return nil, fmt.Errorf("reproduce: %s: no table, or times of another one", folder)
	}
	return layFull(&r, &t), nil
}

// layFull is a comparison's page with the chip's other algorithms.
func layFull(r *FullResults, times *compare.Times) *report.Page {
	p := compare.Lay(r.Table, times)
	p.Title = "The paper's comparison in full"
	p.Summary = append(p.Summary, "The paper's figures beside these are in "+run.Tables+".")
	if b := r.Bandwidth; b != nil {
		s := report.Section{Title: "At equal bandwidth"}
		if b.Missing != "" {
			s.Text = []string{"The chip's other algorithms are not compared: " + b.Missing + "."}
		} else {
			s.Tables = []report.Table{b.table()}
		}
		p.Sections = append(p.Sections, s)
	}
	return p
}

// table is the chip's other algorithms by links.
func (b *Bandwidth) table() report.Table {
	t := report.Table{
		Title:   "Mean EMD of the chip's other algorithms by links",
		Columns: []report.Column{{Name: "what is sent"}, {Name: "decoded as"}},
		Note:    fmt.Sprintf("On the same held-out images; wafer density: %s. An encoder with 16 outputs of nine bits needs %d links.", b.Density, b.EncoderLinks),
	}
	for n := 1; n <= b.EncoderLinks; n++ {
		t.Columns = append(t.Columns, report.Column{Name: links(n), Unit: fmt.Sprintf("%d bits", 32*n), Numeric: true})
	}
	for _, row := range b.kinds() {
		cells := []string{row[0].Result.Name, row[0].decoding()}
		for n := 1; n <= b.EncoderLinks; n++ {
			cells = append(cells, "–")
		}
		for _, x := range row {
			if x.Result.Links >= 1 && x.Result.Links <= b.EncoderLinks {
				cells[1+x.Result.Links] = fmt.Sprintf("%.3f", x.emd().Mean)
			}
		}
		t.Rows = append(t.Rows, cells)
	}
	return t
}
