package table

import (
	"fmt"

	"barrow/internal/index"
)

// Index has the reader note in x, from before its first Read on, where its rows stand: an index that
// is complete once Read has returned no row, for GoTo of other readers of the same file.
func (r *Reader) Index(x *index.Index) { r.index = x }

// note keeps where the next row stands.
func (r *Reader) note() {
	if r.index == nil {
		return
	}
	r.index.Rows = r.given
	switch {
	case r.array != nil:
		r.index.Note(index.Mark{Row: r.given, At: int64(r.given)})
	case r.held == nil:
		r.index.Note(index.Mark{Row: r.given, At: r.lines.Offset(), Sub: r.lines.Row()})
	}
}

// GoTo has the next Read begin at a row, by its number from 0, of a reader that has not read yet. What
// is before it is not read again, but for a little and for what is compressed.
func (r *Reader) GoTo(x *index.Index, row int) error {
	if row < 0 || row > x.Rows {
		return fmt.Errorf("%s: row %d of %d", r.name, row, x.Rows)
	}
	if m, ok := x.Before(row); ok && m.Row > 0 {
		if err := r.pass(m); err != nil {
			return err
		}
		r.given = m.Row
	}
	var passed []float64
	for r.given < row {
		var err error
		if passed, err = r.Read(passed[:0], min(row-r.given, 1024)); err != nil {
			return err
		}
		if len(r.at) == 0 {
			return fmt.Errorf("%s: %d rows of %d are not there any more", r.name, x.Rows-r.given, x.Rows)
		}
	}
	return nil
}

// pass goes on at a mark.
func (r *Reader) pass(m index.Mark) error {
	if r.array == nil {
		r.held = nil
		if err := r.lines.Forward(m.At, m.Sub); err != nil {
			return fmt.Errorf("%s:%d: %w", r.name, m.Sub+1, err)
		}
		return nil
	}
	if r.array.words != nil {
		if err := r.array.words.Skip(m.Row); err != nil {
			return err
		}
	}
	r.array.done = m.Row
	return r.array.in.Skip(m.Row)
}
