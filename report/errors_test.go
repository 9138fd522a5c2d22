package report_test

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"barrow/report"
)

// TestErrors breaks a good page in one place at a time.
func TestErrors(t *testing.T) {
	fig := func(p *report.Page, id string) *report.Figure {
		for i, f := range p.Sections[0].Figures {
			if f.ID == id {
				return &p.Sections[0].Figures[i]
			}
		}
		t.Fatalf("no figure %q", id)
		return nil
	}
	for want, spoil := range map[string]func(p *report.Page){
		"the page has no title":    func(p *report.Page) { p.Title = "" },
		"section 1 has no title":   func(p *report.Page) { p.Sections[0].Title = "" },
		`table "1" has no columns`: func(p *report.Page) { p.Tables[0].Columns = nil },
		"row 2 has 1 cells, not 2": func(p *report.Page) { p.Tables[0].Rows[1] = []string{"x"} },
		"emphasis on row 2 of 2":   func(p *report.Page) { p.Tables[0].Emphasis = []int{2} },
		"no title (section":        func(p *report.Page) { fig(p, "lines").Title = "" },
		"may not hold ' '":         func(p *report.Page) { fig(p, "lines").ID = "a b" },
		"the ID is used twice":     func(p *report.Page) { fig(p, "lines").ID = "profile" },
		"2 kinds of drawing":       func(p *report.Page) { fig(p, "lines").Density = &report.Density{} },
		"0 kinds of drawing":       func(p *report.Page) { fig(p, "lines").Lines = nil },
		"x axis: no label":         func(p *report.Page) { fig(p, "lines").Lines.X.Label = "" },
		"x axis: from 2 to 1": func(p *report.Page) {
			fig(p, "lines").Lines.X.Min, fig(p, "lines").Lines.X.Max = report.At(2), report.At(1)
		},
		"the axis is logarithmic": func(p *report.Page) { fig(p, "lines").Lines.Series[0].Y[1] = 0 },
		"low: error bar 1: low 9": func(p *report.Page) { fig(p, "bars").Lines.Series[0].Low[1] = 9 },
		"1 lower and 2 upper ends, want 2": func(p *report.Page) {
			s := &fig(p, "bars").Lines.Series[0]
			s.Low = s.Low[:1]
		},
		"x low: error bars have":       func(p *report.Page) { fig(p, "bars").Lines.Series[1].XLow = nil },
		"room for a label":             func(p *report.Page) { fig(p, "wafers").Label = &report.Label{} },
		"x: value 2 is 1, below 2":     func(p *report.Page) { fig(p, "lines").Lines.Series[0].X[2] = 1 },
		"not above":                    func(p *report.Page) { fig(p, "profile").Profile.Edges[1] = 0 },
		"are not in order":             func(p *report.Page) { fig(p, "profile").Profile.Series[0].Low[1] = 2.5 },
		"want 3":                       func(p *report.Page) { fig(p, "profile").Profile.Series[0].Mid = []float64{1} },
		"count: 1 values, want 3":      func(p *report.Page) { fig(p, "profile").Profile.Series[0].Count = []int{1} },
		"bin 0 has count -1":           func(p *report.Page) { fig(p, "profile").Profile.Series[0].Count = []int{-1, 1, 1} },
		"want at least 2":              func(p *report.Page) { fig(p, "histogram").Histogram.Edges = []float64{1} },
		"below 0":                      func(p *report.Page) { fig(p, "histogram").Histogram.Series[0].Count[1] = -1 },
		`mark "mean"`:                  func(p *report.Page) { fig(p, "histogram").Histogram.Marks[0].At = math.NaN() },
		"count: 3 values, want 4":      func(p *report.Page) { fig(p, "density").Density.Count = []float64{1, 2, 3} },
		`row "b": low 0.8, value 0.7`:  func(p *report.Page) { fig(p, "intervals").Intervals.Rows[1].Low = 0.8 },
		"13 digits":                    func(p *report.Page) { fig(p, "intervals").Intervals.Digits = 13 },
		"input: 1 values, want 2":      func(p *report.Page) { fig(p, "wafers").Wafers.Rows[0].Input = []float64{1} },
		"no logarithmic axis":          func(p *report.Page) { fig(p, "areas").Areas.X.Log = true },
		`kind "b": area 1 has 2`:       func(p *report.Page) { k := &fig(p, "areas").Areas.Kinds[1]; k.Areas[1] = k.Areas[1][:2] },
		`kind "a": area 0: corner`:     func(p *report.Page) { fig(p, "areas").Areas.Kinds[0].Areas[0][1][0] = math.Inf(1) },
		"values: 47 values, want 48":   func(p *report.Page) { f := fig(p, "transport").Transport; f.Values = f.Values[1:] },
		"cells: 1 texts, want 48":      func(p *report.Page) { fig(p, "transport").Transport.Cells = []string{""} },
		"arrow 1: from cell 3 to 48":   func(p *report.Page) { fig(p, "transport").Transport.Arrows[1].To = 48 },
		"arrow 2: mass: value 0 is":    func(p *report.Page) { fig(p, "transport").Transport.Arrows[2].Mass = math.NaN() },
		"mass is negative":             func(p *report.Page) { fig(p, "transport").Transport.Arrows[0].Mass = -1 },
		"0 decoded images for 1":       func(p *report.Page) { fig(p, "wafers").Wafers.Rows[0].Decoded = nil },
		"2 notes for 1":                func(p *report.Page) { fig(p, "wafers").Wafers.Rows[0].Notes = []string{"", ""} },
		"cell 0 has 2 corners":         func(p *report.Page) { fig(p, "wafers").Wafers.Cells[0] = [][2]float64{{0, 0}, {1, 1}} },
		"ranks have no room":           func(p *report.Page) { fig(p, "ranks").Label = &report.Label{} },
		"ranks of 1 row":               func(p *report.Page) { r := fig(p, "ranks").Ranks; r.Rows = r.Rows[:1] },
		"the mean rank 5, want 1 to 4": func(p *report.Page) { fig(p, "ranks").Ranks.Rows[0].Mean = 5 },
		"with row 4 of 4":              func(p *report.Page) { fig(p, "ranks").Ranks.Groups[0][1] = 4 },
		`point "b": y: error bar 0`:    func(p *report.Page) { fig(p, "front").Front.Points[1].Low = 3 },
		`point "a": x: value 0 is NaN`: func(p *report.Page) { fig(p, "front").Front.Points[0].X = math.NaN() },
		"cover no area": func(p *report.Page) {
			fig(p, "wafers").Wafers.Cells = [][][2]float64{{{0, 0}, {1, 0}, {2, 0}}, {{0, 0}, {1, 0}, {2, 0}}}
		},
	} {
		page := small()
		spoil(&page)
		var b bytes.Buffer
		err := report.Write(&b, page)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "report: ") {
			t.Errorf("want an error with %q, have %v", want, err)
		}
		if b.Len() > 0 {
			t.Errorf("%s: %d bytes were written", want, b.Len())
		}
	}
}

