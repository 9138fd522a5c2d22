// Package table reads plain tables of numbers as a stream: text of any number of columns,
// with or without a header line, separated by commas, semicolons, tabs or spaces; and NumPy's
// arrays, alone or in an archive, of which each row of the first axis is a row. One of the
// columns may be labels: any words.
package table

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"barrow/internal/index"
	"barrow/internal/lines"
)

// maxLine bounds a line, some 10⁶ numbers.
const maxLine = 32 << 20

// A Reader reads rows of numbers, all of the width of the first one.
type Reader struct {
	name   string
	in     io.Reader
	file   *os.File // nil where it is not ours to close
	size   int64    // 0 where it is not known
	read   int64
	lines  *lines.Reader
	sep    byte
	held   []byte // the first row, until it is read
	line   int    // of held
	cols   int
	counts bool
	behind bool // there is a separator behind the last column
	fields [][]byte
	at     []int        // lines of the rows of the last Read
	names  []string     // of the columns, nil without a header
	label  int          // column that is one of labels, −1 for none
	labels []string     // of the rows of the last Read
	array  *array       // of NumPy's, nil for text
	given  int          // rows, by all Reads
	index  *index.Index // nil unless it is to be made
}

// Open opens a file.
func Open(path string) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &Reader{name: path, in: f, file: f, label: -1}
	if info, err := f.Stat(); err == nil && info.IsDir() {
		f.Close()
		return nil, fmt.Errorf("%s: is a folder; name a file", path)
	} else if err == nil && info.Mode().IsRegular() {
		r.size = info.Size()
	}
	start := r.start
	if numpy(f) {
		start = r.startArray
	}
	if err := start(); err != nil {
		f.Close()
		return nil, err
	}
	return r, nil
}

// New reads a stream; name stands for it in errors.
func New(in io.Reader, name string) (*Reader, error) {
	ahead := bufio.NewReader(in)
	if head, err := ahead.Peek(numpyHead); err == nil && isNumPy(head) {
		return nil, fmt.Errorf("%s: an array of NumPy: it is read from a file, by its name", name)
	}
	r := &Reader{name: name, in: ahead, label: -1}
	return r, r.start()
}

// start finds the columns, and passes over comments and a header: a first line of
// names.
func (r *Reader) start() error {
	in, err := lines.New(counted{r.in, &r.read}, maxLine)
	if err != nil {
		return fmt.Errorf("%s:1: %w", r.name, err)
	}
	r.lines = in
	first, err := r.next()
	for err == nil && bytes.TrimSpace(first)[0] == '#' {
		first, err = r.next()
	}
	if err != nil {
		return r.none(err)
	}
	fields, err := r.cut(first)
	if err != nil {
		return err
	}
	if !anyNumber(fields) {
		// The row below says what stands between the columns: names may have spaces.
		header, at := bytes.Clone(first), r.lines.Row()
		if first, err = r.next(); err != nil {
			return r.none(err)
		}
		if fields, err = r.cut(first); err != nil {
			return err
		}
		fields = r.trim(fields)
		if err := r.checkHeader(header, at, len(fields)); err != nil {
			return err
		}
	} else {
		fields = r.trim(fields)
		r.counts = counts(fields)
	}
	r.cols, r.held, r.line = len(fields), bytes.Clone(first), r.lines.Row()
	return nil
}

// cut finds the separator of a row and its fields.
func (r *Reader) cut(row []byte) ([]string, error) {
	r.sep = lines.Separator(row, math.MaxInt)
	fields, err := lines.Split(nil, row, r.sep)
	if err != nil {
		return nil, fmt.Errorf("%s:%d: %w", r.name, r.lines.Row(), err)
	}
	names := make([]string, len(fields))
	for k, f := range fields {
		names[k] = string(f)
	}
	if word := commas(names); word != "" {
		return nil, fmt.Errorf("%s:%d: %.40q: are these numbers with a decimal comma? Write them with a point", r.name, r.lines.Row(), word)
	}
	return names, nil
}

// pointless are a number with a decimal comma, and what is between two such commas where they were taken
// for separators.
var pointless = regexp.MustCompile(`^[-+]?[0-9]*,[0-9]+([eE][-+]?[0-9]+)?$|^[0-9]+([eE][-+]?[0-9]+)?[; \t][ \t]*[-+]?[0-9]+$`)

