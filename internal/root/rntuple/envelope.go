package rntuple

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/zeebo/xxh3"

	"barrow/internal/root"
)

// Envelopes by their number.
const (
	headerEnvelope   = 1
	footerEnvelope   = 2
	pageListEnvelope = 3
)

// envelopeHead and checksumSize are the bytes of an envelope around its payload.
const (
	envelopeHead = 8
	checksumSize = 8
)

// A locator says where bytes lie in the file.
type locator struct{ offset, size int64 }

// A link is a locator of an envelope, whose length unpacked it knows.
type link struct {
	locator
	length int64
}

// open reads an envelope, checks its sum and returns its payload.
func (l link) open(f *root.File, id int) (*decoder, error) {
	if l.length < envelopeHead+checksumSize {
		return nil, fmt.Errorf("an envelope of %d bytes", l.length)
	}
	b, err := f.Unpacked(nil, l.offset, l.size, l.length)
	if err != nil {
		return nil, err
	}
	payload := b[:len(b)-checksumSize]
	if want, is := binary.LittleEndian.Uint64(b[len(payload):]), xxh3.Hash(payload); is != want {
		return nil, fmt.Errorf("checksum %016x where %016x is written", is, want)
	}
	head := binary.LittleEndian.Uint64(b)
	if int(head&0xffff) != id || head>>16 != uint64(len(b)) {
		return nil, fmt.Errorf("an envelope of kind %d and %d bytes where one of kind %d and %d bytes should be", head&0xffff, head>>16, id, len(b))
	}
	return &decoder{b: payload[envelopeHead:]}, nil
}

var errShort = errors.New("ends too early")

// A decoder reads the payload of an envelope or of a frame. The first error stays, and
// all that is read after it is zero.
type decoder struct {
	b   []byte
	err error
}

func (d *decoder) take(n uint64) []byte {
	if d.err == nil && n > uint64(len(d.b)) {
		d.err = errShort
	}
	if d.err != nil {
		return nil
	}
	p := d.b[:n]
	d.b = d.b[n:]
	return p
}

func (d *decoder) u16() uint16 {
	if p := d.take(2); p != nil {
		return binary.LittleEndian.Uint16(p)
	}
	return 0
}

func (d *decoder) u32() uint32 {
	if p := d.take(4); p != nil {
		return binary.LittleEndian.Uint32(p)
	}
	return 0
}

func (d *decoder) u64() uint64 {
	if p := d.take(8); p != nil {
		return binary.LittleEndian.Uint64(p)
	}
	return 0
}

func (d *decoder) f64() float64 { return math.Float64frombits(d.u64()) }

func (d *decoder) text() string { return string(d.take(uint64(d.u32()))) }

// size reads a number of bytes or things that must not be above what an int64 holds.
func (d *decoder) size() int64 {
	n := d.u64()
	if n > math.MaxInt64 {
		d.err = errors.Join(d.err, fmt.Errorf("a size of %d", n))
		return 0
	}
	return int64(n)
}

// record reads a frame of one thing; list one of several, whose number it returns. What
// a later version of the format adds at a frame's end is passed over.
func (d *decoder) record() *decoder {
	r, _ := d.frame(false, 0)
	return r
}

// list reads a frame of several things, each of least bytes or more.
func (d *decoder) list(least int) (*decoder, int) { return d.frame(true, least) }

func (d *decoder) frame(list bool, least int) (*decoder, int) {
	size := int64(d.u64())
	head := int64(8)
	if list {
		size, head = -size, 12
	}
	n := uint32(0)
	if list {
		n = d.u32()
	}
	switch {
	case d.err != nil:
		return &decoder{err: d.err}, 0
	case size < head || size-head > int64(len(d.b)):
		d.err = fmt.Errorf("a frame of %d bytes where %d are left", size, len(d.b))
	case int64(n)*int64(least) > size-head:
		d.err = fmt.Errorf("a list of %d in %d bytes", n, size)
	}
	if d.err != nil {
		return &decoder{err: d.err}, 0
	}
	return &decoder{b: d.take(uint64(size - head))}, int(n)
}

// features reads the flags of features without which the rest cannot be understood.
func (d *decoder) features() {
	for flags := uint64(1) << 63; flags>>63 != 0 && d.err == nil; {
		if flags = d.u64(); flags<<1 != 0 {
			d.err = fmt.Errorf("it uses features of a later version of the format (flags %#x)", flags)
		}
	}
}

func (d *decoder) locator() locator {
	size := int32(d.u32())
	if size >= 0 {
		return locator{d.size(), int64(size)}
	}
	// Negated, the low half is the locator's own size, the highest byte its type.
	head := uint32(-size)
	length, kind := head&0xffff, head>>24&0x7f
	if length < 4 {
		d.err = errors.Join(d.err, fmt.Errorf("a locator of %d bytes", length))
		return locator{}
	}
	p := decoder{b: d.take(uint64(length) - 4), err: d.err}
	if kind != 1 {
		d.err = errors.Join(d.err, fmt.Errorf("a locator of type %d, which is none of a file", kind))
		return locator{}
	}
	size64, offset := p.size(), p.size()
	d.err = errors.Join(d.err, p.err)
	return locator{offset, size64}
}

func (d *decoder) link() link {
	length := d.size()
	return link{d.locator(), length}
}
