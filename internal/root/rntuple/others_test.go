package rntuple

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"barrow/internal/root"
	"barrow/internal/shared"
)

// dumped is a column as the scripts print it.
type dumped struct {
	About  string
	Counts []int // values by entry
	Text   []string
	Bytes  string
}

// numbers are the column's, of eight bytes each.
func (d dumped) numbers(t *testing.T) []uint64 {
	t.Helper()
	b, err := hex.DecodeString(d.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]uint64, len(b)/8)
	for i := range out {
		out[i] = binary.LittleEndian.Uint64(b[8*i:])
	}
	return out
}

// same compares an array with a column, NaN with NaN.
func (d dumped) same(t *testing.T, a *root.Array) bool {
	t.Helper()
	if len(a.Text) > 0 {
		return same(a.Text, d.Text)
	}
	bits := d.numbers(t)
	if len(a.Float) > 0 {
		floats := make([]float64, len(bits))
		for i, b := range bits {
			if floats[i] = math.Float64frombits(b); i < len(a.Float) && floats[i] == 0 && math.Signbit(floats[i]) != math.Signbit(a.Float[i]) {
				return false
			}
		}
		return same(a.Float, floats)
	}
	ints := make([]int64, len(bits))
	for i, b := range bits {
		ints[i] = int64(b)
	}
	return same(a.Int, ints)
}

// TestOthersRead has other programs read what is written here, to the last bit.
func TestOthersRead(t *testing.T) {
	for which, script := range map[string]string{"files": "dump_uproot.py", "root": "dump_root.py"} {
		t.Run(which, func(t *testing.T) {
			sizes := []int{0, 1, 5000, 60_000}
			args := []string{"wafers"}
			for _, n := range sizes {
				args = append(args, write(t, n))
			}
			var files []map[string]dumped
			if err := json.Unmarshal(shared.Python(t, which, filepath.Join("testdata", script), args...), &files); err != nil {
				t.Fatal(err)
			}
			for k, n := range sizes {
				fields, want := sample(n)
				got := files[k]
				if len(got) != len(fields) {
					t.Errorf("%d fields of %d", len(got), len(fields))
				}
				for i, f := range fields {
					if d := got[f.Name]; d.About != f.About || !d.same(t, &want[i]) {
						t.Errorf("%d entries: %s (%q) is not what was written", n, f.Name, d.About)
					}
				}
			}
		})
	}
}

// readsAs compares all columns of a table with what uproot read of them.
func (want dumped) readsAs(t *testing.T, table *Table, name string, step int) {
	t.Helper()
	i, err := root.Find(table, name)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	r, err := table.Reader(i)
	if err != nil {
		t.Errorf("%v", err)
		return
	}
	var got, a root.Array
	entry := 0
	for at := int64(0); at < table.Entries(); at += int64(step) {
		if err := r.Read(&a, at, int(min(int64(step), table.Entries()-at))); err != nil {
			t.Errorf("%v", err)
			return
		}
		got.Int, got.Float, got.Text = append(got.Int, a.Int...), append(got.Float, a.Float...), append(got.Text, a.Text...)
		for k := range a.Entries() {
			if n := a.Offsets[k+1] - a.Offsets[k]; want.Counts != nil && want.Counts[entry] != n {
				t.Errorf("%s, entry %d: %d values, want %d", name, entry, n, want.Counts[entry])
				return
			}
			entry++
		}
	}
	if !want.same(t, &got) {
		t.Errorf("%s is read as other values: %s", name, want.first(t, &got))
	}
}

// first says where an array is another than what was dumped.
func (want dumped) first(t *testing.T, a *root.Array) string {
	bits := want.numbers(t)
	if len(want.Text) != len(a.Text) || len(bits) != max(len(a.Int), len(a.Float)) {
		return fmt.Sprintf("%d, want %d", len(a.Text)+len(a.Int)+len(a.Float), len(want.Text)+len(bits))
	}
	for i, b := range bits {
		if len(a.Float) > 0 {
			if x := math.Float64frombits(b); x != a.Float[i] && x == x {
				return fmt.Sprintf("%d is %v, want %v", i, a.Float[i], x)
			}
		} else if a.Int[i] != int64(b) {
			return fmt.Sprintf("%d is %d, want %d", i, a.Int[i], int64(b))
		}
	}
	return "texts, or signs of 0"
}

// TestOthersWrite reads what other programs write to what uproot reads of it.
func TestOthersWrite(t *testing.T) {
	for which, script := range map[string]string{"files": "write_uproot.py", "root": "write_root.py"} {
		t.Run(which, func(t *testing.T) {
			dir := t.TempDir()
			var files map[string]map[string]dumped
			if err := json.Unmarshal(shared.Python(t, which, filepath.Join("testdata", script), dir), &files); err != nil {
				t.Fatal(err)
			}
			if len(files) < 5 {
				t.Errorf("%d files", len(files))
			}
			for name, columns := range files {
				t.Run(name, func(t *testing.T) {
					table := tables(t, filepath.Join(dir, name))["t"]
					for column, want := range columns {
						want.readsAs(t, table, column, 101)
					}
				})
			}
		})
	}
}
