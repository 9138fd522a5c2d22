package report

import (
	"math"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Sizes of type in points (user units of the SVG).
const (
	sizeTitle = 13
	sizeLabel = 11.5
	sizeTick  = 10.5
	sizeSmall = 9.5
)

// chartWidth and chartHeight are the natural size of a chart: wide enough for
// two beside each other on a desk and for one on a phone.
const (
	chartWidth  vg.Length = 400
	chartHeight vg.Length = 292
)

// textStyle is the one family of the drawings, Liberation Sans, whose widths
// are those of Arial and Helvetica.
func textStyle(size float64, c shade, x text.XAlignment, y text.YAlignment) text.Style {
	return text.Style{
		Color:   c,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)},
		XAlign:  x,
		YAlign:  y,
		Handler: labels{text.Plain{Fonts: font.DefaultCache}},
	}
}

func bold(s text.Style) text.Style {
	s.Font.Weight = xfont.WeightBold
	return s
}

func italic(s text.Style) text.Style {
	s.Font.Style = xfont.StyleItalic
	return s
}

func stroke(c shade, width float64) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: vg.Points(width)}
}

func dashed(c shade, width float64) draw.LineStyle {
	s := stroke(c, width)
	s.Dashes = []vg.Length{4, 3}
	return s
}

// An artist draws one figure.
type artist struct {
	palette []string
}

// slot is the position of a name in the palette.
func (a *artist) slot(name string) int {
	for i, n := range a.palette {
		if n == name {
			return i
		}
	}
	return 0
}

func (a *artist) colour(name string) shade {
	return named(seriesNames[a.slot(name)%seriesColours])
}

var seriesNames = [seriesColours]string{"s0", "s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11"}

// again tells whether colours have begun anew at a name: its lines then have markers, since
// another line has the same colour.
func (a *artist) again(name string) bool { return a.slot(name) >= seriesColours }

// marker draws the sign of a series, so that colour is not the only
// difference: circle, square, triangle, diamond, then the same hollow.
func (a *artist) marker(c *draw.Canvas, name string, at vg.Point) {
	slot := a.slot(name)
	const r vg.Length = 3.1
	var p vg.Path
	switch (slot + slot/seriesColours) % 4 {
	case 0:
		p.Move(vg.Point{X: at.X + r, Y: at.Y})
		p.Arc(at, r, 0, 2*math.Pi)
	case 1:
		p = polygon(at, r*1.25, 4, math.Pi/4)
	case 2:
		p = polygon(at, r*1.35, 3, math.Pi/2)
	case 3:
		p = polygon(at, r*1.3, 4, 0)
	}
	p.Close()
	col := a.colour(name)
	if slot/4%2 == 0 {
		c.SetColor(col)
		c.Fill(p)
		c.SetLineStyle(stroke(paper, 0.8))
	} else {
		c.SetColor(paper)
		c.Fill(p)
		c.SetLineStyle(stroke(col, 1.4))
	}
	c.Stroke(p)
}

// polygon is a regular polygon, not closed.
func polygon(at vg.Point, r vg.Length, n int, start float64) vg.Path {
	var p vg.Path
	for i := range n {
		s, k := math.Sincos(start + 2*math.Pi*float64(i)/float64(n))
		pt := vg.Point{X: at.X + r*vg.Length(k), Y: at.Y + r*vg.Length(s)}
		if i == 0 {
			p.Move(pt)
		} else {
			p.Line(pt)
		}
	}
	return p
}
