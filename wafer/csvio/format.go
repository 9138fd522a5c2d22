package csvio

import (
	"bytes"
	"io"
	"unicode/utf8"

	"barrow/wafer"
)

// Format is CSV as one of the formats of wafer files.
type Format struct{}

var (
	_ wafer.Dialecter = Format{}
	_ wafer.Untyped   = Format{}
	_ wafer.Heeder    = Format{}
)

// Name is csv.
func (Format) Name() string { return "csv" }

// Endings are .csv and what other tables of text are called.
func (Format) Endings() []string { return []string{".csv", ".txt", ".tsv", ".dat"} }

// Sniff takes everything that may be text.
func (Format) Sniff(head []byte) bool {
	if bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff")) {
		return true // UTF-16: for an error that says so
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	odd := 0
	for len(line) > 0 {
		c, n := utf8.DecodeRune(line)
		if c == utf8.RuneError && n == 1 && len(line) >= utf8.UTFMax || c < ' ' && c != '\t' && c != '\r' && c != 0 {
			odd++
		}
		line = line[n:]
	}
	return odd == 0
}

// Heeds lists the settings that apply to such files.
func (Format) Heeds() []string { return []string{"header", "layout"} }

// Open starts reading.
func (Format) Open(src *wafer.Source, s wafer.ReadSettings) (wafer.FileReader, error) {
	return NewReader(src.Stream, src.Name, s)
}

// Create starts writing.
func (Format) Create(out io.Writer, s wafer.WriteSettings) (wafer.Writer, error) {
	return NewWriter(out, s)
}

// Untyped says that columns are text.
func (Format) Untyped() {}

// Dialects are the layouts that can be written: header (a header, the charges,
// all metadata), charges (a header and the charges), ecoder and noheader (the
// training files of those columns), plain (the charges without a header).
func (Format) Dialects() []string { return dialectNames[:] }
