package report

import (
	"cmp"
	"fmt"
	"math"

	"barrow/hgcal"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// geometry is what wafers are drawn from.
type geometry struct {
	cells   [][][2]float64
	outline [][2]float64
	lines   [][2][2]float64 // seams
	lo, hi  [2]float64
}

// geometry returns the figure's own cells, or the 48 trigger cells.
func (w *Wafers) geometry() *geometry {
	g := &geometry{cells: w.Cells, outline: w.Outline}
	if len(w.Cells) == 0 {
		for _, p := range hgcal.CellPolygons() {
			g.cells = append(g.cells, p[:])
		}
		if len(w.Outline) == 0 {
			o := hgcal.Outline()
			g.outline = o[:]
		}
		for _, s := range hgcal.Seams() {
			g.lines = append(g.lines, s)
		}
	}
	xs, ys := newSpan(), newSpan()
	for _, poly := range append([][][2]float64{g.outline}, g.cells...) {
		for _, p := range poly {
			xs.add(p[0])
			ys.add(p[1])
		}
	}
	g.lo, g.hi = [2]float64{xs.lo, ys.lo}, [2]float64{xs.hi, ys.hi}
	return g
}

// aspect is height over width.
func (g *geometry) aspect() float64 {
	w, h := g.hi[0]-g.lo[0], g.hi[1]-g.lo[1]
	if !(w > 0) || !(h > 0) {
		return 1
	}
	return math.Min(math.Max(h/w, 0.2), 5)
}

// An image is one value a cell as levels of a colour scale.
type image struct {
	level  []int
	colour *[levels + 1]string
}

// sequential and diverging are the names of the two scales' colours.
var sequential, diverging = scaleNames("q"), scaleNames("d")

func scaleNames(letter string) (names [levels + 1]string) {
	for i := range names {
		names[i] = fmt.Sprint(letter, i)
	}
	return names
}

// charge gives values from 0 to top the levels 0 to levels.
// Decoders may go below zero: that is drawn as nothing, and shows in the
// difference.
func charge(values []float64, top float64) image {
	im := image{make([]int, len(values)), &sequential}
	for i, v := range values {
		if v > 0 && top > 0 {
			im.level[i] = min(int(math.Round(levels*v/top)), levels)
		}
	}
	return im
}

// difference gives −top…top the levels 0 to levels.
func difference(decoded, input []float64, top float64) image {
	im := image{make([]int, len(input)), &diverging}
	for i := range input {
		im.level[i] = levels / 2
		if top > 0 {
			im.level[i] += int(math.Round(levels / 2 * (decoded[i] - input[i]) / top))
		}
	}
	return im
}

// tops are the ends of a row's two scales: the largest charge of input and
// decoded images, and the largest difference either way.
func (r *WaferRow) tops() (q, d float64) {
	for _, v := range r.Input {
		q = math.Max(q, v)
	}
	for _, image := range r.Decoded {
		for i, v := range image {
			q = math.Max(q, v)
			d = math.Max(d, math.Abs(v-r.Input[i]))
		}
	}
	return q, d
}

// onto maps the geometry's points into c, as large as fits, centred.
func (g *geometry) onto(c draw.Canvas) func([2]float64) vg.Point {
	size := c.Size()
	w, h := g.hi[0]-g.lo[0], g.hi[1]-g.lo[1]
	unit := math.Min(size.X.Points()/w, size.Y.Points()/h)
	return func(p [2]float64) vg.Point {
		return vg.Point{
			X: c.Center().X + vg.Length(unit*(p[0]-(g.lo[0]+g.hi[0])/2)),
			Y: c.Center().Y + vg.Length(unit*(p[1]-(g.lo[1]+g.hi[1])/2)),
		}
	}
}

// draw paints the image into c.
func (g *geometry) draw(c draw.Canvas, im image) {
	at := g.onto(c)
	add := func(path *vg.Path, poly [][2]float64) {
		for i, p := range poly {
			if i == 0 {
				path.Move(at(p))
			} else {
				path.Line(at(p))
			}
		}
		path.Close()
	}
	var fills [levels + 1]vg.Path
	var borders, rim vg.Path
	for i, poly := range g.cells {
		add(&fills[im.level[i]], poly)
		add(&borders, poly)
	}
	for l, path := range fills {
		c.SetColor(named(im.colour[l]))
		c.Fill(path)
	}
	c.SetLineStyle(stroke(cellLine, 0.4))
	c.Stroke(borders)
	if len(g.outline) > 1 {
		add(&rim, g.outline)
	}
	for _, s := range g.lines {
		rim.Move(at(s[0]))
		rim.Line(at(s[1]))
	}
	c.SetLineStyle(stroke(rule, 0.8))
	c.Stroke(rim)
}

// scaleBar fills c with the colours from first on, from left to right or
// upwards.
func scaleBar(c draw.Canvas, colour *[levels + 1]string, first int, up bool) {
	n := vg.Length(levels + 1 - first)
	size := c.Size()
	for i := vg.Length(0); i < n; i++ {
		box := c.Rectangle
		if up {
			box.Min.Y = c.Min.Y + i/n*size.Y
			box.Max.Y = min(c.Min.Y+(i+1)/n*size.Y+overlap, c.Max.Y)
		} else {
			box.Min.X = c.Min.X + i/n*size.X
			box.Max.X = min(c.Min.X+(i+1)/n*size.X+overlap, c.Max.X)
		}
		c.SetColor(named(colour[first+int(i)]))
		c.Fill(box.Path())
	}
}

// short writes a number for a scale with two significant digits.
func short(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v >= 100 && v < 1e6:
		return number(v, 0)
	case v >= 10 && v < 100:
		return number(v, 1)
	case v >= 1e-3 && v < 10:
		return number(v, 1-int(math.Floor(math.Log10(v))))
	}
	return power(v, math.Pow(10, math.Floor(math.Log10(v))-1))
}

