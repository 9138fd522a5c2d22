package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// codec is how pages are compressed, by its number in the format.
type codec int

const (
	uncompressed codec = iota
	codecSnappy
	codecGzip
	codecLZO
	codecBrotli
	codecLZ4 // Hadoop's frames, or raw: both are in circulation
	codecZstd
	codecLZ4Raw
)

func (c codec) String() string {
	names := [...]string{"UNCOMPRESSED", "SNAPPY", "GZIP", "LZO", "BROTLI", "LZ4", "ZSTD", "LZ4_RAW"}
	if c >= 0 && int(c) < len(names) {
		return names[c]
	}
	return fmt.Sprintf("codec %d", int(c))
}

// maxPage bounds the size of an unpacked page that is more than ratio times what it
// is packed in. Programs write pages of 1 MB, DuckDB up to 100.
const (
	maxPage = 128 << 20
	ratio   = 16
)

// zstdWindow is what decoders of Zstandard should do with: RFC 8878, 3.1.1.1.2.
const zstdWindow = 8 << 20

// errSize is a page that does not unpack to what it says.
var errSize = errors.New("a page does not unpack to the size that it says")

// unpacker unpacks pages, with what is worth keeping from one to the next.
type unpacker struct {
	zstd   *zstd.Decoder
	gzip   *gzip.Reader
	brotli *brotli.Reader
}

// unpack returns the size bytes that src is packed from, in the memory of dst where it
// is enough. Memory grows only as bytes come, so that a wrong size costs nothing.
func (u *unpacker) unpack(c codec, dst, src []byte, size int) ([]byte, error) {
	if size > maxPage && size/ratio > len(src) {
		return nil, fmt.Errorf("a page of %d bytes, packed in %d, is too large", size, len(src))
	}
	dst = dst[:0]
	switch c {
	case uncompressed:
		if len(src) != size {
			return nil, errSize
		}
		return append(dst, src...), nil
	case codecSnappy:
		if n, err := snappy.DecodedLen(src); err != nil || n != size || size/64 > len(src) {
			return nil, errSize
		}
		return snappy.Decode(grown(dst, size), src)
	case codecLZ4Raw:
		return lz4Raw(dst, src, size)
	case codecLZ4:
		if out, err := lz4Hadoop(dst, src, size); err == nil {
			return out, nil
		}
		return lz4Raw(dst, src, size)
	case codecZstd:
		var head zstd.Header
		if err := head.Decode(src); err != nil {
			return nil, err
		}
		if head.HasFCS && head.FrameContentSize == uint64(size) {
			return u.zstdAll(grown(dst, size)[:0], src, size)
		}
		if head.WindowSize > max(zstdWindow, 2*uint64(size)) {
			return nil, fmt.Errorf("a window of %d bytes", head.WindowSize)
		}
	}
	r, err := u.reader(c, src)
	if err != nil {
		return nil, err
	}
	return readSize(r, dst, min(size, 32*len(src)+1<<12), size)
}

// reader unpacks as a stream.
func (u *unpacker) reader(c codec, src []byte) (io.Reader, error) {
	in := bytes.NewReader(src)
	var err error
	switch c {
	case codecGzip:
		if u.gzip == nil {
			u.gzip, err = gzip.NewReader(in)
		} else {
			err = u.gzip.Reset(in)
		}
		return u.gzip, err
	case codecBrotli:
		if u.brotli == nil {
			u.brotli = brotli.NewReader(in)
		} else {
			err = u.brotli.Reset(in)
		}
		return u.brotli, err
	case codecZstd:
		if err = u.openZstd(); err == nil {
			err = u.zstd.Reset(in)
		}
		return u.zstd, err
	}
	return nil, fmt.Errorf("pages are packed by %v: not read here", c)
}

// openZstd makes a decoder that starts no goroutines and writes no further than the
// memory it is given.
func (u *unpacker) openZstd() (err error) {
	if u.zstd == nil {
		u.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
			zstd.WithDecoderMaxWindow(maxPage), zstd.WithDecodeAllCapLimit(true))
	}
	return err
}

// zstdAll unpacks what says its size.
func (u *unpacker) zstdAll(dst, src []byte, size int) ([]byte, error) {
	if err := u.openZstd(); err != nil {
		return nil, err
	}
	dst, err := u.zstd.DecodeAll(src, dst[:0:size])
	if err == nil && len(dst) != size {
		err = errSize
	}
	return dst, err
}

func (u *unpacker) close() {
	if u.zstd != nil {
		u.zstd.Close()
	}
}

// readSize reads size bytes and the end of r, into memory that begins with guess.
func readSize(r io.Reader, dst []byte, guess, size int) ([]byte, error) {
	if cap(dst) < guess {
		dst = make([]byte, 0, guess)
	}
	for len(dst) < size {
		if len(dst) == cap(dst) {
			more := make([]byte, len(dst), min(size, 2*cap(dst)+1<<12))
			copy(more, dst)
			dst = more
		}
		n, err := io.ReadFull(r, dst[len(dst):min(cap(dst), size)])
		dst = dst[:len(dst)+n]
		if err != nil {
			if err == io.EOF || err == io.ErrUnexpectedEOF {
				err = errSize
			}
			return nil, err
		}
	}
	var one [1]byte
	if n, err := io.ReadFull(r, one[:]); n != 0 {
		return nil, errSize
	} else if err != io.EOF {
		return nil, err
	}
	return dst, nil
}

func lz4Raw(dst, src []byte, size int) ([]byte, error) {
	if size/255 > len(src) {
		return nil, errSize
	}
	dst = grown(dst, size)
	return dst, lz4Block(dst, src)
}

// lz4Block fills dst. The library does not bear an empty one: its assembly reads
// through the nil pointer.
func lz4Block(dst, src []byte) error {
	if len(dst) == 0 {
		if len(src) > 1 {
			return errSize
		}
		return nil
	}
	if n, err := lz4.UncompressBlock(src, dst); err != nil || n != len(dst) {
		return errSize
	}
	return nil
}

// lz4Hadoop unpacks blocks that say both their sizes, 4 bytes each.
func lz4Hadoop(dst, src []byte, size int) ([]byte, error) {
	if size/255 > len(src) {
		return nil, errSize
	}
	dst = grown(dst, size)
	at := 0
	for len(src) >= 8 {
		whole, packed := int64(binary.BigEndian.Uint32(src)), int64(binary.BigEndian.Uint32(src[4:]))
		src = src[8:]
		if packed > int64(len(src)) || whole > int64(size-at) {
			return nil, errSize
		}
		if err := lz4Block(dst[at:at+int(whole)], src[:packed]); err != nil {
			return nil, err
		}
		at, src = at+int(whole), src[packed:]
	}
	if at != size || len(src) > 0 {
		return nil, errSize
	}
	return dst, nil
}
