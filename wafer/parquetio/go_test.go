package parquetio

import (
	"bytes"
	"fmt"
	"io"
	"testing"

	"github.com/parquet-go/parquet-go"

	"barrow/wafer"
)

// counting counts the bytes that are read.
type counting struct {
	io.ReaderAt
	n int64
}

func (c *counting) ReadAt(p []byte, at int64) (int, error) {
	n, err := c.ReaderAt.ReadAt(p, at)
	c.n += int64(n)
	return n, err
}

// TestGo: what is read from the middle on is what is there, whatever pages and row groups, and pages
// before are not read.
func TestGo(t *testing.T) {
	type row struct {
		CALQ    []float64 `parquet:"CALQ,list"`
		Event   int64     `parquet:"event"`
		Eta     *float64  `parquet:"eta"`
		ModType string    `parquet:"ModType,dict"`
	}
	s := sample(3000)
	var rows []row
	for i := range s.Len() {
		r := row{s.Image(i), s.Columns[0].Int[i], &s.Columns[1].Float[i], s.Columns[2].Text[i]}
		if i%7 == 0 {
			r.Eta = nil
		}
		rows = append(rows, r)
	}
	files := kinds(t)
	files["own"], files["own columns"] = write(t, s, wafer.WriteSettings{}), write(t, s, wafer.WriteSettings{Dialect: "columns"})
	for _, version := range []int{1, 2} {
		for _, size := range []int{500, 3000, 1 << 20} {
			for _, group := range []int64{77, 1000, 1 << 20} {
				files[fmt.Sprint("pages ", version, size, group)] = table(t, rows, parquet.DataPageVersion(version), parquet.PageBufferSize(size), parquet.MaxRowsPerRowGroup(group))
			}
		}
	}
	for name, b := range files {
		all := read(t, b, wafer.ReadSettings{})
		for _, k := range []int{0, 1, 40, 59, 76, 77, 1000, 1001, 2999} {
			if k >= all.Len() {
				continue
			}
			r, err := newReader(bytes.NewReader(b), int64(len(b)), "test", wafer.ReadSettings{})
			if err != nil {
				t.Fatal(err)
			}
			var first wafer.Set
			if k == 1001 { // on the way
				if _, err := r.Read(&first, 13); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.Go(wafer.Mark{At: int64(k)}); err != nil {
				t.Fatalf("%s: to row %d: %v", name, k, err)
			}
			if m, ok := r.Mark(); !ok || m.At != int64(k) || m.Sub != 0 {
				t.Fatalf("%s: at row %d: %+v", name, k, m)
			}
			got, err := wafer.ReadAll(r)
			if err != nil {
				t.Fatalf("%s: from row %d on: %v", name, k, err)
			}
			if got.Digest() != all.Slice(k, all.Len()).Digest() {
				t.Errorf("%s: other images from row %d on", name, k)
			}
			r.Close()
		}
	}
	for _, name := range []string{"pages 1 3000 77", "pages 2 500 1048576"} {
		b := files[name]
		if b == nil {
			t.Fatalf("no file %q", name)
		}
		in := &counting{ReaderAt: bytes.NewReader(b)}
		r, err := newReader(in, int64(len(b)), "test", wafer.ReadSettings{})
		if err != nil {
			t.Fatal(err)
		}
		head := in.n
		if err := r.Go(wafer.Mark{At: 2900}); err != nil {
			t.Fatal(err)
		}
		var some wafer.Set
		if _, err := r.Read(&some, 50); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %d of %d bytes for 50 rows of 3000, beside %d of its table of contents", name, in.n-head, len(b), head)
		if name == "pages 1 3000 77" && in.n-head > int64(len(b))/10 {
			t.Errorf("%s: %d of %d bytes are read", name, in.n-head, len(b))
		}
		for _, wrong := range []int64{-1, 10, 3001} {
			if r.Go(wafer.Mark{At: wrong}) == nil {
				t.Errorf("%s: goes to row %d", name, wrong)
			}
		}
		r.Close()
	}
}
