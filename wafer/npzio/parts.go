package npzio

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"barrow/internal/npz"
	"barrow/wafer/internal/arrays"
)

// A part is what a column may be, with where it is.
type part struct {
	arrays.Part
	array int // number in the file
	field int // number in the array
	typ   npz.Type
	words string // what an array without dimensions says
}

// parts looks at every array of the file. Arrays that are damaged are an error, those
// that are not read are listed with it.
func (f *file) parts() ([]part, error) {
	var parts []part
	for i, name := range f.arrays {
		r, err := f.open(i)
		if errors.Is(err, npz.ErrUnread) {
			parts = append(parts, unread(name, i, err))
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

// unread is an array that is not read.
func unread(name string, array int, err error) part {
	return part{Part: arrays.Part{Name: name, Path: name, Kind: "unread", Unread: err.Error()}, array: array}
}

// look lists the parts of one array.
func look(r *npz.Reader, name string, array int) ([]part, error) {
	var parts []part
	for k := range r.Fields {
		f := &r.Fields[k]
		p := part{array: array, field: k, typ: f.Type}
		p.Name, p.Rows, p.Scalar, p.Unread = name, r.Rows(), len(r.Shape) == 0, why(r, f)
		p.Numbers = f.Type.Kind() == npz.Whole || f.Type.Kind() == npz.Real
		dims, typ := r.Dims(), f.Type.String()
		if f.Name != "" {
			p.Name = f.Name
			if len(f.Shape) > 0 {
				dims = fmt.Sprintf("(%d, %s)", p.Rows, strings.Trim(fmt.Sprint(f.Shape), "[]"))
			}
		}
		if typ == "" {
			typ = "record"
		}
		p.Path, p.Kind = p.Name, typ+" "+dims
		p.Shape = slices.DeleteFunc(slices.Clone(f.Shape), func(n int) bool { return n == 1 })
		parts = append(parts, p)
	}
	if len(r.Shape) > 0 || len(parts) != 1 || parts[0].typ.Kind() != npz.Words {
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
	parts[0].Says = name == "order" || name == "unit"
	return parts, nil
}

// why says why a field cannot be a column by what its items are, "" where it can.
func why(r *npz.Reader, f *npz.Field) string {
	switch {
	case r.Pickled():
		return "objects of Python, which only Python reads; save it as text or numbers, as with a.astype(str)"
	case f.Type == "":
		return "records inside records; save their fields as arrays"
	case f.Type.Kind() == npz.Other:
		return fmt.Sprintf("items of type %v; save it as numbers or text, as with a.astype(float)", f.Type)
	}
	return ""
}
