package econt

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Headers of the input words: the marker at bunch crossing 0, idle elsewhere.
const (
	markerHeader = 0x9
	idleHeader   = 0xa
)

const hexDigits = "0123456789abcdef"

// readHexRows reads rows of n words of eight hexadecimal digits, separated by
// commas, under a header line prefix+"0",…; blank lines at the end are allowed.
func readHexRows(r io.Reader, prefix string, n int, row func(i, line int, words []uint32) error) error {
	sc := bufio.NewScanner(r)
	sc.Buffer(make([]byte, 4096), 1<<20)
	words := make([]uint32, n)
	line, i, blank := 0, 0, 0
	for sc.Scan() {
		line++
		text := strings.TrimRight(sc.Text(), "\r")
		if line == 1 {
			if err := checkHeader(strings.TrimPrefix(text, "\ufeff"), prefix, n); err != nil {
				return err
			}
			continue
		}
		if strings.TrimSpace(text) == "" {
			blank = line
			continue
		}
		if blank != 0 {
			return fmt.Errorf("line %d: blank line among the rows", blank)
		}
		if err := parseHexRow(text, prefix, words, line); err != nil {
			return err
		}
		if err := row(i, line, words); err != nil {
			return err
		}
		i++
	}
	if err := sc.Err(); err != nil {
		return fmt.Errorf("line %d: %w", line+1, err)
	}
	if line == 0 {
		return fmt.Errorf("empty file; want a header %s0,…,%s%d and rows of %d words", prefix, prefix, n-1, n)
	}
	return nil
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

// ReadInput reads a test vector's input: CSV with the columns RX_DATA_0 to
// RX_DATA_11, eight hexadecimal digits each, one row a bunch crossing. The
// first row is bunch crossing firstBX. Every word of a row must carry the
// header that is due: 9 at bunch crossing 0, every 3,564 rows, and a elsewhere.
func ReadInput(r io.Reader, firstBX int) ([]BunchCrossing, error) {
	if firstBX < 0 || firstBX >= OrbitBX {
		return nil, fmt.Errorf("econt: first bunch crossing %d: want 0 to %d", firstBX, OrbitBX-1)
	}
	var rows []BunchCrossing
	bx := firstBX
	err := readHexRows(r, "RX_DATA_", ERxWords, func(i, line int, words []uint32) error {
		want := uint32(idleHeader)
		if bx == 0 {
			want = markerHeader
		}
		for k, w := range words {
			if got := w >> 28; got != want {
				return fmt.Errorf("row %d (line %d), RX_DATA_%d: header %x where %x is due (BX %d)%s",
					i+1, line, k, got, want, bx, headerHint(got))
			}
		}
		rows = append(rows, BunchCrossing{BX: bx, ERx: [ERxWords]uint32(words)})
		bx = (bx + 1) % OrbitBX
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("econt: input: %w", err)
	}
	return rows, nil
}

func headerHint(got uint32) string {
	switch got {
	case idleHeader, markerHeader:
		return "; rows are missing, out of order, or do not start at the bunch crossing assumed"
	}
	return "; a header is 9 or a"
}

// WriteInput writes rows as ReadInput reads them, with the headers that are due.
func WriteInput(w io.Writer, rows []BunchCrossing) error {
	bw := bufio.NewWriter(w)
	writeHexHeader(bw, "RX_DATA_", ERxWords)
	for i := range rows {
		head := uint32(idleHeader)
		if rows[i].BX == 0 {
			head = markerHeader
		}
		words := rows[i].ERx
		for k := range words {
			words[k] = head<<28 | words[k]&(1<<28-1)
		}
		writeHexRow(bw, words[:])
	}
	return bw.Flush()
}

// ReadOutput reads a golden file: columns TX_DATA_0 to TX_DATA_12.
func ReadOutput(r io.Reader) ([]Output, error) {
	var rows []Output
	err := readHexRows(r, "TX_DATA_", MaxETx, func(_, _ int, words []uint32) error {
		rows = append(rows, Output(words))
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("econt: output: %w", err)
	}
	return rows, nil
}

// WriteOutput writes rows in the layout of the golden files.
func WriteOutput(w io.Writer, rows []Output) error {
	bw := bufio.NewWriter(w)
	writeHexHeader(bw, "TX_DATA_", MaxETx)
	for i := range rows {
		writeHexRow(bw, rows[i][:])
	}
	return bw.Flush()
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

func writeHexRow(bw *bufio.Writer, words []uint32) {
	for k, w := range words {
		if k > 0 {
			bw.WriteByte(',')
		}
		for s := 28; s >= 0; s -= 4 {
			bw.WriteByte(hexDigits[w>>s&15])
		}
	}
	bw.WriteByte('\n')
}