func TestBins(t *testing.T) {
	if e := report.Even(1, 0, 3); e != nil {
		t.Errorf("edges from 1 to 0: %v", e)
	}
	if e := report.Even(0, 1, 0); e != nil {
		t.Errorf("no bins: %v", e)
	}
	for _, e := range [][]float64{nil, {1}, {1, 0}, {0, 0}, {0, math.NaN()}} {
		if _, _, err := report.Bin([]float64{1}, e); err == nil {
			t.Errorf("edges %v were taken", e)
		}
		if _, _, err := report.BinXY([]float64{1}, []float64{1}, []float64{0, 1}, e); err == nil {
			t.Errorf("y edges %v were taken", e)
		}
	}
	if _, _, err := report.Bin([]float64{0, math.NaN()}, []float64{0, 1}); err == nil || !strings.Contains(err.Error(), "value 1 is NaN") {
		t.Errorf("NaN: %v", err)
	}
	if _, _, err := report.BinXY([]float64{0}, nil, []float64{0, 1}, []float64{0, 1}); err == nil {
		t.Error("unequal lengths were taken")
	}
	count, outside, err := report.Bin([]float64{math.Inf(1), math.Inf(-1), 0, 1, 0.5}, []float64{0, 0.5, 1})
	if err != nil || outside != 2 || count[0] != 1 || count[1] != 2 {
		t.Errorf("%v, %d outside, %v", count, outside, err)
	}
}
