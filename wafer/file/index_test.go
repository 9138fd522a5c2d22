package file

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/internal/index"
	"barrow/wafer"
)

// indexed reads files whole, some images at a time, and returns them with their index.
func indexed(t *testing.T, some int, s wafer.ReadSettings, paths ...string) (*wafer.Set, []string, *index.Index) {
	t.Helper()
	r, err := Open(context.Background(), s, paths...)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	x := &index.Index{}
	r.Index(x)
	all, part := &wafer.Set{}, wafer.Set{}
	var places []string
	for {
		n, err := r.Read(&part, some)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range n {
			places = append(places, r.Place(i))
		}
		if err := all.Append(&part); err != nil {
			t.Fatal(err)
		}
	}
	if x.Rows != all.Len() || x.Check(len(paths)) != nil {
		t.Fatalf("%v: %d images, and an index of %d: %v", paths, all.Len(), x.Rows, x.Check(len(paths)))
	}
	return all, places, x
}

// goesTo holds what is read from images in the middle on to what one reading gave.
func goesTo(t *testing.T, s wafer.ReadSettings, paths ...string) {
	t.Helper()
	for _, some := range []int{3, 1024} {
		all, places, x := indexed(t, some, s, paths...)
		if some == 3 && all.Len() > 2048+30 && len(x.Marks) < 10 {
			t.Errorf("%v: %d marks", paths, len(x.Marks))
		}
		for k := 0; k < all.Len(); k += max(1, all.Len()/17) {
			r, err := Open(context.Background(), s, paths...)
			if err != nil {
				t.Fatal(err)
			}
			if err := r.GoTo(x, k); err != nil {
				t.Fatalf("%v: to image %d: %v", paths, k, err)
			}
			n := min(700, all.Len()-k)
			got, part, at := &wafer.Set{}, wafer.Set{}, k
			for got.Len() < n {
				more, err := r.Read(&part, n-got.Len())
				if err != nil {
					t.Fatalf("%v: from image %d on: %v", paths, k, err)
				}
				for i := range more {
					if r.Place(i) != places[at+i] {
						t.Fatalf("%v: image %d is at %s, not at %s", paths, at+i, r.Place(i), places[at+i])
					}
				}
				at += more
				if err := got.Append(&part); err != nil {
					t.Fatal(err)
				}
			}
			if got.Digest() != all.Slice(k, k+n).Digest() {
				t.Errorf("%v: other images from %d on", paths, k)
			}
			r.Close()
		}
	}
}

