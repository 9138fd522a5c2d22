package root

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// frameHead is the number of bytes in front of a packed frame: two letters for the
// codec, its version, and the sizes packed and unpacked, three bytes each.
const frameHead = 9

// scratch holds packed bytes for as long as they are being unpacked.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// codec is one way to pack a frame.
type codec struct {
	name string
	// ratio is the most that a byte can unpack to: a frame that claims more is damaged,
	// and is not given its memory.
	ratio int
	// unpack fills all of dst.
	unpack func(dst, src []byte) error
}

func codecs(tag [2]byte) (codec, bool) {
	switch tag {
	case [2]byte{'Z', 'L'}:
		return codec{"zlib", 1040, unzlib}, true
	case [2]byte{'C', 'S'}:
		return codec{"deflate", 1040, inflate}, true
	case [2]byte{'X', 'Z'}:
		return codec{"LZMA", 8192, unxz}, true
	case [2]byte{'L', '4'}:
		return codec{"LZ4", 256, unlz4}, true
	case [2]byte{'Z', 'S'}:
		return codec{"ZSTD", 1 << 15, unzstd}, true
	}
	return codec{}, false
}

// Unpack unpacks the frames of src, which hold length bytes together. The memory of buf
// serves where it is enough. More memory than src can unpack to is never asked for.
func Unpack(buf, src []byte, length int64) ([]byte, error) {
	dst := buf[:0]
	for int64(len(dst)) < length {
		if len(src) < frameHead {
			return nil, fmt.Errorf("packed data that ends at byte %d of %d", len(dst), length)
		}
		c, ok := codecs([2]byte(src))
		if !ok {
			return nil, fmt.Errorf("packed by an unknown codec %q", src[:2])
		}
		packed, size := size3(src[3:]), size3(src[6:])
		src = src[frameHead:]
		switch {
		case packed > len(src):
			return nil, fmt.Errorf("a frame of %s of %d bytes where %d are left", c.name, packed, len(src))
		case size == 0 || int64(size) > length-int64(len(dst)):
			return nil, fmt.Errorf("a frame of %s of %d bytes where %d of %d are wanted", c.name, size, length-int64(len(dst)), length)
		case size/c.ratio > packed:
			return nil, fmt.Errorf("a frame of %s that claims to hold %d bytes in %d", c.name, size, packed)
		}
		dst = grow(dst, size, length)
		if err := c.unpack(dst[len(dst)-size:], src[:packed]); err != nil {
			return nil, fmt.Errorf("unpacking %s: %w", c.name, err)
		}
		src = src[packed:]
	}
	return dst, nil
}

// grow lengthens dst by n bytes. What is asked for doubles, up to what is wanted in the
// end, so that a damaged length costs no more than twice what is there.
func grow(dst []byte, n int, length int64) []byte {
	need := len(dst) + n
	if need > cap(dst) {
		bigger := make([]byte, len(dst), int(min(length, int64(max(need, 2*cap(dst))))))
		copy(bigger, dst)
		dst = bigger
	}
	return dst[:need]
}

func size3(p []byte) int { return int(p[0]) | int(p[1])<<8 | int(p[2])<<16 }

// fill reads exactly len(dst) bytes, after which the stream must end; what is checked
// at its end is checked so.
func fill(dst []byte, r io.Reader) error {
	if _, err := io.ReadFull(r, dst); err != nil {
		return err
	}
	var one [1]byte
	switch n, err := r.Read(one[:]); {
	case n > 0:
		return errors.New("more bytes than it should hold")
	case err != io.EOF:
		return err
	}
	return nil
}

// inflater and zlibber are decoders that wait for their next use.
var inflater, zlibber sync.Pool

func unzlib(dst, src []byte) error {
	in := bytes.NewReader(src)
	r, ok := zlibber.Get().(io.ReadCloser)
	var err error
	if ok {
		err = r.(zlib.Resetter).Reset(in, nil)
	} else {
		r, err = zlib.NewReader(in)
	}
	if err != nil {
		return err
	}
	defer zlibber.Put(r)
	return fill(dst, r)
}

// inflate is for the first versions of ROOT, whose frames are deflate's without more.
func inflate(dst, src []byte) error {
	in := bytes.NewReader(src)
	r, ok := inflater.Get().(io.ReadCloser)
	if ok {
		if err := r.(flate.Resetter).Reset(in, nil); err != nil {
			return err
		}
	} else {
		r = flate.NewReader(in)
	}
	defer inflater.Put(r)
	return fill(dst, r)
}

func unlz4(dst, src []byte) error {
	if len(src) < 8 {
		return errShort
	}
	if want, is := binary.BigEndian.Uint64(src), xxh64(src[8:]); want != is {
		return fmt.Errorf("checksum %016x where %016x is written", is, want)
	}
	n, err := lz4.UncompressBlock(src[8:], dst)
	if err == nil && n != len(dst) {
		err = fmt.Errorf("%d bytes of %d", n, len(dst))
	}
	return err
}

var zstds = sync.Pool{New: func() any {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderLowmem(true))
	if err != nil {
		return err
	}
	return d
}}

func unzstd(dst, src []byte) error {
	d, ok := zstds.Get().(*zstd.Decoder)
	if !ok {
		return errors.New("the decoder cannot be made")
	}
	defer zstds.Put(d)
	out, err := d.DecodeAll(src, dst[:0:len(dst)])
	if err == nil && len(out) != len(dst) {
		err = fmt.Errorf("%d bytes of %d", len(out), len(dst))
	}
	return err
}
