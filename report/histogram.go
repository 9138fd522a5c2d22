package report

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// histogram draws each distribution as a stepped outline over a faint fill.
func (a *artist) histogram(h *Histogram) *chart {
	xs, ys := newSpan(), newSpan()
	xs.add(h.Edges...)
	for _, m := range h.Marks {
		xs.add(m.At)
	}
	if !h.Y.Log {
		ys.add(0)
	}
	for _, s := range h.Series {
		for _, n := range s.Count {
			if n > 0 {
				ys.add(n)
			}
		}
	}
	ch := &chart{x: h.X.text(), y: h.Y.text(), plot: newPlot(h.X, h.Y, xs, ys, exact, fromZero)}
	whole := true
	for i := range h.Series {
		whole = whole && wholes(h.Series[i].Count)
		ch.plot.Add(&stepPlotter{a, h, i})
		col := a.colour(h.Series[i].Name)
		ch.legend = append(ch.legend, entry{name: h.Series[i].Name, sample: func(c *draw.Canvas, from, to vg.Point) {
			box := vg.Rectangle{Min: vg.Point{X: from.X, Y: from.Y - 4.5}, Max: vg.Point{X: to.X, Y: to.Y + 4.5}}
			c.SetColor(col.fade(stepOpacity))
			c.Fill(box.Path())
			c.SetLineStyle(stroke(col, 1.4))
			c.Stroke(box.Path())
		}})
	}
	ch.plot.Y.Tick.Marker = ticker{log: h.Y.Log, whole: whole, about: 5}
	ch.plot.Add(markLines(h.Marks))
	if len(h.Series) == 1 {
		ch.legend = ch.legend[1:] // the title says what it is
	}
	ch.legend = append(ch.legend, markEntries(h.Marks)...)
	return ch
}

const stepOpacity = 0.13

type stepPlotter struct {
	a *artist
	h *Histogram
	i int
}

// Plot implements [plot.Plotter].
func (s *stepPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, yOf := p.Transforms(&c)
	y := func(n float64) vg.Length { // nothing has no logarithm: it lies on the axis
		if n <= p.Y.Min {
			return c.Min.Y
		}
		return yOf(math.Min(n, p.Y.Max))
	}
	counts := s.h.Series[s.i].Count
	pts := []vg.Point{{X: x(s.h.Edges[0]), Y: c.Min.Y}}
	for i, n := range counts {
		pts = append(pts, vg.Point{X: x(s.h.Edges[i]), Y: y(n)}, vg.Point{X: x(s.h.Edges[i+1]), Y: y(n)})
	}
	pts = append(pts, vg.Point{X: x(s.h.Edges[len(counts)]), Y: c.Min.Y})
	pts = level(pts)
	col := s.a.colour(s.h.Series[s.i].Name)
	c.FillPolygon(col.fade(stepOpacity), c.ClipPolygonX(pts))
	c.StrokeLines(stroke(col, 1.4), c.ClipLinesX(pts)...)
}

// level leaves out the points inside level stretches.
func level(pts []vg.Point) []vg.Point {
	out := pts[:1:1]
	for i := 1; i < len(pts); i++ {
		if i+1 < len(pts) && pts[i].Y == out[len(out)-1].Y && pts[i].Y == pts[i+1].Y {
			continue
		}
		if pts[i] != out[len(out)-1] {
			out = append(out, pts[i])
		}
	}
	return out
}
