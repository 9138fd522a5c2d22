package csvio

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"

	"barrow/hgcal"
	"barrow/internal/lines"
	"barrow/wafer"
)

// maxRow bounds the length of a row.
const maxRow = 1 << 20

// Reader reads images from a stream of CSV, in memory that does not grow with
// the stream.
type Reader struct {
	name     string
	settings wafer.ReadSettings
	lines    *lines.Reader
	layout   *layout
	field    []int // per column the V9 cell, or what the layout says
	sep      byte
	held     [][]byte // rows taken while opening
	after    error    // what ended them
	row      int      // of the last image read
	batch    int      // of the first image of the last Read
	dropped  int      // row of the image that wafer.QuirkFirstRow left out, 0 for none

	texts []byte // the metadata of a batch, end to end
	ends  []int  // where each of its fields ends
}

var (
	_ wafer.Marker   = (*Reader)(nil)
	_ wafer.Remarker = (*Reader)(nil)
)

// NewReader starts reading; name stands for the stream in errors. It reads the
// first rows, so that an empty or foreign stream is an error at once.
func NewReader(in io.Reader, name string, s wafer.ReadSettings) (*Reader, error) {
	if err := s.Check(); err != nil {
		return nil, err
	}
	r := &Reader{name: name, settings: s}
	var err error
	if r.lines, err = lines.New(in, maxRow); err != nil {
		return nil, fmt.Errorf("csvio: %s:1: %w", name, err)
	}
	t, err := sample(r)
	if err != nil {
		return nil, err
	}
	if r.layout, err = t.layout(); err != nil {
		place := fmt.Sprintf("csvio: %s:%d", name, r.row+1)
		if unclear := (*wafer.UnclearError)(nil); errors.As(err, &unclear) {
			unclear.Place = place
			return nil, unclear
		}
		return nil, fmt.Errorf("%s: %w", place, err)
	}
	if r.layout.header {
		r.held = r.held[1:]
		r.row++
		if len(r.held) == 0 {
			if r.after != io.EOF {
				return nil, r.after
			}
			return nil, fmt.Errorf("csvio: %s: a header and %w", name, wafer.ErrNoImages)
		}
	}
	if !r.layout.header && s.Quirk(wafer.QuirkFirstRow) {
		r.held = r.held[1:]
		r.row++
		r.dropped = r.row
	}
	r.batch = r.row + 1
	toV9 := s.Order.ToV9()
	r.field = slices.Clone(r.layout.field)
	for j, f := range r.field {
		if f >= 0 {
			r.field[j] = toV9[f]
		}
	}
	return r, nil
}

// countLines is how many rows the stream has, so far as it takes no more than
// what a transposed table has. What it reads is held.
func (r *Reader) countLines() int {
	for r.after == nil && len(r.held) < 2*hgcal.Cells {
		line, err := r.next()
		if err != nil {
			r.after = err
			break
		}
		r.held = append(r.held, bytes.Clone(line))
	}
	return len(r.held)
}

// Close does nothing: the stream is the caller's.
func (r *Reader) Close() error { return nil }

// Info says what the header tells.
func (r *Reader) Info() wafer.Info {
	return wafer.Info{Format: "csv", Order: r.settings.Order, OrderSaid: r.layout.said, Columns: slices.Clone(r.layout.names)}
}

// Remarks say which image was left out on demand.
func (r *Reader) Remarks() []string {
	if r.dropped == 0 {
		return nil
	}
	return []string{fmt.Sprintf("row %d is left out, as readers do that take it for a header", r.dropped)}
}

// Place is the file and the row, from 1, of image i of the last Read.
func (r *Reader) Place(i int) string { return fmt.Sprintf("%s:%d", r.name, r.batch+i) }

