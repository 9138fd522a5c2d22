package npzio

import (
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"barrow/hgcal"
	"barrow/internal/npz"
	"barrow/wafer"
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

var _ wafer.Remarker = (*reader)(nil)

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
	r.cells = r.layout.order.ToV9()
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
			r.layout.remarks = append(r.layout.remarks, fmt.Sprintf("%d bytes behind the array %s are not read, as NumPy does not either: another array?", a.Behind, p.name))
		}
	}
	r.most = max(1, maxBatch/bytes)
	return r, nil
}

// Info says what the arrays' names and those without dimensions tell.
func (r *reader) Info() wafer.Info {
	info := wafer.Info{Format: r.file.format, Order: r.layout.order, OrderSaid: r.layout.said, Unit: r.layout.unit}
	for _, p := range r.layout.columns {
		info.Columns = append(info.Columns, p.name)
	}
	return info
}

// Remarks say what of the file is left out.
func (r *reader) Remarks() []string { return r.layout.remarks }

// Place is the file and the number of the image, from 1, of image i of the last Read.
func (r *reader) Place(i int) string { return fmt.Sprintf("%s:%d", r.file.name, r.first+i+1) }

// Read puts up to n further images into s, reusing its memory.
func (r *reader) Read(s *wafer.Set, n int) (int, error) {
	n = min(n, r.most, r.layout.rows-r.next)
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

// fill has the next n rows of an array at hand.
func (r *reader) fill(array, n int) error {
	_, err := r.arrays[array].Next(n)
	return err
}

func (r *reader) readCharges(s *wafer.Set, n int) error {
	whole := len(r.layout.charges) == 1
	if whole && r.layout.order == hgcal.V9 {
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

// exact is the first whole number whose successor float64 does not have.
const exact = 1 << 53

// check reports charges that are none.
func (r *reader) check(charge []float64) error {
	for i := 0; len(charge) > 0; i++ {
		image := charge[:hgcal.Cells]
		charge = charge[hgcal.Cells:]
		sum, good := 0.0, true
		for _, v := range image {
			good = good && v >= 0
			sum += v
		}
		if good && sum < exact {
			continue
		}
		if err := r.refuse(i, image, sum); err != nil {
			return err
		}
	}
	return nil
}

// refuse says what is wrong with image i.
func (r *reader) refuse(i int, image []float64, sum float64) error {
	for j, cell := range r.cells {
		p, place := &r.layout.charges[0], fmt.Sprintf("[%d, %d]", r.first+i, j)
		if len(r.layout.charges) > 1 {
			p, place = &r.layout.charges[j], fmt.Sprintf("[%d]", r.first+i)
		}
		switch v := image[cell]; {
		case !(v >= 0 && v <= math.MaxFloat64):
			return fmt.Errorf("npzio: %s: %s%s: charge %g is not a finite number ≥ 0", r.Place(i), p.name, place, v)
		case v >= exact && p.kind() == npz.Whole:
			return fmt.Errorf("npzio: %s: %s%s: charge %g is beyond 2^53, where floating point is not exact", r.Place(i), p.name, place, v)
		}
	}
	if math.IsInf(sum, 0) {
		return fmt.Errorf("npzio: %s: the charges sum to more than a float64 holds", r.Place(i))
	}
	return nil
}

func (r *reader) readColumns(s *wafer.Set) error {
	if len(s.Columns) != len(r.layout.columns) {
		s.Columns = make([]wafer.Column, len(r.layout.columns))
	}
	for k := range r.layout.columns {
		p, c := &r.layout.columns[k], &s.Columns[k]
		a, f := r.at(p)
		var err error
		switch p.kind() {
		case npz.Whole:
			var v []int64
			v, err = a.Ints(f, c.Int)
			*c = wafer.Column{Name: p.name, Int: v}
		case npz.Real:
			*c = wafer.Column{Name: p.name, Float: a.Floats(f, c.Float)}
		default:
			var v []string
			v, err = a.Texts(f, c.Text)
			*c = wafer.Column{Name: p.name, Text: v}
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
