// Package table reads plain tables of numbers: comma-separated text of any number
// of columns, with or without a header line, as a stream.
package table

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
)

// maxLine bounds a line, some 10⁶ numbers.
const maxLine = 32 << 20

// A Reader reads rows of numbers, all of the width of the first one.
type Reader struct {
	name  string
	in    io.Reader
	file  *os.File // nil where it is not ours to close
	size  int64    // 0 where it is not known
	read  int64
	lines *bufio.Scanner
	line  int  // of the text held, from 1
	held  bool // the first row waits in lines.Text
	cols  int
	at    []int // lines of the rows of the last Read
}

// Open opens a file.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &Reader{name: path, in: f, file: f}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		r.size = info.Size()
	}
	if err := r.start(); err != nil {
		f.Close()
		return nil, err
	}
	return r, nil
}

// New reads a stream; name stands for it in errors.
func New(in io.Reader, name string) (*Reader, error) {
	r := &Reader{name: name, in: in}
	return r, r.start()
}

// start finds the width, and passes over a header: a first line that has no number.
func (r *Reader) start() error {
	r.lines = bufio.NewScanner(io.TeeReader(r.in, counter{&r.read}))
	r.lines.Buffer(make([]byte, 1<<16), maxLine)
	for first := true; r.next(); first = false {
		fields := bytes.Split(r.lines.Bytes(), []byte(","))
		numbers := 0
		for _, x := range fields {
			if _, err := strconv.ParseFloat(string(bytes.TrimSpace(x)), 64); err == nil {
				numbers++
			}
		}
		if first && numbers == 0 {
			continue
		}
		if first && counts(fields) {
			return fmt.Errorf("%s:%d: the first row counts 0, 1, 2 …: are these the columns' numbers? Leave them out, or put a line of names above if they are values", r.name, r.line)
		}
		r.cols, r.held = len(fields), true
		return nil
	}
	if err := r.failed(); err != nil {
		return err
	}
	return fmt.Errorf("%s: no rows of numbers", r.name)
}

// counts says that a row is 0, 1, 2 … or 1, 2, 3 …, as programs number columns.
func counts(fields [][]byte) bool {
	const few = 4 // fewer may well be values
	from := string(bytes.TrimSpace(fields[0]))
	if len(fields) < few || from != "0" && from != "1" {
		return false
	}
	for k, x := range fields {
		if string(bytes.TrimSpace(x)) != strconv.Itoa(k+int(from[0]-'0')) {
			return false
		}
	}
	return true
}

// next goes to the next line that is not empty.
func (r *Reader) next() bool {
	for r.lines.Scan() {
		if r.line++; len(bytes.TrimSpace(r.lines.Bytes())) > 0 {
			return true
		}
	}
	return false
}

func (r *Reader) failed() error {
	switch err := r.lines.Err(); err {
	case nil:
		return nil
	case bufio.ErrTooLong:
		return fmt.Errorf("%s:%d: a line of more than %d million bytes: is it a table?", r.name, r.line+1, maxLine>>20)
	default:
		return fmt.Errorf("%s: %w", r.name, err)
	}
}

// Columns is the width of all rows.
func (r *Reader) Columns() int { return r.cols }

// Name is that of the file.
func (r *Reader) Name() string { return r.name }

// Place is file:line of row i of those that the last Read returned.
func (r *Reader) Place(i int) string { return fmt.Sprintf("%s:%d", r.name, r.at[i]) }

// Share is how much of the file has been read; ok is false where its size is not
// known.
func (r *Reader) Share() (share float64, ok bool) {
	if r.size == 0 {
		return 0, false
	}
	return min(1, float64(r.read)/float64(r.size)), true
}

// Read appends up to n rows to values and returns it; at the end, as it was. A row
// of another width, and what is no finite number, is an error that names file,
// line and column.
func (r *Reader) Read(values []float64, n int) ([]float64, error) {
	r.at = r.at[:0]
	for range n {
		if !r.held && !r.next() {
			return values, r.failed()
		}
		r.held = false
		r.at = append(r.at, r.line)
		rest, cols := r.lines.Bytes(), 0
		for more := true; more; cols++ {
			var field []byte
			field, rest, more = bytes.Cut(rest, []byte(","))
			x, err := strconv.ParseFloat(string(bytes.TrimSpace(field)), 64)
			if err != nil || math.IsNaN(x) || math.IsInf(x, 0) {
				return values, fmt.Errorf("%s:%d:%d: %.40q is not a finite number", r.name, r.line, cols+1, bytes.TrimSpace(field))
			}
			values = append(values, x)
		}
		if cols != r.cols {
			return values, fmt.Errorf("%s:%d: %d columns, the rows before have %d", r.name, r.line, cols, r.cols)
		}
	}
	return values, nil
}

// Close closes the file that Open opened.
func (r *Reader) Close() error {
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// A counter counts what is read.
type counter struct{ n *int64 }

func (c counter) Write(p []byte) (int, error) {
	*c.n += int64(len(p))
	return len(p), nil
}
