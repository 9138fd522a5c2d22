package svg_test

import (
	"bytes"
	"fmt"
	"image/color"
	"math"
	"strings"
	"testing"

	"barrow/report/internal/svg"

	_ "gonum.org/v1/plot" // registers the fonts
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

type name struct {
	class   string
	opacity float64
}

func (name) RGBA() (r, g, b, a uint32) { return 0, 0, 0, 0xffff }
func (n name) Class() string           { return n.class }
func (n name) Opacity() float64        { return n.opacity }

func body(t *testing.T, c *svg.Canvas) string {
	t.Helper()
	var b bytes.Buffer
	if err := c.Body(&b); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}

func face(size float64) font.Face {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}
	return font.DefaultCache.Lookup(f, f.Size)
}

func TestElements(t *testing.T) {
	pt := func(x, y vg.Length) vg.Point { return vg.Point{X: x, Y: y} }
	for _, c := range []struct {
		what string
		draw func(c *svg.Canvas)
		want string
	}{
		{"rectangle, y upwards", func(c *svg.Canvas) {
			c.SetColor(name{"q1", 1})
			c.Fill(vg.Rectangle{Min: pt(1, 2), Max: pt(3, 5)}.Path())
		}, `<path d="M1 48H3V45H1Z" class="fq1"/>`},
		{"faded line with dashes", func(c *svg.Canvas) {
			c.SetColor(name{"s0", 0.25})
			c.SetLineWidth(1.5)
			c.SetLineDash([]vg.Length{4, 3}, 1)
			var p vg.Path
			p.Move(pt(0, 0))
			p.Line(pt(10.126, 10))
			c.Stroke(p)
		}, `<path d="M0 50L10.13 40" class="ls0" stroke-opacity=".25" stroke-width="1.5" stroke-dasharray="4,3" stroke-dashoffset="1"/>`},
		{"plain colour", func(c *svg.Canvas) {
			c.SetColor(color.NRGBA{R: 255, G: 16, B: 1, A: 127})
			c.Fill(vg.Rectangle{Max: pt(1, 1)}.Path())
		}, `<path d="M0 50H1V49H0Z" fill="#ff1001" fill-opacity=".5"/>`},
		{"no line of no width", func(c *svg.Canvas) {
			c.SetLineWidth(0)
			c.Stroke(vg.Rectangle{Max: pt(1, 1)}.Path())
		}, ""},
		{"circle, scaled", func(c *svg.Canvas) {
			c.Push()
			c.Translate(pt(10, 10))
			c.Scale(2, 2)
			c.SetColor(name{"ink", 1})
			var p vg.Path
			p.Move(pt(3, 0))
			p.Arc(pt(0, 0), 3, 0, 2*math.Pi)
			p.Close()
			c.Fill(p)
			c.Pop()
		}, `<circle cx="10" cy="40" r="6" class="fink"/>`},
		{"quarter of a circle", func(c *svg.Canvas) {
			c.SetColor(name{"ink", 1})
			var p vg.Path
			p.Arc(pt(0, 0), 10, 0, math.Pi/2)
			c.Fill(p)
		}, `<path d="M10 50C10 44.48 5.52 40 0 40" class="fink"/>`},
		{"curves", func(c *svg.Canvas) {
			c.SetColor(name{"ink", 1})
			var p vg.Path
			p.Move(pt(0, 0))
			p.QuadTo(pt(1, 1), pt(2, 0))
			p.CubeTo(pt(3, 1), pt(4, 1), pt(5, 0))
			c.Fill(p)
		}, `<path d="M0 50Q1 49 2 50C3 49 4 49 5 50" class="fink"/>`},
		{"one character needs no length", func(c *svg.Canvas) {
			c.SetColor(name{"ink", 1})
			c.FillString(face(10), pt(5, 5), "<")
		}, `<text x="5" y="45" font-size="10" class="fink">&lt;</text>`},
	} {
		canvas := svg.New(100, 50)
		c.draw(canvas)
		if got := body(t, canvas); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.what, got, c.want)
		}
	}
}

// TestTurned checks that upright text turns about its own place.
func TestTurned(t *testing.T) {
	c := svg.New(100, 50)
	c.Push()
	c.Rotate(math.Pi / 2)
	c.FillString(face(10), vg.Point{X: 20, Y: -30}, "EMD") // lands at (30, 20)
	c.Pop()
	want := `<text x="30" y="30" transform="rotate(-90 30 30)"`
	if got := body(t, c); !strings.HasPrefix(got, want) || !strings.Contains(got, `textLength="`) {
		t.Errorf("%s\nwant %s…", got, want)
	}
}

func TestFaults(t *testing.T) {
	c := svg.New(10, 10)
	var p vg.Path
	p.Move(vg.Point{X: vg.Length(math.NaN())})
	p.Line(vg.Point{})
	c.Stroke(p)
	if c.Err() == nil || c.Body(&bytes.Buffer{}) == nil {
		t.Error("NaN was drawn")
	}
	c = svg.New(10, 10)
	c.DrawImage(vg.Rectangle{}, nil)
	if c.Err() == nil {
		t.Error("a pixel image was drawn")
	}
}

func Example() {
	c := svg.New(40, 20)
	c.SetColor(color.Black)
	c.Fill(vg.Rectangle{Min: vg.Point{X: 10, Y: 5}, Max: vg.Point{X: 30, Y: 15}}.Path())
	var b bytes.Buffer
	if err := c.Body(&b); err != nil {
		fmt.Println(err)
	}
	fmt.Print(b.String())
	// Output:
	// <path d="M10 15H30V5H10Z" fill="#000000"/>
}
