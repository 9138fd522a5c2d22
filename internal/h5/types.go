package h5

import (
	"bytes"
	"fmt"
	"math"
	"strings"
)

// Class is the kind of an HDF5 datatype.
type Class byte

// The classes of datatypes; those without a name here are only reported.
const (
	Integer  Class = 0
	Float    Class = 1
	Text     Class = 3
	Bits     Class = 4
	Opaque   Class = 5
	Compound Class = 6
	Enum     Class = 8
	Variable Class = 9
	Block    Class = 10 // an array of fixed shape
)

var classNames = [...]string{
	"integer", "float", "time", "string", "bitfield", "opaque", "compound",
	"reference", "enumeration", "variable-length", "array", "complex",
}

func (c Class) String() string {
	if int(c) < len(classNames) {
		return classNames[c]
	}
	return "unknown"
}

// A Type is an element's type.
type Type struct {
	Class   Class
	Size    int
	Members []Member // of a Compound, in the file's order
	Base    *Type    // of an Enum, a Variable and a Block
	Dims    []int    // of a Block

	big     bool // big-endian
	signed  bool
	text    bool // Variable: a string, not a sequence
	spaces  bool // Text: padded with spaces
	plain   bool // an integer or float that uses all of its bits in the usual way
	boolean bool // an Enum of FALSE and TRUE
}

// A Member is a field of a structure.
type Member struct {
	Name   string
	Offset int // in the structure
	Type   *Type
}

// Number says whether elements are numbers that are read: integers and IEEE floats of 1
// to 8 bytes, enumerations, and bits of one byte.
func (t *Type) Number() bool {
	switch t.Class {
	case Integer, Float:
		return t.plain
	case Enum:
		return t.Base.Class == Integer && t.Base.plain
	case Bits:
		return t.Size == 1
	}
	return false
}

// Whole says whether the numbers are whole ones.
func (t *Type) Whole() bool { return t.Number() && t.Class != Float }

// Words says whether elements are strings.
func (t *Type) Words() bool {
	return t.Class == Text || t.Class == Variable && t.text && t.Size == 16
}

// String is the type as NumPy calls it.
func (t *Type) String() string {
	name := t.Class.String()
	switch {
	case t.Class == Integer && t.plain && t.signed:
		name = fmt.Sprintf("int%d", 8*t.Size)
	case t.Class == Integer && t.plain:
		name = fmt.Sprintf("uint%d", 8*t.Size)
	case t.Class == Float && t.plain:
		name = fmt.Sprintf("float%d", 8*t.Size)
	case t.Class == Integer || t.Class == Float:
		return fmt.Sprintf("%s of %d bytes, of no usual layout", name, t.Size)
	case t.Class == Text:
		return fmt.Sprintf("S%d", t.Size)
	case t.Class == Variable && t.text:
		return "str"
	case t.Class == Variable && t.Base != nil:
		return fmt.Sprintf("variable-length %v", t.Base)
	case t.Class == Enum && t.boolean, t.Class == Bits && t.Size == 1:
		return "bool"
	case t.Class == Enum:
		return fmt.Sprintf("enumeration of %v", t.Base)
	case t.Class == Block:
		return fmt.Sprintf("%v%v", t.Base, t.Dims)
	case t.Class == Opaque:
		return fmt.Sprintf("opaque of %d bytes", t.Size)
	}
	if t.big && t.Size > 1 {
		name += ", big-endian"
	}
	return name
}

// maxElement bounds an element of a dataset.
const maxElement = 1 << 24

// datatype reads a datatype message.
func (o *object) datatype(b []byte) (*Type, error) {
	c := &cursor{b: b}
	t, err := o.typeAt(c, 0)
	if err != nil {
		return nil, err
	}
	return t, nil
}