// The sheet of wafers for pictures; the page lays the same drawings out in
// HTML so that they fit a phone.
type sheet struct {
	w *Wafers
	g *geometry
}

const (
	waferWidth  vg.Length = 112
	waferGap    vg.Length = 10
	sheetHead   vg.Length = 32
	sheetBetwix vg.Length = 14
)

func (s *sheet) waferHeight() vg.Length { return waferWidth * vg.Length(s.g.aspect()) }

func (s *sheet) size() (w, h vg.Length) {
	n := vg.Length(1 + len(s.w.Columns))
	row := 2*s.waferHeight() + sheetHead + waferGap
	rows := vg.Length(len(s.w.Rows))
	return n*waferWidth + (n+1)*waferGap, rows*row + (rows-1)*sheetBetwix + waferGap
}

// tile is the place of column i, 0 being the input, with its top at y.
func (s *sheet) tile(c draw.Canvas, i int, y vg.Length) draw.Canvas {
	x := c.Min.X + waferGap + vg.Length(i)*(waferWidth+waferGap)
	c.Rectangle = vg.Rectangle{Min: vg.Point{X: x, Y: y - s.waferHeight()}, Max: vg.Point{X: x + waferWidth, Y: y}}
	return c
}

func (s *sheet) draw(c draw.Canvas) {
	head := bold(textStyle(sizeTick, ink, draw.XCenter, draw.YTop))
	note := textStyle(sizeTick, muted, draw.XCenter, draw.YTop)
	for i := range s.w.Rows {
		r := &s.w.Rows[i]
		q, d := r.tops()
		y := c.Max.Y - vg.Length(i)*(2*s.waferHeight()+sheetHead+waferGap+sheetBetwix)
		body := y - sheetHead
		s.g.draw(s.tile(c, 0, body), charge(r.Input, q))
		s.heads(c, 0, y, head, note, s.w.first(), r.Name)
		for j, name := range s.w.Columns {
			words := ""
			if len(r.Notes) > 0 {
				words = r.Notes[j]
			}
			s.heads(c, j+1, y, head, note, name, words)
			s.g.draw(s.tile(c, j+1, body), charge(r.Decoded[j], q))
			s.g.draw(s.tile(c, j+1, body-s.waferHeight()-waferGap), difference(r.Decoded[j], r.Input, d))
		}
		s.scales(s.tile(c, 0, body-s.waferHeight()-waferGap), q, d)
	}
}

// heads writes the two lines above column i, in smaller type where they would
// run into the neighbours.
func (s *sheet) heads(c draw.Canvas, i int, y vg.Length, head, note draw.TextStyle, name, words string) {
	x := c.Min.X + waferGap + vg.Length(i)*(waferWidth+waferGap) + waferWidth/2
	const room = waferWidth + waferGap - 4
	c.FillText(fit(head, name, room), vg.Point{X: x, Y: y}, name)
	c.FillText(fit(note, words, room), vg.Point{X: x, Y: y - 14}, words)
}

// scales draws both scales under the input, in the place of a wafer.
func (s *sheet) scales(c draw.Canvas, q, d float64) {
	small := textStyle(sizeSmall, muted, draw.XLeft, draw.YTop)
	right, centre := small, small
	right.XAlign, centre.XAlign = draw.XRight, draw.XCenter
	bar := func(top vg.Length, title string, colour *[levels + 1]string, lo, mid, hi string) {
		c.FillText(fit(small, title, c.Size().X), vg.Point{X: c.Min.X, Y: top}, title)
		box := c
		box.Rectangle = vg.Rectangle{Min: vg.Point{X: c.Min.X, Y: top - 24}, Max: vg.Point{X: c.Max.X, Y: top - 15}}
		scaleBar(box, colour, 0, false)
		c.FillText(small, vg.Point{X: c.Min.X, Y: top - 26}, lo)
		c.FillText(centre, vg.Point{X: c.Center().X, Y: top - 26}, mid)
		c.FillText(right, vg.Point{X: c.Max.X, Y: top - 26}, hi)
	}
	top := c.Center().Y + 46
	bar(top, s.w.unit(), &sequential, "0", "", short(q))
	bar(top-48, s.w.difference(), &diverging, "−"+short(d), "0", "+"+short(d))
}

func (w *Wafers) unit() string {
	if w.Unit == "" {
		return "charge"
	}
	return w.Unit
}

func (w *Wafers) first() string { return cmp.Or(w.First, "input") }

func (w *Wafers) difference() string { return cmp.Or(w.Difference, "decoded − input") }
