package report_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"sort"
	"strconv"
	"strings"
	"testing"

	"barrow/report"

	"pgregory.net/rapid"
)

// inside checks that every text of a drawing lies within its frame.
func inside(doc []byte) error {
	d := xml.NewDecoder(bytes.NewReader(doc))
	var w, h float64
	lines := map[float64][][2]float64{} // the level texts at each height
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		num := func(name string) float64 {
			v, _ := strconv.ParseFloat(attr(e, name), 64)
			return v
		}
		switch e.Name.Local {
		case "svg":
			if _, err := fmt.Sscanf(attr(e, "viewBox"), "0 0 %g %g", &w, &h); err != nil {
				return err
			}
		case "text":
			x, y, length := num("x"), num("y"), num("textLength")
			const eps = 1.5 // side bearings, and what rounding leaves
			if strings.HasPrefix(attr(e, "transform"), "rotate(-90") {
				if y > h+eps || y-length < -eps || x < 0 || x > w {
					return fmt.Errorf("upright text at (%v, %v), %v long, leaves the frame %v × %v", x, y, length, w, h)
				}
			} else if x < -eps || x+length > w+eps || y < 0.7*num("font-size") || y > h {
				return fmt.Errorf("text at (%v, %v), %v long, leaves the frame %v × %v", x, y, length, w, h)
			} else {
				for _, o := range lines[y] {
					if x < o[1]-0.5 && o[0] < x+length-0.5 {
						return fmt.Errorf("text at (%v, %v), %v long, overlaps another from %v to %v", x, y, length, o[0], o[1])
					}
				}
				lines[y] = append(lines[y], [2]float64{x, x + length})
			}
		}
	}
}

func TestTextInside(t *testing.T) {
	for _, p := range []report.Page{sample(), small()} {
		for _, f := range figures(p) {
			if err := inside(svg(t, f)); err != nil {
				t.Errorf("%s: %v", f.ID, err)
			}
		}
	}
}

// The generators make valid figures with awkward numbers.

func anyValue(log bool) *rapid.Generator[float64] {
	if log {
		return rapid.Custom(func(t *rapid.T) float64 {
			return math.Pow(10, rapid.Float64Range(-90, 90).Draw(t, "exponent"))
		})
	}
	return rapid.OneOf(
		rapid.Float64Range(-10, 10),
		rapid.Float64Range(-1e99, 1e99),
		rapid.SampledFrom([]float64{0, 1, 1, 1 + 1e-12, -1e-300, 5e-324, 1e100, -1e100, 123456.7}),
	)
}

func anyEdges(t *rapid.T, log bool) []float64 {
	list := rapid.SliceOfNDistinct(anyValue(log), 2, 12, rapid.ID[float64]).Draw(t, "edges")
	sort.Float64s(list)
	return list
}

func anyAxis(t *rapid.T, name string) report.Axis {
	a := report.Axis{Label: rapid.StringN(1, 30, 60).Draw(t, name), Log: rapid.Bool().Draw(t, name+" log")}
	v := anyValue(a.Log)
	if rapid.IntRange(0, 3).Draw(t, name+" min?") == 0 {
		a.Min = report.At(v.Draw(t, name+" min"))
	} else if rapid.IntRange(0, 3).Draw(t, name+" max?") == 0 {
		a.Max = report.At(v.Draw(t, name+" max"))
	}
	return a
}

func anyName(t *rapid.T) string { return rapid.StringN(0, 25, 50).Draw(t, "name") }

func anyCounts(n int) *rapid.Generator[[]float64] {
	return rapid.SliceOfN(rapid.SampledFrom([]float64{0, 0, 1, 2, 0.5, 1e4, 1e99, 1e-99}), n, n)
}

func three(t *rapid.T, log bool) (low, mid, high float64) {
	v := []float64{anyValue(log).Draw(t, "a"), anyValue(log).Draw(t, "b"), anyValue(log).Draw(t, "c")}
	sort.Float64s(v)
	return v[0], v[1], v[2]
}

