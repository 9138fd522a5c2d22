// Package svg is a vg canvas that writes compact SVG for a web page.
//
// It differs from gonum's vgsvg in what a page needs: colours can be names of
// style classes instead of numbers, so that one drawing serves the light and
// the dark theme; coordinates are final, without nested transformations, and
// rounded to 0.01; text is real text with the reader's fonts, kept to its
// designed width by textLength. Lengths are points, one user unit each; the
// origin is at the lower left while drawing, as everywhere in vg.
package svg

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"image"
	"image/color"
	"io"
	"math"
	"sort"
	"strconv"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// A Named color is written as a class: "f" + Class for fills and text, "l" +
// Class for lines. Opacity is between 0 and 1.
type Named interface {
	color.Color
	Class() string
	Opacity() float64
}

// Canvas implements [vg.Canvas] and [vg.CanvasSizer].
type Canvas struct {
	w, h  vg.Length
	buf   bytes.Buffer
	stack []state
	used  map[string]bool
	err   error
}

// state is what Push saves.
type state struct {
	m      [6]float64 // x' = m0 x + m2 y + m4, y' = m1 x + m3 y + m5
	color  color.Color
	width  vg.Length
	dashes []vg.Length
	offset vg.Length
}

// New returns an empty canvas of this size in points.
func New(w, h vg.Length) *Canvas {
	c := &Canvas{w: w, h: h, used: map[string]bool{}}
	c.stack = []state{{m: [6]float64{1, 0, 0, 1, 0, 0}}}
	vg.Initialize(c)
	return c
}

func (c *Canvas) top() *state { return &c.stack[len(c.stack)-1] }

// Size returns the width and height in points.
func (c *Canvas) Size() (w, h vg.Length) { return c.w, c.h }

// Used lists the classes drawn with, in alphabetical order.
func (c *Canvas) Used() []string {
	var list []string
	for k := range c.used {
		list = append(list, k)
	}
	sort.Strings(list)
	return list
}

// SetLineWidth implements [vg.Canvas].
func (c *Canvas) SetLineWidth(w vg.Length) { c.top().width = w }

// SetLineDash implements [vg.Canvas].
func (c *Canvas) SetLineDash(pattern []vg.Length, offset vg.Length) {
	c.top().dashes, c.top().offset = pattern, offset
}

// SetColor implements [vg.Canvas].
func (c *Canvas) SetColor(clr color.Color) {
	if clr == nil {
		clr = color.Black
	}
	c.top().color = clr
}

// Rotate implements [vg.Canvas]: radians, counter-clockwise.
func (c *Canvas) Rotate(rad float64) {
	s, k := math.Sincos(rad)
	c.concat([6]float64{k, s, -s, k, 0, 0})
}

// Translate implements [vg.Canvas].
func (c *Canvas) Translate(pt vg.Point) {
	c.concat([6]float64{1, 0, 0, 1, pt.X.Points(), pt.Y.Points()})
}

// Scale implements [vg.Canvas].
func (c *Canvas) Scale(x, y float64) { c.concat([6]float64{x, 0, 0, y, 0, 0}) }

func (c *Canvas) concat(b [6]float64) {
	a := c.top().m
	c.top().m = [6]float64{
		a[0]*b[0] + a[2]*b[1], a[1]*b[0] + a[3]*b[1],
		a[0]*b[2] + a[2]*b[3], a[1]*b[2] + a[3]*b[3],
		a[0]*b[4] + a[2]*b[5] + a[4], a[1]*b[4] + a[3]*b[5] + a[5],
	}
}

// Push implements [vg.Canvas].
func (c *Canvas) Push() { c.stack = append(c.stack, *c.top()) }

// Pop implements [vg.Canvas].
func (c *Canvas) Pop() { c.stack = c.stack[:len(c.stack)-1] }

// at is the place on the page, y downwards.
func (c *Canvas) at(pt vg.Point) (x, y float64) {
	m := &c.top().m
	px, py := pt.X.Points(), pt.Y.Points()
	return m[0]*px + m[2]*py + m[4], c.h.Points() - (m[1]*px + m[3]*py + m[5])
}

// scale is the mean enlargement, for line widths and radii.
func (c *Canvas) scale() float64 {
	m := &c.top().m
	return math.Sqrt(math.Abs(m[0]*m[3] - m[1]*m[2]))
}

