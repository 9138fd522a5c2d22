package report

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// lines draws curves; a single point gets a marker.
func (a *artist) lines(l *Lines) drawing {
	xs, ys := newSpan(), newSpan()
	for _, s := range l.Series {
		xs.add(s.X...)
		ys.add(s.Y...)
	}
	ch := &chart{plot: newPlot(l.X, l.Y, xs, ys, true, false)}
	for i := range l.Series {
		s := &l.Series[i]
		ch.plot.Add(&linePlotter{a, s})
		ch.legend = append(ch.legend, entry{s.Name, lineSample(a.lineStyle(s))})
	}
	if len(l.Series) == 1 {
		ch.legend = nil
	}
	return ch
}

func (a *artist) lineStyle(s *Line) draw.LineStyle {
	if s.Dashed {
		return dashed(a.colour(s.group()), lineWidth)
	}
	return stroke(a.colour(s.group()), lineWidth)
}

type linePlotter struct {
	a *artist
	s *Line
}

// Plot implements [plot.Plotter].
func (l *linePlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var pts []vg.Point
	for i := range l.s.X {
		pts = append(pts, vg.Point{X: x(l.s.X[i]), Y: y(l.s.Y[i])})
	}
	if len(pts) == 1 && c.Contains(pts[0]) {
		l.a.marker(&c, l.s.group(), pts[0])
	}
	c.StrokeLines(l.a.lineStyle(l.s), c.ClipLinesXY(pts)...)
}
