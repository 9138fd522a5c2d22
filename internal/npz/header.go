package npz

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"unicode/utf8"
)

// A Field is what every row of an array has: of a plain array all of the row, without
// a name; of an array of records a named part.
type Field struct {
	Name  string
	Type  Type  // "" for records inside records, which are not read
	Shape []int // of the row's items; none for one item

	offset, size int // bytes in a row
}

// Len is the number of items a row.
func (f *Field) Len() int {
	n := 1
	for _, k := range f.Shape {
		n *= k
	}
	return n
}

// ErrUnread is wrapped by errors about arrays that are sound, but not read here.
var ErrUnread = errors.New("not read here")

const (
	// maxHeader bounds the text, whose length version 2.0 gives in 32 bits.
	maxHeader = 1 << 18
	// maxRow bounds the bytes of a row, of which one at least is in memory.
	maxRow = 1 << 24
)

// head is a header as read.
type head struct {
	shape   []int
	fields  []Field
	record  bool
	fortran bool
	row     int   // bytes
	length  int64 // of the header itself
}

// readHeader reads the header of an array that is size bytes with it.
func readHeader(in *bufio.Reader, size int64) (*head, error) {
	start := make([]byte, len(magic)+4)
	if _, err := io.ReadFull(in, start); err != nil || string(start[:len(magic)]) != magic {
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return nil, err
		}
		return nil, errors.New("not in NumPy's format")
	}
	version := start[len(magic)]
	if version < 1 || version > 3 {
		return nil, fmt.Errorf("%w: version %d of NumPy's format; 1 to 3 are", ErrUnread, version)
	}
	length, used := int64(binary.LittleEndian.Uint16(start[8:])), int64(len(start))
	if version >= 2 {
		var high [2]byte
		if _, err := io.ReadFull(in, high[:]); err != nil {
			return nil, errors.New("the header ends early")
		}
		length |= int64(binary.LittleEndian.Uint16(high[:])) << 16
		used += 2
	}
	if length > maxHeader || length > size-used {
		return nil, fmt.Errorf("a header of %d bytes in %d", length, size)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(in, text); err != nil {
		return nil, errors.New("the header ends early")
	}
	if version < 3 && !utf8.Valid(text) {
		text = fromLatin1(text)
	}
	h := &head{length: used + length}
	if err := h.parse(text); err != nil {
		return nil, err
	}
	return h, h.check(size - h.length)
}

func fromLatin1(b []byte) []byte {
	var text []byte
	for _, c := range b {
		text = utf8.AppendRune(text, rune(c))
	}
	return text
}

// parse takes the dictionary apart.
func (h *head) parse(text []byte) error {
	l := &literal{text: text}
	v, err := l.value(0)
	if err != nil {
		return fmt.Errorf("a header that is no Python dictionary: %w", err)
	}
	d, _ := v.(map[string]any)
	shape, isTuple := d["shape"].(list)
	var isBool bool
	h.fortran, isBool = d["fortran_order"].(bool)
	if !isTuple || !isBool || d["descr"] == nil {
		return errors.New("a header without descr, fortran_order or shape")
	}
	if h.shape, err = dims(shape); err != nil {
		return err
	}
	switch descr := d["descr"].(type) {
	case string:
		t := Type(descr)
		if _, letter, _ := t.parts(); letter == 0 {
			return fmt.Errorf("items of type %q: no type of NumPy's", descr)
		}
		f := Field{Type: t}
		if len(h.shape) > 1 {
			f.Shape = h.shape[1:]
		}
		h.row, err = f.place(0)
		h.fields = []Field{f}
		return err
	case list:
		h.record = true
		h.fields, h.row, err = record(descr, 0)
		if err == nil && len(h.shape) != 1 && !(len(h.shape) == 2 && h.shape[1] == 1) {
			err = fmt.Errorf("%w: records in the shape %s: want a list of them", ErrUnread, tuple(h.shape))
		}
		return err
	}
	return errors.New("a header whose descr is neither a type nor a list of fields")
}

