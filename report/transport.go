package report

import (
	"errors"
	"fmt"
	"html"
	"math"
	"slices"
	"sort"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"barrow/hgcal"
	"barrow/report/internal/svg"
)

// Transport shows one value a trigger cell of a wafer as its colour, and arrows of
// what moves from cell to cell: an optimal plan on the difference of two images, say,
// or its potentials.
type Transport struct {
	// Unit is what the values are, such as "charge, decoded − input".
	Unit string `json:"unit"`
	// Values are 48, in V9 order. If any is negative, or Signed is set, the scale
	// diverges from zero.
	Values []float64 `json:"values"`
	Signed bool      `json:"signed,omitempty"`
	// Arrows are drawn in the middle of the cells that they join, the heavier the wider.
	// Those from a cell to itself say what stays: they are in the numbers alone.
	Arrows []Arrow `json:"arrows,omitempty"`
	// Moves is what the arrows' masses are in, such as "share of the charge".
	Moves string `json:"moves,omitempty"`
	// Cells, if given, says what each cell is to a reader who points at it or hears it
	// read. The page then has a shape with the class "cell" over each cell, that holds
	// the cell's number as data-cell; files have none.
	Cells []string `json:"cells,omitempty"`
}

// An Arrow is mass that moves from one cell to another.
type Arrow struct {
	From int     `json:"from"`
	To   int     `json:"to"`
	Mass float64 `json:"mass"` // ≥ 0
}

func (m *Transport) check() error {
	if len(m.Values) == 0 && len(m.Arrows) == 0 {
		return nil
	}
	if err := values("values", m.Values, hgcal.Cells, false); err != nil {
		return err
	}
	if len(m.Cells) != 0 && len(m.Cells) != hgcal.Cells {
		return fmt.Errorf("cells: %d texts, want %d", len(m.Cells), hgcal.Cells)
	}
	for i, a := range m.Arrows {
		if a.From < 0 || a.From >= hgcal.Cells || a.To < 0 || a.To >= hgcal.Cells {
			return fmt.Errorf("arrow %d: from cell %d to %d: cells are 0 to %d", i, a.From, a.To, hgcal.Cells-1)
		}
		if err := values(fmt.Sprintf("arrow %d: mass", i), []float64{a.Mass}, 1, false); err != nil {
			return err
		}
		if a.Mass < 0 {
			return errors.New("an arrow's mass is negative")
		}
	}
	return nil
}

// top is the end of the scale, signed whether it begins at the same below zero.
func (m *Transport) top() (top float64, signed bool) {
	signed = m.Signed
	for _, v := range m.Values {
		top = math.Max(top, math.Abs(v))
		signed = signed || v < 0
	}
	return top, signed
}

// moving are the arrows that lead somewhere, the heaviest last, so that they are on top.
func (m *Transport) moving() (list []Arrow) {
	for _, a := range m.Arrows {
		if a.From != a.To && a.Mass > 0 {
			list = append(list, a)
		}
	}
	sort.SliceStable(list, func(i, j int) bool { return list[i].Mass < list[j].Mass })
	return list
}

func (m *Transport) describe() string {
	top, signed := m.top()
	low := "0"
	if signed {
		low = "−" + brief(top)
	}
	s := fmt.Sprintf("%s on the 48 cells of a wafer, on a scale from %s to %s", m.Unit, low, brief(top))
	moving := m.moving()
	if len(moving) == 0 {
		return s + "."
	}
	a := moving[len(moving)-1]
	return fmt.Sprintf("%s; %s, the largest of %s from cell %d to %d.", s, plural(len(moving), "arrow"), brief(a.Mass), a.From, a.To)
}

// numbers are the arrows, the heaviest first, or the values where there is none.
func (m *Transport) numbers() Table {
	moving := m.moving()
	if len(moving) == 0 {
		t := Table{Columns: []Column{column("cell"), column(m.Unit)}}
		for i, v := range m.Values {
			t.Rows = append(t.Rows, []string{fmt.Sprint(i), brief(v)})
		}
		return t
	}
	moves := m.Moves
	if moves == "" {
		moves = "mass"
	}
	t := Table{Columns: []Column{column("from cell"), column("to cell"), column(moves)}}
	for _, a := range slices.Backward(moving) {
		t.Rows = append(t.Rows, []string{fmt.Sprint(a.From), fmt.Sprint(a.To), brief(a.Mass)})
	}
	return t
}

// transport is the drawing: a wafer with its scale below.
type transport struct {
	m *Transport
	g *geometry
}

const (
	transportWidth vg.Length = 260
	transportScale vg.Length = 44
)

