package econt

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"

	"barrow/internal/lines"
)

// Headers of the input words: the marker at bunch crossing 0, idle elsewhere.
const (
	markerHeader = 0x9
	idleHeader   = 0xa
)

const hexDigits = "0123456789abcdef"

// A Source gives rows one by one; Read's error is io.EOF after the last. Test
// vectors are read by [NewInputReader] and [NewOutputReader].
type Source[T any] interface {
	Read(row *T) error
}

// hexRows reads rows of words of eight hexadecimal digits, separated by commas,
// under a header line prefix+"0",…; blank lines at the end are allowed.
type hexRows struct {
	*lines.Reader
	prefix string
	words  []uint32
}

// longestLine is the most bytes of a line; a row has 117.
const longestLine = 1 << 20

func newHexRows(r io.Reader, prefix string, n int) (*hexRows, error) {
	in, err := lines.New(r, longestLine)
	if err != nil {
		return nil, fmt.Errorf("line 1: %w", err)
	}
	h := &hexRows{in, prefix, make([]uint32, n)}
	text, err := h.next()
	if err == io.EOF {
		return nil, fmt.Errorf("empty file; want a header %s0,…,%s%d and rows of %d words", prefix, prefix, n-1, n)
	}
	if err != nil {
		return nil, err
	}
	return h, checkHeader(text, prefix, n)
}

// next gives the next line.
func (h *hexRows) next() (string, error) {
	text, err := h.Next()
	if err != nil && err != io.EOF {
		err = fmt.Errorf("line %d: %w", h.Row(), err)
	}
	return string(text), err
}

// row gives the words of the next row, valid until the one after it.
func (h *hexRows) row() ([]uint32, error) {
	text, err := h.next()
	for blank := 0; err == nil && strings.TrimSpace(text) == ""; {
		blank = max(blank, h.Row())
		if text, err = h.next(); err == nil && strings.TrimSpace(text) != "" {
			return nil, fmt.Errorf("line %d: blank line among the rows", blank)
		}
	}
	if err != nil {
		return nil, err
	}
	return h.words, parseHexRow(text, h.prefix, h.words, h.Row())
}

func checkHeader(text, prefix string, n int) error {
	names := strings.Split(text, ",")
	if len(names) != n {
		return fmt.Errorf("line 1: header has %d columns; want %d, %s0 to %s%d", len(names), n, prefix, prefix, n-1)
	}
	for k, name := range names {
		if want := prefix + strconv.Itoa(k); strings.TrimSpace(name) != want {
			return fmt.Errorf("line 1: column %d is named %q; want %q", k+1, strings.TrimSpace(name), want)
		}
	}
	return nil
}

func parseHexRow(text, prefix string, words []uint32, line int) error {
	cells := strings.Split(text, ",")
	if len(cells) != len(words) {
		return fmt.Errorf("row %d (line %d): %d words; want %d", line-1, line, len(cells), len(words))
	}
	for k, cell := range cells {
		cell = strings.TrimSpace(cell)
		v, err := strconv.ParseUint(cell, 16, 32)
		if err != nil || len(cell) != 8 {
			return fmt.Errorf("row %d (line %d), %s%d: %q is not a word of eight hexadecimal digits",
				line-1, line, prefix, k, cell)
		}
		words[k] = uint32(v)
	}
	return nil
}

// An InputReader reads a test vector's input: CSV with the columns RX_DATA_0 to
// RX_DATA_11, eight hexadecimal digits each, one row a bunch crossing.
type InputReader struct {
	rows *hexRows
	bx   int
}

// NewInputReader reads the header. The first row is bunch crossing firstBX.
func NewInputReader(r io.Reader, firstBX int) (*InputReader, error) {
	if firstBX < 0 || firstBX >= OrbitBX {
		return nil, fmt.Errorf("econt: first bunch crossing %d: want 0 to %d", firstBX, OrbitBX-1)
	}
	rows, err := newHexRows(r, "RX_DATA_", ERxWords)
	if err != nil {
		return nil, fmt.Errorf("econt: input: %w", err)
	}
	return &InputReader{rows, firstBX}, nil
}

