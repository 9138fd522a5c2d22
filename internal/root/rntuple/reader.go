package rntuple

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"sort"

	"barrow/internal/root"
)

// reader reads one column of the table.
type reader struct {
	t    *Table
	name string
	kind root.Kind
	leaf *leaf

	now     cluster // of which the cursors are
	cursors []*cursor
	index   []*cursor // by level, nil where it has none
	values  *cursor   // of the value field's first column
	chars   *cursor

	ends []int64 // where entries end, at some level
	bits [512]uint64
	text []byte
}

func newReader(t *Table, c root.Column, l *leaf) *reader {
	r := &reader{t: t, name: c.Name, kind: c.Kind, leaf: l, now: cluster{first: -1}}
	each := int64(1) // elements an entry, -1 within a collection
	for _, v := range l.levels {
		var k *cursor
		if v.repeat == 0 {
			k = r.cursor(v.field, 0, each)
			each = -1
		} else if each > 0 {
			each *= v.repeat
		}
		r.index = append(r.index, k)
	}
	r.values = r.cursor(l.value, 0, each)
	if c.Kind == root.Text {
		r.chars = r.cursor(l.value, 1, -1)
	}
	return r
}

func (r *reader) cursor(f *field, place int, each int64) *cursor {
	k := &cursor{file: r.t.file, field: f, place: place, each: each}
	r.cursors = append(r.cursors, k)
	return k
}

func (r *reader) Read(a *root.Array, first int64, n int) error {
	if first < 0 || n < 0 || int64(n) > r.t.entries-first {
		return fmt.Errorf("column %s: entries %d to %d of %d", r.name, first, first+int64(n), r.t.entries)
	}
	a.Offsets = append(a.Offsets[:0], 0)
	a.Int, a.Float, a.Text = a.Int[:0], a.Float[:0], a.Text[:0]
	for n > 0 {
		if first < r.now.first || first >= r.now.first+r.now.entries {
			if err := r.enter(first); err != nil {
				return fmt.Errorf("column %s, entry %d: %w", r.name, first, err)
			}
		}
		m := int(min(int64(n), r.now.first+r.now.entries-first))
		if err := r.read(a, first-r.now.first, m); err != nil {
			return fmt.Errorf("column %s, entries %d to %d: %w", r.name, first, first+int64(m)-1, err)
		}
		first, n = first+int64(m), n-m
	}
	return nil
}

// enter goes to the cluster of an entry.
func (r *reader) enter(entry int64) error {
	c, err := r.t.at(entry)
	if err != nil {
		return err
	}
	r.now = cluster{first: -1} // should one of the cursors fail
	for _, k := range r.cursors {
		if err := k.enter(c); err != nil {
			return err
		}
	}
	r.now = c
	return nil
}

// read appends the values of m entries of the cluster from its entry start on.
func (r *reader) read(a *root.Array, start int64, m int) error {
	ends := r.ends[:0]
	for i := range int64(m) {
		ends = append(ends, start+i+1)
	}
	r.ends = ends
	for i, v := range r.leaf.levels {
		if k := r.index[i]; k != nil {
			var err error
			if start, err = k.follow(start, ends); err != nil {
				return err
			}
			continue
		}
		if ends[m-1] > math.MaxInt64/v.repeat {
			return fmt.Errorf("%d times %d values", ends[m-1], v.repeat)
		}
		start *= v.repeat
		for i := range ends {
			ends[i] *= v.repeat
		}
	}
	end := ends[m-1]
	if end > r.values.total {
		return fmt.Errorf("values %d to %d of %d", start, end, r.values.total)
	}
	base := int64(a.Offsets[len(a.Offsets)-1]) - start
	for _, e := range ends {
		a.Offsets = append(a.Offsets, int(base+e))
	}
	switch {
	case r.kind == root.Text:
		return r.texts(a, start, end)
	case r.leaf.lengths:
		return r.lengths(a, start, end)
	}
	return r.numbers(a, start, end)
}

// Values are appended page by page, as far as the pages prove to have them: what a file
// only says is given no memory.

func (r *reader) numbers(a *root.Array, start, end int64) error {
	k := r.values
	for start < end {
		lo, run, err := k.load(start, end)
		if err != nil {
			return err
		}
		start += int64(run)
		if r.kind == root.Float {
			a.Float = extend(a.Float, run)
			out := a.Float[len(a.Float)-run:]
			for len(out) > 0 {
				b := r.bits[:min(len(out), len(r.bits))]
				k.bits(b, lo)
				k.column.floats(out, b, r.leaf.single)
				lo, out = lo+len(b), out[len(b):]
			}
			continue
		}
		a.Int = extend(a.Int, run)
		out := a.Int[len(a.Int)-run:]
		for len(out) > 0 {
			b := r.bits[:min(len(out), len(r.bits))]
			k.bits(b, lo)
			k.encoding.integers(out, b)
			lo, out = lo+len(b), out[len(b):]
		}
	}
	return nil
}

