package parquetio

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/internal/shared"
	"barrow/wafer"
)

func openFile(t testing.TB, path string, s wafer.ReadSettings) (*reader, error) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return newReader(bytes.NewReader(b), int64(len(b)), filepath.Base(path), s)
}

// TestOtherWriters reads the same images from files of pyarrow and pandas of all kinds:
// codecs, versions of pages, encodings, types, shapes of lists, row groups.
func TestOtherWriters(t *testing.T) {
	dir := t.TempDir()
	shared.Python(t, "files", "testdata/write.py", dir)
	files, err := filepath.Glob(filepath.Join(dir, "*.parquet"))
	if err != nil || len(files) < 100 {
		t.Fatal(len(files), err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			r, err := openFile(t, path, wafer.ReadSettings{})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			s := readAll(t, r, 700)
			if s.Len() != 2500 {
				t.Fatal(s.Len(), "images")
			}
			for i := range s.Len() {
				for k, v := range s.Image(i) {
					want := 0.0
					if (i+k)%3 == 0 {
						want = float64((i*31 + k*17) % 101)
					}
					if v != want || math.Signbit(v) {
						t.Fatalf("image %d, cell %d: %v, want %v", i, k, v, want)
					}
				}
				event, layer, eta, name := s.Column("event").Int[i], s.Column("layer").Int[i], s.Column("eta").Float[i], s.Column("ModType").Text[i]
				if event != int64(i)*1000003 || layer != int64(i%47) || eta != float64(i)/8-100 || name != fmt.Sprintf("w%d", i%100) {
					t.Fatalf("image %d: %v %v %v %v", i, event, layer, eta, name)
				}
			}
		})
	}
}

// readAll reads with batches of n.
func readAll(t testing.TB, r *reader, n int) *wafer.Set {
	t.Helper()
	var all, part wafer.Set
	for {
		got, err := r.Read(&part, n)
		if got == 0 && err != nil {
			if err.Error() != "EOF" {
				t.Fatal(err)
			}
			break
		}
		if err := all.Append(&part); err != nil {
			t.Fatal(err)
		}
	}
	if err := all.Check(); err != nil {
		t.Fatal(err)
	}
	return &all
}

// TestMetadata reads columns of odd types and with missing values.
func TestMetadata(t *testing.T) {
	dir := t.TempDir()
	paths := []string{filepath.Join(dir, "a.parquet"), filepath.Join(dir, "old.parquet")}
	shared.Python(t, "files", "testdata/metadata.py", paths...)
	for old, path := range paths {
		r, err := openFile(t, path, wafer.ReadSettings{})
		if err != nil {
			t.Fatal(err)
		}
		s := readAll(t, r, 2)
		for name, want := range map[string]string{
			"index": "a|b|c", "bool": "1|0|1", "holes": "1|NaN|3", "real": "0.5|NaN|NaN", "text": "x||ü",
			"date": "2026-11-28|1969-12-31|", "time": "01:02:03.5|00:00:00|", "local": "2026-11-28T01:22:14|1960-01-01T00:00:00.000001|",
			"utc": "2026-11-28T01:22:14.123Z|1970-01-01T00:00:00Z|", "old": "2026-11-28T01:22:14.000000005|1970-01-01T00:00:00|",
			"u32": "4294967295|0|7", "u64": "9223372036854775807|0|7", "money": "1.25|-3|0.01", "half": "0.5|-2|NaN",
			"big": "1.2345678901234567e+19|-1|0", "bytes": "ab|\x00|", "nothing": "||", "category": "lo|hi|lo",
		} {
			c := s.Column(name)
			if c == nil {
				t.Errorf("%s: no column %s", path, name)
				continue
			}
			var got []string
			for i := range c.Len() {
				got = append(got, c.Value(i))
			}
			text := strings.Join(got, "|")
			if old == 1 && name == "utc" { // the older type has no zone
				want = strings.ReplaceAll(want, "Z", "")
			}
			if text != want {
				t.Errorf("%s: %s: %q, want %q", path, name, text, want)
			}
		}
		if got := strings.Join(r.Remarks(), "; "); got != "left out, lists and structures: pair, ragged" {
			t.Error(got)
		}
	}
}

// TestOthersRead has pyarrow and pandas read what is written here.
func TestOthersRead(t *testing.T) {
	dir := t.TempDir()
	s := sample(70_000)
	for _, dialect := range (Format{}).Dialects() {
		for _, order := range hgcal.Orders() {
			b := write(t, s, wafer.WriteSettings{Dialect: dialect, Order: order, Unit: "mippt"})
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%v.parquet", dialect, order)), b, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	var csv bytes.Buffer // the same by a way that has no Parquet in it
	for i := range s.Len() {
		fmt.Fprintf(&csv, "%d,%v,%q", s.Columns[0].Int[i], s.Columns[1].Float[i], s.Columns[2].Text[i])
		for _, v := range s.Image(i) {
			fmt.Fprintf(&csv, ",%v", v)
		}
		csv.WriteByte('\n')
	}
	var orders []string
	for _, o := range hgcal.Orders() {
		at := o.ToV9()
		orders = append(orders, strings.Trim(strings.Join(strings.Fields(fmt.Sprint(at)), ","), "[]"))
	}
	want := filepath.Join(dir, "want.csv")
	if err := os.WriteFile(want, csv.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out := shared.Python(t, "files", "testdata/read.py", slices.Concat([]string{dir}, orders)...)
	if got := strings.TrimSpace(string(out)); got != "6 files are the same" {
		t.Errorf("%s", got)
	}
}
