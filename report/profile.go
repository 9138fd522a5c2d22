package report

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// profile draws medians as lines with markers over bands.
func (a *artist) profile(p *Profile) *chart {
	xs, ys := newSpan(), newSpan()
	xs.add(p.Edges...)
	ch := &chart{x: p.X.text(), y: p.Y.text()}
	for _, s := range p.Series {
		for i := range s.Mid {
			if s.filled(i) {
				ys.add(s.Low[i], s.High[i])
			}
		}
	}
	ch.plot = newPlot(p.X, p.Y, xs, ys, exact, fromZero)
	for i := range p.Series {
		ch.plot.Add(&bandPlotter{a, p, &p.Series[i]})
	}
	for i := range p.Series {
		ch.plot.Add(&midPlotter{a, p, &p.Series[i]})
		ch.legend = append(ch.legend, entry{name: p.Series[i].Name, sample: a.bandSample(p.Series[i].Name)})
	}
	return ch
}

func (a *artist) bandSample(name string) func(*draw.Canvas, vg.Point, vg.Point) {
	return func(c *draw.Canvas, from, to vg.Point) {
		col := a.colour(name)
		box := vg.Rectangle{Min: vg.Point{X: from.X, Y: from.Y - 5}, Max: vg.Point{X: to.X, Y: to.Y + 5}}
		c.SetColor(col.fade(bandOpacity))
		c.Fill(box.Path())
		c.StrokeLine2(stroke(col, lineWidth), from.X, from.Y, to.X, to.Y)
		a.marker(c, name, vg.Point{X: (from.X + to.X) / 2, Y: from.Y})
	}
}

const (
	bandOpacity = 0.13
	lineWidth   = 1.7
)

// centre is the middle of bin i, on the axis as drawn.
func (p *Profile) centre(i int) float64 {
	if p.X.Log {
		return math.Sqrt(p.Edges[i] * p.Edges[i+1])
	}
	return (p.Edges[i] + p.Edges[i+1]) / 2
}

// runs lists the stretches of filled bins, as half-open ranges.
func (b *Band) runs() [][2]int {
	var list [][2]int
	for i := 0; i < len(b.Mid); i++ {
		if !b.filled(i) {
			continue
		}
		j := i
		for j < len(b.Mid) && b.filled(j) {
			j++
		}
		list = append(list, [2]int{i, j})
		i = j
	}
	return list
}

type bandPlotter struct {
	a *artist
	p *Profile
	s *Band
}

// Plot implements [plot.Plotter].
func (b *bandPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, run := range b.s.runs() {
		if run[1]-run[0] == 1 { // a band needs two bins; one bin gets a bar
			i := run[0]
			at := x(b.p.centre(i))
			for _, l := range c.ClipLinesXY([]vg.Point{{X: at, Y: y(b.s.Low[i])}, {X: at, Y: y(b.s.High[i])}}) {
				c.StrokeLines(stroke(b.a.colour(b.s.Name).fade(0.5), 3), l)
			}
			continue
		}
		var pts []vg.Point
		for i := run[0]; i < run[1]; i++ {
			pts = append(pts, vg.Point{X: x(b.p.centre(i)), Y: y(b.s.High[i])})
		}
		for i := run[1] - 1; i >= run[0]; i-- {
			pts = append(pts, vg.Point{X: x(b.p.centre(i)), Y: y(b.s.Low[i])})
		}
		col := b.a.colour(b.s.Name)
		c.FillPolygon(col.fade(bandOpacity), c.ClipPolygonXY(pts))
		n := run[1] - run[0]
		c.StrokeLines(stroke(col.fade(0.5), 0.7), c.ClipLinesXY(pts[:n], pts[n:])...)
	}
}

type midPlotter bandPlotter

// Plot implements [plot.Plotter].
func (m *midPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, run := range m.s.runs() {
		var pts []vg.Point
		for i := run[0]; i < run[1]; i++ {
			pts = append(pts, vg.Point{X: x(m.p.centre(i)), Y: y(m.s.Mid[i])})
		}
		c.StrokeLines(stroke(m.a.colour(m.s.Name), lineWidth), c.ClipLinesXY(pts)...)
		for _, pt := range pts {
			if c.Contains(pt) {
				m.a.marker(&c, m.s.Name, pt)
			}
		}
	}
}
