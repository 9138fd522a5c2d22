package h5

import "encoding/binary"

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
