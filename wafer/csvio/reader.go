package csvio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"barrow/hgcal"
	"barrow/wafer"
)

// Options says how to read or write. The zero value is V9 order and, for
// writing, the Header dialect.
type Options struct {
	// Order is the numbering of the charges in the file.
	Order hgcal.Order
	// Dialect is the layout to write; readers tell it by themselves.
	Dialect Dialect
	// Digits, if positive, writes charges with this many digits behind the
	// decimal point, as the dumps of the training scripts have them ("%.12f" is
	// 12). At 0 they are written in the shortest form that reads back the same.
	Digits int
}

// Reader reads images from a stream of CSV, in memory that does not grow with
// the stream.
type Reader struct {
	name   string
	lines  lines
	layout *layout
	held   []byte // the first row of images, taken while opening
	hold   bool
	closer io.Closer

	texts []byte // the metadata of a batch, end to end
	ends  []int  // where each of its fields ends
}

var _ wafer.Reader = (*Reader)(nil)

// NewReader starts reading; name stands for the stream in errors. It reads the
// first rows, so that an empty or foreign stream is an error at once.
func NewReader(in io.Reader, name string, o Options) (*Reader, error) {
	r := &Reader{name: name, lines: lines{in: in, buf: make([]byte, 256<<10)}}
	row, err := r.next()
	if err == io.EOF {
		return nil, fmt.Errorf("csvio: %s: empty: no images", name)
	}
	if err != nil {
		return nil, err
	}
	row = bytes.TrimPrefix(row, []byte("\ufeff"))
	fields, err := split(nil, row)
	if err != nil {
		return nil, r.fail(0, err)
	}
	names := make([]string, len(fields))
	for j, f := range fields {
		names[j] = string(f)
	}
	if r.layout, err = newLayout(names, o.Order); err != nil {
		return nil, r.fail(0, err)
	}
	if r.layout.header {
		if row, err = r.next(); err == io.EOF {
			return nil, fmt.Errorf("csvio: %s: a header and no images", name)
		}
	}
	r.held, r.hold = row, true
	return r, err
}

// Open opens a file, or standard input for "-".
func Open(path string, o Options) (*Reader, error) {
	if path == "-" {
		return NewReader(os.Stdin, "standard input", o)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("csvio: %w", err)
	}
	r, err := NewReader(f, path, o)
	if err != nil {
		f.Close()
		return nil, err
	}
	r.closer = f
	return r, nil
}

// ReadFile reads all images of a file, or of standard input for "-".
func ReadFile(path string, o Options) (*wafer.Set, error) {
	r, err := Open(path, o)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return wafer.ReadAll(r)
}

// Close closes the file that Open opened.
func (r *Reader) Close() error {
	if r.closer == nil {
		return nil
	}
	return r.closer.Close()
}

// Metadata returns the names of the metadata columns.
func (r *Reader) Metadata() []string { return slices.Clone(r.layout.meta) }

// Read puts up to n further images into s, reusing its memory. Metadata is text,
// as it stands in the file. After an error the images before it are lost.
func (r *Reader) Read(s *wafer.Set, n int) (int, error) {
	s.Charge = slices.Grow(s.Charge[:0], n*hgcal.Cells)
	r.texts, r.ends = r.texts[:0], r.ends[:0]
	got := 0
	for ; got < n; got++ {
		line, err := r.held, error(nil)
		if r.hold {
			r.hold = false
		} else if line, err = r.next(); err == io.EOF {
			break
		} else if err != nil {
			return 0, err
		}
		s.Charge = s.Charge[:(got+1)*hgcal.Cells]
		if err := r.parse(s.Charge[got*hgcal.Cells:], line); err != nil {
			return 0, err
		}
	}
	if got == 0 && n > 0 {
		return 0, io.EOF
	}
	r.setColumns(s, got)
	return got, nil
}

// setColumns turns the collected metadata of got rows into columns. The text
// of a batch is one string that all its fields share.
func (r *Reader) setColumns(s *wafer.Set, got int) {
	m := len(r.layout.meta)
	if len(s.Columns) != m {
		s.Columns = make([]wafer.Column, m)
	}
	all := string(r.texts)
	for k, name := range r.layout.meta {
		text := slices.Grow(s.Columns[k].Text[:0], got)[:got]
		for i := range text {
			from := 0
			if at := i*m + k; at > 0 {
				from = r.ends[at-1]
			}
			text[i] = all[from:r.ends[i*m+k]]
		}
		s.Columns[k] = wafer.Column{Name: name, Text: text}
	}
}

