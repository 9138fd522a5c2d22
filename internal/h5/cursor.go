package h5

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// A cursor takes numbers off a block of the file. Once something is missing it
// remembers so and gives zeros; the caller asks short at the end of a record.
type cursor struct {
	b     []byte
	pos   int
	short bool
}

func (c *cursor) take(n int) []byte {
	if n < 0 || c.short || n > len(c.b)-c.pos {
		c.short = true
		return nil
	}
	c.pos += n
	return c.b[c.pos-n : c.pos]
}

func (c *cursor) u8() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u16() int {
	if b := c.take(2); b != nil {
		return int(binary.LittleEndian.Uint16(b))
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.take(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// uint takes a number of n bytes, at most eight.
func (c *cursor) uint(n int) uint64 {
	var v uint64
	if n > 8 {
		c.short = true
	}
	for i, b := range c.take(n) {
		v |= uint64(b) << (8 * i)
	}
	return v
}

// name takes a text that a zero ends.
func (c *cursor) name() []byte {
	i := bytes.IndexByte(c.b[c.pos:], 0)
	if c.short || i < 0 {
		c.short = true
		return nil
	}
	return c.take(i + 1)[:i]
}

// padded takes n bytes and then the zeros that fill them up to a multiple of
// eight; the last field of a message may lack its padding.
func (c *cursor) padded(n int) []byte {
	b := c.take(n)
	if pad := -n & 7; !c.short {
		c.take(min(pad, len(c.b)-c.pos))
	}
	return b
}

// skip passes over n bytes.
func (c *cursor) skip(n int) { c.take(n) }

// rest is how many bytes are left.
func (c *cursor) rest() int { return len(c.b) - c.pos }

// log2 is the logarithm's whole part; 0 for 0.
func log2(v uint64) int { return max(bits.Len64(v)-1, 0) }

// sizeOf is how many bytes the library keeps a number up to limit in.
func sizeOf(limit uint64) int { return log2(limit)/8 + 1 }

// checksum is Jenkins' hash lookup3, which newer structures end in.
func checksum(b []byte) uint32 {
	x := 0xdeadbeef + uint32(len(b))
	y, z := x, x
	for ; len(b) > 12; b = b[12:] {
		x += binary.LittleEndian.Uint32(b)
		y += binary.LittleEndian.Uint32(b[4:])
		z += binary.LittleEndian.Uint32(b[8:])
		x = x - z ^ bits.RotateLeft32(z, 4)
		z += y
		y = y - x ^ bits.RotateLeft32(x, 6)
		x += z
		z = z - y ^ bits.RotateLeft32(y, 8)
		y += x
		x = x - z ^ bits.RotateLeft32(z, 16)
		z += y
		y = y - x ^ bits.RotateLeft32(x, 19)
		x += z
		z = z - y ^ bits.RotateLeft32(y, 4)
		y += x
	}
	if len(b) == 0 {
		return z
	}
	var last [12]byte
	copy(last[:], b)
	x += binary.LittleEndian.Uint32(last[:])
	y += binary.LittleEndian.Uint32(last[4:])
	z += binary.LittleEndian.Uint32(last[8:])
	z = z ^ y - bits.RotateLeft32(y, 14)
	x = x ^ z - bits.RotateLeft32(z, 11)
	y = y ^ x - bits.RotateLeft32(x, 25)
	z = z ^ y - bits.RotateLeft32(y, 16)
	x = x ^ z - bits.RotateLeft32(z, 4)
	y = y ^ x - bits.RotateLeft32(x, 14)
	z = z ^ y - bits.RotateLeft32(y, 24)
	return z
}
