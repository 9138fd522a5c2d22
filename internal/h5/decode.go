package h5

import (
	"encoding/binary"
	"math"

	"github.com/x448/float16"
)

func (t *Type) order() binary.ByteOrder {
	if t.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// number is the type of the numbers as such.
func (t *Type) number() *Type {
	if t.Class == Enum {
		return t.Base
	}
	return t
}

// Floats decodes len(dst) numbers that begin stride bytes apart in raw: floats and
// integers up to 2^53 exactly, larger ones to nearest. It panics where Number is false
// or raw is shorter.
func (t *Type) Floats(dst []float64, raw []byte, stride int) {
	n := t.number()
	e := n.order()
	if n.Class != Float {
		for i := range dst {
			v := n.whole(e, raw[i*stride:])
			if n.signed {
				dst[i] = float64(int64(v))
			} else {
				dst[i] = float64(v)
			}
		}
		return
	}
	switch n.Size {
	case 2:
		for i := range dst {
			dst[i] = float64(float16.Frombits(e.Uint16(raw[i*stride:])).Float32())
		}
	case 4:
		for i := range dst {
			dst[i] = float64(math.Float32frombits(e.Uint32(raw[i*stride:])))
		}
	case 8:
		for i := range dst {
			dst[i] = math.Float64frombits(e.Uint64(raw[i*stride:]))
		}
	}
}

// Ints decodes len(dst) whole numbers that begin stride bytes apart in raw. bad is the
// first that is too large for an int64, or -1. It panics where Whole is false or raw is
// shorter.
func (t *Type) Ints(dst []int64, raw []byte, stride int) (bad int) {
	n := t.number()
	e := n.order()
	bad = -1
	for i := range dst {
		v := n.whole(e, raw[i*stride:])
		if dst[i] = int64(v); dst[i] < 0 && !n.signed && bad < 0 {
			bad = i
		}
	}
	return bad
}

// whole is an integer, its sign extended.
func (t *Type) whole(e binary.ByteOrder, b []byte) uint64 {
	switch {
	case t.Size == 1 && t.signed:
		return uint64(int8(b[0]))
	case t.Size == 1:
		return uint64(b[0])
	case t.Size == 2 && t.signed:
		return uint64(int16(e.Uint16(b)))
	case t.Size == 2:
		return uint64(e.Uint16(b))
	case t.Size == 4 && t.signed:
		return uint64(int32(e.Uint32(b)))
	case t.Size == 4:
		return uint64(e.Uint32(b))
	}
	return e.Uint64(b)
}

// Float32s are the dataset's elements in C order: exact from floats of 16 and
// 32 bits, rounded to nearest from floats of 64 bits and from integers.
func (d *Dataset) Float32s() ([]float32, error) {
	if !d.typ.Number() {
		return nil, errorf("%s: elements of type %v are not numbers; supported are integers and IEEE floats of 16, 32 and 64 bits", d.o.path, d.typ)
	}
	b, err := d.all()
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(b)/d.typ.Size)
	var part [256]float64
	for i := 0; i < len(out); i += len(part) {
		n := min(len(part), len(out)-i)
		d.typ.Floats(part[:n], b[i*d.typ.Size:], d.typ.Size)
		for j, v := range part[:n] {
			out[i+j] = float32(v)
		}
	}
	return out, nil
}

// Strings decodes n strings that begin stride bytes apart in raw; those of variable
// length are looked up in the file. Together they may not have more bytes than the file.
func (d *Dataset) Strings(t *Type, n int, raw []byte, stride int) ([]string, error) {
	return d.o.strings(t, n, raw, stride)
}

func (o *object) strings(t *Type, n int, raw []byte, stride int) ([]string, error) {
	out := make([]string, n)
	total := uint64(0)
	for i := range out {
		b := raw[i*stride : i*stride+t.Size]
		if t.Class == Variable {
			var err error
			if b, err = o.file.heapObject(b); err != nil {
				return nil, errorf("%s: %w", o.path, err)
			}
		}
		if out[i] = t.trim(b); t.Class == Variable {
			if total += uint64(len(b)); total > o.file.size {
				return nil, errorf("%s: more text than the file has bytes: the file is damaged", o.path)
			}
		}
	}
	return out, nil
}
