package root_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/internal/root"
	"barrow/internal/root/rntuple"
	"barrow/internal/root/ttree"
	"barrow/internal/shared"
)

// stats are what a column's numbers are known by.
type stats struct {
	Type      string
	Required  bool
	Values    int
	NonFinite int
	Min, Max  *float64
	Sum       float64
}

func (s *stats) add(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		s.NonFinite++
		return
	}
	if s.Values++; s.Values == 1 {
		s.Min, s.Max = new(float64), new(float64)
		*s.Min, *s.Max = v, v
	}
	*s.Min, *s.Max, s.Sum = min(*s.Min, v), max(*s.Max, v), s.Sum+v
}

// differs says how s is not what another program found, "" where it is. Sums depend on
// their order, and numbers that are scaled on the precision this is done with.
func (s *stats) differs(want stats, kind root.Kind) string {
	bounds := func(s stats) (lo, hi float64) {
		if s.Values > 0 {
			lo, hi = *s.Min, *s.Max
		}
		return lo, hi
	}
	lo, hi := bounds(*s)
	wantLo, wantHi := bounds(want)
	width := max(-wantLo, wantHi)
	precision := 0.0
	if kind == root.Float {
		precision = 1e-6
	}
	near := func(a, b, noise float64) bool { return math.Abs(a-b) <= precision*math.Abs(b)+noise }
	if s.Values == want.Values && s.NonFinite == want.NonFinite && near(lo, wantLo, 0) && near(hi, wantHi, 0) &&
		near(s.Sum, want.Sum, 1e-13*float64(want.Values)*width) {
		return ""
	}
	return fmt.Sprintf("%d and %d values, %v to %v, sum %v; want %d and %d, %v to %v, %v",
		s.Values, s.NonFinite, lo, hi, s.Sum, want.Values, want.NonFinite, wantLo, wantHi, want.Sum)
}

// TestUproot and TestROOT read what other programs write, of every kind.
func TestUproot(t *testing.T) { zoo(t, "files", "testdata/zoo_uproot.py") }
func TestROOT(t *testing.T)   { zoo(t, "root", "testdata/zoo_root.py") }

func zoo(t *testing.T, python, script string) {
	dir := t.TempDir()
	shared.Python(t, python, script, dir)
	text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var files map[string]map[string]struct {
		Entries int64
		Columns map[string]stats
	}
	if err := json.Unmarshal(text, &files); err != nil {
		t.Fatal(err)
	}
	for file, want := range files {
		t.Run(file, func(t *testing.T) {
			in, err := os.Open(filepath.Join(dir, file))
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close()
			info, err := in.Stat()
			if err != nil {
				t.Fatal(err)
			}
			f, err := root.Open(in, info.Size())
			if err != nil {
				t.Fatal(err)
			}
			for name, w := range want {
				table, err := openTable(f, name)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				if table.Entries() != w.Entries {
					t.Errorf("%s: %d entries, want %d", name, table.Entries(), w.Entries)
				}
				compare(t, name, table, w.Columns)
			}
		})
	}
}

// openTable opens the newest table of a name.
func openTable(f *root.File, path string) (root.Table, error) {
	key, err := f.Key(path)
	if err != nil {
		return nil, err
	}
	if rntuple.Anchor(key) {
		return rntuple.Open(f, key)
	}
	return ttree.Open(f, key)
}

// wrong are columns that uproot reads wrongly: it overlooks the range of a counted array
// of Double32_t, and gives the steps as tiny numbers. TestFlat of ttree has such numbers.
var wrong = map[string]bool{"v_d32": true}

func compare(t *testing.T, name string, table root.Table, want map[string]stats) {
	t.Helper()
	index, columns := map[string]int{}, table.Columns()
	for i, c := range columns {
		index[c.Name] = i
	}
	for column, w := range want {
		if wrong[column] {
			continue
		}
		i, ok := index[column]
		if !ok { // uproot names members after the branches above them
			i, ok = index[column[strings.LastIndexByte(column, '/')+1:]]
		}
		if !ok {
			if w.Required {
				t.Errorf("%s: no column %s (%s)", name, column, w.Type)
			}
			continue
		}
		if c := columns[i]; c.Unread != "" {
			if w.Required {
				t.Errorf("%s: %s (%s) is not read: %s", name, column, w.Type, c.Unread)
			}
			continue
		}
		for _, step := range []int{int(max(table.Entries(), 1)), 7} {
			got, err := read(table, columns[i].Kind, i, step)
			if err != nil {
				t.Errorf("%s: %v", name, err)
			} else if d := got.differs(w, columns[i].Kind); d != "" {
				t.Errorf("%s: %s (%s), %d entries at a time: %s", name, column, w.Type, step, d)
			}
		}
	}
}

// read reads a column step entries at a time, and the first ones once more at the end.
func read(table root.Table, kind root.Kind, i, step int) (stats, error) {
	var s stats
	r, err := table.Reader(i)
	if err != nil {
		return s, err
	}
	var a root.Array
	for first := int64(0); first < table.Entries(); first += int64(step) {
		n := int(min(int64(step), table.Entries()-first))
		if err := r.Read(&a, first, n); err != nil {
			return s, err
		}
		if a.Entries() != n {
			return s, fmt.Errorf("%d entries for %d", a.Entries(), n)
		}
		for j := a.Offsets[0]; j < a.Offsets[n]; j++ {
			switch kind {
			case root.Int:
				s.add(float64(a.Int[j]))
			case root.Uint:
				s.add(float64(uint64(a.Int[j])))
			case root.Float:
				s.add(a.Float[j])
			default:
				return s, fmt.Errorf("kind %v for numbers", kind)
			}
		}
	}
	if table.Entries() > 0 {
		err = r.Read(&a, 0, 1)
	}
	return s, err
}
