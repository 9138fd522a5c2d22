package root

import "fmt"

// Kind is what the values of a column are.
type Kind int

const (
	// None is nothing that is read here.
	None Kind = iota
	// Int is integers and truth values; those of 64 bits without a sign are Uint.
	Int
	// Uint is integers without a sign of 64 bits, whose bits are in Array.Int.
	Uint
	// Float is numbers of floating point.
	Float
	// Text is strings.
	Text
)

// A Column is what a table knows of one branch of a TTree or one field of an
// RNTuple: a sequence of values, one or several an entry.
type Column struct {
	// Name is that of the branch or field; one within another has the names above it
	// in front, with a dot or a slash as the file's own programs write it.
	Name string
	// Type is the values' type as C++ writes it: float, int32_t, vector<float>,
	// float[3]. For people, not for programs.
	Type string
	// Kind is what the values are; None for a column that is not read.
	Kind Kind
	// Len is the number of values of every entry, -1 where it differs.
	Len int
	// Nested says that an entry has lists of lists, as vector<vector<float>> and
	// float[2][3]; an Array has all their values one after the other.
	Nested bool
	// Unread says why the column is not read, "" where it is.
	Unread string
}

// Array is the values of consecutive entries of a column. Its memory is used again
// by the next Read into it.
type Array struct {
	// Offsets has one number more than there are entries: the values of entry i are
	// those from Offsets[i] to Offsets[i+1].
	Offsets []int
	// Of the values' three lists one is used, by the column's kind: Int for Int and
	// Uint.
	Int   []int64
	Float []float64
	Text  []string
}

// Entries is the number of entries.
func (a *Array) Entries() int { return max(len(a.Offsets)-1, 0) }

// A Table is a TTree or an RNTuple: columns of the same number of entries.
type Table interface {
	// Kind is TTree or RNTuple.
	Kind() string
	// Entries is the number of entries.
	Entries() int64
	// Columns lists the columns in the file's order, also those that are not read.
	Columns() []Column
	// Reader begins to read column i of Columns. What cannot be read is an error.
	Reader(i int) (Reader, error)
}

// A Reader reads one column. Entries are read from front to back: one that lies
// before what was read last may be slow. Memory does not grow with the file: a
// Reader holds one basket or page at a time, and what Array holds.
type Reader interface {
	// Read replaces a by the values of n entries from entry first on, all of which
	// must exist. Errors name column and entry.
	Read(a *Array, first int64, n int) error
}

// Find returns the index of a table's column of that name.
func Find(t Table, name string) (int, error) {
	for i, c := range t.Columns() {
		if c.Name == name {
			return i, nil
		}
	}
	return 0, fmt.Errorf("no column %s", name)
}
