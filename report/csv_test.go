package report

import (
	"fmt"
	"strings"
	"testing"
)

// TestCSV: a figure's numbers are exact, and those of kinds without rows of their own are the page's.
func TestCSV(t *testing.T) {
	write := func(f Figure) string {
		t.Helper()
		var b strings.Builder
		if err := CSV(&b, f); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	image := make([]float64, 48)
	image[3] = 1.0 / 3
	one := Figure{Title: "w", Wafers: &Wafers{Columns: []string{"by, both"}, Rows: []WaferRow{{Input: image, Decoded: [][]float64{image}}}}}
	if got := write(one); !strings.HasPrefix(got, "cell,x,y,input,\"by, both\"\n0,") || !strings.Contains(got, ",0.3333333333333333,0.3333333333333333\n") {
		t.Errorf("wafers: %s", got)
	}
	one.Wafers.Rows = append(one.Wafers.Rows, one.Wafers.Rows[0])
	if got := write(one); !strings.HasPrefix(got, "row,cell,") || strings.Count(got, "\n") != 97 {
		t.Errorf("two rows: %s", got)
	}
	moves := Figure{Title: "t", Transport: &Transport{Unit: "counts", Values: image, Arrows: []Arrow{{From: 1, To: 1, Mass: 2}, {From: 1, To: 4, Mass: 0.1}}}}
	if got, want := write(moves), "from,to,mass\n1,1,2\n1,4,0.1\n"; got != want {
		t.Errorf("arrows: %q, want %q", got, want)
	}
	moves.Transport.Arrows = nil
	if got := write(moves); !strings.HasPrefix(got, "cell,x,y,counts\n0,") || !strings.Contains(got, ",0.3333333333333333\n") {
		t.Errorf("values: %s", got)
	}
	area := Figure{Title: "a", Areas: &Areas{X: Axis{Label: "x"}, Y: Axis{Label: "y"}, Kinds: []AreaKind{{Name: "k", Areas: [][][2]float64{{{0, 0}, {1, 0}, {0, 0.5}}}}}}}
	if got := write(area); got != "kind,corner,area,x,y\nk,0,0,0,0\nk,1,0,1,0\nk,2,0,0,0.5\n" {
		t.Errorf("areas: %s", got)
	}
	curve := Figure{Title: "l", Lines: &Lines{X: Axis{Label: "epoch"}, Y: Axis{Label: "loss"}, Series: []Line{{Name: "s", X: []float64{1, 2}, Y: []float64{3, 4}}}}}
	if got := write(curve); got != "curve,epoch,loss\ns,1,3\ns,2,4\n" {
		t.Errorf("lines: %s", got)
	}
	if err := CSV(&strings.Builder{}, Figure{}); err == nil {
		t.Error("no figure is written")
	}
}

// TestManyLines: lines whose colour is another's have markers, and only they.
func TestManyLines(t *testing.T) {
	circles := func(n int) int {
		f := Figure{Title: "many", Lines: &Lines{X: Axis{Label: "epoch"}, Y: Axis{Label: "loss"}}}
		for i := range n {
			f.Lines.Series = append(f.Lines.Series, Line{Name: fmt.Sprint("line ", i), X: []float64{1, 2, 3, 4}, Y: []float64{float64(i), 2, 3, 4}})
		}
		var b strings.Builder
		if err := SVG(&b, f); err != nil {
			t.Fatal(err)
		}
		return strings.Count(b.String(), `class="fs`)
	}
	if n := circles(seriesColours); n != 0 {
		t.Errorf("%d markers in as many lines as there are colours", n)
	}
	if n := circles(2 * seriesColours); n < seriesColours {
		t.Errorf("%d markers in twice as many", n)
	}
}
