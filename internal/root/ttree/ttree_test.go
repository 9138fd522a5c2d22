package ttree_test

import (
	"bytes"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/internal/root"
	"barrow/internal/root/ttree"
	"barrow/internal/shared"
)

// stats is what expected.json has of a branch: how many values there are, and of those
// that are finite numbers the least, the greatest and the sum.
type stats struct {
	Values, Nonfinite int
	Min, Max          *float64
	Sum               float64
	Type              string
}

func near(a, b, rel float64) bool {
	return a == b || math.Abs(a-b) <= max(rel*max(math.Abs(a), math.Abs(b)), 1e-9*max(1, math.Abs(b)))
}

// differs says how a column differs from what it should hold.
func (s *stats) differs(want stats) bool {
	if s.Values != want.Values || s.Nonfinite != want.Nonfinite {
		return true
	}
	if want.Min == nil {
		return s.Min != nil
	}
	return !near(*s.Min, *want.Min, 1e-6) || !near(*s.Max, *want.Max, 1e-6) || math.Abs(want.Sum) < 1e300 && !near(s.Sum, want.Sum, 1e-5)
}

// add takes in values.
func (s *stats) add(v float64) {
	s.Values++
	if math.IsNaN(v) || math.IsInf(v, 0) {
		s.Nonfinite++
		return
	}
	if s.Min == nil {
		s.Min, s.Max = &v, &v
	}
	if v < *s.Min {
		s.Min = &v
	}
	if v > *s.Max {
		s.Max = &v
	}
	s.Sum += v
}

// read goes through a column a number of entries at a time.
func read(t root.Table, i, step int) (*stats, error) {
	r, err := t.Reader(i)
	if err != nil {
		return nil, err
	}
	s := &stats{}
	var a root.Array
	kind := t.Columns()[i].Kind
	for first := int64(0); first < t.Entries(); first += int64(step) {
		if err := r.Read(&a, first, int(min(int64(step), t.Entries()-first))); err != nil {
			return s, err
		}
		for _, v := range a.Float {
			s.add(v)
		}
		for _, v := range a.Int {
			if kind == root.Uint {
				s.add(float64(uint64(v)))
			} else {
				s.add(float64(v))
			}
		}
	}
	return s, nil
}

func open(t testing.TB, path string) *root.File {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := root.Open(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestPublicFiles reads public files of many programs and versions of ROOT, and compares
// all branches that are numbers with what uproot reads.
func TestPublicFiles(t *testing.T) {
	compare(t, shared.Data(t, "root"))
}

func compare(t *testing.T, dir string) {
	text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]map[string]struct {
		Kind     string
		Entries  int64
		Branches map[string]stats
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	right := 0
	for name, tables := range want {
		f := open(t, filepath.Join(dir, name))
		for path, table := range tables {
			if table.Kind != "TTree" {
				continue
			}
			key, err := f.Key(strings.Trim(path, "/"))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			tree, err := ttree.Open(f, key)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if tree.Entries() != table.Entries {
				t.Errorf("%s: %s has %d entries, not %d", name, path, tree.Entries(), table.Entries)
			}
			for branch, want := range table.Branches {
				i, err := root.Find(tree, branch)
				if err != nil {
					t.Errorf("%s: %s: %v (%s)", name, path, err, want.Type)
					continue
				}
				got, err := read(tree, i, 7)
				if err != nil {
					t.Errorf("%s: %s (%s): %v", name, path, want.Type, err)
				} else if got.differs(want) {
					t.Errorf("%s: %s.%s (%s): %+v, not %+v", name, path, branch, want.Type, got, want)
				} else {
					right++
				}
			}
		}
	}
	t.Logf("%d branches are right", right)
}
