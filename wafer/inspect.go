package wafer

import (
	"context"
	"math"
)

// An Inspector is a Format that can say what is in a file, wafer images or not.
// Of other formats package wafer/file says what their readers give.
type Inspector interface {
	Format
	// Inspect lists what is in the file, in its order. A table or a column that
	// cannot be read is listed with the reason; an error is for files that are not
	// of the format at all, or end before their list of contents.
	Inspect(ctx context.Context, src *Source, s InspectSettings) ([]Object, error)
}

// InspectSettings say what Inspect does.
type InspectSettings struct {
	// Stats reads all numbers, too: Summary.Stats.
	Stats bool
	// Read is how images would be read, for Object.Images.
	Read ReadSettings
	// Progress, if not nil, is called with the share of the file that is read.
	Progress func(share float64, note string)
}

// An Object is a table in a file: a tree of a ROOT file, a Parquet file as a whole.
type Object struct {
	// Name is that in the file, with the folders that it is in: dir/tree.
	Name string
	// Kind is what the format calls it: TTree, RNTuple, table, arrays.
	Kind string
	// Entries is the number of rows.
	Entries int64
	// Columns are what each row has, in the file's order.
	Columns []Summary
	// Images says in a few words what Barrow makes of the table, or why nothing:
	// "no images: " and the reason.
	Images string
	// Unread says why the table cannot be read at all, "" where it can.
	Unread string
}

// A Summary is what is said of a column.
type Summary struct {
	Name string
	Type string // as the file's own programs write it
	// Unread says why the column is not read, "" where it is.
	Unread string
	// Stats of its numbers; nil where they were not asked for, or are none.
	Stats *Stats
}

// Stats are what a list of numbers is known by.
type Stats struct {
	Values    int64 // all of them
	NonFinite int64 // of these, infinities and what is no number
	// Of the finite ones; 0 where there are none.
	Min, Max, Sum float64
}

// Add counts a number.
func (s *Stats) Add(v float64) {
	s.Values++
	if math.IsNaN(v) || math.IsInf(v, 0) {
		s.NonFinite++
		return
	}
	if s.Values-s.NonFinite == 1 {
		s.Min, s.Max = v, v
	}
	s.Min, s.Max, s.Sum = min(s.Min, v), max(s.Max, v), s.Sum+v
}
