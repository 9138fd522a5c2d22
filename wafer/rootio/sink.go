package rootio

import (
	"barrow/hgcal"
	"barrow/internal/root"
	"barrow/wafer"
)

// A sink collects images until they are read.
type sink struct {
	set  wafer.Set
	rows []row // one an image
}

// row is where an image is from.
type row struct {
	entry int64
	key   key // 0 where an entry is an image
}

// column adds a column, and returns its number.
func (s *sink) column(name string) int {
	s.set.Columns = append(s.set.Columns, wafer.Column{Name: name})
	return len(s.set.Columns) - 1
}

func (s *sink) int(column int, v int64) {
	c := &s.set.Columns[column]
	c.Int = append(c.Int, v)
}

func (s *sink) float(column int, v float64) {
	c := &s.set.Columns[column]
	c.Float = append(c.Float, v)
}

func (s *sink) text(column int, v string) {
	c := &s.set.Columns[column]
	c.Text = append(c.Text, v)
}

// image adds an image, whose charges the caller sets.
func (s *sink) image(entry int64, k key) []float64 {
	n := len(s.set.Charge)
	s.set.Charge = append(s.set.Charge, make([]float64, hgcal.Cells)...)
	s.rows = append(s.rows, row{entry, k})
	return s.set.Charge[n : n+hgcal.Cells]
}

// clear empties it, keeping its memory.
func (s *sink) clear() {
	s.set.Charge, s.rows = s.set.Charge[:0], s.rows[:0]
	for i := range s.set.Columns {
		c := &s.set.Columns[i]
		c.Float, c.Int, c.Text = c.Float[:0], c.Int[:0], c.Text[:0]
	}
}

// give copies images from to to-1 to the end of dst, which has the same columns.
func (s *sink) give(dst *wafer.Set, from, to int) {
	dst.Charge = append(dst.Charge, s.set.Charge[from*hgcal.Cells:to*hgcal.Cells]...)
	for i := range s.set.Columns {
		c, d := &s.set.Columns[i], &dst.Columns[i]
		switch {
		case len(c.Text) > 0:
			d.Text = append(d.Text, c.Text[from:to]...)
		case len(c.Int) > 0:
			d.Int = append(d.Int, c.Int[from:to]...)
		default:
			d.Float = append(d.Float, c.Float[from:to]...)
		}
	}
}

// blank makes dst a set without images that has the columns, reusing its memory.
func (s *sink) blank(dst *wafer.Set) {
	dst.Charge = dst.Charge[:0]
	if len(dst.Columns) != len(s.set.Columns) {
		dst.Columns = make([]wafer.Column, len(s.set.Columns))
	}
	for i, c := range s.set.Columns {
		d := &dst.Columns[i]
		*d = wafer.Column{Name: c.Name, Float: d.Float[:0], Int: d.Int[:0], Text: d.Text[:0]}
		// One of the three is used: the others must not look as if they were.
		switch {
		case len(c.Text) > 0:
			d.Float, d.Int = nil, nil
		case len(c.Int) > 0:
			d.Float, d.Text = nil, nil
		default:
			d.Int, d.Text = nil, nil
		}
	}
}

// perEvent are the columns that all wafers of an event share.
type perEvent struct {
	entry  int
	fields []*field
	column []int
}

// newPerEvent finds the numbers of event, run and section, which may be whole numbers in
// floating point.
func newPerEvent(b *batch, n *names, out *sink) (*perEvent, error) {
	p := &perEvent{}
	for _, c := range []struct{ name, also string }{{"event", "event"}, {"run", "run"}, {"lumi", "luminosityBlock"}} {
		for _, name := range []string{c.name, c.also} {
			i := n.numbers(name)
			if i < 0 || n.columns[i].Len != 1 {
				continue
			}
			f, err := b.need(i, root.Int)
			if err != nil {
				return nil, err
			}
			p.fields = append(p.fields, f)
			p.column = append(p.column, out.column(c.name))
			break
		}
	}
	p.entry = out.column(string(wafer.Entry))
	return p, nil
}

// add gives the columns of an image of entry e.
func (p *perEvent) add(b *batch, e int, out *sink) error {
	for i, f := range p.fields {
		from, to := f.span(e)
		if to-from != 1 {
			return b.fail(e, f.name, "%d values for one", to-from)
		}
		out.int(p.column[i], f.array.Int[from])
	}
	out.int(p.entry, b.entry(e))
	return nil
}
