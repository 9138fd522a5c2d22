package root

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// errShort is what a Buffer says where a record ends before what it should hold.
var errShort = errors.New("the record ends too early")

// A Buffer reads what ROOT's buffers hold: numbers of big-endian order, strings,
// versions with byte counts and references to objects. The first error stays, and all
// that is read after it is zero, so that one look at Err after several reads is enough.
type Buffer struct {
	data []byte
	pos  int
	err  error
	// origin is what positions in references count from: the record's key is in front
	// of its data.
	origin int
	// classes and objects are those that were read, by what references call them.
	classes map[uint32]string
	objects map[uint32]*Object
	// counted is set once an object with a byte count was seen: until then references
	// count objects, as the oldest records do, in place of bytes.
	counted bool
	number  uint32
	depth   int
}

// NewBuffer reads data, the payload of a record whose key has keylen bytes.
func NewBuffer(data []byte, keylen int) *Buffer {
	return &Buffer{data: data, origin: keylen}
}

// Err is the first error.
func (b *Buffer) Err() error { return b.err }

// fail makes err the buffer's error where it has none.
func (b *Buffer) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf(format, args...)
	}
}

// Left is the number of bytes that are left.
func (b *Buffer) Left() int { return len(b.data) - b.pos }

// seek goes to a position.
func (b *Buffer) seek(pos int) {
	if pos < 0 || pos > len(b.data) {
		b.fail("position %d of a record of %d bytes", pos, len(b.data))
		return
	}
	b.pos = pos
}

// Take returns the next n bytes, which are the buffer's own.
func (b *Buffer) Take(n int) []byte {
	if b.err != nil {
		return nil
	}
	if n < 0 || n > b.Left() {
		b.err = errShort
		return nil
	}
	p := b.data[b.pos : b.pos+n : b.pos+n]
	b.pos += n
	return p
}

// U8 is the next byte.
func (b *Buffer) U8() uint8 {
	if p := b.Take(1); p != nil {
		return p[0]
	}
	return 0
}

// U16 is the next number of 16 bits.
func (b *Buffer) U16() uint16 {
	if p := b.Take(2); p != nil {
		return binary.BigEndian.Uint16(p)
	}
	return 0
}

// U32 is the next number of 32 bits.
func (b *Buffer) U32() uint32 {
	if p := b.Take(4); p != nil {
		return binary.BigEndian.Uint32(p)
	}
	return 0
}

// u64 is the next number of 64 bits.
func (b *Buffer) u64() uint64 {
	if p := b.Take(8); p != nil {
		return binary.BigEndian.Uint64(p)
	}
	return 0
}

// I16 is the next number of 16 bits, with a sign.
func (b *Buffer) I16() int16 { return int16(b.U16()) }

// I32 is the next number of 32 bits, with a sign.
func (b *Buffer) I32() int32 { return int32(b.U32()) }

// i64 is the next number of 64 bits, with a sign.
func (b *Buffer) i64() int64 { return int64(b.u64()) }

// f32 is the next number of floating point of 32 bits.
func (b *Buffer) f32() float32 { return math.Float32frombits(b.U32()) }

// f64 is the next number of floating point of 64 bits.
func (b *Buffer) f64() float64 { return math.Float64frombits(b.u64()) }

// String is a string with its length in front: one byte, or 255 and four.
func (b *Buffer) String() string {
	n := int(b.U8())
	if n == 255 {
		n = int(b.I32())
	}
	return string(b.Take(n))
}

// cstring is a string with a zero byte at its end.
func (b *Buffer) cstring() string {
	if b.err != nil {
		return ""
	}
	n := bytes.IndexByte(b.data[b.pos:], 0)
	if n < 0 {
		b.err = errShort
		return ""
	}
	s := string(b.data[b.pos : b.pos+n])
	b.pos += n + 1
	return s
}

// byteCounted marks a number that is a count of bytes.
const byteCounted = 0x40000000

// version reads the version in front of an object and the position where the object
// ends, -1 where the file does not say.
func (b *Buffer) version() (version, end int) {
	if b.err != nil {
		return 0, -1
	}
	start := b.pos
	n := uint32(0)
	if b.Left() >= 6 {
		n = b.U32()
	}
	if n&byteCounted == 0 || n&^(byteCounted|1<<31) < 2 {
		b.pos = start
		return int(b.I16()), -1
	}
	end = start + 4 + int(n&^byteCounted)
	if end > len(b.data) || end < b.pos {
		b.fail("an object of %d bytes where %d are left", end-start, len(b.data)-start)
		return 0, -1
	}
	return int(b.I16()), end
}
