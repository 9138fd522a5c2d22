package rootio

import (
	"barrow/internal/root"
	"barrow/internal/root/rntuple"
	"barrow/internal/root/ttree"
)

// openTable opens what a key is of, if it is a table.
func openTable(f *root.File, k root.Key) (t table, ok bool) {
	t = table{name: k.Path, cycle: k.Cycle}
	switch {
	case ttree.Is(f, k.Class):
		t.kind = "TTree"
		if tree, err := ttree.Open(f, k); err != nil {
			t.err = err
		} else {
			t.table = tree
		}
	case rntuple.Anchor(k):
		t.kind = "RNTuple"
		if tuple, err := rntuple.Open(f, k); err != nil {
			t.err = err
		} else {
			t.table = tuple
		}
	default:
		return t, false
	}
	return t, true
}
