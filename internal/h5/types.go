package h5

import (
	"encoding/binary"
	"math"

	"github.com/x448/float16"
)

// Class is the kind of an HDF5 datatype.
type Class byte

// The classes of datatypes; those without a name here are only reported.
const (
	Integer  Class = 0
	Float    Class = 1
	Text     Class = 3
	Variable Class = 9
)

var classNames = [...]string{
	"integer", "float", "time", "string", "bitfield", "opaque", "compound",
	"reference", "enumeration (h5py's bool)", "variable-length", "array",
}

func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "unknown"
}

// A datatype is an element's type.
type datatype struct {
	class  Class
	size   int
	big    bool // big-endian
	signed bool
	text   bool // variable-length string, not sequence
	ieee   bool // a float of the IEEE layout for its size
}

func (o *object) datatype(b []byte) (datatype, error) {
	c := &cursor{b: b}
	head := c.u8()
	bits := c.take(3)
	size := c.u32()
	if c.short {
		return datatype{}, errorf("%s: datatype is cut short: the file is damaged", o.path)
	}
	t := datatype{class: Class(head & 15), size: int(size)}
	if size == 0 || size > 1<<20 {
		return t, errorf("%s: elements of %d bytes: the file is damaged", o.path, size)
	}
	switch t.class {
	case Integer:
		t.big, t.signed = bits[0]&1 != 0, bits[0]&8 != 0
	case Float:
		t.big = bits[0]&1 != 0
		offset, precision := c.u16(), c.u16()
		expAt, expBits, manAt, manBits := c.u8(), c.u8(), c.u8(), c.u8()
		bias := c.u32()
		layout := [8]int{offset, precision, int(expAt), int(expBits), int(manAt), int(manBits), int(bias), t.size}
		switch layout {
		case [8]int{0, 16, 10, 5, 0, 10, 15, 2}, [8]int{0, 32, 23, 8, 0, 23, 127, 4}, [8]int{0, 64, 52, 11, 0, 52, 1023, 8}:
			t.ieee = bits[0]&0x40 == 0
		}
	case Variable:
		t.text = bits[0]&15 == 1
	}
	return t, nil
}

func (t datatype) order() binary.ByteOrder {
	if t.big {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// float32s converts elements to float32: exactly from floats of 16 and 32
// bits, to nearest from floats of 64 bits and from integers.
func (o *object) float32s(b []byte, t datatype) ([]float32, error) {
	value, err := o.decoder(t)
	if err != nil {
		return nil, err
	}
	out := make([]float32, len(b)/t.size)
	for i := range out {
		out[i] = value(b[i*t.size:])
	}
	return out, nil
}

func (o *object) decoder(t datatype) (func([]byte) float32, error) {
	e := t.order()
	switch {
	case t.class == Float && t.ieee && t.size == 4:
		return func(b []byte) float32 { return math.Float32frombits(e.Uint32(b)) }, nil
	case t.class == Float && t.ieee && t.size == 8:
		return func(b []byte) float32 { return float32(math.Float64frombits(e.Uint64(b))) }, nil
	case t.class == Float && t.ieee && t.size == 2:
		return func(b []byte) float32 { return float16.Frombits(e.Uint16(b)).Float32() }, nil
	case t.class == Integer && t.signed && t.size == 8:
		return func(b []byte) float32 { return float32(int64(e.Uint64(b))) }, nil
	case t.class == Integer && t.signed && t.size == 4:
		return func(b []byte) float32 { return float32(int32(e.Uint32(b))) }, nil
	}
	return nil, errorf("%s: elements of class %v, %d bytes, are not supported as weights; supported are IEEE floats of 16, 32 and 64 bits and signed integers of 32 and 64", o.path, t.class, t.size)
}

// dataspace reads the shape of a dataset or attribute; elements is its
// product, 1 for a scalar and 0 for a null dataspace.
func (o *object) dataspace(b []byte) (shape []int, elements int, err error) {
	c := &cursor{b: b}
	version, rank := c.u8(), int(c.u8())
	c.skip(1)
	kind := c.u8() // version 2 only
	switch {
	case version == 1:
		c.skip(4)
	case version != 2 || c.short:
		return nil, 0, errorf("%s: no dataspace: the file is damaged", o.path)
	case kind == 2:
		return []int{0}, 0, nil
	}
	elements = 1
	for range rank {
		d := c.u64()
		if d > math.MaxInt32 || d > 0 && elements > math.MaxInt32/int(d) {
			return nil, 0, errorf("%s: a shape of more than %d elements is not supported", o.path, math.MaxInt32)
		}
		shape = append(shape, int(d))
		elements *= int(d)
	}
	if c.short {
		return nil, 0, errorf("%s: dataspace is cut short: the file is damaged", o.path)
	}
	return shape, elements, nil
}
