package hdf5io

import (
	"fmt"
	"io"
	"slices"

	"barrow/hgcal"
	"barrow/internal/h5"
	"barrow/wafer"
	"barrow/wafer/internal/arrays"
)

// reader reads the images of a table, in memory that does not grow with the file.
type reader struct {
	file    *file
	layout  *layout
	sources map[*h5.Dataset]*source
	order   []*source
	cells   [hgcal.Cells]int // V9 cell of each charge in the file
	most    int              // rows at a time
	next    int              // row
	first   int              // of the last Read
	numbers []float64
}

// A source is a dataset that is read, and its rows at hand.
type source struct {
	dataset *h5.Dataset
	rows    *h5.Rows
	raw     []byte
}

var (
	_ wafer.Marker   = (*reader)(nil)
	_ wafer.Remarker = (*reader)(nil)
)

// maxBatch bounds the bytes of rows that are read at a time.
const maxBatch = 1 << 25

func newReader(f *file, l *layout) (*reader, error) {
	r := &reader{file: f, layout: l, sources: map[*h5.Dataset]*source{}, cells: l.Order.ToV9()}
	size := 0
	for _, p := range slices.Concat(l.charges, l.columns) {
		if r.sources[p.dataset] != nil {
			continue
		}
		rows, err := p.dataset.Rows()
		if err != nil {
			return nil, fmt.Errorf("hdf5io: %s: %w", f.name, err)
		}
		s := &source{dataset: p.dataset, rows: rows}
		r.sources[p.dataset], r.order = s, append(r.order, s)
		size += rows.Size()
	}
	r.most = max(1, maxBatch/size)
	return r, nil
}

// Info says what names and attributes tell.
func (r *reader) Info() wafer.Info {
	info := wafer.Info{Format: "hdf5", Order: r.layout.Order, OrderSaid: r.layout.OrderSaid, Unit: r.layout.Unit}
	for _, p := range r.layout.columns {
		info.Columns = append(info.Columns, p.name)
	}
	return info
}

// Remarks say what of the table is left out.
func (r *reader) Remarks() []string { return slices.Clone(r.layout.Remarks) }

// Place is the file and the number of the row, from 1, of image i of the last Read.
func (r *reader) Place(i int) string { return fmt.Sprintf("%s:%d", r.file.name, r.first+i+1) }

// Close does nothing: the file is the caller's.
func (r *reader) Close() error { return nil }

// Read puts up to n further images into s, reusing its memory. After an error the
// images before it are lost.
func (r *reader) Read(s *wafer.Set, n int) (int, error) {
	n = min(n, r.most, r.layout.Rows-r.next)
	r.first = r.next
	s.Charge = s.Charge[:0]
	if n <= 0 {
		return 0, io.EOF
	}
	for _, src := range r.order {
		var err error
		if src.raw, err = src.rows.Read(src.raw, r.next, n); err != nil {
			return 0, fmt.Errorf("hdf5io: %s: rows %d to %d: %w", r.file.name, r.next+1, r.next+n, err)
		}
	}
	s.Charge = slices.Grow(s.Charge, n*hgcal.Cells)[:n*hgcal.Cells]
	r.charges(s.Charge)
	if err := r.check(s.Charge); err != nil {
		return 0, err
	}
	if err := r.columns(s, n); err != nil {
		return 0, err
	}
	r.next += n
	return n, nil
}

// Mark is the number of the next image.
func (r *reader) Mark() (m wafer.Mark, ok bool) { return wafer.Mark{At: int64(r.next)}, true }

// Go goes on at a mark.
func (r *reader) Go(m wafer.Mark) error {
	if m.At < int64(r.next) || m.At > int64(r.layout.Rows) {
		return fmt.Errorf("hdf5io: %s: row %d of %d", r.file.name, m.At, r.layout.Rows)
	}
	r.next = int(m.At)
	return nil
}

// at is where a part is in the rows at hand, and how far apart they are.
func (r *reader) at(p *part) (raw []byte, stride int) {
	s := r.sources[p.dataset]
	return s.raw[p.offset:], s.rows.Size()
}

// charges decodes the images at hand.
func (r *reader) charges(out []float64) {
	if len(r.layout.charges) == 1 {
		p := r.layout.charges[0]
		raw, stride := r.at(p)
		var image [hgcal.Cells]float64
		for i := 0; i < len(out); i += hgcal.Cells {
			p.typ.Floats(image[:], raw[i/hgcal.Cells*stride:], p.typ.Size)
			for j, v := range image {
				out[i+r.cells[j]] = v
			}
		}
		return
	}
	r.numbers = slices.Grow(r.numbers[:0], len(out)/hgcal.Cells)[:len(out)/hgcal.Cells]
	for j, p := range r.layout.charges {
		raw, stride := r.at(p)
		p.typ.Floats(r.numbers, raw, stride)
		for i, v := range r.numbers {
			out[i*hgcal.Cells+r.cells[j]] = v
		}
	}
}

// check reports charges that are none.
func (r *reader) check(charge []float64) error {
	return arrays.Check(charge, &r.cells, func(i, j int) (string, bool) {
		place := "hdf5io: " + r.Place(i)
		if j < 0 {
			return place, false
		}
		p, index := r.layout.charges[0], fmt.Sprintf("[%d, %d]", r.first+i, j)
		if len(r.layout.charges) > 1 {
			p, index = r.layout.charges[j], fmt.Sprintf("[%d]", r.first+i)
		}
		return fmt.Sprintf("%s: %s%s", place, r.layout.table.path(p), index), p.typ.Whole()
	})
}

// columns decodes the metadata of n rows.
func (r *reader) columns(s *wafer.Set, n int) error {
	if len(s.Columns) != len(r.layout.columns) {
		s.Columns = make([]wafer.Column, len(r.layout.columns))
	}
	for k, p := range r.layout.columns {
		raw, stride := r.at(p)
		c := &s.Columns[k]
		switch {
		case p.typ.Words():
			text, err := p.dataset.Strings(p.typ, n, raw, stride)
			if err != nil {
				return fmt.Errorf("hdf5io: %s: rows %d to %d of %s: %w", r.file.name, r.first+1, r.first+n, r.layout.table.path(p), err)
			}
			*c = wafer.Column{Name: p.name, Text: text}
		case p.perSecond > 0:
			v, text := make([]int64, n), make([]string, n)
			p.typ.Ints(v, raw, stride)
			for i := range v {
				text[i] = p.text(v[i])
			}
			*c = wafer.Column{Name: p.name, Text: text}
		case p.typ.Whole():
			v := slices.Grow(c.Int[:0], n)[:n]
			if bad := p.typ.Ints(v, raw, stride); bad >= 0 {
				return fmt.Errorf("hdf5io: %s: %s[%d]: %d is beyond what 64 bits with a sign hold", r.Place(bad), r.layout.table.path(p), r.first+bad, uint64(v[bad]))
			}
			*c = wafer.Column{Name: p.name, Int: v}
		default:
			v := slices.Grow(c.Float[:0], n)[:n]
			p.typ.Floats(v, raw, stride)
			*c = wafer.Column{Name: p.name, Float: v}
		}
	}
	return nil
}