// blocks calls do with where the collections or texts from start to end lie, some at a
// time.
func (r *reader) blocks(start, end int64, do func(begin int64, ends []int64) error) error {
	for start < end {
		n := min(end-start, 4096)
		ends := r.ends[:0]
		for i := range n {
			ends = append(ends, start+i+1)
		}
		r.ends = ends
		begin, err := r.values.follow(start, ends)
		if err != nil {
			return err
		}
		if err := do(begin, ends); err != nil {
			return err
		}
		start += n
	}
	return nil
}

// lengths appends how many members each of the collections has.
func (r *reader) lengths(a *root.Array, start, end int64) error {
	return r.blocks(start, end, func(last int64, ends []int64) error {
		for _, x := range ends {
			a.Int = append(a.Int, x-last)
			last = x
		}
		return nil
	})
}

func (r *reader) texts(a *root.Array, start, end int64) error {
	return r.blocks(start, end, func(begin int64, ends []int64) error {
		stop := ends[len(ends)-1]
		if stop > r.chars.total {
			return fmt.Errorf("characters %d to %d of %d", begin, stop, r.chars.total)
		}
		all := r.text[:0]
		for at := begin; at < stop; {
			lo, run, err := r.chars.load(at, stop)
			if err != nil {
				return err
			}
			all = append(all, r.chars.page[lo:lo+run]...)
			at += int64(run)
		}
		r.text = all
		text, last := string(all), begin
		for _, e := range ends {
			a.Text = append(a.Text, text[last-begin:e-begin])
			last = e
		}
		return nil
	})
}

// extend makes room for n more.
func extend[T any](s []T, n int) []T {
	if need := len(s) + n; need > cap(s) {
		bigger := make([]T, len(s), max(need, 2*cap(s)))
		copy(bigger, s)
		s = bigger
	}
	return s[:len(s)+n]
}

// A cursor reads the elements of a field's column, of one cluster at a time, a page at
// a time.
type cursor struct {
	file  *root.File
	field *field
	place int   // among the columns of a representation
	each  int64 // elements of every entry, -1 where it differs

	column   *column
	encoding encoding
	pages    []page
	starts   []int64 // where the pages begin; behind the last all elements' number
	absent   int64   // zeros in front of the first page
	total    int64   // elements, with the zeros

	// The page that is there, unpacked, and its elements where they are indices.
	at     int
	have   page
	page   []byte
	packed []byte
	ends   []uint64
	zeros  int // how many elements of zeros page has, when it is none of the file

	// The index that was read last, as an entry begins where that before it ends.
	lastAt, last int64
}

// enter goes to the first page of a cluster.
func (k *cursor) enter(c cluster) error {
	k.column, k.pages = nil, nil
	for i := k.place; i < len(k.field.columns); i += k.field.representationLen {
		col := k.field.columns[i]
		switch {
		case col.id >= len(c.columns):
			if k.column == nil && col.rep == 0 {
				k.column = col // added later: nothing is there
			}
		case !c.columns[col.id].suppressed:
			k.column, k.pages = col, c.columns[col.id].pages
		}
	}
	if k.column == nil {
		return errors.New("none of its representations is in the cluster")
	}
	k.encoding = k.column.encoding()
	k.starts = append(k.starts[:0], 0)
	k.at, k.lastAt, k.absent, k.total = -1, -1, 0, 0
	for _, p := range k.pages {
		if k.total > math.MaxInt64/2 {
			return errors.New("too many elements")
		}
		k.total += int64(p.n)
		k.starts = append(k.starts, k.total)
	}
	if k.each < 0 {
		return nil
	}
	if c.entries > math.MaxInt64/k.each {
		return fmt.Errorf("%d entries of %d values each", c.entries, k.each)
	}
	switch want := c.entries * k.each; {
	case k.total > want, k.total < want && !k.column.deferred:
		return fmt.Errorf("a cluster of %d entries has %d values where %d should be", c.entries, k.total, want)
	case k.total < want:
		if k.each > 1<<16 {
			return fmt.Errorf("an array of %d values that came after the entries", k.each)
		}
		if err := backed(c); err != nil {
			return err
		}
		k.absent, k.total = want-k.total, want
	}
	return nil
}

// backed checks that a cluster has the entries that it says: where a field came later,
// others must have been there.
func backed(c cluster) error {
	most := int64(0)
	for _, chunk := range c.columns {
		n := int64(0)
		for _, p := range chunk.pages {
			n += int64(p.n)
		}
		most = max(most, n)
	}
	if most < c.entries {
		return fmt.Errorf("a cluster of %d entries has no more than %d values of any field", c.entries, most)
	}
	return nil
}