// commas is one of the fields that are numbers with a decimal comma, where about half of them or more are, or "".
func commas(fields []string) (word string) {
	n := 0
	for _, f := range fields {
		if pointless.MatchString(f) {
			n, word = n+1, f
		}
	}
	if 2*n <= len(fields)-2 {
		return ""
	}
	return word
}

// trim takes away the blank behind a separator that ends the first row, as some programs' loops write it.
func (r *Reader) trim(first []string) []string {
	last := len(first) - 1
	if r.behind = last > 0 && first[last] == ""; r.behind {
		return first[:last]
	}
	return first
}

// none is the error of a stream that ends before its first row.
func (r *Reader) none(err error) error {
	if err == io.EOF {
		return fmt.Errorf("%s: no rows of numbers", r.name)
	}
	return err
}

// anyNumber reports whether a field is a number, be it one too large for float64.
func anyNumber(fields []string) bool {
	for _, f := range fields {
		if _, err := strconv.ParseFloat(f, 64); err == nil || errors.Is(err, strconv.ErrRange) {
			return true
		}
	}
	return false
}

var (
	// missing is what programs write for a value that is not there.
	missing = regexp.MustCompile(`(?i)^(|na|n/a|null|none|-+|\?)$`)
	// unnamed is what data-frame libraries call the rows' numbers in front.
	unnamed = regexp.MustCompile(`(?i)^(|unnamed: ?[0-9]+)$`)
)

// checkHeader holds a first line without numbers to what names are: one for each
// column, none twice. Otherwise it may be a row that must not be dropped.
func (r *Reader) checkHeader(line []byte, at, cols int) error {
	fail := func(format string, args ...any) error {
		return fmt.Errorf("%s:%d: "+format, append([]any{r.name, at}, args...)...)
	}
	fields, err := lines.Split(nil, line, r.sep)
	if err != nil {
		return fail("%w", err)
	}
	if r.behind && len(fields) == cols+1 && len(fields[cols]) == 0 {
		fields = fields[:cols]
	}
	if len(fields) != cols {
		return fail("neither numbers nor names: %d fields, the row below has %d; leave the line out, or begin it with #", len(fields), cols)
	}
	seen := map[string]bool{}
	for k, f := range fields {
		name := string(f)
		r.names = append(r.names, name)
		switch {
		case k == 0 && cols > 1 && unnamed.MatchString(name) && !missing.MatchString(string(fields[1])):
			return fail("the first column has no name: are these the rows' numbers? Leave the column out, or name it if it is values")
		case missing.MatchString(name):
			return fail("neither numbers nor names: column %d is %q", k+1, name)
		case seen[name]:
			return fail("neither numbers nor names: %.40q occurs twice", name)
		}
		seen[name] = true
	}
	return nil
}

// few is up to how many columns numbers that count may well be values.
const few = 3

// counts says that a row is 0, 1, 2 … or 1, 2, 3 …, as programs number columns.
func counts(fields []string) bool {
	from := fields[0]
	if len(fields) <= few || from != "0" && from != "1" {
		return false
	}
	for k, x := range fields {
		if x != strconv.Itoa(k+int(from[0]-'0')) {
			return false
		}
	}
	return true
}

// Counts says that the first row is 0, 1, 2 … or 1, 2, 3 … without names above it:
// it may be the columns' numbers, which some programs write there.
func (r *Reader) Counts() bool { return r.counts }

// ErrCounts is the error of a first row that Counts where nothing else tells what it
// is.
func (r *Reader) ErrCounts() error {
	count := "0, 1, 2"
	if r.held != nil && r.held[bytes.IndexAny(r.held, "01")] == '1' {
		count = "1, 2, 3"
	}
	return fmt.Errorf("%s:%d: the first row counts %s …: are these the columns' numbers? Leave them out, or put a line of names above if they are values", r.name, r.line, count)
}

// next goes to the next line that is not empty, or io.EOF.
func (r *Reader) next() ([]byte, error) {
	for {
		line, err := r.lines.Next()
		if err == io.EOF {
			return nil, err
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", r.name, r.lines.Row(), err)
		}
		if len(bytes.TrimSpace(line)) > 0 {
			return line, nil
		}
	}
}

// Columns is the width of all rows, without labels.
func (r *Reader) Columns() int {
	if r.label >= 0 {
		return r.cols - 1
	}
	return r.cols
}