// next returns the next line that is not empty, or io.EOF.
func (r *Reader) next() ([]byte, error) {
	line, err := r.lines.next()
	if err != nil && err != io.EOF {
		return nil, r.fail(0, err)
	}
	if err == nil && len(bytes.TrimSpace(line)) == 0 {
		empty := r.lines.row
		for err == nil && len(bytes.TrimSpace(line)) == 0 {
			line, err = r.lines.next()
		}
		if err == nil {
			r.lines.row = empty
			return nil, r.fail(0, errors.New("empty row"))
		}
		if err != io.EOF {
			return nil, r.fail(0, err)
		}
	}
	return line, err
}

// fail says where an error is: file, row and, if it has one, column, from 1.
func (r *Reader) fail(column int, err error) error {
	if column > 0 {
		return fmt.Errorf("csvio: %s:%d:%d: %w", r.name, r.lines.row, column, err)
	}
	return fmt.Errorf("csvio: %s:%d: %w", r.name, r.lines.row, err)
}

// parse reads one row: the charges into image, in V9 order, the metadata onto
// the batch's.
func (r *Reader) parse(image []float64, line []byte) error {
	if bytes.IndexByte(line, '"') >= 0 {
		return r.parseQuoted(image, line)
	}
	sum := 0.0
	field := r.layout.field
	at, j := 0, 0
	for ; j < len(field) && at <= len(line); j++ {
		cell := field[j]
		if cell < 0 {
			end := fieldEnd(line, at)
			r.texts = append(r.texts, bytes.TrimSpace(line[at:end])...)
			r.ends = append(r.ends, len(r.texts))
			at = end + 1
			continue
		}
		// Whole numbers, by far the most frequent, in one pass.
		end, v := at, uint64(0)
		for end < len(line) && line[end]-'0' <= 9 {
			v = v*10 + uint64(line[end]-'0')
			end++
		}
		charge := float64(v)
		if digits := end - at; digits == 0 || digits > 15 || end < len(line) && line[end] != ',' {
			end = fieldEnd(line, at)
			var err error
			if charge, err = parseCharge(bytes.TrimSpace(line[at:end])); err != nil {
				return r.badCharge(j, line[at:end], err)
			}
		}
		image[cell] = charge
		sum += charge
		at = end + 1
	}
	if j < len(field) || at <= len(line) {
		return r.badWidth(bytes.Count(line, []byte(",")) + 1)
	}
	return r.checkSum(sum)
}

func fieldEnd(line []byte, at int) int {
	if n := bytes.IndexByte(line[at:], ','); n >= 0 {
		return at + n
	}
	return len(line)
}

// parseQuoted is parse for rows with quotation marks.
func (r *Reader) parseQuoted(image []float64, line []byte) error {
	fields, err := split(nil, line)
	if err != nil {
		return r.fail(0, err)
	}
	if len(fields) != len(r.layout.field) {
		return r.badWidth(len(fields))
	}
	sum := 0.0
	for j, f := range fields {
		cell := r.layout.field[j]
		if cell < 0 {
			r.texts = append(r.texts, f...)
			r.ends = append(r.ends, len(r.texts))
			continue
		}
		if image[cell], err = parseCharge(f); err != nil {
			return r.badCharge(j, f, err)
		}
		sum += image[cell]
	}
	return r.checkSum(sum)
}

func (r *Reader) checkSum(sum float64) error {
	if math.IsInf(sum, 0) {
		return r.fail(0, errors.New("the charges sum to more than a float64 holds"))
	}
	return nil
}

func (r *Reader) badWidth(n int) error {
	return r.fail(0, fmt.Errorf("%d columns where the first row has %d", n, len(r.layout.field)))
}

func (r *Reader) badCharge(j int, field []byte, err error) error {
	if err == errMissing {
		return r.fail(j+1, err)
	}
	const long = 40
	if len(field) > long {
		field = append(field[:long:long], "…"...)
	}
	return r.fail(j+1, fmt.Errorf("charge %q %w", bytes.TrimSpace(field), err))
}

// FirstRow returns the row of the stream, from 1, that holds the first image:
// the images follow each other without gaps, so a caller can name the row of
// any of them.
func (r *Reader) FirstRow() int {
	if r.layout.header {
		return 2
	}
	return 1
}