// place puts the field at an offset and returns the one behind it.
func (f *Field) place(offset int) (int, error) {
	f.offset, f.size = offset, f.Type.size()
	for _, n := range f.Shape {
		if n > 0 && f.size > maxRow/n {
			return 0, fmt.Errorf("%w: rows of more than %d bytes", ErrUnread, maxRow)
		}
		f.size *= n
	}
	if offset+f.size > maxRow {
		return 0, fmt.Errorf("%w: rows of more than %d bytes", ErrUnread, maxRow)
	}
	return offset + f.size, nil
}

// maxDepth bounds records inside records, and lists inside lists.
const maxDepth = 16

// record reads the list of a record's fields, and the bytes of them all.
func record(descr list, depth int) ([]Field, int, error) {
	var fields []Field
	at := 0
	for _, item := range descr {
		parts, _ := item.(list)
		if len(parts) != 2 && len(parts) != 3 {
			return nil, 0, errors.New("a header whose list of fields has something else in it")
		}
		name, ok := parts[0].(string)
		if titled, _ := parts[0].(list); len(titled) == 2 { // (title, name)
			name, ok = titled[1].(string)
		}
		f := Field{Name: name}
		var err error
		if len(parts) == 3 {
			shape, isTuple := parts[2].(list)
			if !isTuple {
				shape = list{parts[2]}
			}
			if f.Shape, err = dims(shape); err != nil {
				return nil, 0, err
			}
		}
		switch t := parts[1].(type) {
		case string:
			f.Type = Type(t)
			if _, letter, _ := f.Type.parts(); letter == 0 {
				return nil, 0, fmt.Errorf("field %q: %q is no type of NumPy's", name, t)
			}
			at, err = f.place(at)
		case list:
			if depth == maxDepth {
				return nil, 0, errors.New("records inside records beyond reason")
			}
			var bytes int
			if _, bytes, err = record(t, depth+1); err == nil {
				f.Shape = append(f.Shape, bytes)
				whole := Field{Type: "|V1", Shape: f.Shape}
				at, err = whole.place(at)
				f.offset, f.size = whole.offset, whole.size
			}
		default:
			ok = false
		}
		if err != nil {
			return nil, 0, err
		}
		if !ok {
			return nil, 0, errors.New("a header with a field that has no name or no type")
		}
		if name != "" { // padding has none
			fields = append(fields, f)
		}
	}
	return fields, at, nil
}

// dims are the numbers of a shape.
func dims(shape list) ([]int, error) {
	var out []int
	for _, v := range shape {
		n, ok := v.(int64)
		if !ok || n < 0 || n > math.MaxInt {
			return nil, errors.New("a header whose shape is not made of whole numbers ≥ 0")
		}
		out = append(out, int(n))
	}
	if len(out) > 64 {
		return nil, fmt.Errorf("%d dimensions", len(out))
	}
	return out, nil
}

// check holds the shape against the bytes that are there.
func (h *head) check(available int64) error {
	if slices.ContainsFunc(h.fields, func(f Field) bool { return f.Type.Object() }) {
		return nil // they are pickled, so that no size is known
	}
	n := int64(h.rows())
	if n > 0 && h.row == 0 {
		return fmt.Errorf("shape %s of items of no bytes", tuple(h.shape))
	}
	if n > 0 && n > available/int64(h.row) {
		return fmt.Errorf("shape %s needs more than the %d bytes that are there: the file is cut off, or damaged", tuple(h.shape), available)
	}
	return nil
}

// rows is the length of the first axis; a single item is one row, and where there are
// no items there are no rows.
func (h *head) rows() int {
	if slices.Contains(h.shape, 0) {
		return 0
	}
	if len(h.shape) == 0 {
		return 1
	}
	return h.shape[0]
}
