package h5

import (
	"encoding/binary"
	"io"

	"github.com/klauspost/compress/snappy"
	"github.com/pierrec/lz4/v4"
)

// Flags of a Blosc buffer.
const (
	bloscShuffled    = 1
	bloscStored      = 2
	bloscBitShuffled = 4
	bloscWhole       = 16 // blocks are not split by the bytes of an element
)

// blosc undoes version 1 of the Blosc filter, PyTables' usual one, to at most so many
// bytes: a header, the places of blocks, and each block in streams of one byte of every
// element.
func (u *unpacker) blosc(b []byte, most int) ([]byte, error) {
	const head = 16
	if len(b) < head {
		return nil, errShort
	}
	version, flags, size := b[0], b[2], int(b[3])
	total := int64(binary.LittleEndian.Uint32(b[4:]))
	block := int64(binary.LittleEndian.Uint32(b[8:]))
	if version != 2 {
		return nil, errorf("Blosc's format %d is not supported; supported is 2", version)
	}
	if total > int64(most) || total > 0 && block == 0 || size == 0 {
		return nil, errShort
	}
	out := u.buffer(most)[:total]
	if flags&bloscStored != 0 {
		if int64(len(b)-head) < total {
			return nil, errShort
		}
		copy(out, b[head:])
		return out, nil
	}
	if block > int64(most) {
		block = total
	}
	if cap(u.streams) < int(block) {
		u.streams = make([]byte, block)
	}
	for i, at := int64(0), int64(0); at < total; i, at = i+1, at+block {
		n := min(block, total-at)
		place := head + 4*i
		if place+4 > int64(len(b)) {
			return nil, errShort
		}
		from := int64(binary.LittleEndian.Uint32(b[place:]))
		if from > int64(len(b)) {
			return nil, errShort
		}
		split := 1
		if flags&bloscWhole == 0 && size <= 16 && n/int64(size) >= 128 && n == block {
			split = size
		}
		streams := u.streams[:n]
		if err := u.bloscBlock(streams, b[from:], flags>>5, split); err != nil {
			return nil, err
		}
		arrange(out[at:at+n], streams, size, flags)
	}
	return out, nil
}

// bloscBlock decompresses one block, which lies in so many streams.
func (u *unpacker) bloscBlock(out, b []byte, codec byte, split int) error {
	n := len(out) / split
	for ; len(out) >= n && n > 0; out = out[n:] {
		if len(b) < 4 {
			return errShort
		}
		size := int64(binary.LittleEndian.Uint32(b))
		b = b[4:]
		if size > int64(len(b)) {
			return errShort
		}
		in := b[:size]
		b = b[size:]
		if len(in) == n {
			copy(out, in)
			continue
		}
		if err := u.bloscStream(out[:n], in, codec); err != nil {
			return err
		}
	}
	return nil
}

// bloscStream decompresses one stream of known length.
func (u *unpacker) bloscStream(out, in []byte, codec byte) error {
	n := 0
	var err error
	switch codec {
	case 0:
		n, err = blosclz(out, in)
	case 1:
		n, err = lz4.UncompressBlock(in, out)
	case 2:
		if n, err = snappy.DecodedLen(in); err == nil && n == len(out) {
			_, err = snappy.Decode(out, in)
		}
	case 3:
		var z io.Reader
		if z, err = u.openZlib(in); err == nil {
			n, err = io.ReadFull(z, out)
		}
	case 4:
		var got []byte
		got, err = u.unpackZstd(out[:0:len(out)], in)
		n = len(got)
	default:
		return errorf("Blosc's codec %d is not supported", codec)
	}
	if err != nil {
		return err
	}
	if n != len(out) {
		return errShort
	}
	return nil
}

// arrange undoes the shuffling of a block's bytes or bits.
func arrange(out, streams []byte, size int, flags byte) {
	n := len(out) / size
	switch {
	case flags&bloscShuffled != 0 && size > 1:
		copy(out[n*size:], streams[n*size:])
		for j := range size {
			for i, v := range streams[j*n : (j+1)*n] {
				out[i*size+j] = v
			}
		}
	case flags&bloscBitShuffled != 0 && n > 0 && n%8 == 0:
		copy(out[n*size:], streams[n*size:])
		clear(out[:n*size])
		for bit := range 8 * size {
			for j, v := range streams[bit*n/8 : (bit+1)*n/8] {
				for i := range 8 {
					out[(8*j+i)*size+bit/8] |= v >> i & 1 << (bit % 8)
				}
			}
		}
	default:
		copy(out, streams)
	}
}

// blosclz undoes Blosc's own codec, a kind of FastLZ: literals, and references to what
// is already out.
func blosclz(out, b []byte) (int, error) {
	n := 0
	c := &cursor{b: b}
	for ctrl := int(c.u8()) & 31; ; ctrl = int(c.u8()) {
		if ctrl < 32 {
			literal := c.take(ctrl + 1)
			if c.short || len(literal) > len(out)-n {
				return 0, errShort
			}
			n += copy(out[n:], literal)
		} else {
			length, distance := ctrl>>5-1, ctrl&31<<8
			for more := byte(255); ctrl>>5 == 7 && more == 255; {
				more = c.u8()
				length += int(more)
			}
			code := int(c.u8())
			if distance += code + 1; code == 255 && ctrl&31 == 31 {
				distance = int(c.u8()) << 8
				distance += int(c.u8()) + 8191 + 1
			}
			if length += 3; c.short || distance > n || length > len(out)-n {
				return 0, errShort
			}
			for i := range length { // what is copied may be part of it
				out[n+i] = out[n-distance+i]
			}
			n += length
		}
		if c.rest() == 0 {
			return n, nil
		}
	}
}
