package report

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// intervals draws a dot with whiskers a row, its value above it.
func (a *artist) intervals(v *Intervals) *chart {
	xs, ys := newSpan(), newSpan()
	for _, m := range v.Marks {
		xs.add(m.At)
	}
	n := len(v.Rows)
	var names []plot.Tick
	style := textStyle(sizeTick, ink, draw.XRight, draw.YCenter)
	for i, r := range v.Rows {
		xs.add(r.Low, r.High)
		names = append(names, plot.Tick{Value: float64(n - 1 - i), Label: shorten(style, r.Name, chartWidth*2/5)})
	}
	ys.add(-0.5, float64(n)-0.35)
	ch := &chart{x: v.X.text(), height: vg.Length(78 + 36*n)}
	ch.plot = newPlot(v.X, Axis{}, xs, ys, airyEnds, exact)
	ch.plot.Y.Tick.Marker = plot.ConstantTicks(names)
	ch.plot.Y.Tick.Label = style
	ch.plot.Y.Tick.LineStyle = stroke(paper, 0.1) // unseen, but keeps the names off the axis
	ch.plot.Y.Tick.Length = 3
	ch.plot.Add(markLines(v.Marks), &intervalPlotter{a, v})
	ch.legend = markEntries(v.Marks)
	return ch
}

type intervalPlotter struct {
	a *artist
	v *Intervals
}

func (v *Intervals) digits() int {
	if v.Digits == 0 {
		return 3
	}
	return v.Digits
}

// Plot implements [plot.Plotter].
func (ip *intervalPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	style := textStyle(sizeTick, ink, draw.XCenter, draw.YBottom)
	for i, r := range ip.v.Rows {
		row := y(float64(len(ip.v.Rows) - 1 - i))
		col := stroke(ip.a.colour(r.Name), 2)
		for _, l := range c.ClipLinesX([]vg.Point{{X: x(r.Low), Y: row}, {X: x(r.High), Y: row}}) {
			c.StrokeLines(col, l)
		}
		for _, end := range []float64{r.Low, r.High} {
			// No whiskers that the marker would cover.
			if at := x(end); c.ContainsX(at) && x(r.High)-x(r.Low) > 10 {
				c.StrokeLine2(col, at, row-4, at, row+4)
			}
		}
		if at := x(r.Value); c.ContainsX(at) {
			ip.a.marker(&c, r.Name, vg.Point{X: at, Y: row})
			label := number(r.Value, ip.v.digits())
			half := style.Width(label) / 2
			at = clamp(at, c.Min.X+half+2, c.Max.X-half-2)
			// A mark must not run through the digits.
			back := vg.Rectangle{Min: vg.Point{X: at - half - 1, Y: row + 6}, Max: vg.Point{X: at + half + 1, Y: row + 20}}
			c.SetColor(paper)
			c.Fill(back.Path())
			c.FillText(style, vg.Point{X: at, Y: row + 6}, label)
		}
	}
}
