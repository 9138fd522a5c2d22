package report

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// density draws filled bins with a logarithmic colour scale beside them.
func (a *artist) density(d *Density) *chart {
	xs, ys := newSpan(), newSpan()
	xs.add(d.XEdges...)
	ys.add(d.YEdges...)
	ch := &chart{x: d.X.text(), y: d.Y.text(), height: 340}
	ch.plot = newPlot(d.X, d.Y, xs, ys, exact, exact)
	ch.plot.X.Tick.Marker = ticker{log: d.X.Log, about: 5}
	ch.square = xs == ys
	scale := logScale{hi: 1}
	for _, n := range d.Count {
		if n > 0 {
			scale.hi = math.Max(scale.hi, n)
		}
	}
	ch.plot.Add(&densityPlotter{d, scale})
	ch.side = scale.bar
	if d.Diagonal {
		ch.plot.Add(diagonal{})
		ch.legend = []entry{{name: "y = x", sample: lineSample(dashed(ink, 1.1))}}
	}
	return ch
}

// logScale gives counts from 1 to hi a level from 1 to levels; fractions of a
// count, as weighted data have, share the first level.
type logScale struct{ hi float64 }

func (s logScale) level(n float64) int {
	if n <= 0 {
		return 0
	}
	if s.hi <= 1 {
		return levels
	}
	l := 1 + int(float64(levels)*math.Log(n)/math.Log(s.hi))
	return min(max(l, 1), levels)
}

// bar draws the colour scale.
func (s logScale) bar(c draw.Canvas) {
	const width vg.Length = 11
	top := c.Max.Y
	box := c
	box.Max.X = box.Min.X + width
	scaleBar(box, &sequential, 1, true)
	style := textStyle(sizeSmall, muted, draw.XLeft, draw.YCenter)
	descent := style.FontExtents().Descent
	if s.hi > 1 {
		for _, t := range logTicks(1, s.hi, 6) {
			if t.Label == "" {
				continue
			}
			y := c.Min.Y + (top-c.Min.Y)*vg.Length(math.Log(t.Value)/math.Log(s.hi))
			c.StrokeLine2(stroke(rule, 0.8), c.Min.X+width, y, c.Min.X+width+3, y)
			c.FillText(style, vg.Point{X: c.Min.X + width + 5, Y: y + descent}, t.Label)
		}
	}
	title := textStyle(sizeSmall, muted, draw.XLeft, draw.YBottom)
	c.FillText(title, vg.Point{X: c.Min.X - 6, Y: top + 6}, "entries")
}

// overlap hides the light that would shine through where areas touch: each
// reaches a little under the next.
const overlap vg.Length = 0.4

type densityPlotter struct {
	d     *Density
	scale logScale
}

// Plot implements [plot.Plotter]. The bins of one level are one path, runs of
// equal bins one rectangle, which keeps the file small.
func (b *densityPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	nx := len(b.d.XEdges) - 1
	paths := make([]vg.Path, levels+1)
	for j := range len(b.d.YEdges) - 1 {
		for i := 0; i < nx; {
			l := b.scale.level(b.d.Count[j*nx+i])
			k := i + 1
			for k < nx && b.scale.level(b.d.Count[j*nx+k]) == l {
				k++
			}
			if l > 0 {
				lo := vg.Point{X: clamp(x(b.d.XEdges[i]), c.Min.X, c.Max.X), Y: clamp(y(b.d.YEdges[j]), c.Min.Y, c.Max.Y)}
				hi := vg.Point{X: clamp(x(b.d.XEdges[k]), c.Min.X, c.Max.X), Y: clamp(y(b.d.YEdges[j+1]), c.Min.Y, c.Max.Y)}
				if lo.X < hi.X && lo.Y < hi.Y {
					hi.X, hi.Y = min(hi.X+overlap, c.Max.X), min(hi.Y+overlap, c.Max.Y)
					paths[l] = append(paths[l], vg.Rectangle{Min: lo, Max: hi}.Path()...)
				}
			}
			i = k
		}
	}
	for l, path := range paths {
		c.SetColor(named(sequential[l]))
		c.Fill(path)
	}
}

func clamp(v, lo, hi vg.Length) vg.Length { return min(max(v, lo), hi) }

// diagonal is the line y = x.
type diagonal struct{}

// Plot implements [plot.Plotter].
func (diagonal) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	lo, hi := math.Max(p.X.Min, p.Y.Min), math.Min(p.X.Max, p.Y.Max)
	if lo < hi {
		c.StrokeLine2(stroke(paper.fade(0.75), 2.6), x(lo), y(lo), x(hi), y(hi)) // seen on dark bins too
		c.StrokeLine2(dashed(ink, 1.1), x(lo), y(lo), x(hi), y(hi))
	}
}