// load sees to it that the page of an element is there, and returns where it is in the
// page and how many elements from there on the page has, of those before end.
func (k *cursor) load(element, end int64) (at, run int, err error) {
	if element < k.absent {
		run = int(min(end, k.absent) - element) // at most as many as the caller has room for
		run = min(run, zeroPage)
		k.zero()
		return 0, run, nil
	}
	element, end = element-k.absent, end-k.absent
	i := k.at
	if i < 0 || i >= len(k.pages) || element < k.starts[i] || element >= k.starts[i+1] {
		if i++; i < 0 || i >= len(k.pages) || element < k.starts[i] || element >= k.starts[i+1] {
			i = sort.Search(len(k.pages), func(i int) bool { return k.starts[i+1] > element })
		}
		if err := k.unpack(i); err != nil {
			return 0, 0, fmt.Errorf("page %d of column %d: %w", i, k.column.id, err)
		}
	}
	return int(element - k.starts[i]), int(min(end, k.starts[i+1]) - element), nil
}

// zeroPage is how many elements a page of zeros has.
const zeroPage = 4096

// zero has a page of zeros in place of one of the file.
func (k *cursor) zero() {
	if k.zeros > 0 {
		return
	}
	k.at, k.have, k.zeros = -1, page{}, zeroPage
	k.page = make([]byte, 8*zeroPage)
	if k.encoding.class == indices {
		k.ends = make([]uint64, zeroPage)
	}
}

// unpack has page i. One that lies where the last did is that one: writers store equal
// pages once.
func (k *cursor) unpack(i int) error {
	p := k.pages[i]
	k.at = -1
	if p != k.have || p.n == 0 {
		k.have, k.zeros = page{}, 0
		if err := k.read(p); err != nil {
			return err
		}
		if k.encoding.class == indices {
			k.ends = extend(k.ends[:0], int(p.n))
			k.encoding.load(k.ends, k.page, 0, int(p.n))
			k.encoding.sum(k.ends)
		}
		k.have = p
	}
	k.at = i
	return nil
}

// read has a page's bytes, unpacked.
func (k *cursor) read(p page) error {
	length := (int64(p.n)*int64(k.encoding.bits) + 7) / 8
	if p.size > length {
		return fmt.Errorf("%d elements of %d bits in %d bytes", p.n, k.encoding.bits, p.size)
	}
	n := int(p.size)
	if p.checked {
		n += checksumSize
	}
	k.packed = extend(k.packed[:0], n)
	if err := k.file.ReadAt(k.packed, p.offset); err != nil {
		return err
	}
	body := k.packed[:p.size]
	if p.checked {
		if want, is := binary.LittleEndian.Uint64(k.packed[p.size:]), hash(body); is != want {
			return fmt.Errorf("checksum %016x where %016x is written", is, want)
		}
	}
	if p.size == length {
		k.page, k.packed = k.packed, k.page
		return nil
	}
	var err error
	k.page, err = root.Unpack(k.page, body, length)
	return err
}

// bits sets dst to the bits of the page's elements from lo on.
func (k *cursor) bits(dst []uint64, lo int) {
	n := k.zeros
	if n == 0 {
		n = int(k.have.n)
	}
	k.encoding.load(dst, k.page, lo, n)
}

// follow replaces the ends of collections, the first of which is start, by those of what
// is in them, and returns where that begins. The ends do not decrease.
func (k *cursor) follow(start int64, ends []int64) (int64, error) {
	if len(ends) == 0 {
		return 0, nil
	}
	end := ends[len(ends)-1]
	if end > k.total {
		return 0, fmt.Errorf("collections %d to %d of %d", start, end, k.total)
	}
	begin := int64(0)
	if start > 0 {
		if k.lastAt != start-1 {
			at, _, err := k.load(start-1, start)
			if err != nil {
				return 0, err
			}
			k.last = int64(k.ends[at])
		}
		begin = k.last
	}
	last, base := begin, start
	var run []uint64 // the page's, from element base on
	for i, e := range ends {
		if e > start {
			if e > base+int64(len(run)) {
				base = e - 1
				at, n, err := k.load(base, end)
				if err != nil {
					return 0, err
				}
				run = k.ends[at : at+n]
			}
			x := int64(run[e-1-base])
			if x < last {
				return 0, fmt.Errorf("collection %d ends at %d where it begins at %d or later", e-1, x, last)
			}
			last = x
		}
		ends[i] = last
	}
	k.lastAt, k.last = end-1, last
	return begin, nil
}
