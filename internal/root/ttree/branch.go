package ttree

import (
	"fmt"

	"barrow/internal/root"
)

// What TBranchElement.fType says: the branches of collections that are split, and those
// of their members.
const (
	clones        = 3
	collection    = 4
	clonesMember  = 31
	collectMember = 41
)

// perByte is more entries than any codec packs into a byte: baskets that claim more are
// damaged.
const perByte = 1 << 17

// branch is one branch of a TTree.
type branch struct {
	object *root.Object
	above  *branch
	name   string
	leaves []*root.Object
	// kind is TBranchElement.fType; 0 for other branches.
	kind int64
	// seek is where the baskets are in the file, size how many bytes they have there.
	seek, size []int64
	// first has the first entry of every basket, and behind them the number of entries.
	first []int64
	// inside are the baskets that lie in the TTree itself, behind those of the file.
	inside []basket
	err    error
}

func newBranch(o *root.Object, above *branch) *branch {
	b := &branch{object: o, above: above, name: o.Text("fName"), leaves: o.Objects("fLeaves"), kind: o.Int("fType")}
	b.err = o.Err
	for _, l := range b.leaves {
		if l != nil && l.Err != nil && b.err == nil {
			b.err = fmt.Errorf("leaf %s: %w", l.Text("fName"), l.Err)
		}
	}
	if err := b.baskets(); err != nil && b.err == nil {
		b.err = err
	}
	return b
}

// entries is the number of entries that have values.
func (b *branch) entries() int64 {
	if len(b.first) == 0 {
		return 0
	}
	return b.first[len(b.first)-1]
}

// baskets finds where the branch's baskets are.
func (b *branch) baskets() error {
	o := b.object
	seek, size, first := o.Ints("fBasketSeek"), o.Ints("fBasketBytes"), o.Ints("fBasketEntry")
	n := 0
	for n < len(seek) && seek[n] != 0 && int64(n) != o.Int("fWriteBasket") {
		n++
	}
	if n > len(size) || n > len(first) {
		return fmt.Errorf("%d baskets of which %d have sizes and %d a first entry", n, len(size), len(first))
	}
	b.seek, b.size = seek[:n], size[:n]
	entries := o.Int("fEntries")
	switch {
	case n < len(first):
		b.first = append([]int64{}, first[:n+1]...)
	case n > 0:
		b.first = append(append([]int64{}, first...), max(entries, first[n-1]))
	default:
		b.first = []int64{0}
	}
	for i, e := range b.first {
		if e < 0 || i > 0 && (e < b.first[i-1] || (e-b.first[i-1])/perByte > size[i-1]) {
			b.first = []int64{0}
			return fmt.Errorf("basket %d ends with entry %d", i-1, e)
		}
	}
	if b.entries() == entries {
		return nil
	}
	for _, o := range o.Objects("fBaskets") {
		if o == nil || o.Class != "TBasket" {
			continue
		}
		k, err := insideBasket(o.Raw())
		if err != nil {
			return fmt.Errorf("a basket within the TTree: %w", err)
		}
		b.inside = append(b.inside, k)
		b.first = append(b.first, b.entries()+int64(k.entries))
	}
	return nil
}
