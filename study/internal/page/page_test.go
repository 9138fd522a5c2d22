package page

import (
	"math"
	"strings"
	"testing"

	"barrow/internal/version"
	"barrow/report"
)

func TestID(t *testing.T) {
	for want, parts := range map[string][]string{
		"curve-emd+0.1xtelescope": {"curve", "emd+0.1*telescope"},
		"a-float--3-bits-emd@mse": {"a", "float, 3 bits", "emd@mse"},
		"----script-------_-":     {"\x1b<\"", "script>&'%#/", "_\\"},
	} {
		if got := ID(parts...); got != want {
			t.Errorf("ID(%q) = %q, want %q", parts, got, want)
		}
	}
}

// TestCurves: what a logarithmic axis cannot show is left out, and the page can be
// drawn, whatever the names.
func TestCurves(t *testing.T) {
	f := Curves("c", "Loss", "loss", Curve{Name: "a<b>\x1b", Points: [][2]float64{{1, 0}, {0.5, 0.25}, {-1, 0.2}}}, Curve{Name: "none"})
	if s := f.Lines.Series; len(s) != 4 || len(s[0].X) != 2 || len(s[1].X) != 2 || s[1].X[0] != 2 || s[1].Group != s[0].Group || s[0].Dashed || !s[1].Dashed {
		t.Errorf("%+v", s)
	}
	iv := &report.Intervals{X: report.Axis{Label: "x"}, Spread: "s", Rows: []report.Interval{{Name: "none", Value: math.NaN()}, {Name: "one", Value: 1, Low: 1, High: 1}}}
	p := &report.Page{Title: "t", Sections: []report.Section{{Title: "s", Figures: []report.Figure{f, {ID: "i", Title: "i", Intervals: iv}}}}}
	Sign(p, version.Program{Version: "1.2", Go: "go", System: "os", Kernel: "k"})
	var b strings.Builder
	if err := report.Write(&b, *p); err != nil || !strings.Contains(b.String(), "Barrow 1.2, go, os, kernel k") || strings.ContainsAny(b.String(), "\x1b") || strings.Contains(b.String(), "a<b>") {
		t.Errorf("%v\n%s", err, b.String())
	}
	if len(iv.Rows) != 1 || iv.Rows[0].Name != "one" {
		t.Errorf("rows %v", iv.Rows)
	}
	for n, want := range map[int]string{0: "0 seeds", 1: "1 seed", 2: "2 seeds"} {
		if got := Of(n, "seed"); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
