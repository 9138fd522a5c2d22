package npzio

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"barrow/hgcal"
	"barrow/internal/npz"
	"barrow/wafer"
)

// writer writes images to an archive, or their charges as one array.
type writer struct {
	format  string
	out     *npz.Writer
	charges string           // the array's name
	order   hgcal.Order      // in which they are written
	cells   [hgcal.Cells]int // V9 cell of each charge in the file
	unit    string
	begun   bool
	names   []string // of the metadata columns
	kinds   []wafer.Kind
	cut     map[string]int // texts that changed, by column
	rows    int
	buf     []float64
}

var (
	_ wafer.Loser   = (*writer)(nil)
	_ wafer.Aborter = (*writer)(nil)
)

func newWriter(out io.Writer, format string, s wafer.WriteSettings) (*writer, error) {
	if err := s.Order.Check(); err != nil {
		return nil, err
	}
	if s.Dialect != "" {
		return nil, fmt.Errorf("npzio: no dialect %q: files of the format %s have one layout", s.Dialect, format)
	}
	w := &writer{format: format, charges: wafer.ChargeName{Cell: -1, Order: s.Order}.String(), order: s.Order, cells: s.Order.ToV9(), unit: s.Unit, cut: map[string]int{}}
	charges := npz.Array{Name: w.charges, Type: npz.Float64, Row: []int{hgcal.Cells}}
	var err error
	if format == "npy" {
		w.out, err = npz.NewBare(out, charges)
		return w, err
	}
	w.out = npz.NewWriter(out)
	return w, w.out.Add(charges)
}

// Write writes the images of s. The first call decides the metadata columns and what
// they hold; a later set with others is an error, and so is a charge that is negative or
// not finite.
func (w *writer) Write(s *wafer.Set) error {
	if err := s.Check(); err != nil {
		return fmt.Errorf("npzio: writing after %d images: %w", w.rows, err)
	}
	if s.Len() == 0 {
		return nil
	}
	if !w.begun {
		if err := w.begin(s); err != nil {
			return err
		}
	}
	if err := w.writeColumns(s); err != nil {
		return err
	}
	charges := s.Charge
	if w.order != hgcal.V9 {
		w.buf = slices.Grow(w.buf[:0], len(charges))
		for i := range s.Len() {
			image := s.Image(i)
			for _, cell := range w.cells {
				w.buf = append(w.buf, image[cell])
			}
		}
		charges = w.buf
	}
	w.rows += s.Len()
	return w.out.Append(w.charges, charges)
}

// begin fixes the columns by the first set.
func (w *writer) begin(s *wafer.Set) error {
	w.begun = true
	for i := range s.Columns {
		c := &s.Columns[i]
		k := c.Kind()
		w.names, w.kinds = append(w.names, c.Name), append(w.kinds, k)
		if w.format == "npy" {
			continue
		}
		if err := checkName(c.Name); err != nil {
			return err
		}
		t := [...]npz.Type{wafer.Number: npz.Float64, wafer.Whole: npz.Int64, wafer.Words: npz.Text}[k]
		if err := w.out.Add(npz.Array{Name: c.Name, Type: t}); err != nil {
			return err
		}
	}
	if w.unitKept() {
		w.out.Word("unit", w.unit)
	}
	return nil
}

// unitKept reports whether there is a place for the unit: one array can be called so.
func (w *writer) unitKept() bool {
	return w.unit != "" && w.format == "npz" && !slices.Contains(w.names, "unit")
}

// checkName reports names that an array of an archive cannot have, or not without
// being taken for something else.
func checkName(name string) error {
	switch _, charge := wafer.ParseChargeName(name); {
	case charge:
		return fmt.Errorf("npzio: the metadata column %q would be read as charges; rename it, or leave it out", name)
	case !utf8.ValidString(name) || strings.ContainsRune(name, 0) || len(name) > 1<<15:
		return fmt.Errorf("npzio: the metadata column %.80q: no name for an array; rename it, or leave it out", name)
	}
	return nil
}

func (w *writer) writeColumns(s *wafer.Set) error {
	if len(s.Columns) != len(w.names) {
		return fmt.Errorf("npzio: %d metadata columns after %d images that have %d", len(s.Columns), w.rows, len(w.names))
	}
	for k, name := range w.names {
		c := s.Column(name)
		if c == nil {
			return fmt.Errorf("npzio: the images have no metadata column %q", name)
		}
		if w.format == "npy" {
			continue
		}
		if kind := c.Kind(); kind != w.kinds[k] {
			return fmt.Errorf("npzio: the metadata column %q is %v from image %d on, %v before: an array is of one kind", name, kind, w.rows+1, w.kinds[k])
		}
		var values any = c.Float
		switch w.kinds[k] {
		case wafer.Whole:
			values = c.Int
		case wafer.Words:
			values = c.Text
			for _, v := range c.Text {
				if strings.HasSuffix(v, "\x00") || !utf8.ValidString(v) {
					w.cut[name]++
				}
			}
		}
		if err := w.out.Append(name, values); err != nil {
			return err
		}
	}
	return nil
}

// Lost says what arrays cannot hold.
func (w *writer) Lost() []string {
	var lost []string
	if w.format == "npy" {
		if len(w.names) > 0 {
			lost = append(lost, "the columns "+strings.Join(w.names, ", ")+": a single array has the charges alone; .npz keeps them")
		}
		if w.order != hgcal.V9 {
			lost = append(lost, fmt.Sprintf("that the cells are numbered %v, for which a single array has no place: it has to be said where the file is read", w.order))
		}
	}
	if w.unit != "" && !w.unitKept() {
		lost = append(lost, "the charges' unit, "+w.unit+", for which there is no place")
	}
	for _, name := range w.names {
		if n := w.cut[name]; n > 0 {
			lost = append(lost, fmt.Sprintf("characters of %d texts of %s that are not UTF-8, or zeros at the end", n, name))
		}
	}
	return lost
}

// Close completes the file. Writing no images at all is an error.
func (w *writer) Close() error {
	if w.rows == 0 {
		w.Abort()
		return fmt.Errorf("npzio: no images to write")
	}
	if err := w.out.Commit(); err != nil {
		return fmt.Errorf("npzio: writing: %w", err)
	}
	return nil
}

// Abort removes what was written to temporary files.
func (w *writer) Abort() { w.out.Abort() }
