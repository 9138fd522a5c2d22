package parquetio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"

	"barrow/hgcal"
	"barrow/internal/parquet"
	"barrow/wafer"
)

// reader reads images from a Parquet file.
type reader struct {
	name     string
	file     *parquet.File
	settings wafer.ReadSettings
	layout   *layout
	charges  []*parquet.Column // one of lists, or one a cell
	columns  []*parquet.Column // of metadata
	toV9     [hgcal.Cells]int
	rows     int64 // read
	batch    int64 // row, from 0, of the first image of the last Read
	values   parquet.Values
	numbers  []float64
}

var (
	_ wafer.Marker   = (*reader)(nil)
	_ wafer.Remarker = (*reader)(nil)
)

// newReader starts reading a file of that many bytes; name stands for it in errors.
func newReader(in io.ReaderAt, size int64, name string, s wafer.ReadSettings) (*reader, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	f, err := parquet.Open(in, size)
	if err != nil {
		return nil, fmt.Errorf("parquetio: %s: %w", name, err)
	}
	l, err := newLayout(f, s)
	if unclear := (*wafer.UnclearError)(nil); errors.As(err, &unclear) {
		unclear.Place = "parquetio: " + name
		return nil, unclear
	}
	if err == nil && f.Rows == 0 {
		err = fmt.Errorf("a table without rows: %w", wafer.ErrNoImages)
	}
	if err != nil {
		return nil, fmt.Errorf("parquetio: %s: %w", name, err)
	}
	r := &reader{name: name, file: f, settings: s, layout: l, toV9: s.Order.ToV9()}
	if l.list != nil {
		r.charges = append(r.charges, f.Column(l.list))
	}
	for _, c := range l.cells {
		r.charges = append(r.charges, f.Column(c))
	}
	for _, c := range l.columns {
		r.columns = append(r.columns, f.Column(c.leaf))
	}
	return r, nil
}

// Info is what the file says.
func (r *reader) Info() wafer.Info {
	i := wafer.Info{Format: "parquet", Order: r.settings.Order, OrderSaid: r.layout.OrderSaid, Unit: r.layout.Unit}
	for _, c := range r.layout.columns {
		i.Columns = append(i.Columns, c.name)
	}
	return i
}

// Remarks are of columns: which were taken for charges, which left out.
func (r *reader) Remarks() []string { return slices.Clone(r.layout.Remarks) }

// Place is the file and the row, from 1, of image i of the last Read.
func (r *reader) Place(i int) string { return fmt.Sprintf("%s:%d", r.name, r.batch+int64(i)+1) }

// Close frees what the reader holds.
func (r *reader) Close() error {
	for _, c := range slices.Concat(r.charges, r.columns) {
		c.Close()
	}
	return nil
}

// Read puts up to n further images into s, reusing its memory. After an error the
// images before it are lost.
func (r *reader) Read(s *wafer.Set, n int) (int, error) {
	r.batch = r.rows
	got, err := 0, error(nil)
	if n = min(n, 1<<16); r.layout.list != nil { // so many at a time need no more memory than a page
		got, err = r.lists(s, n)
	} else {
		got, err = r.cells(s, n)
	}
	if err == nil && got > 0 {
		err = r.check(s.Charge)
	}
	if err == nil && (got > 0 || n == 0) {
		err = r.metadata(s, got)
	}
	if err == io.EOF {
		return 0, err
	}
	if err != nil {
		return 0, fmt.Errorf("parquetio: %s: %w", r.name, err)
	}
	r.rows += int64(got)
	return got, nil
}

// Mark is the number of the next image.
func (r *reader) Mark() (m wafer.Mark, ok bool) { return wafer.Mark{At: r.rows}, true }

// Go goes on at a mark.
func (r *reader) Go(m wafer.Mark) error {
	if m.At < r.rows || m.At > r.file.Rows {
		return fmt.Errorf("parquetio: %s: row %d of %d", r.name, m.At, r.file.Rows)
	}
	each := 1
	if r.layout.list != nil {
		each = hgcal.Cells
	}
	for k, c := range slices.Concat(r.charges, r.columns) {
		if k == len(r.charges) {
			each = 1
		}
		if err := c.Skip(m.At-r.rows, each); err != nil {
			return fmt.Errorf("parquetio: %s: %w", r.name, err)
		}
	}
	r.rows = m.At
	return nil
}