func newTransport(m *Transport) *transport { return &transport{m, (&Wafers{}).geometry()} }

func (d *transport) size() (w, h vg.Length) {
	return transportWidth, transportWidth*vg.Length(d.g.aspect()) + transportScale
}

// wafer is the part of the canvas that the wafer is drawn in.
func (d *transport) wafer(c draw.Canvas) draw.Canvas {
	return draw.Crop(c, 4, -4, transportScale+2, -2)
}

func (d *transport) draw(c draw.Canvas) {
	top, signed := d.m.top()
	im, colour := charge(d.m.Values, top), &sequential
	if signed {
		im, colour = difference(d.m.Values, make([]float64, hgcal.Cells), top), &diverging
	}
	wafer := d.wafer(c)
	d.g.draw(wafer, im)
	d.arrows(wafer)
	box := c
	box.Rectangle = vg.Rectangle{Min: vg.Point{X: c.Min.X + 10, Y: c.Min.Y + 15}, Max: vg.Point{X: c.Max.X - 10, Y: c.Min.Y + 24}}
	scaleBar(box, colour, 0, false)
	small := textStyle(sizeSmall, muted, draw.XLeft, draw.YTop)
	centre, right := small, small
	centre.XAlign, right.XAlign = draw.XCenter, draw.XRight
	under := box.Min.Y - 2
	low := "0"
	if signed {
		low = "−" + short(top)
		c.FillText(centre, vg.Point{X: box.Center().X, Y: under}, "0")
	}
	if top > 0 || !signed { // of nothing but zero the middle is all there is
		c.FillText(small, vg.Point{X: box.Min.X, Y: under}, low)
	}
	if top > 0 {
		c.FillText(right, vg.Point{X: box.Max.X, Y: under}, short(top))
	}
	c.FillText(fit(small, d.m.Unit, box.Size().X), vg.Point{X: box.Min.X, Y: box.Max.Y + 12}, d.m.Unit)
}

// cells are shapes over the wafer's cells, as the page needs them.
func (d *transport) cells(c *svg.Canvas) string {
	if len(d.m.Cells) == 0 {
		return ""
	}
	var b strings.Builder
	at := d.g.onto(d.wafer(draw.New(c)))
	_, height := c.Size()
	for i, corners := range d.g.cells {
		fmt.Fprintf(&b, `<path class="cell" data-cell="%d" role="img" aria-label="%s" d="`, i, html.EscapeString(d.m.Cells[i]))
		for k, p := range corners {
			q := at(p)
			fmt.Fprintf(&b, "%c%.2f %.2f", "ML"[min(k, 1)], q.X.Points(), (height - q.Y).Points())
		}
		fmt.Fprintf(&b, "Z\"><title>%s</title></path>\n", html.EscapeString(d.m.Cells[i]))
	}
	return b.String()
}

// arrows draws each with a rim of the paper's colour, so that it shows on any cell.
func (d *transport) arrows(c draw.Canvas) {
	moving := d.m.moving()
	if len(moving) == 0 {
		return
	}
	most := moving[len(moving)-1].Mass
	at := d.g.onto(c)
	centres := hgcal.CellCentres()
	for _, a := range moving {
		width := vg.Length(0.7 + 3.6*math.Sqrt(a.Mass/most))
		from, to := at(centres[a.From]), at(centres[a.To])
		shaft, head := arrow(from, to, width)
		for _, pass := range []struct {
			colour shade
			more   vg.Length
		}{{paper, 1.6}, {ink, 0}} {
			c.SetLineStyle(draw.LineStyle{Color: pass.colour, Width: width + pass.more})
			c.Stroke(shaft)
			if pass.more > 0 {
				c.SetLineStyle(draw.LineStyle{Color: pass.colour, Width: pass.more})
				c.Stroke(head)
			}
			c.SetColor(pass.colour)
			c.Fill(head)
		}
	}
}

// arrow is the line and the head between two points.
func arrow(from, to vg.Point, width vg.Length) (shaft, head vg.Path) {
	dx, dy := to.X-from.X, to.Y-from.Y
	length := vg.Length(math.Hypot(float64(dx), float64(dy)))
	ux, uy := dx/length, dy/length
	long := min(3.5+1.7*width, 0.7*length)
	wide := 0.55 * long
	neck := vg.Point{X: to.X - ux*long, Y: to.Y - uy*long}
	shaft.Move(from)
	shaft.Line(neck)
	head.Move(to)
	head.Line(vg.Point{X: neck.X - uy*wide, Y: neck.Y + ux*wide})
	head.Line(vg.Point{X: neck.X + uy*wide, Y: neck.Y - ux*wide})
	head.Close()
	return shaft, head
}