func anyFigure(t *rapid.T) report.Figure {
	f := report.Figure{Title: rapid.StringN(1, 40, 80).Draw(t, "title"), Caption: anyName(t)}
	x, y := anyAxis(t, "x"), anyAxis(t, "y")
	if rapid.Bool().Draw(t, "label") {
		f.Label = &report.Label{Experiment: anyName(t), Status: anyName(t), Right: anyName(t)}
	}
	marks := func() (list []report.Mark) {
		for range rapid.IntRange(0, 2).Draw(t, "marks") {
			list = append(list, report.Mark{Name: anyName(t), At: anyValue(x.Log).Draw(t, "mark")})
		}
		return list
	}
	series := rapid.IntRange(0, 10).Draw(t, "series")
	switch rapid.IntRange(0, 9).Draw(t, "kind") {
	case 0:
		p := &report.Profile{X: x, Y: y, Edges: anyEdges(t, x.Log)}
		for range series {
			b := report.Band{Name: anyName(t)}
			for range len(p.Edges) - 1 {
				l, m, h := three(t, y.Log)
				b.Low, b.Mid, b.High = append(b.Low, l), append(b.Mid, m), append(b.High, h)
				b.Count = append(b.Count, rapid.IntRange(0, 2).Draw(t, "n"))
			}
			p.Series = append(p.Series, b)
		}
		f.Profile = p
	case 1:
		d := &report.Density{X: x, Y: y, XEdges: anyEdges(t, x.Log), YEdges: anyEdges(t, y.Log), Diagonal: rapid.Bool().Draw(t, "diagonal")}
		d.Count = anyCounts((len(d.XEdges)-1)*(len(d.YEdges)-1)).Draw(t, "count")
		f.Density = d
	case 2:
		h := &report.Histogram{X: x, Y: y, Edges: anyEdges(t, x.Log), Marks: marks()}
		for range series {
			h.Series = append(h.Series, report.Counts{Name: anyName(t), Count: anyCounts(len(h.Edges)-1).Draw(t, "count")})
		}
		f.Histogram = h
	case 3:
		l := &report.Lines{X: x, Y: y}
		for range series {
			s := report.Line{Name: anyName(t), Group: anyName(t), Dashed: rapid.Bool().Draw(t, "dashed"), Points: rapid.Bool().Draw(t, "points")}
			s.X = rapid.SliceOfN(anyValue(x.Log), 0, 6).Draw(t, "x")
			sort.Float64s(s.X)
			s.Y = rapid.SliceOfN(anyValue(y.Log), len(s.X), len(s.X)).Draw(t, "y")
			s.Loose = rapid.Bool().Draw(t, "loose")
			for i := range s.X {
				xs := []float64{s.X[i], anyValue(x.Log).Draw(t, "x end"), s.Y[i], anyValue(y.Log).Draw(t, "y end")}
				s.XLow, s.XHigh = append(s.XLow, min(xs[0], xs[1])), append(s.XHigh, max(xs[0], xs[1]))
				s.Low, s.High = append(s.Low, min(xs[2], xs[3])), append(s.High, max(xs[2], xs[3]))
			}
			l.Series = append(l.Series, s)
		}
		f.Lines = l
	case 4:
		v := &report.Intervals{X: x, Marks: marks(), Digits: rapid.IntRange(0, 4).Draw(t, "digits")}
		for range series {
			l, m, h := three(t, x.Log)
			v.Rows = append(v.Rows, report.Interval{Name: anyName(t), Value: m, Low: l, High: h})
		}
		f.Intervals = v
	case 5:
		w := &report.Wafers{Unit: anyName(t), Columns: []string{anyName(t), anyName(t)}}
		for range rapid.IntRange(0, 2).Draw(t, "rows") {
			r := report.WaferRow{Name: anyName(t), Input: anyCounts(48).Draw(t, "input"), Notes: []string{anyName(t), ""}}
			for range w.Columns {
				r.Decoded = append(r.Decoded, rapid.SliceOfN(anyValue(false), 48, 48).Draw(t, "decoded"))
			}
			w.Rows = append(w.Rows, r)
		}
		f.Wafers, f.Label = w, nil
	case 6:
		m := &report.Areas{X: anyAxis(t, "x"), Y: anyAxis(t, "y")}
		m.X.Log, m.Y.Log = false, false
		for range series {
			k := report.AreaKind{Name: anyName(t)}
			for range rapid.IntRange(0, 3).Draw(t, "areas") {
				var area [][2]float64
				for range rapid.IntRange(3, 6).Draw(t, "corners") {
					area = append(area, [2]float64{anyValue(false).Draw(t, "x"), anyValue(false).Draw(t, "y")})
				}
				k.Areas = append(k.Areas, area)
			}
			m.Kinds = append(m.Kinds, k)
		}
		m.Ordered = rapid.Bool().Draw(t, "ordered")
		f.Areas = m
	case 7:
		m := &report.Transport{Unit: anyName(t), Values: rapid.SliceOfN(anyValue(false), 48, 48).Draw(t, "values"), Moves: anyName(t)}
		for range series {
			cell := rapid.IntRange(0, 47)
			m.Arrows = append(m.Arrows, report.Arrow{From: cell.Draw(t, "from"), To: cell.Draw(t, "to"), Mass: math.Abs(anyValue(false).Draw(t, "mass"))})
		}
		f.Transport, f.Label = m, nil
	case 8:
		m := &report.Front{X: x, Y: y}
		for range series {
			l, mid, h := three(t, y.Log)
			m.Points = append(m.Points, report.FrontPoint{Name: anyName(t), X: anyValue(x.Log).Draw(t, "x"), Y: mid, Low: l, High: h})
		}
		f.Front = m
	case 9:
		r := &report.Ranks{Critical: rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 20)).Draw(t, "critical")}
		for range series + 2 {
			r.Rows = append(r.Rows, report.Rank{Name: anyName(t), Mean: rapid.Float64Range(1, float64(series+2)).Draw(t, "mean")})
		}
		r.Groups = rapid.SliceOfN(rapid.SliceOfN(rapid.IntRange(0, series+1), 1, 4), 0, 5).Draw(t, "groups")
		f.Ranks, f.Label = r, nil
	}
	return f
}

// TestAnyFigure draws whatever valid figure the generators make: no error, no
// panic, well-formed XML, all text inside the frame, in the page and alone.
func TestAnyFigure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := anyFigure(t)
		var b bytes.Buffer
		if err := report.SVG(&b, f); err != nil {
			t.Fatal(err)
		}
		if err := inside(b.Bytes()); err != nil {
			t.Fatalf("%v\n%s", err, b.Bytes())
		}
		b.Reset()
		if err := report.Write(&b, report.Page{Title: "t", Sections: []report.Section{{Title: "s", Figures: []report.Figure{f}}}}); err != nil {
			t.Fatal(err)
		}
		d := xml.NewDecoder(&b)
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatal(err)
			}
		}
	})
}