// fail is an error in a row, from 0, of the batch.
func (r *reader) fail(row int, leaf *parquet.Leaf, format string, args ...any) error {
	return fmt.Errorf("row %d, column %s: %w", r.batch+int64(row)+1, leaf.Name(), fmt.Errorf(format, args...))
}

// listLevels are the repetition levels of a list of 48.
var listLevels = append([]byte{0}, bytes.Repeat([]byte{1}, hgcal.Cells-1)...)

// lists reads the charges of a column of lists.
func (r *reader) lists(s *wafer.Set, n int) (int, error) {
	leaf := r.layout.list
	got, err := r.charges[0].Read(&r.values, n*hgcal.Cells)
	if err != nil {
		return 0, err
	}
	rows := (got + hgcal.Cells - 1) / hgcal.Cells
	for i := range rows {
		levels := r.values.Rep[i*hgcal.Cells : min((i+1)*hgcal.Cells, got)]
		if !bytes.Equal(levels, listLevels) {
			return 0, r.badList(i, levels)
		}
	}
	if err := r.missing(leaf, got, hgcal.Cells, "a charge"); err != nil {
		return 0, err
	}
	all, err := r.asNumbers(leaf, rows)
	if err != nil {
		return 0, err
	}
	s.Charge = grown(s.Charge, got)
	if r.settings.Order == hgcal.V9 {
		copy(s.Charge, all)
		return rows, nil
	}
	for i := 0; i < got; i += hgcal.Cells {
		image, from := s.Charge[i:i+hgcal.Cells], all[i:i+hgcal.Cells]
		for k, v := range from {
			image[r.toV9[k]] = v
		}
	}
	return rows, nil
}

// badList says what is wrong with the list of a row, which has other levels than one
// of 48.
func (r *reader) badList(row int, levels []byte) error {
	leaf := r.layout.list
	at := row * hgcal.Cells
	if levels[0] != 0 {
		return r.fail(row-1, leaf, "the list has more than %d values", hgcal.Cells)
	}
	n := 1
	for n < len(levels) && levels[n] != 0 {
		n++
	}
	if n == 1 && len(r.values.Def) > at && int(r.values.Def[at]) < leaf.Def {
		return r.fail(row, leaf, "the list is empty or missing; want %d values", hgcal.Cells)
	}
	return r.fail(row, leaf, "the list has %d values; want %d", n, hgcal.Cells)
}

// missing is an error where entries have no value; a row is so many of them.
func (r *reader) missing(leaf *parquet.Leaf, entries, row int, what string) error {
	if len(r.values.Def) == 0 {
		return nil
	}
	for i, d := range r.values.Def[:entries] {
		if int(d) < leaf.Def {
			return r.fail(i/row, leaf, "%s is missing", what)
		}
	}
	return nil
}

// asNumbers gives the values that were read, of so many rows, as numbers, until the
// next call.
func (r *reader) asNumbers(leaf *parquet.Leaf, rows int) ([]float64, error) {
	all, err := numbers(r.numbers, leaf, &r.values)
	if err != nil {
		return nil, fmt.Errorf("rows %d to %d, column %s: %w", r.batch+1, r.batch+int64(rows), leaf.Name(), err)
	}
	if len(r.values.Float) == 0 {
		r.numbers = all
	}
	return all, nil
}

// cells reads the charges of 48 columns.
func (r *reader) cells(s *wafer.Set, n int) (int, error) {
	rows := 0
	for k, c := range r.charges {
		leaf := r.layout.cells[k]
		got, err := c.Read(&r.values, n)
		if err != nil {
			return 0, err
		}
		if k == 0 {
			rows = got
			s.Charge = grown(s.Charge, rows*hgcal.Cells)
		} else if got != rows {
			return 0, r.fail(min(got, rows), leaf, "%d rows where column %s has %d", got, r.layout.cells[0].Name(), rows)
		}
		if err := r.missing(leaf, got, 1, "a charge"); err != nil {
			return 0, err
		}
		all, err := r.asNumbers(leaf, rows)
		if err != nil {
			return 0, err
		}
		at := r.toV9[k]
		for _, v := range all {
			s.Charge[at] = v
			at += hgcal.Cells
		}
	}
	return rows, nil
}

