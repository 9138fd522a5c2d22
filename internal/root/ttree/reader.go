package ttree

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"

	"barrow/internal/root"
)

// reader reads one column, a basket at a time.
type reader struct {
	tree   *Tree
	column *column
	loader loader
	// basket is the number of the one that is loaded, -1 for none.
	basket int
	k      basket
	// counter reads how many values entries have where baskets do not say.
	counter *reader
	counts  root.Array
	made    []int32
	row     []byte
}

func (t *Tree) reader(c *column, depth int) (*reader, error) {
	r := &reader{tree: t, column: c, loader: loader{file: t.file, strings: c.layout.number == text && !c.layout.list}, basket: -1}
	if c.layout.counts == nil || depth > 0 {
		return r, nil
	}
	for i := range t.columns {
		if n := &t.columns[i]; n.branch == c.layout.counts && n.Unread == "" && n.Kind == root.Int && !n.layout.list && n.layout.n == 1 {
			var err error
			r.counter, err = t.reader(n, depth+1)
			return r, err
		}
	}
	return r, nil
}

// Read replaces a by the values of n entries from entry first on.
func (r *reader) Read(a *root.Array, first int64, n int) error {
	a.Offsets = append(a.Offsets[:0], 0)
	a.Int, a.Float, a.Text = a.Int[:0], a.Float[:0], a.Text[:0]
	if first < 0 || n < 0 || int64(n) > r.tree.entries-first {
		return fmt.Errorf("column %s: entries %d to %d of %d", r.column.Name, first, first+int64(n), r.tree.entries)
	}
	b := r.column.branch
	for n > 0 {
		if missing := r.missing(first, n); missing > 0 {
			for range missing {
				a.Offsets = append(a.Offsets, a.Offsets[len(a.Offsets)-1])
			}
			first, n = first+int64(missing), n-missing
			continue
		}
		if err := r.load(first); err != nil {
			return fmt.Errorf("column %s, entry %d: %w", r.column.Name, first, err)
		}
		lo := int(first - b.first[r.basket])
		hi := min(lo+n, int(b.first[r.basket+1]-b.first[r.basket]))
		if hi > r.k.entries {
			return fmt.Errorf("column %s, entry %d: its basket has %d entries where the branch has %d", r.column.Name, first+int64(r.k.entries-lo), r.k.entries, b.first[r.basket+1]-b.first[r.basket])
		}
		if at, err := r.decode(a, lo, hi); err != nil {
			return fmt.Errorf("column %s, entry %d: %w", r.column.Name, b.first[r.basket]+int64(at), err)
		}
		first, n = first+int64(hi-lo), n-(hi-lo)
	}
	return nil
}

// missing is how many of n entries have no values, since the branch was not filled.
func (r *reader) missing(first int64, n int) int {
	b := r.column.branch
	switch {
	case first >= b.entries():
		return n
	case first < b.first[0]:
		return int(min(int64(n), b.first[0]-first))
	}
	return 0
}

// load has the basket of an entry loaded.
func (r *reader) load(entry int64) error {
	b := r.column.branch
	if i := r.basket; i >= 0 && entry >= b.first[i] && entry < b.first[i+1] {
		return nil
	}
	i := r.basket + 1
	if i+1 >= len(b.first) || entry < b.first[i] || entry >= b.first[i+1] {
		i = sort.Search(len(b.first)-1, func(i int) bool { return b.first[i+1] > entry })
	}
	r.basket = -1
	if n := len(b.seek); i >= n {
		r.k = b.inside[i-n]
	} else {
		var err error
		if r.k, err = r.loader.load(b.seek[i], b.size[i]); err != nil {
			return err
		}
	}
	if l := &r.column.layout; (l.list || l.number == text) && len(r.k.offsets) == 0 && r.k.entries > 0 {
		if err := r.makeOffsets(i); err != nil {
			return err
		}
	}
	if l := &r.column.layout; !l.list && l.number != text {
		size := max(l.stride, l.size())
		if len(r.k.data)%size != 0 || len(r.k.data)/size < r.k.entries {
			return fmt.Errorf("%d entries of %d bytes in a basket of %d", r.k.entries, size, len(r.k.data))
		}
	}
	r.basket = i
	return nil
}

// makeOffsets finds where entries begin in a basket that does not say: by how lists count
// themselves, or by another column.
func (r *reader) makeOffsets(i int) error {
	l := &r.column.layout
	k := &r.k
	if k.entries > len(k.data) && l.counted {
		return fmt.Errorf("%d lists in %d bytes", k.entries, len(k.data))
	}
	r.made = append(r.made[:0], 0)
	at, size := 0, l.size()
	step := func(n int) error {
		if n < 0 || n > (len(k.data)-at)/size {
			return fmt.Errorf("a list of %d values where %d bytes are left", n, len(k.data)-at)
		}
		at += n * size
		r.made = append(r.made, int32(at))
		return nil
	}
	switch {
	case l.number == text && !l.list:
		for range k.entries {
			_, rest, ok := l.cut(k.data[at:])
			if !ok {
				return errors.New("a basket that ends within a string")
			}
			at = len(k.data) - len(rest)
			r.made = append(r.made, int32(at))
		}
	case l.counted && l.number != text:
		for range k.entries {
			if at += l.header; at > len(k.data) {
				return errors.New("a basket that ends within a list")
			}
			if err := step(int(int32(binary.BigEndian.Uint32(k.data[at-4:])))); err != nil {
				return err
			}
		}
	case r.counter != nil && l.header == 0:
		first := r.column.branch.first
		n := int(first[i+1] - first[i])
		if n > k.entries {
			return fmt.Errorf("%d entries where the branch has %d", k.entries, n)
		}
		if err := r.counter.Read(&r.counts, first[i], n); err != nil {
			return err
		}
		if len(r.counts.Int) != n {
			return errors.New("the column that counts its values has fewer entries")
		}
		for _, c := range r.counts.Int {
			if err := step(int(max(c, -1))); err != nil {
				return err
			}
		}
		k.entries = n
	default:
		return errors.New("its basket does not say where entries begin")
	}
	k.offsets = r.made
	return nil
}

