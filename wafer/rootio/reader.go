package rootio

import (
	"fmt"
	"io"

	"barrow/internal/root"
	"barrow/wafer"
)

// reader reads the images of a table.
type reader struct {
	place  string // file: tree
	b      *batch
	make   maker
	rows   bool
	info   wafer.Info
	at     int // entry of the batch to make images of
	images sink
	next   int   // image to give
	last   []row // of the last Read
	any    bool
	err    error // that ended it, io.EOF too
}

var (
	_ wafer.Marker   = (*reader)(nil)
	_ wafer.Remarker = (*reader)(nil)
	_ wafer.Sharer   = (*reader)(nil)
)

// newReader starts to read a table as planned.
func newReader(place string, t root.Table, p plan) (*reader, error) {
	r := &reader{place: place, b: newBatch(place, t), rows: p.rows}
	var err error
	if r.make, err = p.start(r.b, &r.images); err != nil {
		return nil, err
	}
	r.info = wafer.Info{Format: Format{}.Name(), Order: p.order, OrderSaid: p.said, Unit: p.unit}
	for _, c := range r.images.set.Columns {
		r.info.Columns = append(r.info.Columns, c.Name)
	}
	return r, nil
}

// Info says what the charges are, as the table and the settings have it.
func (r *reader) Info() wafer.Info { return r.info }

// Place is file, table, entry and, where an entry has several images, the wafer.
func (r *reader) Place(i int) string {
	if i < 0 || i >= len(r.last) {
		return r.place
	}
	at := fmt.Sprintf("%s, entry %d", r.place, r.last[i].entry)
	if r.last[i].key == 0 {
		return at
	}
	return fmt.Sprintf("%s, %v", at, r.last[i].key)
}

// Share is how many of the entries are read.
func (r *reader) Share() (float64, bool) {
	n := r.b.table.Entries()
	if n <= 0 {
		return 1, true
	}
	return float64(r.b.first+int64(r.at)) / float64(n), true
}

// Remarks say what was skipped, and what was made up for.
func (r *reader) Remarks() []string { return r.make.remarks() }

// Close does nothing: the source is the caller's.
func (r *reader) Close() error { return nil }

// Read puts up to n further images into s, reusing its memory.
func (r *reader) Read(s *wafer.Set, n int) (int, error) {
	got := 0
	r.last = r.last[:0]
	for got < n {
		if r.next == len(r.images.rows) {
			r.images.clear()
			r.next = 0
			if err := r.more(n - got); err != nil {
				if err != io.EOF {
					return 0, err
				}
				break
			}
			continue
		}
		if got == 0 {
			r.images.blank(s)
		}
		to := min(len(r.images.rows), r.next+n-got)
		r.images.give(s, r.next, to)
		r.last = append(r.last, r.images.rows[r.next:to]...)
		got += to - r.next
		r.next = to
	}
	if got == 0 && n > 0 {
		r.images.blank(s)
		return 0, io.EOF
	}
	r.any = true
	return got, nil
}

// Mark is the entry that the next image is of, and how many images of it are before.
func (r *reader) Mark() (m wafer.Mark, ok bool) {
	switch {
	case r.err != nil:
		return m, false
	case r.next == len(r.images.rows):
		return wafer.Mark{At: r.b.first + int64(r.at)}, true
	case r.rows:
		return wafer.Mark{At: r.images.rows[r.next].entry}, true
	}
	return wafer.Mark{At: r.images.rows[r.next].entry, Sub: r.next}, true // they are all of one entry
}

// Go goes on at a mark.
func (r *reader) Go(m wafer.Mark) error {
	if now, _ := r.Mark(); r.err != nil || m.At < now.At || m.At > r.b.table.Entries() {
		return fmt.Errorf("rootio: %s: no image at entry %d of %d", r.place, m.At, r.b.table.Entries())
	}
	r.b.first, r.b.n, r.at = m.At, 0, 0
	r.images.clear()
	r.next = 0
	if m.Sub == 0 {
		return nil
	}
	if err := r.more(1); err != nil {
		return err
	}
	if m.Sub > len(r.images.rows) {
		return fmt.Errorf("rootio: %s, entry %d: no image %d", r.place, m.At, m.Sub)
	}
	r.next = m.Sub
	return nil
}

// more makes the images of the next entry, of up to n entries where each is one.
func (r *reader) more(n int) error {
	if r.err != nil {
		return r.err
	}
	r.err = r.fill(n)
	return r.err
}

func (r *reader) fill(n int) error {
	if r.at == r.b.n {
		r.at = 0
		more, err := r.b.next()
		if err != nil {
			return err
		}
		if !more {
			if !r.any && len(r.last) == 0 {
				return r.nothing()
			}
			return io.EOF
		}
	}
	to := r.at + 1
	if r.rows {
		to = min(r.b.n, r.at+n)
	}
	err := r.make.fill(&r.images, r.at, to)
	r.at = to
	return err
}

// nothing is the error of a table without images.
func (r *reader) nothing() error {
	why := ""
	for _, line := range r.make.remarks() {
		why += "; " + line
	}
	return fmt.Errorf("rootio: %s: %w in %d entries%s", r.place, wafer.ErrNoImages, r.b.table.Entries(), why)
}
