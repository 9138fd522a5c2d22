package rntuple

import (
	"encoding/binary"
	"math"

	"github.com/klauspost/compress/zstd"
)

// An encoder builds the payload of an envelope.
type encoder []byte

func (e *encoder) u16(x uint16) { *e = binary.LittleEndian.AppendUint16(*e, x) }
func (e *encoder) u32(x uint32) { *e = binary.LittleEndian.AppendUint32(*e, x) }
func (e *encoder) u64(x uint64) { *e = binary.LittleEndian.AppendUint64(*e, x) }

func (e *encoder) text(s string) {
	e.u32(uint32(len(s)))
	*e = append(*e, s...)
}

// record adds a frame of what fill adds.
func (e *encoder) record(fill func()) {
	at := len(*e)
	e.u64(0)
	fill()
	binary.LittleEndian.PutUint64((*e)[at:], uint64(len(*e)-at))
}

// list adds a frame of n things.
func (e *encoder) list(n int, fill func()) {
	at := len(*e)
	e.u64(0)
	e.u32(uint32(n))
	fill()
	binary.LittleEndian.PutUint64((*e)[at:], -uint64(len(*e)-at))
}

func (e *encoder) locator(l locator) {
	e.u32(uint32(l.size))
	e.u64(uint64(l.offset))
}

// envelope puts head and checksum around what fill adds.
func envelope(id int, fill func(e *encoder)) []byte {
	e := encoder(make([]byte, envelopeHead))
	fill(&e)
	binary.LittleEndian.PutUint64(e, uint64(id)|uint64(len(e)+checksumSize)<<16)
	e.u64(hash(e))
	return e
}

// sumOf is an envelope's checksum.
func sumOf(envelope []byte) uint64 {
	return binary.LittleEndian.Uint64(envelope[len(envelope)-checksumSize:])
}

// packing is what is written of how pages are packed: Zstandard, level 5 of ROOT's.
const packing = 505

// maxFrame is the most bytes that a packed frame holds.
const maxFrame = 1<<24 - 1

// packer packs records as ROOT does.
type packer struct {
	zstd *zstd.Encoder
	out  []byte
}

func newPacker() (*packer, error) {
	e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false), zstd.WithLowerEncoderMem(true))
	return &packer{zstd: e}, err
}

// pack returns b packed, or b itself where that is not shorter. It is good until the
// next call.
func (p *packer) pack(b []byte) []byte {
	p.out = p.out[:0]
	for rest := b; len(rest) > 0; {
		n := min(len(rest), maxFrame)
		at := len(p.out)
		p.out = append(p.out, "ZS\x01......"...)
		p.out = p.zstd.EncodeAll(rest[:n], p.out)
		size := len(p.out) - at - 9
		if size > maxFrame || len(p.out) >= len(b) {
			return b
		}
		put3(p.out[at+3:], size)
		put3(p.out[at+6:], n)
		rest = rest[n:]
	}
	return p.out
}

func put3(p []byte, n int) { p[0], p[1], p[2] = byte(n), byte(n>>8), byte(n>>16) }

// store is the bytes of a page of a column of this encoding, whose elements have these
// bits.
func (e encoding) store(b []byte, src []uint64) []byte {
	n := len(src)
	width := e.bits / 8
	b = extend(b[:0], n*width)
	last := uint64(0)
	for i, x := range src {
		switch {
		case e.zigzag:
			x = x<<1 ^ uint64(int64(x)>>63)
		case e.delta:
			x, last = x-last, x
		}
		for k := range width {
			b[k*n+i] = byte(x >> (8 * k))
		}
	}
	return b
}

// bitsOf turns a number of an array into the bits that its column stores.
func bitsOf(t Type, x float64) uint64 {
	if t == Float32 {
		return uint64(math.Float32bits(float32(x)))
	}
	return math.Float64bits(x)
}
