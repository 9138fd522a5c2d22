package h5

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"errors"
	"io"

	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

type filter struct {
	id   int
	name string
	args []uint32
}

// Filters that are undone, by their registered numbers.
const (
	deflate      = 1
	shuffle      = 2
	fletcher32   = 3
	bzip2Filter  = 307
	lzfFilter    = 32000
	bloscFilter  = 32001
	lz4Filter    = 32004
	zstdFilter   = 32015
	mostOverhead = 64 // bytes that filters below a compression may have added
)

// filterNames are filters that other programs use, for the error.
var filterNames = map[int]string{4: "szip", 5: "nbit", 6: "scaleoffset", 32008: "bitshuffle", 32013: "zfp", 32026: "blosc2"}

func (f filter) known() bool {
	switch f.id {
	case deflate, shuffle, fletcher32, bzip2Filter, lzfFilter, bloscFilter, lz4Filter, zstdFilter:
		return true
	}
	return false
}

func (f filter) title() string {
	if name := filterNames[f.id]; name != "" {
		return name
	}
	return f.name
}

// pipeline reads which filters a dataset went through.
func (o *object) pipeline(b []byte) ([]filter, error) {
	c := &cursor{b: b}
	version, n := c.u8(), int(c.u8())
	if version == 1 {
		c.skip(6)
	} else if version != 2 {
		return nil, errorf("%s: filter pipeline of version %d is not supported; supported are 1 and 2", o.path, version)
	}
	if n > 32 {
		return nil, errorf("%s: %d filters: the file is damaged", o.path, n)
	}
	var filters []filter
	for range n {
		f := filter{id: c.u16()}
		nameSize := 0
		if version == 1 || f.id >= 256 {
			nameSize = c.u16()
		}
		c.skip(2)
		args := c.u16()
		name, _, _ := bytes.Cut(c.take(nameSize), []byte{0})
		f.name = string(name)
		for range args {
			f.args = append(f.args, c.u32())
			if c.short {
				break
			}
		}
		if version == 1 && args%2 == 1 {
			c.skip(4)
		}
		if c.short {
			return nil, errorf("%s: filter pipeline is cut short: the file is damaged", o.path)
		}
		filters = append(filters, f)
	}
	return filters, nil
}

// An unpacker undoes filters and keeps its memory for the next chunk.
type unpacker struct {
	spare   [2][]byte // taken in turns
	turn    int
	in      bytes.Reader
	zlib    io.ReadCloser
	zstd    *zstd.Decoder
	streams []byte // of Blosc
}

// buffer is n bytes that are not those of the last call.
func (u *unpacker) buffer(n int) []byte {
	u.turn = 1 - u.turn
	if cap(u.spare[u.turn]) < n {
		u.spare[u.turn] = make([]byte, n)
	}
	return u.spare[u.turn][:n]
}

var errShort = errors.New("cut short: the file is damaged")

// chunk undoes the filters of one chunk, last first; mask names those that it did not
// go through. The result is good until the next call.
func (u *unpacker) chunk(d *Dataset, b []byte, mask uint32) ([]byte, error) {
	want := int(d.chunkBytes)
	var err error
	for i := len(d.filters) - 1; i >= 0 && err == nil; i-- {
		if mask>>i&1 != 0 {
			continue
		}
		switch f := d.filters[i]; f.id {
		case shuffle:
			b = u.unshuffle(b, d.typ.Size, f.args)
		case fletcher32:
			b, err = checkFletcher(b)
		default:
			b, err = u.inflate(f.id, b, want+mostOverhead)
		}
	}
	if err != nil {
		return nil, err
	}
	if len(b) != want {
		return nil, errorf("%d bytes, not %d: the file is damaged", len(b), want)
	}
	return b, nil
}

// inflate undoes a compression to at most so many bytes.
func (u *unpacker) inflate(id int, b []byte, most int) ([]byte, error) {
	// The first turn may be as large as the chunk, which may be larger than what there is.
	most = min(most, len(b)*mostShrunk+mostOverhead)
	switch id {
	case deflate:
		z, err := u.openZlib(b)
		if err != nil {
			return nil, err
		}
		return u.fill(z, most)
	case bzip2Filter:
		u.in.Reset(b)
		return u.fill(bzip2.NewReader(&u.in), most)
	case lzfFilter:
		return lzf(u.buffer(most), b)
	case bloscFilter:
		return u.blosc(b, most)
	case lz4Filter:
		return unpackLZ4(u.buffer(most), b)
	case zstdFilter:
		return u.unpackZstd(u.buffer(most)[:0], b)
	}
	return nil, errorf("filter %d is not supported", id)
}

