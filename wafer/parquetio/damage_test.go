package parquetio

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"barrow/internal/counter"
	"barrow/wafer"

	"github.com/parquet-go/parquet-go"
)

// damaged reads a file that may be damaged: what comes is images or an error, soon
// and without much memory.
func damaged(t testing.TB, b []byte) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r, err := newReader(bytes.NewReader(b), int64(len(b)), "test", wafer.ReadSettings{})
	if err == nil {
		var part wafer.Set
		for n := 0; err == nil && n < 1e6; n += part.Len() {
			_, err = r.Read(&part, 64)
		}
		r.Close()
	}
	if err != nil && err != io.EOF && !strings.HasPrefix(err.Error(), "parquetio: test") {
		t.Fatalf("%v", err)
	}
	runtime.ReadMemStats(&after)
	if used := after.TotalAlloc - before.TotalAlloc; used > 32<<20+100*uint64(len(b)) {
		t.Fatalf("%d MB for a file of %d bytes: %v", used>>20, len(b), err)
	}
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
	tries := 5000
	if testing.Short() {
		tries = 500
	}
	flips := counter.New(17, 5)
	for name, b := range files {
		t.Run(name, func(t *testing.T) {
			for k := range 20 {
				damaged(t, b[:len(b)*k/20])
			}
			for range tries/len(files) + 1 {
				bad := slices.Clone(b)
				at := flips.IntN(len(b))
				if flips.IntN(2) == 0 { // the half of them where it hurts
					at = len(b) - 1 - flips.IntN(min(len(b), 900))
				}
				bad[at] ^= byte(1 + flips.IntN(255))
				damaged(t, bad)
			}
		})
	}
}

func FuzzReader(f *testing.F) {
	for _, b := range kinds(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { damaged(t, b) })
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
