package report

import (
	"html/template"
	"math"
	"regexp"
	"strings"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
)

// transverse finds the field's quantities with a subscript T: MIP_T, p_T, E_T.
var transverse = regexp.MustCompile(`\b(MIP|p|E)_T\b`)

// subscripts writes them for HTML, the rest escaped.
func subscripts(s string) template.HTML {
	return template.HTML(transverse.ReplaceAllString(template.HTMLEscapeString(s), "$1<sub>T</sub>"))
}

// labels is a text handler that sets the same subscripts in drawings.
type labels struct{ text.Plain }

const (
	subSize = 0.72 // of the type size
	subDrop = 0.22 // below the baseline, of the type size
)

// pieces splits a line into text (even indices) and subscripts (odd ones).
func pieces(line string) []string {
	var out []string
	from := 0
	for _, m := range transverse.FindAllStringIndex(line, -1) {
		out = append(out, line[from:m[1]-2], "T")
		from = m[1]
	}
	return append(out, line[from:])
}

func lowered(f font.Font, i int) font.Font {
	if i%2 == 1 {
		f.Size *= subSize
	}
	return f
}

func (l labels) width(line string, f font.Font) vg.Length {
	w := vg.Length(0)
	for i, p := range pieces(line) {
		face := l.Fonts.Lookup(lowered(f, i), lowered(f, i).Size)
		w += face.Width(p)
	}
	return w
}

// Lines implements [text.Handler]: a label is one line.
func (labels) Lines(txt string) []string { return []string{oneLine(txt)} }

var breaks = strings.NewReplacer("\n", " ", "\r", " ", "\t", " ")

// oneLine keeps spaces at the ends: the plot measures a space between number
// and tick.
func oneLine(txt string) string { return clean(breaks.Replace(txt)) }

// Box implements [text.Handler].
func (l labels) Box(line string, f font.Font) (width, height, depth vg.Length) {
	_, height, depth = l.Plain.Box(line, f)
	return l.width(line, f), height, depth
}

// Draw implements [text.Handler]; it places a line as text.Plain does.
func (l labels) Draw(c vg.Canvas, txt string, sty text.Style, pt vg.Point) {
	if txt = strings.TrimSpace(oneLine(txt)); txt == "" {
		return
	}
	ext := l.Extents(sty.Font)
	c.SetColor(sty.Color)
	if sty.Rotation != 0 {
		c.Push()
		defer c.Pop()
		c.Rotate(sty.Rotation)
	}
	sin, cos := math.Sincos(sty.Rotation)
	pt.X, pt.Y = pt.Y*vg.Length(sin)+pt.X*vg.Length(cos), pt.Y*vg.Length(cos)-pt.X*vg.Length(sin)
	pt.X += vg.Length(sty.XAlign) * l.width(txt, sty.Font)
	pt.Y += sty.Height(txt)*vg.Length(sty.YAlign) - ext.Ascent + sty.Font.Size
	for i, p := range pieces(txt) {
		f := lowered(sty.Font, i)
		at := pt
		if i%2 == 1 {
			at.Y -= subDrop * sty.Font.Size
		}
		face := l.Fonts.Lookup(f, f.Size)
		// XML's readers drop spaces at the ends.
		at.X += face.Width(p[:len(p)-len(strings.TrimLeft(p, " "))])
		c.FillString(face, at, strings.TrimSpace(p))
		pt.X += face.Width(p)
	}
}
