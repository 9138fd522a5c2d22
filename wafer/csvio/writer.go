package csvio

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"barrow/hgcal"
	"barrow/wafer"
)

// Writer writes images as CSV. It buffers a batch at a time.
type Writer struct {
	out     io.Writer
	dialect dialect
	digits  int
	order   hgcal.Order
	at      [hgcal.Cells]int // V9 cell of each charge column
	before  []string         // metadata columns ahead of the charges
	behind  []string         // and behind
	begun   bool
	unit    string
	lost    []string // columns that the dialect has no place for
	breaks  int      // texts with line breaks
	rows    int
	buf     []byte
}

var _ wafer.Loser = (*Writer)(nil)

// NewWriter starts writing to out. The header is written with the first set.
func NewWriter(out io.Writer, s wafer.WriteSettings) (*Writer, error) {
	if err := s.Order.Check(); err != nil {
		return nil, err
	}
	d, err := parseDialect(s.Dialect)
	if err != nil {
		return nil, err
	}
	if s.Digits < 0 || s.Digits > 40 {
		return nil, fmt.Errorf("csvio: %d digits behind the decimal point: want 0 to 40", s.Digits)
	}
	return &Writer{out: out, dialect: d, digits: s.Digits, order: s.Order, at: s.Order.ToV9(), unit: s.Unit}, nil
}

// Write writes the images of s. The first call decides the metadata columns;
// a later set that lacks one is an error, and so is a charge that is negative
// or not finite.
func (w *Writer) Write(s *wafer.Set) error {
	if err := s.Check(); err != nil {
		return fmt.Errorf("csvio: writing after %d images: %w", w.rows, err)
	}
	if !w.begun {
		if err := w.begin(s); err != nil {
			return err
		}
	}
	before, missing := find(s, w.before)
	behind, more := find(s, w.behind)
	if missing = append(missing, more...); len(missing) > 0 {
		return w.lacking(missing)
	}
	for _, c := range slices.Concat(before, behind) {
		for _, text := range c.Text {
			if strings.ContainsAny(text, "\r\n") {
				w.breaks++
			}
		}
	}
	for i := range s.Len() {
		for _, c := range before {
			w.buf = append(appendValue(w.buf, c, i), ',')
		}
		image := s.Image(i)
		for j, cell := range w.at {
			if j > 0 {
				w.buf = append(w.buf, ',')
			}
			if w.digits > 0 {
				w.buf = strconv.AppendFloat(w.buf, image[cell], 'f', w.digits, 64)
			} else {
				w.buf = appendNumber(w.buf, image[cell])
			}
		}
		for _, c := range behind {
			w.buf = appendValue(append(w.buf, ','), c, i)
		}
		w.buf = append(w.buf, '\n')
		if err := w.flush(1 << 14); err != nil {
			return err
		}
	}
	w.rows += s.Len()
	return w.flush(0)
}

// Close says that the stream is complete. Like reading, writing no images at
// all is an error.
func (w *Writer) Close() error {
	if w.rows == 0 {
		return fmt.Errorf("csvio: no images to write")
	}
	return w.flush(0)
}

// Lost says what the table does not have: the charges' unit, for which text has no
// place, the order of the cells where there is no header, line breaks, and the columns
// that the dialect leaves out.
func (w *Writer) Lost() []string {
	var lost []string
	if w.order != hgcal.V9 && (w.dialect == plain || w.dialect == noHeader) {
		lost = append(lost, fmt.Sprintf("a header that could say that its cells are numbered %v: say it where the file is read", w.order))
	}
	if w.unit != "" {
		lost = append(lost, "the charges' unit, "+w.unit+": CSV has no place for it")
	}
	if w.breaks > 0 {
		lost = append(lost, fmt.Sprintf("line breaks in %d texts: they are spaces", w.breaks))
	}
	if len(w.lost) > 0 {
		lost = append(lost, "the columns "+strings.Join(w.lost, ", ")+": the dialect "+dialectNames[w.dialect]+" leaves them out")
	}
	return lost
}