// check holds charges to what they may be, and makes -0 of them 0.
func (r *reader) check(charge []float64) error {
	for i := 0; i < len(charge); i += hgcal.Cells {
		sum := 0.0
		for k, v := range charge[i : i+hgcal.Cells] {
			if !(v >= 0 && v <= math.MaxFloat64) {
				return r.badCharge(i/hgcal.Cells, k, v)
			}
			charge[i+k] = v + 0
			sum += v
		}
		if sum > math.MaxFloat64 {
			return fmt.Errorf("row %d: the charges sum to more than a float64 holds", r.batch+int64(i/hgcal.Cells)+1)
		}
	}
	return nil
}

func (r *reader) badCharge(row, v9 int, v float64) error {
	what := "is not a finite number"
	if v < 0 && v >= -math.MaxFloat64 {
		what = "is negative"
	}
	k := slices.Index(r.toV9[:], v9)
	if r.layout.list != nil {
		return r.fail(row, r.layout.list, "charge %d of the list, %g, %s", k, v, what)
	}
	return r.fail(row, r.layout.cells[k], "charge %g %s", v, what)
}

// metadata reads the other columns.
func (r *reader) metadata(s *wafer.Set, n int) error {
	if len(s.Columns) != len(r.columns) {
		s.Columns = make([]wafer.Column, len(r.columns))
	}
	for j, c := range r.columns {
		to := r.layout.columns[j]
		if n == 0 {
			s.Columns[j] = wafer.Column{Name: to.name}
			continue
		}
		got, err := c.Read(&r.values, n)
		if err != nil && err != io.EOF {
			return err
		}
		if got != n {
			return r.fail(got, to.leaf, "the column ends here, the charges do not")
		}
		if err := r.take(&s.Columns[j], to, n); err != nil {
			return err
		}
	}
	return nil
}

// take makes n values of the column that was read.
func (r *reader) take(c *wafer.Column, from column, n int) error {
	c.Name = from.name
	leaf, def := from.leaf, r.values.Def
	switch from.kind {
	case whole:
		if err := r.missing(leaf, n, 1, "a whole number"); err != nil {
			return fmt.Errorf("%w, and the file does not say so in advance", err)
		}
		ints, at := wholes(c.Int[:0], leaf, r.values.Int)
		if at >= 0 {
			return r.fail(at, leaf, "%d is more than an int64 holds", uint64(r.values.Int[at]))
		}
		c.Float, c.Int, c.Text = nil, ints, nil
	case real:
		all, err := r.asNumbers(leaf, n)
		if err != nil {
			return err
		}
		if i := slices.IndexFunc(r.values.Int, inexact); i >= 0 && leaf.Logical.Meaning != parquet.Decimal {
			return fmt.Errorf("column %s: %d, in or after row %d, has no exact float64, and numbers of the column are missing", leaf.Name(), r.values.Int[i], r.batch+int64(i)+1)
		}
		floats := append(c.Float[:0], all...)
		c.Float, c.Int, c.Text = spread(floats, def, leaf.Def, n, math.NaN()), nil, nil
	case words:
		texts, err := texts(c.Text[:0], leaf, &r.values)
		if err != nil {
			return fmt.Errorf("rows %d to %d, column %s: %w", r.batch+1, r.batch+int64(n), leaf.Name(), err)
		}
		c.Float, c.Int, c.Text = nil, nil, spread(texts, def, leaf.Def, n, "")
	}
	return nil
}

// inexact is a whole number that a float64 cannot hold for sure.
func inexact(v int64) bool { return v > 1<<53 || v < -1<<53 }

// spread puts a value in place of each of n entries that is missing.
func spread[T any](have []T, def []uint8, greatest, n int, missing T) []T {
	k := len(have)
	if k == n {
		return have
	}
	have = slices.Grow(have, n-k)[:n]
	for i := n - 1; i >= 0; i-- {
		if int(def[i]) == greatest {
			k--
			have[i] = have[k]
		} else {
			have[i] = missing
		}
	}
	return have
}

func grown(s []float64, n int) []float64 { return slices.Grow(s[:0], n)[:n] }