// Label makes a column, by its name or counting from 1, or an array of an archive, one of
// labels before the first Read: no numbers but words, which Labels returns. It is false where
// there is no such column.
func (r *Reader) Label(column string) (bool, error) {
	if r.array != nil {
		return r.array.label(r, column)
	}
	at := slices.Index(r.names, column)
	if k, err := strconv.Atoi(column); at < 0 && err == nil && k >= 1 && k <= r.cols {
		at = k - 1
	}
	if at < 0 {
		return false, nil
	}
	if r.cols == 1 {
		return false, fmt.Errorf("%s: there is no column but the labels", r.name)
	}
	r.label = at
	return true, nil
}

// Names are those of the columns without labels, nil where there is no line of them.
func (r *Reader) Names() []string {
	if r.label >= 0 && r.names != nil {
		return slices.Delete(slices.Clone(r.names), r.label, r.label+1)
	}
	return r.names
}

// Labels are those of the rows that the last Read returned.
func (r *Reader) Labels() []string { return r.labels }

// Array says that the rows are an array of NumPy's, whose labels are another array.
func (r *Reader) Array() bool { return r.array != nil }

// Name is that of the file.
func (r *Reader) Name() string { return r.name }

// Place is file:line of row i of those that the last Read returned.
func (r *Reader) Place(i int) string { return fmt.Sprintf("%s:%d", r.name, r.at[i]) }

// Share is how much of the file has been read; ok is false where its size is not
// known.
func (r *Reader) Share() (share float64, ok bool) {
	if r.array != nil {
		return r.array.share(), true
	}
	if r.size == 0 {
		return 0, false
	}
	return min(1, float64(r.read)/float64(r.size)), true
}

// Read appends up to n rows to values and returns it; at the end, as it was. A row
// of another width, and what is no finite number, is an error that names file,
// line and column.
func (r *Reader) Read(values []float64, n int) ([]float64, error) {
	r.at, r.labels = r.at[:0], r.labels[:0]
	r.note()
	var err error
	if r.array != nil {
		values, err = r.array.read(r, values, n)
	} else {
		values, err = r.rows(values, n)
	}
	r.given += len(r.at)
	return values, err
}

// rows is Read of text.
func (r *Reader) rows(values []float64, n int) ([]float64, error) {
	for range n {
		row, line, err := r.held, r.line, error(nil)
		if r.held = nil; row == nil {
			row, err = r.next()
			line = r.lines.Row()
		}
		if err == io.EOF {
			return values, nil
		}
		if err != nil {
			return values, err
		}
		r.at = append(r.at, line)
		if r.fields, err = lines.Split(r.fields[:0], row, r.sep); err != nil {
			return values, fmt.Errorf("%s:%d: %w", r.name, line, err)
		}
		if r.behind && len(r.fields) == r.cols+1 && len(r.fields[r.cols]) == 0 {
			r.fields = r.fields[:r.cols]
		}
		for k, f := range r.fields {
			if k == r.label {
				r.labels = append(r.labels, string(f))
				continue
			}
			x, err := strconv.ParseFloat(string(f), 64)
			if errors.Is(err, strconv.ErrRange) {
				err = nil // what is too small is 0 or the next number
			}
			if err != nil || math.IsNaN(x) || math.IsInf(x, 0) || strings.ContainsAny(string(f), "xX_") {
				return values, fmt.Errorf("%s:%d:%d: %.40q is not a finite number", r.name, line, k+1, f)
			}
			values = append(values, x)
		}
		if len(r.fields) != r.cols {
			return values, fmt.Errorf("%s:%d: %d columns, the rows before have %d", r.name, line, len(r.fields), r.cols)
		}
	}
	return values, nil
}

// Close closes the file that Open opened.
func (r *Reader) Close() error {
	if r.array != nil {
		r.array.close()
	}
	if r.file == nil {
		return nil
	}
	return r.file.Close()
}

// counted counts how much is read of a stream, which may go on elsewhere if it is a file.
type counted struct {
	io.Reader
	n *int64
}

func (c counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	*c.n += int64(n)
	return n, err
}

func (c counted) Seek(offset int64, whence int) (int64, error) {
	s, ok := c.Reader.(io.Seeker)
	if !ok {
		return 0, errors.ErrUnsupported
	}
	at, err := s.Seek(offset, whence)
	if err == nil {
		*c.n = at
	}
	return at, err
}
