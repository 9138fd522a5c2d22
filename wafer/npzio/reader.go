package npzio

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"barrow/hgcal"
	"barrow/internal/npz"
	"barrow/wafer"
	"barrow/wafer/internal/arrays"
)

// reader reads the images of a file, in memory that does not grow with it.
type reader struct {
	file    *file
	layout  *layout
	arrays  map[int]*npz.Reader // by their number in the file, those that are needed
	order   []int               // their numbers
	cells   [hgcal.Cells]int    // V9 cell of each charge in the file
	most    int                 // rows at a time
	next    int                 // row
	first   int                 // of the last Read
	charges []float64           // in the file's order
}

var (
	_ wafer.Marker   = (*reader)(nil)
	_ wafer.Remarker = (*reader)(nil)
)

// maxBatch bounds the bytes of rows that are read at a time.
const maxBatch = 1 << 25

func open(f *file, s wafer.ReadSettings) (*reader, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	parts, err := f.parts()
	if err != nil {
		return nil, err
	}
	r := &reader{file: f, arrays: map[int]*npz.Reader{}}
	if r.layout, err = f.arrange(parts, s); err != nil {
		return nil, err
	}
	r.cells = r.layout.Order.ToV9()
	bytes := 0
	for _, p := range slices.Concat(r.layout.charges, r.layout.columns) {
		if r.arrays[p.array] != nil {
			continue
		}
		a, err := f.open(p.array)
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		r.arrays[p.array], r.order = a, append(r.order, p.array)
		bytes += a.RowSize()
		if a.Behind > 0 {
			r.layout.Remarks = append(r.layout.Remarks, fmt.Sprintf("%d bytes behind the array %s are not read, as NumPy does not either: another array?", a.Behind, p.Name))
		}
	}
	r.most = max(1, maxBatch/bytes)
	return r, nil
}

// Info says what the arrays' names and those without dimensions tell.
func (r *reader) Info() wafer.Info {
	info := wafer.Info{Format: r.file.format, Order: r.layout.Order, OrderSaid: r.layout.OrderSaid, Unit: r.layout.Unit}
	for _, p := range r.layout.columns {
		info.Columns = append(info.Columns, p.Name)
	}
	return info
}

// Remarks say what of the file is left out.
func (r *reader) Remarks() []string { return r.layout.Remarks }

// Place is the file and the number of the image, from 1, of image i of the last Read.
func (r *reader) Place(i int) string { return fmt.Sprintf("%s:%d", r.file.name, r.first+i+1) }

// Read puts up to n further images into s, reusing its memory.
func (r *reader) Read(s *wafer.Set, n int) (int, error) {
	n = min(n, r.most, r.layout.Rows-r.next)
	r.first = r.next
	s.Charge = s.Charge[:0]
	if n <= 0 {
		return 0, io.EOF
	}
	for _, i := range r.order {
		if err := r.fill(i, n); err != nil {
			return 0, err
		}
	}
	if err := r.readCharges(s, n); err != nil {
		return 0, err
	}
	if err := r.readColumns(s); err != nil {
		return 0, err
	}
	r.next += n
	return n, nil
}

// Mark is the number of the next image.
func (r *reader) Mark() (m wafer.Mark, ok bool) { return wafer.Mark{At: int64(r.next)}, true }

// Go goes on at a mark.
func (r *reader) Go(m wafer.Mark) error {
	n := int(m.At) - r.next
	for _, a := range r.arrays {
		if err := a.Skip(n); err != nil {
			return err
		}
	}
	r.next += n
	return nil
}

// fill has the next n rows of an array at hand.
func (r *reader) fill(array, n int) error {
	_, err := r.arrays[array].Next(n)
	return err
}

func (r *reader) readCharges(s *wafer.Set, n int) error {
	whole := len(r.layout.charges) == 1
	if whole && r.layout.Order == hgcal.V9 {
		a, f := r.at(&r.layout.charges[0])
		s.Charge = a.Floats(f, s.Charge)
		return r.check(s.Charge)
	}
	s.Charge = slices.Grow(s.Charge, n*hgcal.Cells)[:n*hgcal.Cells]
	for j := range r.layout.charges {
		a, f := r.at(&r.layout.charges[j])
		r.charges = a.Floats(f, r.charges)
		if !whole {
			for i, v := range r.charges {
				s.Charge[i*hgcal.Cells+r.cells[j]] = v
			}
			continue
		}
		for i := range n {
			image := r.charges[i*hgcal.Cells : (i+1)*hgcal.Cells]
			for j, v := range image {
				s.Charge[i*hgcal.Cells+r.cells[j]] = v
			}
		}
	}
	return r.check(s.Charge)
}

func (r *reader) at(p *part) (*npz.Reader, *npz.Field) {
	a := r.arrays[p.array]
	return a, &a.Fields[p.field]
}

// check reports charges that are none.
func (r *reader) check(charge []float64) error {
	return arrays.Check(charge, &r.cells, func(i, j int) (string, bool) {
		place := "npzio: " + r.Place(i)
		if j < 0 {
			return place, false
		}
		p, index := &r.layout.charges[0], fmt.Sprintf("[%d, %d]", r.first+i, j)
		if len(r.layout.charges) > 1 {
			p, index = &r.layout.charges[j], fmt.Sprintf("[%d]", r.first+i)
		}
		return fmt.Sprintf("%s: %s%s", place, p.Name, index), p.typ.Kind() == npz.Whole
	})
}

func (r *reader) readColumns(s *wafer.Set) error {
	if len(s.Columns) != len(r.layout.columns) {
		s.Columns = make([]wafer.Column, len(r.layout.columns))
	}
	for k := range r.layout.columns {
		p, c := &r.layout.columns[k], &s.Columns[k]
		a, f := r.at(p)
		var err error
		switch p.typ.Kind() {
		case npz.Whole:
			var v []int64
			v, err = a.Ints(f, c.Int)
			*c = wafer.Column{Name: p.Name, Int: v}
		case npz.Real:
			*c = wafer.Column{Name: p.Name, Float: a.Floats(f, c.Float)}
		default:
			var v []string
			v, err = a.Texts(f, c.Text)
			*c = wafer.Column{Name: p.Name, Text: v}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Close frees what the arrays hold.
func (r *reader) Close() error {
	var err error
	for _, a := range r.arrays {
		err = errors.Join(err, a.Close())
	}
	return err
}
