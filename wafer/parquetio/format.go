package parquetio

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"barrow/wafer"
)

// Format is Parquet as one of the formats of wafer files.
type Format struct{}

var (
	_ wafer.Dialecter = Format{}
	_ wafer.Inspector = Format{}
)

// Name is parquet.
func (Format) Name() string { return "parquet" }

// Endings are .parquet and .pq.
func (Format) Endings() []string { return []string{".parquet", ".pq"} }

// Sniff takes files with Parquet's signature, encrypted ones too, for an error that
// says so.
func (Format) Sniff(head []byte) bool {
	return bytes.HasPrefix(head, []byte("PAR1")) || bytes.HasPrefix(head, []byte("PARE"))
}

// Heeds lists the settings that apply to such files.
func (Format) Heeds() []string { return []string{"header", "tree"} }

// Open starts reading.
func (Format) Open(src *wafer.Source, s wafer.ReadSettings) (wafer.FileReader, error) {
	in, size, err := src.File()
	if err != nil {
		return nil, fmt.Errorf("parquetio: %w", err)
	}
	return newReader(in, size, src.Name, s)
}

// Create starts writing.
func (Format) Create(out io.Writer, s wafer.WriteSettings) (wafer.Writer, error) {
	return newWriter(out, s)
}

// dialects are the layouts that can be written.
const (
	asList    = "list"
	asColumns = "columns"
)

// Dialects are the layouts that can be written: list (one column CALQ of 48 numbers a
// row), columns (CALQ_0 … CALQ_47).
func (Format) Dialects() []string { return []string{asList, asColumns} }

func checkDialect(name string) error {
	switch name {
	case "", asList, asColumns:
		return nil
	}
	return fmt.Errorf("parquetio: unknown Parquet dialect %q: want %s", name, strings.Join(Format{}.Dialects(), ", "))
}