// TestGoTo: what is read from the middle on is what is there, in every format that is written,
// compressed or not, and in several files of different ones.
func TestGoTo(t *testing.T) {
	several := []string{}
	for k, name := range []string{"a.csv", "a.csv.gz", "a.tsv.zst", "a.npz", "a.npz.gz", "a.parquet", "a.root"} {
		s := set(10*k, 2500)
		s.Columns = append(s.Columns, wafer.Column{Name: "ModType"})
		for i := range s.Len() {
			s.Columns[1].Text = append(s.Columns[1].Text, []string{"FI", "aO", "a \"b\", c", "π"}[i%4])
		}
		path := write(t, name, s, wafer.WriteSettings{Order: hgcal.PostMux})
		goesTo(t, wafer.ReadSettings{Order: hgcal.PostMux}, path)
		several = append(several, path)
	}
	empty := filepath.Join(t.TempDir(), "empty.csv")
	head, err := os.ReadFile(several[0])
	if err != nil {
		t.Fatal(err)
	}
	line, _, _ := strings.Cut(string(head), "\n")
	if err := os.WriteFile(empty, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	goesTo(t, wafer.ReadSettings{Order: hgcal.PostMux}, slices.Insert(several, 1, empty, several[5])...)
	goesTo(t, wafer.ReadSettings{}, write(t, "a.npy", &wafer.Set{Charge: set(0, 3000).Charge}, wafer.WriteSettings{}))
}

// TestGoToForeign: ntuples, whose events have several images, and tables of other programs.
func TestGoToForeign(t *testing.T) {
	for _, pattern := range []string{"../rootio/testdata/*.root", "../hdf5io/testdata/*.h5"} {
		list, err := filepath.Glob(pattern)
		if err != nil || len(list) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, path := range list {
			goesTo(t, wafer.ReadSettings{}, path)
			goesTo(t, wafer.ReadSettings{}, path, path)
		}
	}
}

// TestGoToText: text in all the ways in which tables are written.
func TestGoToText(t *testing.T) {
	row := func(k int, sep, open string) string {
		var f []string
		for c := range hgcal.Cells {
			f = append(f, fmt.Sprint((k+7*c)%50))
		}
		return strings.Join(append(f, open+fmt.Sprint(k)+open), sep)
	}
	names := ""
	for c := range hgcal.Cells {
		names += fmt.Sprintf("CALQ_%d,", c)
	}
	rows := func(n int, sep, open, end string) string {
		var b strings.Builder
		for k := range n {
			b.WriteString(row(k, sep, open) + end)
		}
		return b.String()
	}
	const n = 5000
	numbered := wafer.ReadSettings{Layout: "charges,index"}
	first := numbered
	first.Quirks = []string{wafer.QuirkFirstRow}
	for name, x := range map[string]struct {
		text string
		s    wafer.ReadSettings
	}{
		"plain":             {names + "index\n" + rows(n, ",", "", "\n"), wafer.ReadSettings{}},
		"mark, comments":    {"\ufeff# made by hand\n# twice\n" + names + "index\n" + rows(n, ",", "", "\n"), wafer.ReadSettings{}},
		"CRLF, quoted":      {names + "index\r\n" + rows(n, ",", `"`, "\r\n"), wafer.ReadSettings{}},
		"no end":            {strings.TrimSuffix(names+"index\n"+rows(n, ",", "", "\n"), "\n"), wafer.ReadSettings{}},
		"empty at the end":  {names + "index\n" + rows(n, ",", "", "\n") + "\n# end\n\n", wafer.ReadSettings{}},
		"spaces, no header": {rows(n, "  ", "", "\n"), numbered},
		"first row lost":    {rows(n, ";", "", "\n"), first},
		"sep=":              {"sep=\t\n" + rows(n, "\t", "", "\r\n"), numbered},
		"few":               {rows(3, ";", "", "\n"), numbered},
	} {
		path := filepath.Join(t.TempDir(), "a.csv")
		if err := os.WriteFile(path, []byte(x.text), 0o600); err != nil {
			t.Fatal(err)
		}
		t.Run(name, func(t *testing.T) {
			goesTo(t, x.s, path)
			goesTo(t, x.s, path, path)
		})
	}
}

// TestGoToReads: of a large text little more is read than what is wanted.
func TestGoToReads(t *testing.T) {
	const n, part = 60_000, 600
	path := write(t, "a.csv", set(0, n), wafer.WriteSettings{})
	_, _, x := indexed(t, 1024, wafer.ReadSettings{}, path)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, from := range []int{0, n / 2, n - part} {
		r, err := Open(context.Background(), wafer.ReadSettings{}, path)
		if err != nil {
			t.Fatal(err)
		}
		var read int64
		r.now.bytes.after = func() { read++ } // of up to 256 KiB each
		if err := r.GoTo(x, from); err != nil {
			t.Fatal(err)
		}
		var set wafer.Set
		for left := part; left > 0; {
			k, err := r.Read(&set, left)
			if err != nil {
				t.Fatal(err)
			}
			left -= k
		}
		r.Close()
		if most := info.Size()*part/n>>18 + 4; read > most {
			t.Errorf("from image %d on: %d reads of %d images, want at most %d of %d", from, read, part, most, info.Size()>>18)
		}
	}
}

// TestGoToOther: an index of other bytes gives no images.
func TestGoToOther(t *testing.T) {
	path := write(t, "a.csv", set(0, 5000), wafer.WriteSettings{})
	_, _, x := indexed(t, 1024, wafer.ReadSettings{}, path)
	other := write(t, "a.csv", set(1, 5000), wafer.WriteSettings{})
	short := write(t, "a.npz", set(1, 50), wafer.WriteSettings{})
	for _, path := range []string{other, short} {
		r, err := Open(context.Background(), wafer.ReadSettings{}, path)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.GoTo(x, 3000); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
		r.Close()
	}
	r, err := Open(context.Background(), wafer.ReadSettings{}, path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := r.GoTo(x, 5001); err == nil {
		t.Error("to an image that is not there")
	}
}
