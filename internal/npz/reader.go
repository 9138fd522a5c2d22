package npz

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// A Reader reads one array, row by row along its first axis.
type Reader struct {
	// Shape is the array's, with the number of rows in front; none for a single item.
	Shape []int
	// Fields are what Next reads of every row: one without a name, or those of a record.
	Fields []Field
	// Behind is how many bytes follow the array, which NumPy does not look at.
	Behind int64

	head   *head
	source source
	where  string
	raw    io.Closer
	in     *bufio.Reader
	turned *turned // for items in Fortran order

	next, first, got int    // next row, first of those at hand, their number
	block            []byte // the rows at hand
	buf, field, swap []byte
	text             []byte // of Texts, end to end
	ends             []int  // where each ends
}

// source is where the bytes of an array are from.
type source struct {
	open func() (io.ReadCloser, error)
	at   io.ReaderAt // nil where they are compressed
	size int64
}

// maxBuffer is what is read at once where rows are asked for singly.
const maxBuffer = 1 << 16

// NewReader begins to read an array that is the first size bytes of in. Errors begin
// with where.
func NewReader(in io.ReaderAt, size int64, where string) (*Reader, error) {
	section := io.NewSectionReader(in, 0, size)
	return newReader(source{func() (io.ReadCloser, error) { return io.NopCloser(section), nil }, in, size}, where)
}

func newReader(src source, where string) (*Reader, error) {
	raw, err := src.open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	r := &Reader{source: src, where: where, raw: raw, in: bufio.NewReaderSize(raw, int(min(src.size, maxBuffer)))}
	if r.head, err = readHeader(r.in, src.size); err != nil {
		raw.Close()
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	r.Shape, r.Fields = r.head.shape, r.head.fields
	if !r.Pickled() {
		r.Behind = src.size - r.head.length - int64(r.Rows())*int64(r.head.row)
	}
	if r.head.fortran && !r.head.record && r.Fields[0].Len() > 1 {
		r.turned = &turned{}
	}
	return r, nil
}

// Rows is the length of the first axis; a single item is one row.
func (r *Reader) Rows() int { return r.head.rows() }

// RowSize is how many bytes a row has.
func (r *Reader) RowSize() int { return r.head.row }

// Dims is the shape as Python writes it: (5, 48).
func (r *Reader) Dims() string { return tuple(r.Shape) }

// Type is that of the items, "" of records.
func (r *Reader) Type() Type {
	if r.head.record {
		return ""
	}
	return r.Fields[0].Type
}

// Pickled reports whether items, or parts of them, are objects, which only Python
// reads: then there is nothing to read but the header.
func (r *Reader) Pickled() bool {
	return slices.ContainsFunc(r.Fields, func(f Field) bool { return f.Type.Object() })
}

// Next reads up to n further rows, for Floats, Ints and Texts, and returns how many;
// behind the last one io.EOF.
func (r *Reader) Next(n int) (int, error) {
	n = min(n, r.Rows()-r.next)
	r.first, r.got = r.next, 0
	if n <= 0 {
		return 0, io.EOF
	}
	if r.Pickled() {
		return 0, fmt.Errorf("%s: %w: objects of Python", r.where, ErrUnread)
	}
	var err error
	if r.turned != nil {
		err = r.turned.next(r, n)
	} else {
		need := n * r.head.row
		r.buf = slices.Grow(r.buf[:0], need)[:need]
		r.block = r.buf
		_, err = io.ReadFull(r.in, r.block)
	}
	if err == nil && r.next+n == r.Rows() {
		err = r.end()
	}
	if err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			err = errors.New("the file is cut off")
		}
		return 0, fmt.Errorf("%s: rows %d to %d: %w", r.where, r.next, r.next+n-1, err)
	}
	r.next, r.got = r.next+n, n
	return n, nil
}

