package file

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go-hep.org/x/hep/groot"
	"go-hep.org/x/hep/groot/rtree"

	"barrow/hgcal"
	"barrow/wafer"
)

// empties are files of several formats that have no images: of ROOT that is known only
// after reading.
func empties(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	for k := range hgcal.Cells {
		names = append(names, fmt.Sprintf("CALQ_%d", k))
	}
	csv := filepath.Join(dir, "header.csv")
	head := "{'descr': '<f8', 'fortran_order': False, 'shape': (0, 48)}"
	npy := filepath.Join(dir, "none.npy")
	for path, text := range map[string]string{
		csv: "other," + strings.Join(names, ",") + "\n",
		npy: "\x93NUMPY\x01\x00\x76\x00" + head + strings.Repeat(" ", 117-len(head)) + "\n",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ntuple := filepath.Join(dir, "none.root")
	f, err := groot.Create(ntuple)
	if err != nil {
		t.Fatal(err)
	}
	var row struct {
		Event  int32
		Charge [hgcal.Cells]float64
	}
	w, err := rtree.NewWriter(f, "wafers", []rtree.WriteVar{{Name: "event", Value: &row.Event}, {Name: "CALQ", Value: &row.Charge}})
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Close(), f.Close()); err != nil {
		t.Fatal(err)
	}
	return []string{csv, npy, ntuple}
}

// TestWithoutImages: of several files those without images are left out wherever they
// stand, and the columns are of the first that has some.
func TestWithoutImages(t *testing.T) {
	ctx := context.Background()
	none := empties(t, t.TempDir())
	for _, path := range none {
		_, err := ReadAll(ctx, path, wafer.ReadSettings{})
		if !errors.Is(err, wafer.ErrNoImages) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := Open(ctx, wafer.ReadSettings{}, none...); !errors.Is(err, wafer.ErrNoImages) || !strings.Contains(err.Error(), "none of 3 files has images") {
		t.Errorf("all: %v", err)
	}
	a, b := write(t, "a.csv", set(0, 1500), wafer.WriteSettings{}), write(t, "b.csv", set(1500, 700), wafer.WriteSettings{})
	both := set(0, 2200)
	for _, paths := range [][]string{{none[0], none[1], none[2], a, b}, {a, none[0], none[1], none[2], b}, {none[2], a, b, none[1], none[0]}} {
		r, err := Open(ctx, wafer.ReadSettings{}, paths...)
		if err != nil {
			t.Fatal(err)
		}
		if in := r.Info(); len(in.Columns) != 1 || in.Columns[0] != "entry" || in.Format != "csv" {
			t.Errorf("%+v", in)
		}
		var part wafer.Set
		n := 0
		for {
			got, err := r.Read(&part, 300)
			if got == 0 {
				if err == nil || !strings.Contains(err.Error(), "EOF") {
					t.Errorf("%v: %v", paths, err)
				}
				break
			}
			where, row := a, n+2
			if n >= 1500 {
				where, row = b, n-1500+2
			}
			if want := fmt.Sprintf("%s:%d", where, row); r.Place(0) != want {
				t.Errorf("place %s, want %s", r.Place(0), want)
			}
			for i := range got {
				if wafer.Sum(part.Image(i)) != wafer.Sum(both.Image(n+i)) || part.Columns[0].Value(i) != fmt.Sprint(n+i) {
					t.Fatalf("image %d is another", n+i)
				}
			}
			n += got
		}
		said := strings.Join(r.Remarks(), "\n")
		for _, path := range none {
			if strings.Count(said, path) != 1 {
				t.Errorf("%q", said)
			}
		}
		if share, ok := r.Share(); n != 2200 || !ok || share != 1 {
			t.Errorf("%v: %d images, share %v", paths, n, share)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
}
