package rntuple

import (
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"math"
	"path/filepath"
	"testing"

	"barrow/internal/root"
	"barrow/internal/shared"
)

// dumped is a column as the scripts print it.
type dumped struct {
	About string
	Text  []string
	Bytes string
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
