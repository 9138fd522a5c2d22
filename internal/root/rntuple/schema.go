package rntuple

import (
	"fmt"
	"math"
)

// Structural roles of fields.
const (
	leafRole       = 0
	collectionRole = 1
	recordRole     = 2
	variantRole    = 3
	streamerRole   = 4
)

// Flags of fields and columns.
const (
	repetitive = 1

	deferred = 1
	ranged   = 2
)

// noValues is the repeat of an array of length 0.
const noValues = -1

// A field is one node of the schema.
type field struct {
	id                int
	parent            int
	role              int
	repeat            int64 // values an entry of the parent's where the field is repetitive, 0 where it is not, or noValues
	name, typ, about  string
	children          []*field
	columns           []*column // its own or those that it shows, by representation and place
	representationLen int       // columns of one representation
}

// A column is a sequence of elements that lies in pages.
type column struct {
	id       int
	field    int
	kind     int
	bits     int
	rep      int
	deferred bool
	min, max float64
}

// schema is what header and footer say of fields and columns.
type schema struct {
	name   string
	fields []*field
	// columns are those that have pages, in the order of the page lists.
	columns []*column
	// shown are fields' columns that are others' columns.
	shown []alias
	top   []*field
}

type alias struct{ column, field int }

// header reads the payload of the header's envelope.
func (s *schema) header(d *decoder) error {
	d.features()
	s.name = d.text()
	d.text() // description
	d.text() // writer
	s.extend(d)
	return d.err
}

// extend reads lists of fields and columns, which go on from those before.
func (s *schema) extend(d *decoder) {
	list, n := d.list(8)
	for i := 0; i < n && list.err == nil; i++ {
		s.fields = append(s.fields, list.field(len(s.fields)))
	}
	d.keep("field", len(s.fields), list)
	list, n = d.list(8)
	for i := 0; i < n && list.err == nil; i++ {
		s.columns = append(s.columns, list.column(len(s.columns)))
	}
	d.keep("column", len(s.columns), list)
	list, n = d.list(8)
	for i := 0; i < n && list.err == nil; i++ {
		r := list.record()
		s.shown = append(s.shown, alias{int(r.u32()), int(r.u32())})
		list.keep("alias column", i, r)
	}
	d.keep("alias column", n, list)
	extra, _ := d.list(0)
	d.keep("types", 0, extra)
}

// keep takes over the error of a frame within d.
func (d *decoder) keep(what string, i int, frame *decoder) {
	if d.err == nil && frame.err != nil {
		d.err = fmt.Errorf("%s %d: %w", what, i, frame.err)
	}
}

func (d *decoder) field(id int) *field {
	r := d.record()
	r.take(8) // versions of field and type
	f := &field{id: id, parent: int(r.u32()), role: int(r.u16())}
	flags := r.u16()
	f.name, f.typ = r.text(), r.text()
	r.text() // alias of the type
	f.about = r.text()
	if flags&repetitive != 0 {
		f.repeat = r.size()
		if f.repeat == 0 {
			f.repeat = noValues
		}
	}
	d.keep("field", id, r)
	return f
}

func (d *decoder) column(id int) *column {
	r := d.record()
	c := &column{id: id, kind: int(r.u16()), bits: int(r.u16()), field: int(r.u32())}
	flags := r.u16()
	c.rep = int(r.u16())
	if flags&deferred != 0 {
		r.u64() // the first element, which the clusters' sizes imply
		c.deferred = true
	}
	if flags&ranged != 0 {
		c.min, c.max = r.f64(), r.f64()
		if math.IsNaN(c.max - c.min) {
			r.err = fmt.Errorf("a range from %g to %g", c.min, c.max)
		}
	}
	d.keep("column", id, r)
	return c
}

// link ties fields and columns together.
func (s *schema) link() error {
	for i, f := range s.fields {
		switch {
		case f.parent == i:
			s.top = append(s.top, f)
		case f.parent >= i:
			// Parents come first, which also means that nothing lies within itself.
			return fmt.Errorf("field %d (%s) within field %d", i, f.name, f.parent)
		default:
			p := s.fields[f.parent]
			p.children = append(p.children, f)
		}
	}
	attach := func(c *column, id int) error {
		if id >= len(s.fields) {
			return fmt.Errorf("column %d of field %d where there are %d", c.id, id, len(s.fields))
		}
		s.fields[id].columns = append(s.fields[id].columns, c)
		return nil
	}
	for _, c := range s.columns {
		if err := attach(c, c.field); err != nil {
			return err
		}
	}
	for _, a := range s.shown {
		if a.column >= len(s.columns) {
			return fmt.Errorf("a field that shows column %d where there are %d", a.column, len(s.columns))
		}
		if err := attach(s.columns[a.column], a.field); err != nil {
			return err
		}
	}
	for _, f := range s.fields {
		for _, c := range f.columns {
			if c.rep == 0 {
				f.representationLen++
			}
		}
		if len(f.columns) > 0 && f.representationLen == 0 {
			return fmt.Errorf("field %d (%s): no column of representation 0", f.id, f.name)
		}
		if len(f.columns) > 0 && len(f.columns)%f.representationLen != 0 {
			return fmt.Errorf("field %d (%s): %d columns in representations of %d", f.id, f.name, len(f.columns), f.representationLen)
		}
		for i, c := range f.columns {
			if c.rep != i/f.representationLen {
				return fmt.Errorf("field %d (%s): column %d out of order", f.id, f.name, c.id)
			}
		}
	}
	return nil
}
