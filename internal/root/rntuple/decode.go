package rntuple

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/x448/float16"
	"github.com/zeebo/xxh3"
)

func hash(b []byte) uint64 { return xxh3.Hash(b) }

// class is what a column's elements are.
type class int

const (
	unknown class = iota
	integers
	unsigned // integers of 64 bits without a sign
	floats
	indices
)

// encoding is how a kind of column stores its elements.
type encoding struct {
	class class
	// bits of an element in a page, 0 where the column says.
	bits int
	// split has the first bytes of all elements in front of all second ones.
	split bool
	// signed integers have their sign in the highest bit, zigzag ones in the lowest.
	signed, zigzag bool
	// delta is differences to the element before, in a page.
	delta bool
}

// encodings has the kinds of columns by their number.
var encodings = [...]encoding{
	0x00: {class: integers, bits: 1},
	0x01: {class: integers, bits: 8},
	0x02: {class: integers, bits: 8},
	0x03: {class: integers, bits: 8, signed: true},
	0x04: {class: integers, bits: 8},
	0x05: {class: integers, bits: 16, signed: true},
	0x06: {class: integers, bits: 16},
	0x07: {class: integers, bits: 32, signed: true},
	0x08: {class: integers, bits: 32},
	0x09: {class: integers, bits: 64},
	0x0a: {class: unsigned, bits: 64},
	0x0b: {class: floats, bits: 16},
	0x0c: {class: floats, bits: 32},
	0x0d: {class: floats, bits: 64},
	0x0e: {class: indices, bits: 32},
	0x0f: {class: indices, bits: 64},
	0x10: {}, // which of several fields an entry has
	0x11: {class: integers, bits: 16, split: true, zigzag: true},
	0x12: {class: integers, bits: 16, split: true},
	0x13: {class: integers, bits: 32, split: true, zigzag: true},
	0x14: {class: integers, bits: 32, split: true},
	0x15: {class: integers, bits: 64, split: true, zigzag: true},
	0x16: {class: unsigned, bits: 64, split: true},
	0x17: {class: floats, bits: 16, split: true},
	0x18: {class: floats, bits: 32, split: true},
	0x19: {class: floats, bits: 64, split: true},
	0x1a: {class: indices, bits: 32, split: true, delta: true},
	0x1b: {class: indices, bits: 64, split: true, delta: true},
	0x1c: {class: floats},
	0x1d: {class: floats},
}

const (
	charKind      = 0x02
	bitKind       = 0x00
	truncatedKind = 0x1c
	quantisedKind = 0x1d
)

// encoding of a column, of class unknown where it is not read.
func (c *column) encoding() encoding {
	if c.kind >= len(encodings) {
		return encoding{}
	}
	e := encodings[c.kind]
	switch {
	case c.kind == truncatedKind && c.bits >= 10 && c.bits <= 31,
		c.kind == quantisedKind && c.bits >= 1 && c.bits <= 32:
		e.bits = c.bits
	case e.bits != c.bits || e.bits == 0:
		return encoding{}
	}
	return e
}

// unread says why a column is not read.
func (c *column) unread() string {
	return fmt.Sprintf("a column of kind %#02x and %d bits is not known", c.kind, c.bits)
}

// load sets dst to the bits of the elements from lo on of a page b of n elements.
func (e encoding) load(dst []uint64, b []byte, lo, n int) {
	le := binary.LittleEndian
	m := len(dst)
	switch {
	case e.bits == 8:
		for i, x := range b[lo : lo+m] {
			dst[i] = uint64(x)
		}
	case e.split:
		e.unsplit(dst, b, lo, n)
	case e.bits == 16:
		b = b[2*lo : 2*(lo+m)]
		for i := range dst {
			dst[i] = uint64(le.Uint16(b[2*i:]))
		}
	case e.bits == 32:
		b = b[4*lo : 4*(lo+m)]
		for i := range dst {
			dst[i] = uint64(le.Uint32(b[4*i:]))
		}
	case e.bits == 64:
		b = b[8*lo : 8*(lo+m)]
		for i := range dst {
			dst[i] = le.Uint64(b[8*i:])
		}
	default:
		e.unpack(dst, b, lo)
	}
}

