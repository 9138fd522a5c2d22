package rootio

import (
	"fmt"
	"math"

	"barrow/internal/root"
)

const (
	// batchValues is about how many values of all columns are in memory at a time.
	batchValues = 1 << 16
	// batchEntries bounds the entries of a batch where they have few values.
	batchEntries = 1 << 14
)

// A field is a column that is read.
type field struct {
	name   string
	kind   root.Kind // of what is in array: Int, Float or Text
	have   root.Kind // in the file
	reader root.Reader
	array  root.Array
}

// A batch holds the values of some consecutive entries of those columns of a table
// that are needed.
type batch struct {
	place  string // file: tree
	table  root.Table
	fields []*field
	first  int64 // entry
	n      int   // entries
	size   int   // entries of the next batch
}

func newBatch(place string, t root.Table) *batch { return &batch{place: place, table: t, size: 1} }

// need adds a column, whose values are wanted as of a kind: Int, Float or Text.
func (b *batch) need(column int, kind root.Kind) (*field, error) {
	c := b.table.Columns()[column]
	r, err := b.table.Reader(column)
	if err != nil {
		return nil, fmt.Errorf("rootio: %s: %w", b.place, err)
	}
	f := &field{name: c.Name, kind: kind, have: c.Kind, reader: r}
	b.fields = append(b.fields, f)
	return f, nil
}

// next reads the entries behind those that are there; false at the table's end.
func (b *batch) next() (bool, error) {
	b.first += int64(b.n)
	b.n = int(min(b.table.Entries()-b.first, int64(b.size)))
	if b.n <= 0 {
		b.n = 0
		return false, nil
	}
	values := 0
	for _, f := range b.fields {
		if err := f.reader.Read(&f.array, b.first, b.n); err != nil {
			return false, fmt.Errorf("rootio: %s: %w", b.place, err)
		}
		if f.array.Entries() != b.n {
			return false, fmt.Errorf("rootio: %s, %s: %d entries of %d from entry %d on", b.place, f.name, f.array.Entries(), b.n, b.first)
		}
		if err := b.convert(f); err != nil {
			return false, err
		}
		values += f.array.Offsets[b.n]
	}
	b.size = following(b.n, values, batchValues)
	return true, nil
}

// following is how many entries to read after n that have so many values, where most
// values should be in memory.
func following(n, values, most int) int {
	return max(1, min(4*n, batchEntries, int(int64(most)*int64(n)/int64(max(1, values)))))
}

// entry is the number in the table of entry e of the batch.
func (b *batch) entry(e int) int64 { return b.first + int64(e) }

// fail is an error about entry e of a column.
func (b *batch) fail(e int, column, format string, args ...any) error {
	return fmt.Errorf("rootio: %s, entry %d, %s: %s", b.place, b.entry(e), column, fmt.Sprintf(format, args...))
}

// convert makes the values those of the kind that is wanted.
func (b *batch) convert(f *field) error {
	a := &f.array
	switch {
	case f.kind == root.Float && f.have != root.Float:
		a.Float = a.Float[:0]
		for _, v := range a.Int {
			if f.have == root.Uint {
				a.Float = append(a.Float, float64(uint64(v)))
			} else {
				a.Float = append(a.Float, float64(v))
			}
		}
	case f.kind == root.Int && f.have == root.Float:
		a.Int = a.Int[:0]
		for i, v := range a.Float {
			const most = 1 << 53
			if v != math.Trunc(v) || math.Abs(v) > most {
				return b.fail(f.entryOf(i), f.name, "%g is not a whole number", v)
			}
			a.Int = append(a.Int, int64(v))
		}
	case f.kind == root.Int && f.have == root.Uint:
		for i, v := range a.Int {
			if v < 0 {
				return b.fail(f.entryOf(i), f.name, "%d is above 2^63", uint64(v))
			}
		}
	}
	return nil
}

// entryOf is the entry of the batch that value i is of.
func (f *field) entryOf(i int) int {
	e := 0
	for e+1 < f.array.Entries() && f.array.Offsets[e+1] <= i {
		e++
	}
	return e
}

// span is where the values of entry e are.
func (f *field) span(e int) (from, to int) { return f.array.Offsets[e], f.array.Offsets[e+1] }

// A vectors is a group of columns that have one value an item: tc_*, of trigger
// cells.
type vectors struct {
	b     *batch
	count *field   // their number, nil where the table does not say
	lead  *field   // whose length is the number then
	late  []*field // those found longer than the number
}

// newVectors is the group of columns whose names begin with prefix.
func newVectors(b *batch, n *names, prefix string) (*vectors, error) {
	v := &vectors{b: b}
	if i := n.counter(prefix); i >= 0 {
		var err error
		v.count, err = b.need(i, root.Int)
		return v, err
	}
	return v, nil
}

// need adds a column to the group.
func (v *vectors) need(column int, kind root.Kind) (*field, error) {
	f, err := v.b.need(column, kind)
	if v.lead == nil {
		v.lead = f
	}
	return f, err
}

// len is the number of items of entry e.
func (v *vectors) len(e int) (int, error) {
	if v.count == nil {
		from, to := v.lead.span(e)
		return to - from, nil
	}
	from, to := v.count.span(e)
	if to-from != 1 {
		return 0, v.b.fail(e, v.count.name, "%d values for one", to-from)
	}
	n := v.count.array.Int[from]
	if n < 0 || n > math.MaxInt32 {
		return 0, v.b.fail(e, v.count.name, "%d is no number of items", n)
	}
	return int(n), nil
}

// span is where the n values of entry e of a column are. Where there are more than
// the table says the last ones count: some producers forget to clear a vector before
// the next event.
func (v *vectors) span(f *field, e, n int) (from, to int, err error) {
	from, to = f.span(e)
	switch {
	case to-from == n:
	case v.count == nil:
		return 0, 0, v.b.fail(e, f.name, "%d values where %s has %d", to-from, v.lead.name, n)
	case to-from < n:
		return 0, 0, v.b.fail(e, f.name, "%d values where %s says %d", to-from, v.count.name, n)
	default:
		from = to - n
		v.remark(f)
	}
	return from, to, nil
}

func (v *vectors) remark(f *field) {
	for _, g := range v.late {
		if g == f {
			return
		}
	}
	v.late = append(v.late, f)
}

// ints are the n values of entry e of a column.
func (v *vectors) ints(f *field, e, n int) ([]int64, error) {
	from, to, err := v.span(f, e, n)
	return f.array.Int[from:to], err
}

// floats are the n values of entry e of a column.
func (v *vectors) floats(f *field, e, n int) ([]float64, error) {
	from, to, err := v.span(f, e, n)
	return f.array.Float[from:to], err
}

// remarks says which vectors were longer than they should be.
func (v *vectors) remarks() []string {
	if len(v.late) == 0 {
		return nil
	}
	text := ""
	for i, f := range v.late {
		if i > 0 {
			text += ", "
		}
		text += f.name
	}
	return []string{fmt.Sprintf("longer than %s says, as if not cleared between events: %s; the last values were taken", v.count.name, text)}
}