// decode appends entries lo to hi of the loaded basket. An error comes with the entry.
func (r *reader) decode(a *root.Array, lo, hi int) (int, error) {
	l, k := &r.column.layout, &r.k
	size := l.size()
	switch {
	case l.number == text:
		return r.texts(a, lo, hi)
	case !l.list && l.stride > 0:
		return lo, r.leaf(a, lo, hi)
	case !l.list:
		l.values(a, k.data[lo*size:hi*size])
		fixed(a, hi-lo, l.n)
		return lo, nil
	case l.header == 0:
		return r.plainLists(a, lo, hi)
	}
	return r.lists(a, lo, hi)
}

// fixed appends the offsets of entries of n values each.
func fixed(a *root.Array, entries, n int) {
	at := a.Offsets[len(a.Offsets)-1]
	a.Offsets = slices.Grow(a.Offsets, entries)
	for range entries {
		at += n
		a.Offsets = append(a.Offsets, at)
	}
}

// leaf reads one of several leaves.
func (r *reader) leaf(a *root.Array, lo, hi int) error {
	l := &r.column.layout
	size := l.size()
	r.row = r.row[:0]
	for i := lo; i < hi; i++ {
		at := i*l.stride + l.before
		r.row = append(r.row, r.k.data[at:at+size]...)
	}
	l.values(a, r.row)
	fixed(a, hi-lo, l.n)
	return nil
}

// plainLists reads lists that stand behind each other with nothing between.
func (r *reader) plainLists(a *root.Array, lo, hi int) (int, error) {
	l, off := &r.column.layout, r.k.offsets
	width := int32(numbers[l.number].size)
	at := a.Offsets[len(a.Offsets)-1]
	a.Offsets = slices.Grow(a.Offsets, hi-lo)
	for i := lo; i < hi; i++ {
		n := off[i+1] - off[i]
		if n%width != 0 {
			return i, fmt.Errorf("%d bytes of values of %d bytes each", n, width)
		}
		at += int(n / width)
		a.Offsets = append(a.Offsets, at)
	}
	l.values(a, r.k.data[off[lo]:off[hi]])
	return lo, nil
}

// lists reads lists with a header in front.
func (r *reader) lists(a *root.Array, lo, hi int) (int, error) {
	l, off := &r.column.layout, r.k.offsets
	width := numbers[l.number].size
	at := a.Offsets[len(a.Offsets)-1]
	a.Offsets = slices.Grow(a.Offsets, hi-lo)
	l.grow(a, int(off[hi]-off[lo])/width)
	for i := lo; i < hi; i++ {
		p := r.k.data[off[i]:off[i+1]]
		if len(p) < l.header {
			if len(p) > 0 && l.counted {
				return i, fmt.Errorf("a list in %d bytes", len(p))
			}
			a.Offsets = append(a.Offsets, at)
			continue
		}
		n := (len(p) - l.header) / width
		if l.counted {
			says := int64(binary.BigEndian.Uint32(p[l.header-4:]))
			if says*int64(width) != int64(len(p)-l.header) {
				return i, fmt.Errorf("a list of %d values in %d bytes", says, len(p)-l.header)
			}
			n = int(says)
		}
		l.values(a, p[l.header:l.header+n*width])
		at += n
		a.Offsets = append(a.Offsets, at)
	}
	return lo, nil
}

// texts reads strings.
func (r *reader) texts(a *root.Array, lo, hi int) (int, error) {
	l, k := &r.column.layout, &r.k
	for i := lo; i < hi; i++ {
		p := k.data[k.offsets[i]:k.offsets[i+1]]
		if !l.list {
			a.Text = append(a.Text, l.string(p))
			a.Offsets = append(a.Offsets, len(a.Text))
			continue
		}
		b := root.NewBuffer(p, 0)
		b.Take(l.header - 4)
		n := int(b.I32())
		if n < 0 || n > b.Left() {
			return i, fmt.Errorf("%d strings in %d bytes", n, len(p))
		}
		for range n {
			a.Text = append(a.Text, b.String())
		}
		if b.Err() != nil {
			return i, b.Err()
		}
		a.Offsets = append(a.Offsets, len(a.Text))
	}
	return lo, nil
}

// string reads the string of an entry. It may have an object's head in front, and
// nothing else is in the entry.
func (l *layout) string(p []byte) string {
	if s, rest, ok := l.cut(p); ok && len(rest) == 0 {
		return s
	}
	const head = 6
	if len(p) > head && p[0] == 0x40 {
		if s, rest, ok := l.cut(p[head:]); ok && len(rest) == 0 {
			return s
		}
	}
	s, _, _ := l.cut(p)
	return s
}

// cut parts the string in front of p.
func (l *layout) cut(p []byte) (s string, rest []byte, ok bool) {
	n, head := 0, l.prefix
	if l.prefix == 1 && len(p) > 0 {
		if n = int(p[0]); n == 255 {
			head = 5
		}
	}
	if len(p) < head {
		return "", nil, false
	}
	if head > 1 {
		n = int(int32(binary.BigEndian.Uint32(p[head-4:])))
	}
	if p = p[head:]; n < 0 || n > len(p) {
		return "", nil, false
	}
	return string(p[:n]), p[n:], true
}