// unsplit is load for elements whose bytes lie apart.
func (e encoding) unsplit(dst []uint64, b []byte, lo, n int) {
	m := len(dst)
	plane := func(k int) []byte { return b[k*n+lo:][:m] }
	switch e.bits {
	case 16:
		p0, p1 := plane(0), plane(1)
		for i := range dst {
			dst[i] = uint64(p0[i]) | uint64(p1[i])<<8
		}
	case 32:
		p0, p1, p2, p3 := plane(0), plane(1), plane(2), plane(3)
		for i := range dst {
			dst[i] = uint64(p0[i]) | uint64(p1[i])<<8 | uint64(p2[i])<<16 | uint64(p3[i])<<24
		}
	default:
		p0, p1, p2, p3 := plane(0), plane(1), plane(2), plane(3)
		p4, p5, p6, p7 := plane(4), plane(5), plane(6), plane(7)
		for i := range dst {
			low := uint32(p0[i]) | uint32(p1[i])<<8 | uint32(p2[i])<<16 | uint32(p3[i])<<24
			high := uint32(p4[i]) | uint32(p5[i])<<8 | uint32(p6[i])<<16 | uint32(p7[i])<<24
			dst[i] = uint64(low) | uint64(high)<<32
		}
	}
}

// unpack is load for elements that are no whole bytes, from the lowest bits on.
func (e encoding) unpack(dst []uint64, b []byte, lo int) {
	var eight [8]byte
	mask := uint64(1)<<e.bits - 1
	for i := range dst {
		bit := (lo + i) * e.bits
		at := b[bit/8:]
		if len(at) < 8 {
			eight = [8]byte{}
			copy(eight[:], at)
			at = eight[:]
		}
		dst[i] = binary.LittleEndian.Uint64(at) >> (bit % 8) & mask
	}
}

// integers sets dst to what the bits mean.
func (e encoding) integers(dst []int64, src []uint64) {
	dst = dst[:len(src)]
	switch {
	case e.zigzag:
		for i, x := range src {
			dst[i] = int64(x>>1) ^ -int64(x&1)
		}
	case e.signed:
		shift := 64 - e.bits
		for i, x := range src {
			dst[i] = int64(x<<shift) >> shift
		}
	default:
		for i, x := range src {
			dst[i] = int64(x)
		}
	}
}

// floats sets dst to the numbers that the bits of a column's elements mean. Quantised
// ones are rounded to single precision where the field is of it.
func (c *column) floats(dst []float64, src []uint64, single bool) {
	dst = dst[:len(src)]
	switch {
	case c.kind == truncatedKind:
		shift := 32 - c.bits
		for i, x := range src {
			dst[i] = float64(math.Float32frombits(uint32(x) << shift))
		}
	case c.kind == quantisedKind:
		step := (c.max - c.min) / float64(uint64(1)<<c.bits-1)
		for i, x := range src {
			dst[i] = c.min + float64(x)*step
			if single {
				dst[i] = float64(float32(dst[i]))
			}
		}
	case c.bits == 16:
		for i, x := range src {
			dst[i] = float64(float16.Frombits(uint16(x)).Float32())
		}
	case c.bits == 32:
		for i, x := range src {
			dst[i] = float64(math.Float32frombits(uint32(x)))
		}
	default:
		for i, x := range src {
			dst[i] = math.Float64frombits(x)
		}
	}
}

// sum turns differences into what they are differences of; those of 32 bits wrap
// around there.
func (e encoding) sum(x []uint64) {
	if !e.delta {
		return
	}
	mask, last := ^uint64(0)>>(64-e.bits), uint64(0)
	for i, d := range x {
		last = (last + d) & mask
		x[i] = last
	}
}