// Read gives the next row, io.EOF after the last. Every word must carry the
// header that is due: 9 at bunch crossing 0, every 3,564 rows, and a elsewhere.
func (r *InputReader) Read(b *BunchCrossing) error {
	words, err := r.rows.row()
	if err == io.EOF {
		return err
	}
	if err != nil {
		return fmt.Errorf("econt: input: %w", err)
	}
	want := uint32(idleHeader)
	if r.bx == 0 {
		want = markerHeader
	}
	for k, w := range words {
		if got := w >> 28; got != want {
			return fmt.Errorf("econt: input: row %d (line %d), RX_DATA_%d: header %x where %x is due (BX %d)%s",
				r.rows.Row()-1, r.rows.Row(), k, got, want, r.bx, headerHint(got))
		}
	}
	*b = BunchCrossing{BX: r.bx, ERx: [ERxWords]uint32(words)}
	r.bx = (r.bx + 1) % OrbitBX
	return nil
}

// ReadInput reads all rows of a test vector's input: see [InputReader].
func ReadInput(r io.Reader, firstBX int) ([]BunchCrossing, error) {
	in, err := NewInputReader(r, firstBX)
	if err != nil {
		return nil, err
	}
	return readAll(in)
}

func readAll[T any](in Source[T]) (rows []T, err error) {
	for {
		var row T
		switch err := in.Read(&row); err {
		case nil:
			rows = append(rows, row)
		case io.EOF:
			return rows, nil
		default:
			return nil, err
		}
	}
}

func headerHint(got uint32) string {
	switch got {
	case idleHeader, markerHeader:
		return "; rows are missing, out of order, or do not start at the bunch crossing assumed"
	}
	return "; a header is 9 or a"
}

// An OutputReader reads a golden file: columns TX_DATA_0 to TX_DATA_12.
type OutputReader struct{ rows *hexRows }

// NewOutputReader reads the header.
func NewOutputReader(r io.Reader) (*OutputReader, error) {
	rows, err := newHexRows(r, "TX_DATA_", MaxETx)
	if err != nil {
		return nil, fmt.Errorf("econt: output: %w", err)
	}
	return &OutputReader{rows}, nil
}

// Read gives the next row, io.EOF after the last.
func (r *OutputReader) Read(o *Output) error {
	words, err := r.rows.row()
	if err == io.EOF {
		return err
	}
	if err != nil {
		return fmt.Errorf("econt: output: %w", err)
	}
	*o = Output(words)
	return nil
}

// An OutputWriter writes rows in the layout of the golden files. What it writes
// is complete after Flush.
type OutputWriter struct {
	bw    *bufio.Writer
	begun bool
}

// NewOutputWriter writes to w.
func NewOutputWriter(w io.Writer) *OutputWriter {
	return &OutputWriter{bw: bufio.NewWriterSize(w, 1<<16)}
}

// Write writes one row, under the header if it is the first.
func (w *OutputWriter) Write(o *Output) error {
	w.begin()
	return writeHexRow(w.bw, o[:])
}

func (w *OutputWriter) begin() {
	if !w.begun {
		w.begun = true
		writeHexHeader(w.bw, "TX_DATA_", MaxETx)
	}
}

// Flush ends the file, of which a header is the least.
func (w *OutputWriter) Flush() error {
	w.begin()
	return w.bw.Flush()
}

func writeHexHeader(bw *bufio.Writer, prefix string, n int) {
	for k := range n {
		if k > 0 {
			bw.WriteByte(',')
		}
		bw.WriteString(prefix)
		bw.WriteString(strconv.Itoa(k))
	}
	bw.WriteByte('\n')
}

func writeHexRow(bw *bufio.Writer, words []uint32) error {
	for k, w := range words {
		if k > 0 {
			bw.WriteByte(',')
		}
		for s := 28; s >= 0; s -= 4 {
			bw.WriteByte(hexDigits[w>>s&15])
		}
	}
	return bw.WriteByte('\n')
}
