package file

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/wafer"
)

// TestPacked: what is compressed reads as what is not, in one piece or several, and
// cut anywhere it is an error.
func TestPacked(t *testing.T) {
	ctx, s := context.Background(), set(0, 2000)
	for _, name := range []string{"a.csv.gz", "a.csv.ZST", "a.zst"} {
		path := write(t, name, s, wafer.WriteSettings{})
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if p := packing(whole); p == nil {
			t.Fatalf("%s is not compressed", name)
		}
		r, err := Open(ctx, wafer.ReadSettings{}, path)
		if err != nil {
			t.Fatal(err)
		}
		back, err := wafer.ReadAll(r)
		if err != nil || !slices.Equal(back.Charge, s.Charge) {
			t.Errorf("%s: changed by a round trip: %v", name, err)
		}
		if share, ok := r.Share(); !ok || share != 1 {
			t.Errorf("%s: share %v, %v at the end", name, share, ok)
		}
		r.Close()
		for n := 1; n < 20; n++ {
			cut := bytes.NewReader(whole[:len(whole)*n/20])
			r, err := New(ctx, wafer.ReadSettings{}, Input{Name: "cut", Stream: cut})
			if err == nil {
				_, err = wafer.ReadAll(r)
				r.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "unpacking by") || !strings.Contains(err.Error(), "cut") {
				t.Fatalf("%s cut to %d/20: %v", name, n, err)
			}
		}
		twice := slices.Concat(whole, whole) // the second one's header is then a row
		r, err = New(ctx, wafer.ReadSettings{}, Input{Name: "twice", Stream: bytes.NewReader(twice)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err = wafer.ReadAll(r); err == nil || !strings.Contains(err.Error(), "2002") {
			t.Errorf("%s: the second piece was not read: %v", name, err)
		}
		r.Close()
	}
}

// TestSpool: a stream that is needed in any order is kept in a file that goes.
func TestSpool(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	src := wafer.Source{Name: "x", Stream: strings.NewReader("0123456789"), Size: -1}
	at, n, err := src.File()
	if err != nil || n != 10 {
		t.Fatal(n, err)
	}
	b := make([]byte, 4)
	if _, err := at.ReadAt(b, 5); err != nil || string(b) != "5678" {
		t.Errorf("%q, %v", b, err)
	}
	if read, size := src.Spooled(); read != 4 || size != 10 {
		t.Errorf("%d of %d are read", read, size)
	}
	if err := src.Close(); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(os.Getenv("TMPDIR")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestExpand(t *testing.T) {
	dir := t.TempDir()
	at := func(names ...string) []string {
		for i, n := range names {
			names[i] = filepath.Join(dir, n)
		}
		return names
	}
	for _, path := range at("nt_10.csv", "nt_2.csv", "nt_2b.csv", "nt_02.csv", "x[1].csv", "x1.csv", "other") {
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Expand(at("nt_*.csv", "other", "x[1].csv", "x[0-9].csv", "absent")...)
	want := at("nt_02.csv", "nt_2.csv", "nt_2b.csv", "nt_10.csv", "other", "x[1].csv", "x1.csv", "absent")
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v", got, err)
	}
	for pattern, want := range map[string]string{"none*": "no file fits", "x[": "no pattern"} {
		if _, err := Expand(at(pattern)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", pattern, err)
		}
	}
	if _, err := Open(context.Background(), wafer.ReadSettings{}, filepath.Join(dir, "absent?")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a pattern of no files: %v", err)
	}
}
