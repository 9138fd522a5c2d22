package npzio

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/internal/npz"
)

// A part is what a column may be: an array, or a field of an array of records.
type part struct {
	name  string // "" of an array without an archive
	array int    // number in the file
	field int    // number in the array
	shape []int  // of a row, without dimensions of length 1
	rows  int
	zero  bool // the array has no dimensions
	typ   npz.Type
	dims  string // the whole shape, for messages
	words string // what an array without dimensions says

	pickled bool  // it, or another field of its records, is objects
	err     error // why it is not read at all
}

func (p *part) kind() npz.Kind { return p.typ.Kind() }

// numbers reports whether it holds numbers.
func (p *part) numbers() bool { return p.kind() == npz.Whole || p.kind() == npz.Real }

// image reports whether a row is the charges of an image.
func (p *part) image() bool {
	return p.unread() == "" && p.numbers() && !p.zero && len(p.shape) == 1 && p.shape[0] == hgcal.Cells
}

// one reports whether a row is one item.
func (p *part) one() bool { return p.err == nil && !p.zero && len(p.shape) == 0 }

// String is name, type and shape: CALQ: float64 (5, 48).
func (p *part) String() string {
	text := "unread"
	if p.err == nil {
		text = p.typ.String() + " " + p.dims
	}
	if p.name != "" {
		text = p.name + ": " + text
	}
	return text
}

// parts looks at every array of the file. Arrays that are damaged are an error, those
// that are not read are listed with it.
func (f *file) parts() ([]part, error) {
	var parts []part
	for i, name := range f.arrays {
		r, err := f.open(i)
		if errors.Is(err, npz.ErrUnread) {
			parts = append(parts, part{name: name, array: i, err: err})
			continue
		}
		if err != nil {
			return nil, err
		}
		more, err := look(r, name, i)
		if err := errors.Join(err, r.Close()); err != nil {
			return nil, err
		}
		parts = append(parts, more...)
	}
	return parts, nil
}

// look lists the parts of one array.
func look(r *npz.Reader, name string, array int) ([]part, error) {
	var parts []part
	for k := range r.Fields {
		f := &r.Fields[k]
		p := part{name: name, array: array, field: k, rows: r.Rows(), zero: len(r.Shape) == 0, pickled: r.Pickled(), typ: f.Type, dims: r.Dims()}
		if f.Name != "" {
			p.name = f.Name
			if len(f.Shape) > 0 {
				p.dims = fmt.Sprintf("(%d, %s)", p.rows, strings.Trim(fmt.Sprint(f.Shape), "[]"))
			}
		}
		p.shape = slices.DeleteFunc(slices.Clone(f.Shape), func(n int) bool { return n == 1 })
		parts = append(parts, p)
	}
	if len(r.Shape) > 0 || len(parts) != 1 || parts[0].kind() != npz.Words {
		return parts, nil
	}
	if _, err := r.Next(1); err != nil {
		return nil, err
	}
	text, err := r.Texts(&r.Fields[0], nil)
	if err != nil {
		return nil, err
	}
	parts[0].words = text[0]
	return parts, nil
}

// unread says why a part cannot be a column by what its items are, "" where it can.
func (p *part) unread() string {
	switch {
	case p.err != nil:
		return p.err.Error()
	case p.pickled:
		return "objects of Python, which only Python reads; save it as text or numbers, as with a.astype(str)"
	case p.typ == "":
		return "records inside records; save their fields as arrays"
	case p.kind() == npz.Other:
		return fmt.Sprintf("items of type %v; save it as numbers or text, as with a.astype(float)", p.typ)
	}
	return ""
}
