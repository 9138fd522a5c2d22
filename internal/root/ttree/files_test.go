package ttree_test

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"barrow/internal/root"
	"barrow/internal/root/ttree"
	"barrow/internal/shared"
)

// readAll reads all columns of all TTrees of a file, and returns what they hold by the
// columns' names. Nothing of a damaged file may take it longer than a second or more
// memory than a multiple of the file.
func readAll(data []byte) (map[string]root.Array, error) {
	f, err := root.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	all := map[string]root.Array{}
	for _, k := range f.Keys() {
		if !ttree.Is(f, k.Class) {
			continue
		}
		tree, err := ttree.Open(f, k)
		if err != nil {
			return nil, err
		}
		for i, c := range tree.Columns() {
			if c.Unread != "" {
				continue
			}
			r, err := tree.Reader(i)
			if err != nil {
				return nil, err
			}
			var a root.Array
			if err := r.Read(&a, 0, int(min(tree.Entries(), 1000))); err != nil {
				return nil, err
			}
			all[c.Name] = a
		}
	}
	return all, nil
}

// own are the package's own files, written by testdata/make.py.
func own(t testing.TB) map[string][]byte {
	paths, err := filepath.Glob("testdata/*.root")
	if err != nil || len(paths) == 0 {
		t.Fatal("no files", err)
	}
	files := map[string][]byte{}
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(p)] = data
	}
	return files
}

// TestFlat reads the same numbers by ROOT from all codecs and kinds of baskets.
func TestFlat(t *testing.T) {
	for name, data := range own(t) {
		if !strings.HasPrefix(name, "flat") {
			continue
		}
		all, err := readAll(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for column, want := range flat(20) {
			got := all[column]
			if !reflect.DeepEqual(got.Offsets, want.Offsets) || !same(got.Int, want.Int) || !same(got.Float, want.Float) || !same(got.Text, want.Text) {
				t.Errorf("%s: %s is %v, not %v", name, column, got, want)
			}
		}
		if len(all) != len(flat(20)) {
			t.Errorf("%s: %d columns", name, len(all))
		}
	}
}

func same[E comparable](a, b []E) bool {
	return len(a) == len(b) && (len(a) == 0 || reflect.DeepEqual(a, b))
}

// flat is what testdata/make.py writes.
func flat(n int) map[string]root.Array {
	all := map[string]root.Array{}
	add := func(name string, values ...any) {
		a := all[name]
		if a.Offsets == nil {
			a.Offsets = []int{0}
		}
		for _, v := range values {
			switch v := v.(type) {
			case int:
				a.Int = append(a.Int, int64(v))
			case float64:
				a.Float = append(a.Float, v)
			case string:
				a.Text = append(a.Text, v)
			}
		}
		a.Offsets = append(a.Offsets, a.Offsets[len(a.Offsets)-1]+len(values))
		all[name] = a
	}
	list := func(n int, value func(j int) any) (out []any) {
		for j := range n {
			out = append(out, value(j))
		}
		return out
	}
	for i := range n {
		x := float64(i)
		add("nn", i%4)
		add("x", list(i%4, func(j int) any { return x + float64(j)*.5 })...)
		add("uc", list(4, func(j int) any { return 250 + j })...)
		add("l", -i<<35)
		add("s", fmt.Sprintf("s%d", i))
		add("st.a", i)
		add("st.b", x*.25)
		add("h", x*.125)
		add("d", float64(int(x/100*(1<<20)+.5))*(100./(1<<20)))
		add("v", list(i%3, func(int) any { return x * .5 })...)
		add("vs", list(i%2, func(int) any { return "text" })...)
	}
	return all
}

// TestSplit reads the members of objects and of collections of them.
func TestSplit(t *testing.T) {
	all, err := readAll(own(t)["split.root"])
	if err != nil {
		t.Fatal(err)
	}
	var want root.Array
	check := func(name string) {
		t.Helper()
		if got, ok := all[name]; !ok || !reflect.DeepEqual(got.Offsets, want.Offsets) || !same(got.Int, want.Int) || !same(got.Float, want.Float) || !same(got.Text, want.Text) {
			t.Errorf("%s is %v, not %v; there are %v", name, got, want, slices.Sorted(maps.Keys(all)))
		}
	}
	build := func(add func(i int)) {
		want = root.Array{Offsets: []int{0}}
		for i := range 20 {
			add(i)
			want.Offsets = append(want.Offsets, len(want.Int)+len(want.Float)+len(want.Text))
		}
	}
	build(func(i int) { want.Int = append(want.Int, int64(i)) })
	check("e.n")
	build(func(i int) { want.Int = append(want.Int, int64(i), int64(-i), 1) })
	check("e.one.s[3]")
	build(func(i int) {
		for range i % 3 {
			want.Int = append(want.Int, int64(i), int64(-i), 1)
		}
	})
	check("e.hits.s[3]")
	build(func(i int) {
		for range i % 3 {
			steps := int(float64(i%10)*.5*6553.6 + .5) // Of a range of ten, 16 bits.
			want.Float = append(want.Float, float64(steps)*(10./65536))
		}
	})
	check("e.hits.r")
	build(func(i int) {
		for j := range i % 4 {
			want.Float = append(want.Float, float64(i+j))
		}
	})
	check("e.var")
	build(func(i int) { want.Text = append(want.Text, fmt.Sprintf("t%d", i)) })
	check("e.ts")
	build(func(i int) {
		for range i % 3 {
			want.Float = append(want.Float, float64(i))
		}
	})
	check("c.fX")
}

// TestDamaged cuts files off, and turns bytes of them into others.
func TestDamaged(t *testing.T) {
	files := own(t)
	if os.Getenv("BARROW_DAMAGE") != "" {
		paths, _ := filepath.Glob(filepath.Join(shared.Data(t, "root"), "uproot-*.root"))
		for _, p := range paths {
			if data, err := os.ReadFile(p); err == nil && len(data) < 60000 {
				files[p] = data
			}
		}
	}
	for name, data := range files {
		t.Run(name, func(t *testing.T) {
			shared.Damaged(t, data, 5000/len(files)+1, func(b []byte) error {
				_, err := readAll(b)
				if err != nil && len(err.Error()) < 10 {
					t.Error(err)
				}
				return err
			})
		})
	}
}

// FuzzRead looks for files that do harm.
func FuzzRead(f *testing.F) {
	for _, data := range own(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { readAll(data) })
}
