package file

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"barrow/hgcal"
	"barrow/internal/outfile"
	"barrow/wafer"
)

// set is n images with a column that numbers them from first.
func set(first, n int) *wafer.Set {
	s := &wafer.Set{Charge: make([]float64, n*hgcal.Cells), Columns: []wafer.Column{{Name: "entry"}}}
	for i := range n {
		s.Image(i)[(first+i)%hgcal.Cells] = float64(first + i + 1)
		s.Columns[0].Float = append(s.Columns[0].Float, float64(first+i))
	}
	return s
}

func write(t *testing.T, name string, s *wafer.Set, o wafer.WriteSettings) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := WriteAll(path, false, s, o); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOrderIsKept(t *testing.T) {
	ctx := context.Background()
	s := set(0, 100)
	for _, o := range hgcal.Orders() {
		path := write(t, "a.csv", s, wafer.WriteSettings{Order: o})
		for _, asked := range hgcal.Orders() {
			back, err := ReadAll(ctx, path, wafer.ReadSettings{Order: asked})
			switch {
			case asked == o:
				if err != nil || !slices.Equal(back.Charge, s.Charge) {
					t.Errorf("%v: changed by a round trip: %v", o, err)
				}
			case o != hgcal.V9: // V9 is what the names mean that all programs write, in whatever order
				if err == nil || !strings.Contains(err.Error(), "numbered "+o.String()) {
					t.Errorf("%v read as %v: %v", o, asked, err)
				}
			}
		}
	}
	if _, err := ReadAll(ctx, write(t, "b.csv", s, wafer.WriteSettings{}), wafer.ReadSettings{Order: 7}); err == nil {
		t.Error("an order that does not exist was read")
	}
	if err := WriteAll(filepath.Join(t.TempDir(), "c.csv"), false, s, wafer.WriteSettings{Order: -1}); err == nil {
		t.Error("an order that does not exist was written")
	}
}

func TestSeveralFiles(t *testing.T) {
	ctx := context.Background()
	a, b := write(t, "a.csv", set(0, 1500), wafer.WriteSettings{}), write(t, "b.csv", set(1500, 700), wafer.WriteSettings{})
	r, err := Open(ctx, wafer.ReadSettings{}, a, b)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var part wafer.Set
	n, before := 0, -1.0
	for {
		got, err := r.Read(&part, 1000)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		where, row := a, n+2
		if n >= 1500 {
			where, row = b, n-1500+2
		}
		if want := where + ":" + (&wafer.Column{Float: []float64{float64(row)}}).Value(0); r.Place(0) != want {
			t.Errorf("place %s, want %s", r.Place(0), want)
		}
		share, ok := r.Share()
		if !ok || share < before || share > 1 {
			t.Errorf("share %v after %v", share, before)
		}
		before = share
		for i := range got {
			if part.Image(i)[(n+i)%hgcal.Cells] != float64(n+i+1) {
				t.Fatalf("image %d is another", n+i)
			}
		}
		n += got
	}
	if n != 2200 || before != 1 {
		t.Errorf("%d images, share %v", n, before)
	}
	other := write(t, "c.csv", set(0, 3).WithoutColumns(), wafer.WriteSettings{})
	if r, err = Open(ctx, wafer.ReadSettings{}, a, other); err != nil {
		t.Fatal(err)
	}
	if _, err := wafer.ReadAll(r); !errors.Is(err, wafer.ErrColumns) || !strings.Contains(err.Error(), "a.csv and ") || !strings.Contains(err.Error(), "entry in the first alone, none in the second alone, 0 in both") {
		t.Errorf("other columns: %v", err)
	}
	if _, err := Open(ctx, wafer.ReadSettings{}, a, "none.csv"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the second file is absent: %v", err)
	}
}