// Skip passes over n rows, which there are: what is compressed is unpacked up to there, of other
// arrays nothing is read. An archive's checksum is compared only where all rows are read.
func (r *Reader) Skip(n int) error {
	if n < 0 || n > r.Rows()-r.next {
		return fmt.Errorf("%s: row %d of %d", r.where, r.next+n, r.Rows())
	}
	r.next += n
	switch {
	case n == 0:
	case r.turned != nil:
		r.turned.left = max(0, r.turned.left-n)
	case r.source.at != nil:
		at := r.head.length + int64(r.next)*int64(r.head.row)
		r.in.Reset(io.NewSectionReader(r.source.at, at, r.source.size-at))
	default:
		if _, err := io.CopyN(io.Discard, r.in, int64(n)*int64(r.head.row)); err != nil {
			return fmt.Errorf("%s: row %d: %w", r.where, r.next, err)
		}
	}
	return nil
}

// end reads on behind the last row: an archive's checksum is compared there.
func (r *Reader) end() error {
	if r.turned != nil || r.Behind > 0 {
		return nil
	}
	if _, err := r.in.ReadByte(); err != nil && err != io.EOF {
		return err
	}
	return nil
}

// bytes are the items of a field in the rows at hand, one after the other, and
// little-endian.
func (r *Reader) bytes(f *Field) []byte {
	b := r.block[:r.got*r.head.row]
	if f.size != r.head.row {
		r.field = slices.Grow(r.field[:0], r.got*f.size)
		for at := f.offset; at < len(b); at += r.head.row {
			r.field = append(r.field, b[at:at+f.size]...)
		}
		b = r.field
	}
	if big, _, _ := f.Type.parts(); big {
		r.swap = f.Type.swapped(r.swap, b)
		return r.swap
	}
	return b
}

// Floats are the items of a field of kind Whole or Real in the rows at hand, row after
// row, in the memory of dst where that is enough.
func (r *Reader) Floats(f *Field, dst []float64) []float64 {
	n := r.got * f.Len()
	dst = slices.Grow(dst[:0], n)[:n]
	f.Type.floats(dst, r.bytes(f))
	return dst
}

// Ints is Floats for the kind Whole, exactly; truth values are 0 and 1. A number
// beyond 2⁶³−1 is an error.
func (r *Reader) Ints(f *Field, dst []int64) ([]int64, error) {
	n := r.got * f.Len()
	dst = slices.Grow(dst[:0], n)[:n]
	if k := f.Type.ints(dst, r.bytes(f)); k >= 0 {
		return nil, r.fail(f, k, fmt.Errorf("%d is beyond the largest whole number here, 2^63-1; save the array as text, with astype(str), or as floating point", uint64(dst[k])))
	}
	return dst, nil
}

// Texts is Floats for the kind Words.
func (r *Reader) Texts(f *Field, dst []string) ([]string, error) {
	n := r.got * f.Len()
	dst = slices.Grow(dst[:0], n)[:n]
	if k, err := r.texts(f.Type, dst, r.bytes(f)); err != nil {
		return nil, r.fail(f, k, err)
	}
	return dst, nil
}

// fail is an error about item k of those at hand.
func (r *Reader) fail(f *Field, k int, err error) error {
	place := fmt.Sprintf("%s[%d]", r.where, r.first+k/f.Len())
	if f.Name != "" {
		place += fmt.Sprintf("[%q]", f.Name)
	}
	return fmt.Errorf("%s: %w", place, err)
}

// All reads the numbers of a whole array.
func (r *Reader) All() ([]float64, error) {
	f := &r.Fields[0]
	if k := f.Type.Kind(); k != Whole && k != Real || r.Pickled() {
		return nil, fmt.Errorf("%s: items of type %v; want numbers", r.where, f.Type)
	}
	out := make([]float64, 0, r.Rows()*f.Len())
	var part []float64
	for {
		_, err := r.Next(max(1, maxBuffer/max(1, r.head.row)))
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		part = r.Floats(f, part)
		out = append(out, part...)
	}
}