// Read puts up to n further images into s, reusing its memory. Metadata is text,
// as it stands in the file. After an error the images before it are lost.
func (r *Reader) Read(s *wafer.Set, n int) (int, error) {
	s.Charge = slices.Grow(s.Charge[:0], n*hgcal.Cells)
	r.texts, r.ends = r.texts[:0], r.ends[:0]
	r.batch = r.row + 1
	got := 0
	for ; got < n; got++ {
		line, err := r.line()
		if err == io.EOF {
			break
		} else if err != nil {
			return 0, err
		}
		r.row++
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

// Mark is the byte at which the next row begins, and the rows before it; there is none as long as
// rows are taken that were looked at while opening.
func (r *Reader) Mark() (m wafer.Mark, ok bool) {
	return wafer.Mark{At: r.lines.Offset(), Sub: r.row}, len(r.held) == 0 && r.after == nil
}

// Go goes on at a mark.
func (r *Reader) Go(m wafer.Mark) error {
	if r.after != nil {
		return r.after
	}
	r.held = nil
	if err := r.lines.Forward(m.At, m.Sub); err != nil {
		return fmt.Errorf("csvio: %s:%d: %w", r.name, m.Sub+1, err)
	}
	r.row = m.Sub
	return nil
}

// line is the next row: one of those taken while opening, or of the stream.
func (r *Reader) line() ([]byte, error) {
	if len(r.held) > 0 {
		line := r.held[0]
		r.held = r.held[1:]
		return line, nil
	}
	if r.after != nil {
		return nil, r.after
	}
	return r.next()
}

// setColumns turns the collected metadata of got rows into columns. The text
// of a batch is one string that all its fields share.
func (r *Reader) setColumns(s *wafer.Set, got int) {
	m := len(r.layout.names)
	if len(s.Columns) != m {
		s.Columns = make([]wafer.Column, m)
	}
	all := string(r.texts)
	for k, name := range r.layout.names {
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

// next returns the next line of the stream that is a row, or io.EOF. Empty lines
// and comments may stand at the end alone; above the table sample deals with
// comments.
func (r *Reader) next() ([]byte, error) {
	gap, comment := 0, false
	for {
		line, err := r.lines.Next()
		if err == io.EOF {
			return nil, err
		}
		if err != nil {
			return nil, r.failAt(r.lines.Row(), 0, err)
		}
		text := bytes.TrimSpace(line)
		if len(text) == 0 && r.sep == '\t' {
			text = bytes.Trim(line, " ") // the fields of a row of tabs are missing
		}
		if len(text) > 0 && (text[0] != '#' || r.layout == nil && len(r.held) == 0) {
			if gap == 0 {
				return line, nil
			}
			what := "empty row"
			if comment {
				what = "a comment between rows"
			}
			return nil, r.failAt(gap, 0, errors.New(what))
		}
		if gap == 0 {
			gap, comment = r.lines.Row(), len(text) > 0
		}
	}
}

// fail says where in the row that is being read an error is: file, row and, if
// it has one, column, from 1.
func (r *Reader) fail(column int, err error) error { return r.failAt(r.row, column, err) }

func (r *Reader) failAt(row, column int, err error) error {
	if column > 0 {
		return fmt.Errorf("csvio: %s:%d:%d: %w", r.name, row, column, err)
	}
	return fmt.Errorf("csvio: %s:%d: %w", r.name, row, err)
}

// parse reads one row: the charges into image, in V9 order, the metadata onto
// the batch's.
func (r *Reader) parse(image []float64, line []byte) error {
	sep := r.sep
	switch {
	case bytes.IndexByte(line, '"') >= 0:
		return r.parseFields(image, line)
	case sep == ' ':
		if bytes.IndexByte(line, ',') >= 0 {
			return r.parseFields(image, line)
		}
		line, sep = squeeze(line), ','
	}
	sum := 0.0
	field := r.field
	at, j := 0, 0
	for ; j < len(field) && at <= len(line); j++ {
		cell := field[j]
		if cell < 0 {
			end := at // short, mostly: a search takes longer to begin
			for end < len(line) && line[end] != sep {
				end++
			}
			text := line[at:end]
			if n := len(text); n > 0 && (outer(text[0]) || outer(text[n-1])) {
				text = bytes.TrimSpace(text)
			}
			at = end + 1
			if cell <= meta {
				r.texts = append(r.texts, text...)
				r.ends = append(r.ends, len(r.texts))
				continue
			}
			if err := r.text(j, text); err != nil {
				return err
			}
			continue
		}
		// Of one digit, as most of them are, without a loop.
		if at+1 < len(line) && line[at+1] == sep && line[at]-'0' <= 9 {
			charge := float64(line[at] - '0')
			image[cell] = charge
			sum += charge
			at += 2
			continue
		}
		// Whole numbers, by far the most frequent, in one pass.
		end, v := at, uint64(0)
		for end < len(line) && line[end]-'0' <= 9 {
			v = v*10 + uint64(line[end]-'0')
			end++
		}
		charge := float64(v)
		if digits := end - at; digits == 0 || digits > 15 || end < len(line) && line[end] != sep {
			end = fieldEnd(line, at, sep)
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
		return r.badWidth(bytes.Count(line, []byte{sep}) + 1)
	}
	return r.checkSum(sum)
}

// outer reports whether bytes.TrimSpace may take a field's first or last byte away.
func outer(c byte) bool { return c <= ' ' || c >= utf8.RuneSelf }

// text takes the field of a column that is no charge.
func (r *Reader) text(j int, field []byte) error {
	switch r.field[j] {
	case leftOut:
		return nil
	case blank:
		if len(field) > 0 {
			return r.fail(j+1, fmt.Errorf("%q behind the last separator, where rows before had nothing", short(field)))
		}
		return nil
	}
	r.texts = append(r.texts, field...)
	r.ends = append(r.ends, len(r.texts))
	return nil
}

// squeeze puts one comma for the spaces and tabs between fields, in place.
func squeeze(line []byte) []byte {
	line = bytes.Trim(line, " \t")
	n := 0
	for i, c := range line {
		if c == ' ' || c == '\t' {
			if next := line[i+1]; next == ' ' || next == '\t' {
				continue
			}
			c = ','
		}
		line[n] = c
		n++
	}
	return line[:n]
}

func fieldEnd(line []byte, at int, sep byte) int {
	if n := bytes.IndexByte(line[at:], sep); n >= 0 {
		return at + n
	}
	return len(line)
}

// parseFields is parse for rows with quotation marks.
func (r *Reader) parseFields(image []float64, line []byte) error {
	fields, err := lines.Split(nil, line, r.sep)
	if err != nil {
		return r.fail(0, err)
	}
	if len(fields) != len(r.field) {
		return r.badWidth(len(fields))
	}
	sum := 0.0
	for j, f := range fields {
		cell := r.field[j]
		if cell < 0 {
			if err := r.text(j, f); err != nil {
				return err
			}
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
	return r.fail(0, fmt.Errorf("%d columns where the first row has %d", n, len(r.field)))
}

func (r *Reader) badCharge(j int, field []byte, err error) error {
	if err == errMissing {
		return r.fail(j+1, err)
	}
	if bytes.IndexByte(field, ',') >= 0 && err == errNumber {
		err = errComma
	}
	return r.fail(j+1, fmt.Errorf("charge %q %w", short(bytes.TrimSpace(field)), err))
}

// short is a field as a message may hold it.
func short(field []byte) []byte {
	const long = 40
	if len(field) > long {
		return append(field[:long:long], "…"...)
	}
	return field
}
