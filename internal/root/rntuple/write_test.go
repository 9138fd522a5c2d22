package rntuple

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/internal/outfile"
	"barrow/internal/root"
)

// sample is what the tests write: n entries of every type, with what is at their ends.
func sample(n int) ([]Field, []root.Array) {
	fields := []Field{
		{Name: "event", Type: Int64, About: "number of the event"},
		{Name: "layer", Type: Int32},
		{Name: "eta", Type: Float64},
		{Name: "pt", Type: Float32, About: "GeV, größer als 0"},
		{Name: "HD_LD", Type: Text},
		{Name: "CALQ", Type: Float64, Len: 48, About: "calq"},
		{Name: "cells", Type: Int32, Len: 3},
	}
	a := make([]root.Array, len(fields))
	ints := []int64{0, -1, math.MaxInt64, math.MinInt64, 42}
	floats := []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, 5e-324, -1.5}
	texts := []string{"", "HD", "", "LD", "größer", strings.Repeat("x", 300)}
	for i := range n {
		a[0].Int = append(a[0].Int, ints[i%len(ints)]+int64(i/5))
		a[1].Int = append(a[1].Int, int64(int32(ints[i%len(ints)]>>31)))
		a[2].Float = append(a[2].Float, floats[i%len(floats)])
		a[3].Float = append(a[3].Float, float64(float32(floats[(i+3)%len(floats)])))
		a[4].Text = append(a[4].Text, texts[i%len(texts)])
		for k := range 48 {
			a[5].Float = append(a[5].Float, float64((i*31+k*17)%97)/8)
		}
		for k := range 3 {
			a[6].Int = append(a[6].Int, int64(i*3+k))
		}
	}
	return fields, a
}

// write writes n entries of the sample into a file of its own.
func write(t testing.TB, n int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "written.root")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fields, a := sample(n)
	w, err := NewWriter(f, "wafers", fields)
	if err == nil {
		err = w.Write(a)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// same compares numbers with NaN equal to itself.
func same[T comparable](a, b []T) bool {
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] && (a[i] == a[i] || b[i] == b[i]) {
			return false
		}
	}
	return len(a) == len(b)
}

// TestWritten reads back what was written, in steps that are no multiple of anything.
func TestWritten(t *testing.T) {
	for _, n := range []int{0, 1, 5000, 100_000} {
		table := tables(t, write(t, n))["wafers"]
		if table == nil || table.Entries() != int64(n) {
			t.Fatalf("%d entries: %v", n, table)
		}
		if clusters := table.groups; n == 100_000 && (len(clusters) != 1 || clusters[0].clusters < 3) {
			t.Errorf("%d entries are in %+v", n, clusters)
		}
		fields, want := sample(n)
		for i, f := range fields {
			c := table.Columns()[i]
			if c.Name != f.Name || c.Len != max(f.Len, 1) || c.Unread != "" || table.About(i) != f.About {
				t.Errorf("%+v, described as %q, is what became of %+v", c, table.About(i), f)
			}
			var got, a root.Array
			r, err := table.Reader(i)
			if err != nil {
				t.Fatal(err)
			}
			for at := 0; at < n; {
				k := min(7919, n-at)
				if err := r.Read(&a, int64(at), k); err != nil {
					t.Fatal(err)
				}
				if a.Entries() != k || a.Offsets[k] != k*c.Len {
					t.Fatalf("%s: %d entries of %d, %d values", f.Name, a.Entries(), k, a.Offsets[k])
				}
				got.Int, got.Float, got.Text = append(got.Int, a.Int...), append(got.Float, a.Float...), append(got.Text, a.Text...)
				at += k
			}
			if !same(got.Int, want[i].Int) || !same(got.Float, want[i].Float) || !same(got.Text, want[i].Text) {
				t.Errorf("%d entries: %s is not what was written", n, f.Name)
			}
		}
	}
}

// TestBackwards reads entries that lie before those that were read.
func TestBackwards(t *testing.T) {
	const n = 60_000
	table := tables(t, write(t, n))["wafers"]
	_, want := sample(n)
	for i, c := range table.Columns() {
		r, err := table.Reader(i)
		if err != nil {
			t.Fatal(err)
		}
		var a root.Array
		for _, at := range []int{n - 3, 17, n / 2, 0, 8191, 8192, 1} {
			if err := r.Read(&a, int64(at), 2); err != nil {
				t.Fatal(err)
			}
			lo, hi := at*c.Len, (at+2)*c.Len
			if len(a.Int) > 0 && !same(a.Int, want[i].Int[lo:hi]) || len(a.Float) > 0 && !same(a.Float, want[i].Float[lo:hi]) || len(a.Text) > 0 && !same(a.Text, want[i].Text[lo:hi]) {
				t.Errorf("%s, entry %d: %v", c.Name, at, a)
			}
		}
		if err := r.Read(&a, n-1, 2); err == nil {
			t.Errorf("%s: read beyond the last entry", c.Name)
		}
	}
}