// Close ends reading.
func (r *Reader) Close() error {
	err := r.raw.Close()
	if r.turned != nil {
		err = errors.Join(err, r.turned.close())
	}
	return err
}

// turned reads items in Fortran order, column after column, as rows: a piece of every
// column at a time. What is compressed is unpacked to a temporary file.
type turned struct {
	at      io.ReaderAt
	data    int64 // where the first column begins
	spool   *os.File
	columns []int // per item of a row the column that it is of
	column  []byte
	rows    []byte // whole ones
	left    int    // rows not yet given
}

// pieceBytes is how much is turned at a time, maxColumns how many pieces that may be.
const (
	pieceBytes = 1 << 20
	maxColumns = 1 << 12
)

// next has n rows, which there are, as r.block.
func (t *turned) next(r *Reader, n int) error {
	if t.at == nil {
		if err := t.open(r); err != nil {
			return err
		}
	}
	if t.left < n {
		if err := t.turn(r, n); err != nil {
			return err
		}
	}
	from := len(t.rows) - t.left*r.head.row
	r.block = t.rows[from : from+n*r.head.row]
	t.left -= n
	return nil
}

func (t *turned) open(r *Reader) error {
	shape := r.Fields[0].Shape
	width := r.Fields[0].Len()
	if width > maxColumns {
		return fmt.Errorf("%w: rows of %d items in Fortran order; save it as numpy.ascontiguousarray(a)", ErrUnread, width)
	}
	t.columns = make([]int, width)
	for c := range t.columns {
		step, rest := width, c
		at, stride := 0, 1
		for _, n := range shape {
			step /= n
			at += rest / step * stride
			rest, stride = rest%step, stride*n
		}
		t.columns[c] = at
	}
	if r.source.at != nil {
		t.at, t.data = r.source.at, r.head.length
		return nil
	}
	var err error
	if t.spool, err = os.CreateTemp("", "barrow-*"); err != nil {
		return fmt.Errorf("no place to unpack it to: %w", err)
	}
	if _, err := io.CopyN(t.spool, r.in, int64(r.Rows())*int64(r.head.row)); err != nil {
		return err
	}
	if r.Behind == 0 {
		if _, err := r.in.ReadByte(); err != nil && err != io.EOF { // the checksum
			return err
		}
	}
	t.at = t.spool
	return nil
}

// turn makes rows of the next piece of every column, behind those that are left, so
// that there are n or more.
func (t *turned) turn(r *Reader, n int) error {
	row, size := r.head.row, r.head.row/len(t.columns)
	first := r.next + t.left
	more := min(r.Rows()-first, max(n-t.left, pieceBytes/row))
	kept := copy(t.rows, t.rows[len(t.rows)-t.left*row:])
	t.rows = slices.Grow(t.rows[:kept], more*row)[:kept+more*row]
	t.column = slices.Grow(t.column[:0], more*size)[:more*size]
	for c, column := range t.columns {
		at := t.data + (int64(column)*int64(r.Rows())+int64(first))*int64(size)
		if k, err := t.at.ReadAt(t.column, at); k < len(t.column) {
			return err
		}
		scatter(t.rows[kept+c*size:], t.column, row, size)
	}
	t.left += more
	return nil
}

// scatter puts items of a column into rows.
func scatter(rows, column []byte, row, size int) {
	switch size {
	case 8:
		for at := 0; len(column) >= 8; at += row {
			*(*[8]byte)(rows[at:]) = *(*[8]byte)(column)
			column = column[8:]
		}
	case 4:
		for at := 0; len(column) >= 4; at += row {
			*(*[4]byte)(rows[at:]) = *(*[4]byte)(column)
			column = column[4:]
		}
	default:
		for at := 0; len(column) > 0; at += row {
			copy(rows[at:at+size], column[:size])
			column = column[size:]
		}
	}
}

func (t *turned) close() error {
	if t.spool == nil {
		return nil
	}
	err := errors.Join(t.spool.Close(), os.Remove(t.spool.Name()))
	t.spool = nil
	return err
}
