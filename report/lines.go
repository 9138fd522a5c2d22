package report

import (
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// lines draws curves, with a marker at single points and where asked for.
func (a *artist) lines(l *Lines) *chart {
	xs, ys := newSpan(), newSpan()
	for _, s := range l.Series {
		for _, list := range [][]float64{s.X, s.XLow, s.XHigh} {
			xs.add(list...)
		}
		for _, list := range [][]float64{s.Y, s.Low, s.High} {
			ys.add(list...)
		}
	}
	fit := exact
	for _, s := range l.Series {
		if s.Loose {
			fit = airyEnds
		}
	}
	ch := &chart{x: l.X.text(), y: l.Y.text(), plot: newPlot(l.X, l.Y, xs, ys, fit, fromZero)}
	whole := true
	for i := range l.Series {
		whole = whole && wholes(l.Series[i].X)
		ch.plot.Add(&linePlotter{a, &l.Series[i]})
	}
	ch.plot.X.Tick.Marker = ticker{log: l.X.Log, whole: whole, about: 6}
	ch.legend = a.lineLegend(l)
	return ch
}

// lineLegend names every line. Where all names read "group, part" and each
// part has one way of drawing, colours and parts are named once each.
func (a *artist) lineLegend(l *Lines) []entry {
	if len(l.Series) == 1 && !l.Legend {
		return nil // the title says what it is
	}
	var all, groups, parts []entry
	seen := map[string]bool{}
	dashedPart := map[string]bool{}
	compact := true
	for i := range l.Series {
		s := &l.Series[i]
		all = append(all, entry{name: s.Name, sample: a.curveSample(s)})
		part, ok := strings.CutPrefix(s.Name, s.Group+", ")
		if s.Group == "" || !ok {
			compact = false
			continue
		}
		if !seen[s.Group] {
			seen[s.Group] = true
			solid := Line{Name: s.Group, X: make([]float64, 2)}
			groups = append(groups, entry{name: s.Group, sample: a.curveSample(&solid)})
		}
		if was, known := dashedPart[part]; known {
			compact = compact && was == s.Dashed
			continue
		}
		dashedPart[part] = s.Dashed
		style := stroke(muted, lineWidth)
		if s.Dashed {
			style = dashed(muted, lineWidth)
		}
		parts = append(parts, entry{name: part, sample: lineSample(style)})
	}
	if !compact || len(groups) < 2 || len(parts) > 2 || len(parts) == 2 && dashedPart[parts[0].name] == dashedPart[parts[1].name] {
		return all
	}
	return append(groups, parts...)
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
	if !l.s.Loose {
		c.StrokeLines(l.a.lineStyle(l.s), c.ClipLinesXY(pts)...)
	}
	bar := func(ax, ay, bx, by float64) {
		ends := []vg.Point{{X: x(ax), Y: y(ay)}, {X: x(bx), Y: y(by)}}
		c.StrokeLines(stroke(l.a.colour(l.s.group()), barWidth), c.ClipLinesXY(ends)...)
	}
	for i := range l.s.Low {
		bar(l.s.X[i], l.s.Low[i], l.s.X[i], l.s.High[i])
	}
	for i := range l.s.XLow {
		bar(l.s.XLow[i], l.s.Y[i], l.s.XHigh[i], l.s.Y[i])
	}
	for i, at := range pts {
		if (l.s.marked() || l.a.again(l.s.group()) && l.sparse(i)) && c.Contains(at) {
			l.a.marker(&c, l.s.group(), at)
		}
	}
}

// sparse tells whether a point is one of a few that tell a line from another of its colour; lines
// beside each other have theirs at other places.
func (l *linePlotter) sparse(i int) bool {
	every := max(len(l.s.X)/mostMarkers, 1)
	return (i+l.a.slot(l.s.group()))%every == 0
}

// mostMarkers are at a line whose points are not marked one by one, about.
const mostMarkers = 6

// barWidth is that of error bars.
const barWidth = 1.2

// marked tells whether the points of a line get markers.
func (l *Line) marked() bool { return l.Points || l.Loose || len(l.X) == 1 }

// curveSample is a legend sample of a line: what is drawn of it.
func (a *artist) curveSample(s *Line) func(*draw.Canvas, vg.Point, vg.Point) {
	return func(c *draw.Canvas, from, to vg.Point) {
		if len(s.X) != 1 && !s.Loose {
			c.StrokeLine2(a.lineStyle(s), from.X, from.Y, to.X, to.Y)
		}
		if s.marked() || a.again(s.group()) {
			a.marker(c, s.group(), vg.Point{X: (from.X + to.X) / 2, Y: from.Y})
		}
	}
}
