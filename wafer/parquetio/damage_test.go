package parquetio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"barrow/internal/shared"
	"barrow/wafer"

	"github.com/parquet-go/parquet-go"
)

// damaged reads a file that may be damaged, and returns the first error, which must name
// the file.
func damaged(t testing.TB, b []byte) error {
	t.Helper()
	r, err := newReader(bytes.NewReader(b), int64(len(b)), "test", wafer.ReadSettings{})
	if err == nil {
		var part wafer.Set
		for n := 0; err == nil && n < 1e6; n += part.Len() {
			_, err = r.Read(&part, 64)
		}
		r.Close()
	}
	if err == io.EOF {
		return nil
	}
	if err != nil && !strings.HasPrefix(err.Error(), "parquetio: test") {
		t.Errorf("the error names no file: %v", err)
	}
	return err
}

// kinds are small files of as many ways to write as there are.
func kinds(t testing.TB) map[string][]byte {
	type flat struct {
		Layer int64   `parquet:"layer,delta"`
		Eta   float64 `parquet:"eta,split"`
		Mod   string  `parquet:"ModType,dict"`
		Text  string  `parquet:"text,delta"`
		OK    *bool   `parquet:"ok,optional"`
		CALQ  []int32 `parquet:"CALQ,list"`
	}
	yes := true
	var flats []flat
	for i := range 60 {
		f := flat{Layer: int64(i * i), Eta: float64(i) / 7, Mod: "FI", Text: strings.Repeat("x", i%5), CALQ: make([]int32, 48)}
		if f.CALQ[i%48] = int32(i); i%3 > 0 {
			f.OK = &yes
		}
		flats = append(flats, f)
	}
	s := sample(60)
	files := map[string][]byte{
		"list": write(t, s, wafer.WriteSettings{}), "columns": write(t, s, wafer.WriteSettings{Dialect: "columns"}),
	}
	for name, codec := range map[string]parquet.WriterOption{
		"none": parquet.Compression(&parquet.Uncompressed), "snappy": parquet.Compression(&parquet.Snappy), "gzip": parquet.Compression(&parquet.Gzip),
		"brotli": parquet.Compression(&parquet.Brotli), "zstd": parquet.Compression(&parquet.Zstd), "lz4": parquet.Compression(&parquet.Lz4Raw),
	} {
		for version := 1; version <= 2; version++ {
			files[fmt.Sprint(name, version)] = table(t, flats, codec, parquet.DataPageVersion(version), parquet.PageBufferSize(700))
		}
	}
	return files
}

func TestDamage(t *testing.T) {
	files := kinds(t)
	for name, b := range files {
		t.Run(name, func(t *testing.T) {
			shared.Damaged(t, b, 10000/len(files)+1, func(b []byte) error { return damaged(t, b) })
		})
	}
}

func FuzzReader(f *testing.F) {
	for _, b := range kinds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		_ = shared.Bounded(t, "a file", b, func(b []byte) error { return damaged(t, b) })
	})
}

// TestChecksums flips bits of pages of ours: none goes by unnoticed.
func TestChecksums(t *testing.T) {
	s := sample(200)
	b := write(t, s, wafer.WriteSettings{})
	pages := len(b) - 8 - int(binary.LittleEndian.Uint32(b[len(b)-8:]))
	for at := 4; at < pages; at += 7 {
		bad := slices.Clone(b)
		bad[at] ^= 1 << (at % 8)
		r, err := newReader(bytes.NewReader(bad), int64(len(bad)), "test", wafer.ReadSettings{})
		if err != nil {
			t.Fatal(err)
		}
		if back, err := wafer.ReadAll(r); err == nil {
			same(t, s, back) // what no reader needs: encodings of levels, say
		}
	}
}
