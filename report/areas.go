package report

import (
	"fmt"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Areas shows a plane of which parts are of a few kinds, such as a detector's layer whose
// modules are set in several ways: every kind is filled with its colour. x and y have the
// same scale.
type Areas struct {
	X     Axis       `json:"x"`
	Y     Axis       `json:"y"`
	Kinds []AreaKind `json:"kinds"`
	// Ordered kinds are steps of a quantity, the least first: they take the colours of
	// the charge's scale in place of series' colours.
	Ordered bool `json:"ordered,omitempty"`
}

// An AreaKind is all areas of one colour.
type AreaKind struct {
	Name string `json:"name"`
	// Areas are polygons in the unit of the axes, y upwards.
	Areas [][][2]float64 `json:"areas"`
}

// areas fills the polygons, each with a thin border.
func (a *artist) areas(m *Areas) *chart {
	xs, ys := newSpan(), newSpan()
	for _, k := range m.Kinds {
		for _, area := range k.Areas {
			for _, p := range area {
				xs.add(p[0])
				ys.add(p[1])
			}
		}
	}
	// The same length on both axes, so that the plot is square.
	if extra := (xs.hi - xs.lo) - (ys.hi - ys.lo); extra > 0 {
		ys.lo, ys.hi = ys.lo-extra/2, ys.hi+extra/2
	} else {
		xs.lo, xs.hi = xs.lo+extra/2, xs.hi-extra/2
	}
	ch := &chart{x: m.X.text(), y: m.Y.text(), height: 380, square: true}
	ch.plot = newPlot(m.X, m.Y, xs, ys, exact, exact)
	ch.plot.Add(&areaPlotter{a, m})
	for i, k := range m.Kinds {
		if len(k.Areas) == 0 {
			continue
		}
		colour := m.colour(a, i)
		ch.legend = append(ch.legend, entry{name: k.Name, sample: func(c *draw.Canvas, from, to vg.Point) {
			box := vg.Rectangle{Min: vg.Point{X: from.X + 4, Y: from.Y - 4.5}, Max: vg.Point{X: to.X - 4, Y: to.Y + 4.5}}
			c.SetColor(colour)
			c.Fill(box.Path())
		}})
	}
	return ch
}

// colour is that of kind i.
func (m *Areas) colour(a *artist, i int) shade {
	if !m.Ordered {
		return a.colour(m.Kinds[i].Name)
	}
	return named(sequential[1+i*(levels-1)/max(len(m.Kinds)-1, 1)])
}

type areaPlotter struct {
	a *artist
	m *Areas
}

// Plot implements [plot.Plotter].
func (ap *areaPlotter) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var borders vg.Path
	for i, k := range ap.m.Kinds {
		var fill vg.Path
		for _, area := range k.Areas {
			var corners []vg.Point
			for _, q := range area {
				corners = append(corners, vg.Point{X: x(q[0]), Y: y(q[1])})
			}
			corners = c.ClipPolygonXY(corners)
			for i, q := range corners {
				if i == 0 {
					fill.Move(q)
					borders.Move(q)
				} else {
					fill.Line(q)
					borders.Line(q)
				}
			}
			if len(corners) > 0 {
				fill.Close()
				borders.Close()
			}
		}
		c.SetColor(ap.m.colour(ap.a, i))
		c.Fill(fill)
	}
	c.SetLineStyle(stroke(paper, 0.7))
	c.Stroke(borders)
}

func (m *Areas) empty() bool {
	for _, k := range m.Kinds {
		if len(k.Areas) > 0 {
			return false
		}
	}
	return true
}

func (m *Areas) check() error {
	for _, a := range []struct {
		name string
		axis Axis
	}{{"x", m.X}, {"y", m.Y}} {
		if err := a.axis.check(a.name); err != nil {
			return err
		}
		if a.axis.Log {
			return fmt.Errorf("%s axis: areas lie in a plane, which has no logarithmic axis", a.name)
		}
	}
	for _, k := range m.Kinds {
		for i, area := range k.Areas {
			if len(area) < 3 {
				return fmt.Errorf("kind %q: area %d has %d corners, want at least 3", k.Name, i, len(area))
			}
			for _, p := range area {
				if err := values(fmt.Sprintf("kind %q: area %d: corner", k.Name, i), p[:], 2, false); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (m *Areas) describe() string {
	var parts []string
	for _, k := range m.Kinds {
		if len(k.Areas) > 0 {
			parts = append(parts, k.Name+": "+strconv.Itoa(len(k.Areas)))
		}
	}
	return fmt.Sprintf("areas in %s and %s, by kind: %s.", m.X.text(), m.Y.text(), list(parts))
}

func (m *Areas) numbers() Table {
	t := Table{Columns: []Column{{Name: "kind"}, column("areas")}}
	for _, k := range m.Kinds {
		t.Rows = append(t.Rows, []string{k.Name, strconv.Itoa(len(k.Areas))})
	}
	return t
}