// openZlib starts decompressing.
func (u *unpacker) openZlib(b []byte) (io.Reader, error) {
	u.in.Reset(b)
	var err error
	if u.zlib == nil {
		u.zlib, err = zlib.NewReader(&u.in)
	} else {
		err = u.zlib.(zlib.Resetter).Reset(&u.in, nil)
	}
	return u.zlib, err
}

// unpackZstd decompresses into out, at most as much as it can take.
func (u *unpacker) unpackZstd(out, b []byte) ([]byte, error) {
	if u.zstd == nil {
		var err error
		if u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBand), zstd.WithDecodeAllCapLimit(true)); err != nil {
			return nil, err
		}
	}
	return u.zstd.DecodeAll(b, out)
}

// fill reads all of r, at most so many bytes.
func (u *unpacker) fill(r io.Reader, most int) ([]byte, error) {
	b := u.buffer(most)
	n, err := io.ReadFull(r, b)
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		// The decompressors say ErrUnexpectedEOF of what is cut short, too: the
		// caller counts the bytes.
		return b[:n], nil
	}
	if err != nil {
		return nil, err
	}
	return nil, errorf("more than %d bytes: the file is damaged", most)
}

// unshuffle puts the bytes of each element together again: the filter writes
// all first bytes, then all second bytes, and so on.
func (u *unpacker) unshuffle(b []byte, size int, args []uint32) []byte {
	if len(args) > 0 && args[0] > 0 && int64(args[0]) <= int64(len(b)) {
		size = int(args[0])
	}
	n := len(b) / size
	out := u.buffer(len(b))
	copy(out[n*size:], b[n*size:])
	for j := range size {
		for i, v := range b[j*n : (j+1)*n] {
			out[i*size+j] = v
		}
	}
	return out
}

// checkFletcher takes off a checksum and compares it.
func checkFletcher(b []byte) ([]byte, error) {
	if len(b) < 4 {
		return nil, errShort
	}
	data := b[:len(b)-4]
	said, is := binary.LittleEndian.Uint32(b[len(data):]), fletcher(data)
	// Libraries before 1.6.3 turned the bytes of the two halves around.
	turned := is&0x00ff00ff<<8 | is&0xff00ff00>>8
	if said != is && said != turned {
		return nil, errors.New("its checksum (fletcher32) does not fit: the file is damaged")
	}
	return data, nil
}

func fletcher(b []byte) uint32 {
	var x, y uint32
	for len(b) >= 2 {
		n := min(len(b)/2, 360)
		for i := range n {
			x += uint32(b[2*i])<<8 | uint32(b[2*i+1])
			y += x
		}
		b = b[2*n:]
		x, y = x&0xffff+x>>16, y&0xffff+y>>16
	}
	if len(b) == 1 {
		x += uint32(b[0]) << 8
		y += x
		x, y = x&0xffff+x>>16, y&0xffff+y>>16
	}
	x, y = x&0xffff+x>>16, y&0xffff+y>>16
	return y<<16 | x
}

// lzf undoes LibLZF, h5py's own compression: literals, and references to what is
// already out.
func lzf(out, b []byte) ([]byte, error) {
	n := 0
	for len(b) > 0 {
		head := int(b[0])
		b = b[1:]
		if head < 32 {
			if head++; head > len(b) || head > len(out)-n {
				return nil, errShort
			}
			n += copy(out[n:], b[:head])
			b = b[head:]
			continue
		}
		length := head >> 5
		if length == 7 && len(b) > 0 {
			length += int(b[0])
			b = b[1:]
		}
		if length += 2; len(b) == 0 {
			return nil, errShort
		}
		from := n - (head&31<<8 | int(b[0])) - 1
		b = b[1:]
		if from < 0 || length > len(out)-n {
			return nil, errShort
		}
		for i := range length { // what is copied may be part of it
			out[n+i] = out[from+i]
		}
		n += length
	}
	return out[:n], nil
}

// unpackLZ4 undoes the registered LZ4 filter: blocks with their sizes, big-endian.
func unpackLZ4(out, b []byte) ([]byte, error) {
	if len(b) < 12 {
		return nil, errShort
	}
	total, block := binary.BigEndian.Uint64(b), uint64(binary.BigEndian.Uint32(b[8:]))
	b = b[12:]
	if total > uint64(len(out)) || block == 0 {
		return nil, errShort
	}
	out = out[:total]
	for rest := out; len(rest) > 0; {
		if len(b) < 4 {
			return nil, errShort
		}
		size := uint64(binary.BigEndian.Uint32(b))
		b = b[4:]
		want := min(block, uint64(len(rest)))
		if size > uint64(len(b)) {
			return nil, errShort
		}
		if size == want { // not compressed
			copy(rest, b[:size])
		} else if n, err := lz4.UncompressBlock(b[:size], rest[:want]); err != nil || uint64(n) != want {
			return nil, errShort
		}
		b, rest = b[size:], rest[want:]
	}
	return out, nil
}
