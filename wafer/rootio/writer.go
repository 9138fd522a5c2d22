package rootio

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"barrow/hgcal"
	"barrow/internal/root"
	"barrow/internal/root/rntuple"
	"barrow/wafer"
)

// written is the name of the table that is written.
const written = "wafers"

// writer writes images as an RNTuple.
type writer struct {
	out   io.Writer
	set   wafer.WriteSettings
	at    [hgcal.Cells]int // V9 cell of each position
	table *rntuple.Writer  // nil before the first images
	// names are those of the columns in the sets, kinds what their fields hold.
	names  []string
	kinds  []rntuple.Type
	values []root.Array
	lost   []string
	images int
}

var (
	_ wafer.Loser   = (*writer)(nil)
	_ wafer.Aborter = (*writer)(nil)
)

// Create starts writing an RNTuple of the name wafers. Columns are of the kind that
// they have in the first set.
func (Format) Create(out io.Writer, s wafer.WriteSettings) (wafer.Writer, error) {
	if err := s.Order.Check(); err != nil {
		return nil, err
	}
	if s.Dialect != "" {
		return nil, fmt.Errorf("rootio: no dialect %q: ROOT files have one layout", s.Dialect)
	}
	return &writer{out: out, set: s, at: s.Order.ToV9()}, nil
}

// begin fixes the fields by the first set.
func (w *writer) begin(s *wafer.Set) (err error) {
	name := wafer.ChargeName{Cell: -1, Order: w.set.Order}.String()
	fields := []rntuple.Field{{Name: name, Type: rntuple.Float64, Len: hgcal.Cells, About: w.set.Unit}}
	taken := map[string]bool{name: true}
	for _, c := range s.Columns {
		taken[c.Name] = taken[c.Name] || fieldName(c.Name) == c.Name
	}
	for _, c := range s.Columns {
		kind := [...]rntuple.Type{wafer.Number: rntuple.Float64, wafer.Whole: rntuple.Int64, wafer.Words: rntuple.Text}[c.Kind()]
		field := fieldName(c.Name)
		if field != c.Name || c.Name == name {
			for taken[field] {
				field += "_"
			}
			taken[field] = true
			w.lost = append(w.lost, fmt.Sprintf("the name of the column %q, which is no name of a field: it is %s", c.Name, field))
		}
		w.names, w.kinds = append(w.names, c.Name), append(w.kinds, kind)
		fields = append(fields, rntuple.Field{Name: field, Type: kind, About: meaning(c.Name)})
	}
	w.values = make([]root.Array, len(fields))
	w.table, err = rntuple.NewWriter(w.out, written, fields)
	return err
}

// fieldName is a column's name as far as a field may be called so.
func fieldName(name string) string {
	name = strings.Map(func(c rune) rune {
		if unicode.IsControl(c) || strings.ContainsRune(` ./\`, c) {
			return '_'
		}
		return c
	}, strings.ToValidUTF8(name, "_"))
	if name == "" {
		return "_"
	}
	return name
}

// meaning says what a well-known column is, "" of others.
func meaning(name string) string {
	for _, k := range wafer.KnownColumns() {
		if string(k) == name {
			return k.Meaning()
		}
	}
	return ""
}

// Write writes the images of s. The first call decides the columns and their kinds.
func (w *writer) Write(s *wafer.Set) error {
	if err := s.Check(); err != nil {
		return fmt.Errorf("rootio: writing after %d images: %w", w.images, err)
	}
	if s.Len() == 0 {
		return nil
	}
	if w.table == nil {
		if err := w.begin(s); err != nil {
			return fmt.Errorf("rootio: %w", err)
		}
	}
	charges := w.values[0].Float[:0]
	for i := range s.Len() {
		image := s.Image(i)
		for _, cell := range w.at {
			charges = append(charges, image[cell])
		}
	}
	w.values[0].Float = charges
	if len(s.Columns) != len(w.names) {
		return fmt.Errorf("rootio: writing after %d images: %w", w.images, wafer.ErrColumns)
	}
	for k, name := range w.names {
		c := s.Column(name)
		if c == nil {
			return fmt.Errorf("rootio: the images have no metadata column %q", name)
		}
		v := &w.values[1+k]
		*v = root.Array{}
		switch {
		case w.kinds[k] == rntuple.Text:
			v.Text = texts(c)
		case w.kinds[k] == rntuple.Int64 && c.Int != nil:
			v.Int = c.Int
		case w.kinds[k] == rntuple.Float64:
			var err error
			if v.Float, err = c.Floats(); err != nil {
				return fmt.Errorf("rootio: writing after %d images: %w", w.images, err)
			}
		default:
			return fmt.Errorf("rootio: writing after %d images: column %q, of whole numbers so far, has others", w.images, name)
		}
	}
	if err := w.table.Write(w.values); err != nil {
		return fmt.Errorf("rootio: %w", err)
	}
	w.images += s.Len()
	return nil
}

// texts are a column's values as text.
func texts(c *wafer.Column) []string {
	if c.Text != nil {
		return c.Text
	}
	out := make([]string, c.Len())
	for i := range out {
		out[i] = c.Value(i)
	}
	return out
}

// Lost says which names of columns were changed.
func (w *writer) Lost() []string { return w.lost }

// Abort frees what is kept.
func (w *writer) Abort() {
	if w.table != nil {
		w.table.Abort()
	}
}

// Close completes the file. Like reading, writing no images at all is an error.
func (w *writer) Close() error {
	if w.table == nil {
		return errors.New("rootio: no images to write")
	}
	if err := w.table.Close(); err != nil {
		return fmt.Errorf("rootio: %w", err)
	}
	return nil
}