func (o *object) typeAt(c *cursor, depth int) (*Type, error) {
	if depth > maxDepth {
		return nil, errorf("%s: a datatype nested more than %d deep is not supported", o.path, maxDepth)
	}
	head := c.u8()
	bits := c.uint(3)
	size := c.u32()
	if c.short {
		return nil, errorf("%s: datatype is cut short: the file is damaged", o.path)
	}
	t := &Type{Class: Class(head & 15), Size: int(size)}
	version := head >> 4
	if size == 0 || size > maxElement || version < 1 || version > 5 {
		return nil, errorf("%s: elements of %d bytes, of a type of version %d: the file is damaged", o.path, size, version)
	}
	var err error
	switch t.Class {
	case Integer, Bits:
		t.big, t.signed = bits&1 != 0, bits&8 != 0
		offset, precision := c.u16(), c.u16()
		t.plain = offset == 0 && precision == 8*t.Size && (t.Size == 1 || t.Size == 2 || t.Size == 4 || t.Size == 8)
	case Float:
		t.readFloat(c, bits)
	case Text:
		t.spaces = bits&15 == 2
	case Opaque:
		c.skip(int(bits & 0xff))
	case Compound:
		err = o.members(c, t, int(bits&0xffff), version, depth)
	case Enum:
		err = o.enum(c, t, int(bits&0xffff), version, depth)
	case Variable:
		t.text = bits&15 == 1
		t.Base, err = o.typeAt(c, depth+1)
	case Block:
		err = o.block(c, t, version, depth)
	default:
		c.pos = len(c.b) // what it says is not read
	}
	if err == nil && c.short {
		err = errorf("%s: datatype is cut short: the file is damaged", o.path)
	}
	return t, err
}

func (t *Type) readFloat(c *cursor, bits uint64) {
	t.big = bits&1 != 0
	offset, precision := c.u16(), c.u16()
	expAt, expBits, manAt, manBits := c.u8(), c.u8(), c.u8(), c.u8()
	bias := c.u32()
	layout := [8]int{offset, precision, int(expAt), int(expBits), int(manAt), int(manBits), int(bias), t.Size}
	switch layout {
	case [8]int{0, 16, 10, 5, 0, 10, 15, 2}, [8]int{0, 32, 23, 8, 0, 23, 127, 4}, [8]int{0, 64, 52, 11, 0, 52, 1023, 8}:
		t.plain = bits&0x40 == 0
	}
}

// members reads the fields of a structure.
func (o *object) members(c *cursor, t *Type, n int, version byte, depth int) error {
	for range n {
		m := Member{}
		m.Name = o.typeName(c, version)
		if version >= 3 {
			m.Offset = int(c.uint(sizeOf(uint64(t.Size))))
		} else {
			m.Offset = int(c.u32())
		}
		var dims []int
		if version == 1 {
			rank := int(c.u8())
			c.skip(3 + 4 + 4)
			for i := range 4 {
				if d := c.u32(); i < rank {
					dims = append(dims, int(d))
				}
			}
		}
		if c.short {
			return errorf("%s: a field of a structure is cut short: the file is damaged", o.path)
		}
		var err error
		if m.Type, err = o.typeAt(c, depth+1); err != nil {
			return err
		}
		if len(dims) > 0 {
			b := &Type{Class: Block, Base: m.Type, Dims: dims, Size: t.Size}
			if b.Size, err = o.blockSize(m.Type, dims); err != nil {
				return err
			}
			m.Type = b
		}
		if m.Offset < 0 || m.Type.Size > t.Size || m.Offset > t.Size-m.Type.Size {
			return errorf("%s: field %q lies beyond its structure: the file is damaged", o.path, m.Name)
		}
		t.Members = append(t.Members, m)
	}
	return nil
}

// typeName reads the name of a field or of an enumeration's value.
func (o *object) typeName(c *cursor, version byte) string {
	start := c.pos
	name := c.name()
	if version < 3 && !c.short {
		c.skip(-(c.pos - start) & 7)
	}
	return string(name)
}

