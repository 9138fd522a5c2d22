package rootio

import (
	"encoding/json"
	"io"
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

// source is a file as the format gets it.
func source(t testing.TB, path string) *wafer.Source {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return &wafer.Source{Name: filepath.Base(path), Stream: f, At: f, Size: info.Size()}
}

// oracle is what a file holds, as the script that wrote it says.
type oracle struct {
	Tree    string
	Charges map[string][][]float64
	Columns map[string][]any
	Remarks []string
}

// TestNtuples reads what uproot and ROOT write, in every compression, to the very
// numbers that the script computes.
func TestNtuples(t *testing.T) {
	for _, writer := range []struct{ name, python string }{{"uproot", "files"}, {"root", "root"}} {
		t.Run(writer.name, func(t *testing.T) {
			dir := t.TempDir()
			shared.Python(t, writer.python, "testdata/make_ntuple.py", writer.name, dir)
			files, _ := filepath.Glob(filepath.Join(dir, "*.root"))
			if len(files) == 0 {
				t.Fatal("no files")
			}
			for _, path := range files {
				t.Run(strings.TrimSuffix(filepath.Base(path), ".root"), func(t *testing.T) { holdToOracle(t, path) })
			}
		})
	}
}

func holdToOracle(t *testing.T, path string) {
	b, err := os.ReadFile(strings.TrimSuffix(path, ".root") + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var want oracle
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for charge, images := range want.Charges {
		for _, step := range []int{1024, 7} {
			r, err := Format{}.Open(source(t, path), wafer.ReadSettings{Charge: charge})
			if err != nil {
				t.Fatal(err)
			}
			if in := r.Info(); in.Unit != charge || in.Order != hgcal.V9 {
				t.Errorf("%+v", in)
			}
			set := readAll(t, r, step)
			compare(t, charge, set, images, want.Columns)
			remarks := strings.Join(r.(wafer.Remarker).Remarks(), "\n")
			for _, w := range want.Remarks {
				if !strings.Contains(remarks, w) {
					t.Errorf("no remark of %q:\n%s", w, remarks)
				}
			}
			if len(want.Remarks) == 0 && remarks != "" {
				t.Errorf("remarks: %s", remarks)
			}
		}
	}
	for _, tree := range []string{want.Tree, "/" + want.Tree, want.Tree + ";1", filepath.Base(want.Tree)} {
		if _, err := (Format{}).Open(source(t, path), wafer.ReadSettings{Tree: tree}); err != nil {
			t.Errorf("tree %s: %v", tree, err)
		}
	}
}

// readAll reads all images, so many at a time, and holds the places to them.
func readAll(t *testing.T, r wafer.FileReader, step int) *wafer.Set {
	t.Helper()
	var all, part wafer.Set
	for {
		n, err := r.Read(&part, step)
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 || n > step || part.Len() != n {
			t.Fatalf("%d images of %d, in a set of %d", n, step, part.Len())
		}
		if err := part.Check(); err != nil {
			t.Fatal(err)
		}
		if err := all.Append(&part); err != nil {
			t.Fatal(err)
		}
		if c := part.Column("entry"); c != nil && !strings.Contains(r.Place(n-1), ", entry "+c.Value(n-1)) {
			t.Fatalf("image %d: %s", n-1, r.Place(n-1))
		}
	}
	return &all
}

func compare(t *testing.T, what string, set *wafer.Set, images [][]float64, columns map[string][]any) {
	t.Helper()
	if set.Len() != len(images) {
		t.Fatalf("%s: %d images, want %d", what, set.Len(), len(images))
	}
	for i, want := range images {
		if !slices.Equal(set.Image(i), want) {
			t.Fatalf("%s: image %d is\n%v, want\n%v", what, i, set.Image(i), want)
		}
	}
	for name, want := range columns {
		c := set.Column(name)
		if c == nil {
			t.Errorf("no column %s", name)
			continue
		}
		for i, w := range want {
			switch w := w.(type) {
			case string:
				if c.Text == nil || c.Text[i] != w {
					t.Fatalf("%s of image %d: %s, want %s", name, i, c.Value(i), w)
				}
			case nil:
				if c.Float == nil || !math.IsNaN(c.Float[i]) {
					t.Fatalf("%s of image %d: %s, want none", name, i, c.Value(i))
				}
			case float64:
				if c.Int != nil && float64(c.Int[i]) != w || c.Float != nil && math.Abs(c.Float[i]-w) > 1e-12*max(1, math.Abs(w)) || c.Text != nil {
					t.Fatalf("%s of image %d: %s, want %v", name, i, c.Value(i), w)
				}
			}
		}
	}
}