func TestForeign(t *testing.T) {
	dir := t.TempDir()
	for head, want := range map[string]string{
		"\x89HDF\r\n\x1a\n\x00": "hdf5: truncated in the superblock", "\x1f\x8b\x08": "unpacking by gzip", "\xfd7zXZ\x00": "compressed by xz",
		"root\x00\x00\xf7\x02\x00\x00": "a ROOT file", "PK\x03\x04\x14\x00": "a zip file", "\x93NUMPY\x01\x00": "not in NumPy's format",
		"\x00\x01\x02\x03": "a binary file", "\xff\xfeC\x00": "UTF-16", "": "empty: no images",
	} {
		path := filepath.Join(dir, "x.csv")
		if err := os.WriteFile(path, []byte(head), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(context.Background(), wafer.ReadSettings{}, path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v, want %q", head, err, want)
		}
	}
	for _, name := range []string{"x.feather", "x.KERAS.gz", "x.csv.bz2"} {
		if _, err := Create(filepath.Join(dir, name), true, wafer.WriteSettings{}); err == nil || !strings.Contains(err.Error(), "not written here") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Open(context.Background(), wafer.ReadSettings{}, dir); err == nil || !strings.Contains(err.Error(), "is a folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(context.Background(), wafer.ReadSettings{}, filepath.Join(dir, "a\x1b[2Jb")); err == nil || strings.Contains(err.Error(), "\x1b") {
		t.Errorf("a name with control characters: %v", err)
	}
}

func TestCreate(t *testing.T) {
	path := write(t, "a.csv", set(0, 3), wafer.WriteSettings{})
	if err := WriteAll(path, false, set(0, 3), wafer.WriteSettings{}); !errors.Is(err, outfile.ErrExists) {
		t.Errorf("overwrites: %v", err)
	}
	before, _ := os.ReadFile(path)
	for name, s := range map[string]*wafer.Set{"negative": {Charge: append(make([]float64, 47), -1)}, "nothing": {}} {
		if err := WriteAll(path, true, s, wafer.WriteSettings{}); err == nil {
			t.Errorf("%s was written", name)
		}
		if after, _ := os.ReadFile(path); !bytes.Equal(before, after) {
			t.Errorf("%s: the failed write changed the file", name)
		}
	}
	for _, name := range []string{"b.npz", "b.npy", "b.parquet", "b.csv"} {
		if _, err := Create(filepath.Join(filepath.Dir(path), name), false, wafer.WriteSettings{Dialect: "none"}); err == nil {
			t.Errorf("%s: a dialect that does not exist was written", name)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// stuck is a stream that never has anything.
type stuck struct{}

func (stuck) Read([]byte) (int, error) { select {} }

func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(20*time.Millisecond, cancel)
	if _, err := New(ctx, wafer.ReadSettings{}, Input{Name: "standard input", Stream: stuck{}}); !errors.Is(err, context.Canceled) {
		t.Errorf("a stream that waits: %v", err)
	}
	r, err := Open(context.Background(), wafer.ReadSettings{}, write(t, "a.csv", set(0, 3000), wafer.WriteSettings{}))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out bytes.Buffer
	w, err := NewWriter(&out, wafer.WriteSettings{})
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	ctx, cancel = context.WithCancel(context.Background())
	_, err = wafer.Copy(ctx, w, r, wafer.CopySettings{Progress: func(share float64, note string) {
		calls++
		cancel()
	}})
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("%v after %d batches", err, calls)
	}
}

// TestOpenFile: a file that somebody else opened is read as the one at a path is, at random where
// the format needs it, and is not closed.
func TestOpenFile(t *testing.T) {
	s := set(0, 30)
	for _, name := range []string{"a.csv", "a.parquet", "a.npz", "a.csv.gz", "[b]*.csv"} {
		f, err := os.Open(write(t, name, s, wafer.WriteSettings{}))
		if err != nil {
			t.Fatal(err)
		}
		r, err := New(context.Background(), wafer.ReadSettings{}, Input{Name: "folder/" + name, File: f})
		if err != nil {
			t.Fatal(err)
		}
		back, err := wafer.ReadAll(r)
		if err != nil || !slices.Equal(back.Charge, s.Charge) {
			t.Errorf("%s: %v", name, err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if err := f.Close(); err != nil {
			t.Errorf("%s: it was closed: %v", name, err)
		}
	}
}
