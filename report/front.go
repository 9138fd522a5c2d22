package report

import (
	"cmp"
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Front shows what is had for what: points with their names, and the line before which no point lies,
// less being better along both axes.
type Front struct {
	X      Axis         `json:"x"`
	Y      Axis         `json:"y"`
	Points []FrontPoint `json:"points"`
}

// A FrontPoint is one point of a [Front].
type FrontPoint struct {
	Name string  `json:"name"`
	X    float64 `json:"x"`
	Y    float64 `json:"y"`
	Low  float64 `json:"low"` // ends of the error bar, Low ≤ Y ≤ High
	High float64 `json:"high"`
}

// front lists the points that no other is better than along one axis without being worse along the
// other, by rising x.
func (f *Front) front() []FrontPoint {
	sorted := slices.Clone(f.Points)
	slices.SortStableFunc(sorted, func(a, b FrontPoint) int { return cmp.Or(cmp.Compare(a.X, b.X), cmp.Compare(a.Y, b.Y)) })
	var list []FrontPoint
	for _, p := range sorted {
		if n := len(list); n == 0 || p.Y < list[n-1].Y {
			list = append(list, p)
		}
	}
	return list
}

func (a *artist) frontChart(f *Front) *chart {
	xs, ys := newSpan(), newSpan()
	for _, p := range f.Points {
		xs.add(p.X)
		ys.add(p.Low, p.High)
	}
	ch := &chart{x: f.X.text(), y: f.Y.text(), height: 350}
	ch.plot = newPlot(f.X, f.Y, xs, ys, airyEnds, airyEnds)
	ch.plot.Add(&frontPlotter{a, f})
	return ch
}

type frontPlotter struct {
	a *artist
	f *Front
}

// Plot implements [plot.Plotter].
func (fp *frontPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var steps []vg.Point
	for _, q := range fp.f.front() {
		at := vg.Point{X: x(q.X), Y: y(q.Y)}
		if n := len(steps); n > 0 {
			steps = append(steps, vg.Point{X: at.X, Y: steps[n-1].Y})
		}
		steps = append(steps, at)
	}
	if n := len(steps); n > 0 { // on to the ends
		steps = append([]vg.Point{{X: steps[0].X, Y: c.Max.Y}}, append(steps, vg.Point{X: c.Max.X, Y: steps[n-1].Y})...)
	}
	c.StrokeLines(dashed(muted, 1.1), c.ClipLinesXY(steps)...)
	var taken []vg.Rectangle
	var shown []FrontPoint
	for _, q := range fp.f.Points {
		at := vg.Point{X: x(q.X), Y: y(q.Y)}
		c.StrokeLines(stroke(fp.a.colour(q.Name), barWidth), c.ClipLinesXY([]vg.Point{{X: at.X, Y: y(q.Low)}, {X: at.X, Y: y(q.High)}})...)
		if c.Contains(at) {
			shown = append(shown, q)
			taken = append(taken, vg.Rectangle{Min: vg.Point{X: at.X - 4, Y: at.Y - 4}, Max: vg.Point{X: at.X + 4, Y: at.Y + 4}})
		}
	}
	var names []frontName
	for _, q := range shown {
		if n, ok := placeName(&c, q.Name, vg.Point{X: x(q.X), Y: y(q.Y)}, taken); ok {
			taken, names = append(taken, n.box), append(names, n)
		}
	}
	for _, n := range names {
		if n.off {
			c.StrokeLine2(stroke(rule, 0.7), n.at.X, n.at.Y, n.end.X, n.end.Y)
		}
	}
	for _, n := range names { // no line runs through the letters
		c.SetColor(paper)
		c.Fill(n.box.Path())
		c.FillText(n.style, vg.Point{X: n.box.Min.X, Y: (n.box.Min.Y+n.box.Max.Y)/2 + n.style.FontExtents().Descent}, n.text)
	}
	for _, q := range shown {
		fp.a.marker(&c, q.Name, vg.Point{X: x(q.X), Y: y(q.Y)})
	}
}

// A frontName is a point's name and where it stands.
type frontName struct {
	style   draw.TextStyle
	text    string
	box     vg.Rectangle
	off     bool // at the end of a line from the point
	at, end vg.Point
}

// nameHalf is half the height of a name, nameWidth the most that it takes.
const (
	nameHalf  vg.Length = 5.5
	nameWidth vg.Length = 150
)

// placeName finds room for a point's name beside it, or some way off; there may be none.
func placeName(c *draw.Canvas, name string, at vg.Point, taken []vg.Rectangle) (n frontName, ok bool) {
	n = frontName{style: textStyle(sizeSmall, ink, draw.XLeft, draw.YCenter), at: at}
	n.text = shorten(n.style, name, nameWidth)
	w := n.style.Width(n.text)
	for step := range 16 {
		dy := vg.Length((step+1)/2) * (2*nameHalf + 0.5)
		if step%2 == 0 {
			dy = -dy
		}
		gap := vg.Length(7)
		if n.off = step > 0; n.off {
			gap = 15
		}
		for _, right := range []bool{true, false} {
			left, room := at.X+gap, c.Max.X-at.X-gap
			n.end = vg.Point{X: left - 2, Y: at.Y + dy}
			if !right {
				left, room = at.X-gap-w, at.X-gap-c.Min.X
				n.end.X = at.X - gap + 2
			}
			n.box = vg.Rectangle{Min: vg.Point{X: left, Y: at.Y + dy - nameHalf}, Max: vg.Point{X: left + w, Y: at.Y + dy + nameHalf}}
			if w <= room && n.box.Min.Y >= c.Min.Y && n.box.Max.Y <= c.Max.Y && !slices.ContainsFunc(taken, func(o vg.Rectangle) bool { return crosses(o, n.box) }) {
				return n, true
			}
		}
	}
	return n, false
}

func crosses(a, b vg.Rectangle) bool {
	return a.Min.X < b.Max.X+1 && b.Min.X < a.Max.X+1 && a.Min.Y < b.Max.Y && b.Min.Y < a.Max.Y
}

func (f *Front) check() error {
	for _, a := range []struct {
		name string
		axis Axis
	}{{"x", f.X}, {"y", f.Y}} {
		if err := a.axis.check(a.name); err != nil {
			return err
		}
	}
	for _, p := range f.Points {
		err := values("x", []float64{p.X}, 1, f.X.Log)
		if err == nil {
			err = bars("y", []float64{p.Low}, []float64{p.Y}, []float64{p.High}, f.Y.Log)
		}
		if err != nil {
			return fmt.Errorf("point %q: %w", p.Name, err)
		}
	}
	return nil
}

func (f *Front) describe() string {
	var names []string
	for _, p := range f.front() {
		names = append(names, fmt.Sprintf("%s (%s, %s)", p.Name, brief(p.X), brief(p.Y)))
	}
	return fmt.Sprintf("%s against %s of %s; no other is before %s.", f.Y.text(), f.X.text(), plural(len(f.Points), "point"), list(names))
}

func (f *Front) numbers() Table {
	t := Table{Columns: []Column{{Name: ""}, column(f.X.text()), column(f.Y.text()), column("low"), column("high")}}
	before := f.front()
	for i, p := range f.Points {
		t.Rows = append(t.Rows, []string{p.Name, brief(p.X), brief(p.Y), brief(p.Low), brief(p.High)})
		if slices.Contains(before, p) {
			t.Emphasis = append(t.Emphasis, i)
		}
	}
	t.Note = "Bold: on the front."
	return t
}