// num rounds to 0.01 and writes as few characters as possible. A number that
// is not finite spoils the drawing: the first one is kept as an error.
func (c *Canvas) num(v float64) string {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		if c.err == nil {
			c.err = fmt.Errorf("svg: coordinate is %v", v)
		}
		return "0"
	}
	r := math.Round(v*100) / 100
	if r == 0 {
		return "0"
	}
	s := strconv.FormatFloat(r, 'f', -1, 64)
	if len(s) > 1 && s[0] == '0' {
		return s[1:]
	}
	if len(s) > 2 && s[0] == '-' && s[1] == '0' {
		return "-" + s[2:]
	}
	return s
}

// Err returns the first fault met while drawing.
func (c *Canvas) Err() error { return c.err }

// paint writes the attributes of the current color for a fill ("f") or a line
// ("l").
func (c *Canvas) paint(kind string) {
	attr := "fill"
	if kind == "l" {
		attr = "stroke"
	}
	opacity := 1.0
	if n, ok := c.top().color.(Named); ok {
		class := kind + n.Class()
		c.used[class] = true
		fmt.Fprintf(&c.buf, ` class="%s"`, class)
		opacity = n.Opacity()
	} else {
		v := color.NRGBAModel.Convert(c.top().color).(color.NRGBA)
		if kind == "l" {
			c.buf.WriteString(` fill="none"`)
		}
		fmt.Fprintf(&c.buf, ` %s="#%02x%02x%02x"`, attr, v.R, v.G, v.B)
		opacity = float64(v.A) / 255
	}
	if opacity < 1 {
		fmt.Fprintf(&c.buf, ` %s-opacity="%s"`, attr, c.num(opacity))
	}
}

// Stroke implements [vg.Canvas].
func (c *Canvas) Stroke(p vg.Path) {
	s := c.top()
	if s.width <= 0 || len(p) == 0 {
		return
	}
	c.shape(p)
	c.paint("l")
	fmt.Fprintf(&c.buf, ` stroke-width="%s"`, c.num(s.width.Points()*c.scale()))
	for i, d := range s.dashes {
		sep := ","
		if i == 0 {
			sep = ` stroke-dasharray="`
		}
		c.buf.WriteString(sep + c.num(d.Points()*c.scale()))
	}
	if len(s.dashes) > 0 {
		c.buf.WriteByte('"')
		if s.offset != 0 {
			fmt.Fprintf(&c.buf, ` stroke-dashoffset="%s"`, c.num(s.offset.Points()*c.scale()))
		}
	}
	c.buf.WriteString("/>\n")
}

// Fill implements [vg.Canvas].
func (c *Canvas) Fill(p vg.Path) {
	if len(p) == 0 {
		return
	}
	c.shape(p)
	c.paint("f")
	c.buf.WriteString("/>\n")
}

// shape opens a circle or path element with its geometry.
func (c *Canvas) shape(p vg.Path) {
	if x, y, r, ok := c.circle(p); ok {
		fmt.Fprintf(&c.buf, `<circle cx="%s" cy="%s" r="%s"`, c.num(x), c.num(y), c.num(r))
		return
	}
	c.buf.WriteString(`<path d="`)
	c.path(p)
	c.buf.WriteByte('"')
}

// circle recognises a path that is one full circle.
func (c *Canvas) circle(p vg.Path) (x, y, r float64, ok bool) {
	arcs := 0
	var a vg.PathComp
	for _, comp := range p {
		switch comp.Type {
		case vg.ArcComp:
			arcs++
			a = comp
		case vg.LineComp, vg.CurveComp:
			return 0, 0, 0, false
		}
	}
	if arcs != 1 || math.Abs(a.Angle) < 2*math.Pi {
		return 0, 0, 0, false
	}
	x, y = c.at(a.Pos)
	return x, y, a.Radius.Points() * c.scale(), true
}

