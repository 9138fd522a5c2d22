package parquetio

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"barrow/hgcal"
	"barrow/internal/parquet"
	"barrow/wafer"
)

// groupRows is how many images a row group has: its pages wait in memory, packed,
// until it is full.
const groupRows = 1 << 14

// writer writes images as a Parquet file. It holds a row group's packed pages.
type writer struct {
	file    *parquet.Writer
	out     io.Writer
	dialect string
	unit    string
	order   hgcal.Order
	at      [hgcal.Cells]int // V9 cell of each charge in the file
	names   []string         // of the metadata
	kinds   []wafer.Kind
	rows    int
	part    []float64
	odd     map[string]int // texts of a column that are not UTF-8
}

var (
	_ wafer.Writer = (*writer)(nil)
	_ wafer.Loser  = (*writer)(nil)
)

// newWriter starts writing to out. The columns are those of the first set.
func newWriter(out io.Writer, s wafer.WriteSettings) (*writer, error) {
	if err := s.Order.Check(); err != nil {
		return nil, err
	}
	if err := checkDialect(s.Dialect); err != nil {
		return nil, err
	}
	return &writer{out: out, dialect: s.Dialect, unit: s.Unit, order: s.Order, at: s.Order.ToV9(), odd: map[string]int{}}, nil
}

// Write writes the images of s. The first call decides the columns and what their
// values are; a later set with other ones is an error, and so is a charge that is
// negative or not finite.
func (w *writer) Write(s *wafer.Set) error {
	if err := s.Check(); err != nil {
		return fmt.Errorf("parquetio: writing after %d images: %w", w.rows, err)
	}
	if s.Len() == 0 {
		return nil
	}
	if w.file != nil && len(s.Columns) != len(w.names) {
		return fmt.Errorf("parquetio: %d metadata columns after %d images that have %d", len(s.Columns), w.rows, len(w.names))
	}
	if w.file == nil {
		if err := w.begin(s); err != nil {
			return err
		}
	}
	for from := 0; from < s.Len(); {
		n := min(s.Len()-from, groupRows-w.rows%groupRows, 1024)
		if err := w.some(s.Slice(from, from+n)); err != nil {
			return fmt.Errorf("parquetio: writing after %d images: %w", w.rows, err)
		}
		from += n
		if w.rows += n; w.rows%groupRows == 0 {
			if err := w.file.EndGroup(); err != nil {
				return fmt.Errorf("parquetio: writing: %w", err)
			}
		}
	}
	return nil
}

// Close writes what is waiting, and the table of contents. Like reading, writing no
// images at all is an error.
func (w *writer) Close() error {
	if w.rows == 0 {
		return errors.New("parquetio: no images to write")
	}
	if err := w.file.Close(); err != nil {
		return fmt.Errorf("parquetio: writing: %w", err)
	}
	return nil
}

// begin fixes the columns by the first set.
func (w *writer) begin(s *wafer.Set) error {
	meta := map[string]string{orderKey: w.order.String()}
	if w.unit != "" {
		meta[unitKey] = w.unit
	}
	var columns []parquet.NewColumn
	if w.dialect == asColumns {
		for k := range hgcal.Cells {
			columns = append(columns, parquet.NewColumn{Name: wafer.ChargeName{Cell: k, Order: w.order}.String(), Kind: parquet.Floats})
		}
	} else {
		columns = append(columns, parquet.NewColumn{Name: wafer.ChargeName{Cell: -1, Order: w.order}.String(), Kind: parquet.Floats, List: hgcal.Cells})
	}
	for i := range s.Columns {
		c := &s.Columns[i]
		if _, charge := wafer.ParseChargeName(c.Name); charge || nearly.MatchString(c.Name) {
			return fmt.Errorf("parquetio: the metadata column %q would be read as charges; rename it, or leave it out", c.Name)
		}
		if !utf8.ValidString(c.Name) || len(c.Name) > 1<<15 {
			return fmt.Errorf("parquetio: the metadata column %.80q: no name for a column; rename it, or leave it out", c.Name)
		}
		k := c.Kind()
		w.names, w.kinds = append(w.names, c.Name), append(w.kinds, k)
		columns = append(columns, parquet.NewColumn{Name: c.Name, Kind: [...]parquet.Kind{wafer.Whole: parquet.Ints, wafer.Number: parquet.Floats, wafer.Words: parquet.Texts}[k]})
	}
	var err error
	w.file, err = parquet.NewWriter(w.out, columns, meta)
	return err
}

// some writes a few images.
func (w *writer) some(s *wafer.Set) error {
	n := s.Len()
	w.part = grown(w.part, len(s.Charge))
	next := 0
	if w.dialect == asColumns {
		for k, cell := range w.at {
			for i := range n {
				w.part[i] = s.Charge[i*hgcal.Cells+cell]
			}
			if err := w.file.Floats(k, w.part[:n]); err != nil {
				return err
			}
		}
		next = hgcal.Cells
	} else {
		for i := range n {
			image := s.Image(i)
			for k, cell := range w.at {
				w.part[i*hgcal.Cells+k] = image[cell]
			}
		}
		if err := w.file.Floats(0, w.part); err != nil {
			return err
		}
		next = 1
	}
	for j, name := range w.names {
		c := s.Column(name)
		if c == nil {
			return fmt.Errorf("the images have no metadata column %q", name)
		}
		if err := w.metadata(next+j, c, w.kinds[j]); err != nil {
			return fmt.Errorf("column %q: %w", name, err)
		}
	}
	return nil
}

// metadata writes the values of a column, which must be of the kind of the first set's.
func (w *writer) metadata(at int, c *wafer.Column, as wafer.Kind) error {
	switch {
	case c.Kind() != as:
		return fmt.Errorf("%v here, %v before: a column is of one kind", c.Kind(), as)
	case as == wafer.Words:
		return w.file.Texts(at, w.utf8(c))
	case as == wafer.Whole:
		return w.file.Ints(at, c.Int)
	}
	return w.file.Floats(at, c.Float)
}

// utf8 is a column's texts, without the bytes that other programs refuse to read.
func (w *writer) utf8(c *wafer.Column) []string {
	out := c.Text
	for i, text := range c.Text {
		if utf8.ValidString(text) {
			continue
		}
		if w.odd[c.Name]++; &out[0] == &c.Text[0] {
			out = append([]string(nil), out...)
		}
		out[i] = strings.ToValidUTF8(text, "\ufffd")
	}
	return out
}

// Lost says what columns of text cannot hold.
func (w *writer) Lost() []string {
	var lost []string
	for _, name := range w.names {
		if n := w.odd[name]; n > 0 {
			lost = append(lost, fmt.Sprintf("bytes of %d texts of %s that are not UTF-8", n, name))
		}
	}
	return lost
}