func (w *Writer) flush(above int) error {
	if len(w.buf) <= above {
		return nil
	}
	_, err := w.out.Write(w.buf)
	w.buf = w.buf[:0]
	if err != nil {
		return fmt.Errorf("csvio: writing: %w", err)
	}
	return nil
}

// begin fixes the columns by the first set and writes the header.
func (w *Writer) begin(s *wafer.Set) error {
	w.begun = true
	var names []string
	for _, c := range s.Columns {
		names = append(names, c.Name)
	}
	header := true
	switch w.dialect {
	case withHeader:
		w.behind = names
	case ecoder:
		want := EcoderColumns()
		for _, n := range names {
			if !slices.Contains(want, n) {
				want = append(want, n)
			}
		}
		w.before, w.behind = want[:1], want[1:]
	case noHeader:
		w.behind, header = NoHeaderColumns(), false
	case chargesOnly: // no metadata
	case plain:
		header = false
	}
	for _, n := range names {
		if !slices.Contains(w.before, n) && !slices.Contains(w.behind, n) {
			w.lost = append(w.lost, n)
		}
	}
	if !header {
		return nil
	}
	for _, n := range slices.Concat(w.before, w.behind) {
		if err := checkName(n); err != nil {
			return err
		}
	}
	var line [][]byte
	for _, n := range w.before {
		line = append(line, appendText(nil, n))
	}
	for k := range hgcal.Cells {
		line = append(line, []byte(wafer.ChargeName{Cell: k, Order: w.order}.String()))
	}
	for _, n := range w.behind {
		line = append(line, appendText(nil, n))
	}
	w.buf = append(append(w.buf, bytes.Join(line, []byte{','})...), '\n')
	return nil
}

// checkName reports names that a header cannot have, or not without being taken for
// something else.
func checkName(name string) error {
	switch _, charge := wafer.ParseChargeName(strings.TrimSpace(name)); {
	case charge:
		return fmt.Errorf("csvio: the metadata column %q would be read as charges; rename it, or leave it out", name)
	case strings.TrimSpace(name) == "", strings.ContainsAny(name, "\r\n"):
		return fmt.Errorf("csvio: the metadata column %q: no name that a line of names can have; rename it, or leave it out", name)
	}
	return nil
}

// lacking is the error about columns that the dialect must have.
func (w *Writer) lacking(names []string) error {
	if w.dialect == withHeader {
		return fmt.Errorf("csvio: the images have no metadata column %s, which those before had", strings.Join(names, ", "))
	}
	return fmt.Errorf("csvio: the images have no metadata column %s, which the dialect %s must have: add it where the images come from, or write the dialect %s, which has the columns that there are",
		strings.Join(names, ", "), dialectNames[w.dialect], dialectNames[withHeader])
}

// find gives the columns of these names, and the names of those that are missing.
func find(s *wafer.Set, names []string) (columns []*wafer.Column, missing []string) {
	for _, n := range names {
		if c := s.Column(n); c != nil {
			columns = append(columns, c)
		} else {
			missing = append(missing, n)
		}
	}
	return columns, missing
}

func appendValue(b []byte, c *wafer.Column, i int) []byte {
	switch {
	case c.Text != nil:
		return appendText(b, c.Text[i])
	case c.Int != nil:
		return strconv.AppendInt(b, c.Int[i], 10)
	}
	return appendNumber(b, c.Float[i])
}

// appendText writes text so that it reads back: in quotation marks where it
// holds what would end it, line breaks as spaces because a row is a line.
func appendText(b []byte, s string) []byte {
	plain := strings.TrimSpace(s) == s && !strings.HasPrefix(s, "#") // which would begin a comment
	for k := 0; plain && k < len(s); k++ {
		plain = s[k] != ',' && s[k] != '"' && s[k] != '\n' && s[k] != '\r'
	}
	if plain {
		return append(b, s...)
	}
	b = append(b, '"')
	for k := range len(s) {
		switch s[k] {
		case '"':
			b = append(b, '"', '"')
		case '\n', '\r':
			b = append(b, ' ')
		default:
			b = append(b, s[k])
		}
	}
	return append(b, '"')
}