// enum reads an enumeration, of which only the type of its numbers is kept.
func (o *object) enum(c *cursor, t *Type, n int, version byte, depth int) error {
	var err error
	if t.Base, err = o.typeAt(c, depth+1); err != nil {
		return err
	}
	if t.Base.Size != t.Size {
		return errorf("%s: an enumeration of %d bytes of numbers of %d: the file is damaged", o.path, t.Size, t.Base.Size)
	}
	var names []string
	for range n {
		if names = append(names, o.typeName(c, version)); c.short {
			break
		}
	}
	c.skip(n * t.Size)
	t.boolean = len(names) == 2 && names[0] == "FALSE" && names[1] == "TRUE"
	return nil
}

// block reads an array type.
func (o *object) block(c *cursor, t *Type, version byte, depth int) error {
	rank := int(c.u8())
	if version < 3 {
		c.skip(3)
	}
	for range rank {
		t.Dims = append(t.Dims, int(c.u32()))
	}
	if version < 3 {
		c.skip(4 * rank)
	}
	if c.short {
		return errorf("%s: an array type is cut short: the file is damaged", o.path)
	}
	var err error
	if t.Base, err = o.typeAt(c, depth+1); err != nil {
		return err
	}
	size, err := o.blockSize(t.Base, t.Dims)
	if err == nil && size != t.Size {
		err = errorf("%s: an array of %v in %d bytes: the file is damaged", o.path, t.Dims, t.Size)
	}
	return err
}

func (o *object) blockSize(base *Type, dims []int) (int, error) {
	size := base.Size
	for _, d := range dims {
		if d <= 0 || size > maxElement/d {
			return 0, errorf("%s: an array of %v: the file is damaged", o.path, dims)
		}
		size *= d
	}
	return size, nil
}

// maxElements bounds a dataset.
const maxElements = 1 << 56

// A space is the shape of a dataset or attribute.
type space struct {
	dims, most []uint64 // undefined in most is no limit
	elements   uint64   // 1 for a scalar and 0 for a null dataspace
}

// dataspace reads a dataspace message.
func (o *object) dataspace(b []byte) (*space, error) {
	c := &cursor{b: b}
	version, rank, flags := c.u8(), int(c.u8()), c.u8()
	kind := c.u8() // version 2 only
	switch {
	case version == 1:
		c.skip(4)
	case version != 2 || c.short:
		return nil, errorf("%s: no dataspace: the file is damaged", o.path)
	case kind == 2:
		return &space{dims: []uint64{0}, most: []uint64{0}}, nil
	}
	if rank > maxDepth {
		return nil, errorf("%s: data of %d dimensions: the file is damaged", o.path, rank)
	}
	s := &space{elements: 1}
	empty := false
	product := uint64(1)
	for range rank {
		d := c.u64()
		if empty = empty || d == 0; d > 0 {
			if d > maxElements/product {
				return nil, errorf("%s: a shape of more than %d elements is not supported", o.path, uint64(maxElements))
			}
			product *= d
		}
		s.dims = append(s.dims, d)
	}
	if s.elements = product; empty {
		s.elements = 0
	}
	s.most = s.dims
	if flags&1 != 0 {
		s.most = nil
		for i := range rank {
			d := c.u64()
			if d < s.dims[i] {
				return nil, errorf("%s: data of %d rows where at most %d may be: the file is damaged", o.path, s.dims[i], d)
			}
			s.most = append(s.most, d)
		}
	}
	if c.short {
		return nil, errorf("%s: dataspace is cut short: the file is damaged", o.path)
	}
	return s, nil
}

// shape is the dimensions as numbers to count with.
func (s *space) shape() []int {
	shape := make([]int, len(s.dims))
	for i, d := range s.dims {
		shape[i] = int(min(d, math.MaxInt))
	}
	return shape
}

// text is a string of fixed length without its padding.
func (t *Type) trim(b []byte) string {
	b, _, _ = bytes.Cut(b, []byte{0})
	if t.spaces {
		return strings.TrimRight(string(b), " ")
	}
	return string(b)
}