// path writes path data. Arcs become cubic curves, a quarter turn at most
// each.
func (c *Canvas) path(p vg.Path) {
	var last vg.Point
	started := false
	for _, comp := range p {
		switch comp.Type {
		case vg.MoveComp:
			c.point("M", comp.Pos)
			last, started = comp.Pos, true
		case vg.LineComp:
			c.line(last, comp.Pos)
			last = comp.Pos
		case vg.CurveComp:
			letter := "Q"
			if len(comp.Control) == 2 {
				letter = "C"
			}
			for _, q := range comp.Control {
				c.point(letter, q)
				letter = " "
			}
			c.point(" ", comp.Pos)
			last = comp.Pos
		case vg.ArcComp:
			last = c.arc(comp, started)
			started = true
		case vg.CloseComp:
			c.buf.WriteByte('Z')
		}
	}
}

func (c *Canvas) point(letter string, pt vg.Point) {
	x, y := c.at(pt)
	c.buf.WriteString(letter + c.num(x) + " " + c.num(y))
}

// line draws to pt, in the short form where the line is level or upright.
func (c *Canvas) line(from, pt vg.Point) {
	x0, y0 := c.at(from)
	x, y := c.at(pt)
	switch {
	case c.num(y0) == c.num(y):
		c.buf.WriteString("H" + c.num(x))
	case c.num(x0) == c.num(x):
		c.buf.WriteString("V" + c.num(y))
	default:
		c.buf.WriteString("L" + c.num(x) + " " + c.num(y))
	}
}

func (c *Canvas) arc(a vg.PathComp, started bool) vg.Point {
	on := func(t float64) vg.Point {
		s, k := math.Sincos(t)
		return vg.Point{X: a.Pos.X + a.Radius*vg.Length(k), Y: a.Pos.Y + a.Radius*vg.Length(s)}
	}
	letter := "L"
	if !started {
		letter = "M"
	}
	c.point(letter, on(a.Start))
	n := int(math.Ceil(math.Abs(a.Angle) / (math.Pi / 2)))
	if n == 0 {
		return on(a.Start)
	}
	step := a.Angle / float64(n)
	k := 4.0 / 3 * math.Tan(step/4) * a.Radius.Points()
	for i := range n {
		t0 := a.Start + float64(i)*step
		t1 := t0 + step
		p0, p1 := on(t0), on(t1)
		s0, c0 := math.Sincos(t0)
		s1, c1 := math.Sincos(t1)
		c.point("C", vg.Point{X: p0.X - vg.Length(k*s0), Y: p0.Y + vg.Length(k*c0)})
		c.point(" ", vg.Point{X: p1.X + vg.Length(k*s1), Y: p1.Y - vg.Length(k*c1)})
		c.point(" ", p1)
	}
	return on(a.Start + a.Angle)
}

// FillString implements [vg.Canvas]. textLength keeps the width that the
// layout was made with where the reader's font runs wider or narrower.
func (c *Canvas) FillString(f font.Face, pt vg.Point, text string) {
	if text == "" {
		return
	}
	x, y := c.at(pt)
	m := &c.top().m
	fmt.Fprintf(&c.buf, `<text x="%s" y="%s"`, c.num(x), c.num(y))
	if turn := -math.Atan2(m[1], m[0]) * 180 / math.Pi; turn != 0 {
		fmt.Fprintf(&c.buf, ` transform="rotate(%s %s %s)"`, c.num(turn), c.num(x), c.num(y))
	}
	fmt.Fprintf(&c.buf, ` font-size="%s"`, c.num(f.Font.Size.Points()*c.scale()))
	if f.Font.Weight > 0 {
		c.buf.WriteString(` font-weight="bold"`)
	}
	if f.Font.Style > 0 {
		c.buf.WriteString(` font-style="italic"`)
	}
	if len(text) > 1 {
		fmt.Fprintf(&c.buf, ` textLength="%s" lengthAdjust="spacingAndGlyphs"`, c.num(f.Width(text).Points()*c.scale()))
	}
	c.paint("f")
	c.buf.WriteByte('>')
	if err := xml.EscapeText(&c.buf, []byte(text)); err != nil && c.err == nil {
		c.err = err
	}
	c.buf.WriteString("</text>\n")
}

// DrawImage implements [vg.Canvas]; pixel images are not supported and make
// Err return an error.
func (c *Canvas) DrawImage(vg.Rectangle, image.Image) {
	if c.err == nil {
		c.err = fmt.Errorf("svg: pixel images are not supported")
	}
}

// Body writes the elements drawn so far.
func (c *Canvas) Body(w io.Writer) error {
	if c.err != nil {
		return c.err
	}
	_, err := w.Write(c.buf.Bytes())
	return err
}
