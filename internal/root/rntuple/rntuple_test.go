package rntuple

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/internal/root"
	"barrow/internal/shared"
)

// tables opens a file and its RNTuples, by path.
func tables(t testing.TB, path string) map[string]*Table {
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
	file, err := root.Open(f, info.Size())
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	out := map[string]*Table{}
	for _, k := range file.Keys() {
		if !Anchor(k) {
			continue
		}
		if out[k.Path], err = Open(file, k); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	return out
}

// stats is what the list of expected numbers has of a column.
type stats struct {
	Values, Nonfinite int
	Min, Max, Sum     float64
}

// measure reads all of a column, step entries at a time.
func measure(t *Table, name string, step int) (stats, error) {
	s := stats{Min: math.Inf(1), Max: math.Inf(-1)}
	i, err := root.Find(t, name)
	if err != nil {
		return s, err
	}
	r, err := t.Reader(i)
	if err != nil {
		return s, err
	}
	add := func(x float64) {
		if s.Values++; math.IsNaN(x) || math.IsInf(x, 0) {
			s.Nonfinite++
			return
		}
		s.Min, s.Max, s.Sum = min(s.Min, x), max(s.Max, x), s.Sum+x
	}
	var a root.Array
	for at := int64(0); at < t.Entries(); at += int64(step) {
		if err := r.Read(&a, at, int(min(int64(step), t.Entries()-at))); err != nil {
			return s, err
		}
		for _, x := range a.Float {
			add(x)
		}
		for _, x := range a.Int {
			if t.Columns()[i].Kind == root.Uint {
				add(float64(uint64(x)))
			} else {
				add(float64(x))
			}
		}
	}
	return s, nil
}

func near(a, b, relative float64) bool {
	return math.Abs(a-b) <= max(relative*max(math.Abs(a), math.Abs(b)), 1e-9)
}

// TestPublic reads public files to the numbers that uproot reads.
func TestPublic(t *testing.T) {
	text, err := os.ReadFile(shared.Data(t, "root", "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expected map[string]map[string]struct {
		Kind     string
		Entries  int64
		Branches map[string]stats
	}
	if err := json.Unmarshal(text, &expected); err != nil {
		t.Fatal(err)
	}
	columns := 0
	for name, objects := range expected {
		if !strings.Contains(name, "rntuple") {
			continue
		}
		got := tables(t, shared.Data(t, "root", name))
		if len(got) == 0 {
			t.Errorf("%s: no RNTuple", name)
		}
		for path, want := range objects {
			table := got[path]
			if table == nil || table.Entries() != want.Entries {
				t.Errorf("%s: %s is not there or has other entries than %d", name, path, want.Entries)
				continue
			}
			for column, w := range want.Branches {
				s, err := measure(table, column, 100_000)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				columns++
				if s.Values != w.Values || s.Nonfinite != w.Nonfinite || !near(s.Min, w.Min, 1e-7) || !near(s.Max, w.Max, 1e-7) || !near(s.Sum, w.Sum, 1e-6) {
					t.Errorf("%s: %s is %+v, want %+v", filepath.Base(name), column, s, w)
				}
			}
		}
	}
	if columns < 46 {
		t.Errorf("only %d columns were compared", columns)
	}
}