// TestEqual: the same tables are the same bytes, whether their beginning can be written
// last or waits in a temporary file, which is gone after.
func TestEqual(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	a, err := os.ReadFile(write(t, 100))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "direct")
	f, err := outfile.Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abort()
	fields, values := sample(100)
	w, err := NewWriter(f, "wafers", fields)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(w.Write(values), w.Close(), f.Commit()); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || !bytes.Equal(a, b) {
		t.Errorf("two files of one table differ (%v)", err)
	}

	left, err := NewWriter(io.Discard, "wafers", fields)
	if err != nil {
		t.Fatal(err)
	}
	left.Abort()
	if err := left.Write(values); err == nil {
		t.Error("written after Abort")
	}
	if files, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(files) > 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// TestFull: an output without room is an error, at the latest when it is closed.
func TestFull(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	fields, values := sample(10)
	w, err := NewWriter(f, "wafers", fields)
	if err == nil {
		err = errors.Join(w.Write(values), w.Close())
	}
	if err == nil {
		t.Error("no error")
	}
}

// TestRefused: what cannot be written is an error that says why.
func TestRefused(t *testing.T) {
	open := func() *os.File {
		f, err := os.Create(filepath.Join(t.TempDir(), "x"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { f.Close() })
		return f
	}
	for name, fields := range map[string][]Field{
		"":   nil,
		"a.": {{Name: "a."}}, " ": {{Name: " "}}, "a": {{Name: "a"}, {Name: "a"}},
		"t": {{Name: "t", Type: Text, Len: 3}}, "u": {{Name: "u", Type: 99}},
	} {
		if _, err := NewWriter(open(), "table", fields); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("fields %v: %v", fields, err)
		}
	}
	w, err := NewWriter(open(), "table", []Field{{Name: "a", Type: Int32}, {Name: "b", Type: Float64, Len: 2}})
	if err != nil {
		t.Fatal(err)
	}
	for want, a := range map[string][]root.Array{
		"values of 1":                   {{}},
		"field b has 3 values":          {{Int: []int64{1}}, {Float: []float64{1, 2, 3}}},
		"field a, entries 0 to 0: 4294": {{Int: []int64{1 << 32}}, {Float: []float64{1, 2}}},
	} {
		if err := w.Write(a); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q: %v", want, err)
		}
	}
}

// TestGroups writes more clusters than one group has, all of the same few bytes.
func TestGroups(t *testing.T) {
	path := filepath.Join(t.TempDir(), "groups.root")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const each, clusters = 1000, 2*groupLen + 5
	w, err := NewWriter(f, "many", []Field{{Name: "a", Type: Int64}})
	if err != nil {
		t.Fatal(err)
	}
	a := []root.Array{{Int: make([]int64, each)}}
	for i := range clusters {
		for k := range a[0].Int {
			a[0].Int[k] = int64(i)
		}
		if err := w.Write(a); err != nil {
			t.Fatal(err)
		}
		w.cluster() // as if it were full
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	table := tables(t, path)["many"]
	s, err := measure(table, "a", 1234)
	if err != nil || len(table.groups) != 3 || s.Values != each*clusters || s.Sum != each*clusters*(clusters-1)/2 {
		t.Errorf("%d groups, %+v, %v", len(table.groups), s, err)
	}
}

func Example() {
	dir, err := os.MkdirTemp("", "rntuple")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	f, err := os.Create(filepath.Join(dir, "wafers.root"))
	if err != nil {
		panic(err)
	}
	defer f.Close()
	w, err := NewWriter(f, "wafers", []Field{{Name: "layer", Type: Int64}, {Name: "CALQ", Type: Float64, Len: 3}})
	if err != nil {
		panic(err)
	}
	if err := w.Write([]root.Array{{Int: []int64{9, 11}}, {Float: []float64{1, 2, 3, 4, 5, 6}}}); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}

	info, err := f.Stat()
	if err != nil {
		panic(err)
	}
	file, err := root.Open(f, info.Size())
	if err != nil {
		panic(err)
	}
	table, err := Open(file, file.Keys()[0])
	if err != nil {
		panic(err)
	}
	for i, c := range table.Columns() {
		r, err := table.Reader(i)
		if err != nil {
			panic(err)
		}
		var a root.Array
		if err := r.Read(&a, 1, 1); err != nil {
			panic(err)
		}
		fmt.Println(c.Name, c.Type, a.Int, a.Float)
	}
	// Output:
	// layer int64_t [11] []
	// CALQ double[3] [] [4 5 6]
}
