// Package index keeps where rows of files stand, so that who wants those of the middle need not read
// those before.
package index

import (
	"errors"
	"fmt"
	"slices"
	"sort"
)

// A Mark is where reading can begin: at a row of one of several files that are read as one.
type Mark struct {
	Row  int   `json:"row"`  // from 0, of all files together
	File int   `json:"file"` // number of the file, from 0
	At   int64 `json:"at"`   // where in it, as its reader has it: the byte of a text, the row of an array
	Sub  int   `json:"sub"`  // what its reader has to know besides: the lines before it
}

// An Index is how many rows there are, and marks in the order of their rows.
type Index struct {
	Rows  int    `json:"rows"`
	Marks []Mark `json:"marks"`

	apart int // rows between marks, at least
}

// most is how many marks are in memory while files are looked through.
const most = 1 << 16

// Note keeps a mark behind those that are there, unless it is close to the last one: marks are
// the wider apart the more rows there are.
func (x *Index) Note(m Mark) {
	if n := len(x.Marks); n > 0 {
		switch last := &x.Marks[n-1]; {
		case m.Row == last.Row: // the end of a file is the beginning of the next
			*last = m
			return
		case m.Row < last.Row+x.apart:
			return
		}
	}
	x.Marks = append(x.Marks, m)
	if len(x.Marks) < most {
		return
	}
	for x.apart = max(1, x.apart); len(x.Marks) > most/2; {
		x.apart *= 2
		next := 0
		x.Marks = slices.DeleteFunc(x.Marks, func(m Mark) bool {
			if m.Row < next {
				return true
			}
			next = m.Row + x.apart
			return false
		})
	}
}

// Before is the last mark that is not behind a row; ok is false where there is none, and rows are to
// be read from the first.
func (x *Index) Before(row int) (m Mark, ok bool) {
	n := sort.Search(len(x.Marks), func(i int) bool { return x.Marks[i].Row > row })
	if n == 0 {
		return m, false
	}
	return x.Marks[n-1], true
}

// Keep leaves only the marks that reading begins at which wants these rows, given in their order.
func (x *Index) Keep(rows []int) {
	var kept []Mark
	for _, row := range rows {
		m, ok := x.Before(row)
		if ok && (len(kept) == 0 || m != kept[len(kept)-1]) {
			kept = append(kept, m)
		}
	}
	x.Marks = kept
}

// Check holds an index that was read from somewhere to what it must be, of so many files.
func (x *Index) Check(files int) error {
	if x.Rows < 0 {
		return fmt.Errorf("%d rows", x.Rows)
	}
	var last Mark
	for k, m := range x.Marks {
		switch {
		case m.Row < 0 || m.Row > x.Rows || m.File < 0 || m.File >= files || m.At < 0 || m.Sub < 0:
			return fmt.Errorf("a mark %+v of %d rows in %d files", m, x.Rows, files)
		case k > 0 && (m.Row <= last.Row || m.File < last.File):
			return errors.New("marks that are not in order")
		}
		last = m
	}
	return nil
}
