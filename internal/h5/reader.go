package h5

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
)

// A File is an open HDF5 file.
type File struct {
	at        io.ReaderAt
	size      uint64
	unchecked bool
	root      *object

	heapAt uint64 // the last global heap that was read
	heap   map[uint32][]byte
}

// Parse opens the HDF5 file whose bytes are given. It reads the superblock and
// the root's header; everything else is read when it is asked for. The bytes must
// not change while the File is in use.
func Parse(data []byte) (*File, error) { return Open(bytes.NewReader(data), int64(len(data))) }

// Open is Parse of a file of size bytes that stays where it is.
func Open(at io.ReaderAt, size int64) (*File, error) { return open(at, size, false) }

// open is Open; unchecked takes structures whose checksums do not fit, for tests of what
// lies behind them.
func open(at io.ReaderAt, size int64, unchecked bool) (*File, error) {
	f := &File{at: at, size: uint64(max(size, 0)), unchecked: unchecked}
	base, err := f.findSignature()
	if err != nil {
		return nil, err
	}
	whole := f.size
	f.at, f.size = io.NewSectionReader(at, int64(base), size-int64(base)), f.size-base
	head := make([]byte, min(f.size, 128))
	if err := f.read(head, 0, "superblock"); err != nil {
		return nil, err
	}
	c := &cursor{b: head, pos: len(Signature)}
	var s superblock
	switch v := c.u8(); v {
	case 0, 1:
		s = oldSuperblock(c, v)
	case 2, 3:
		s = newSuperblock(c)
	default:
		return nil, errorf("superblock version %d is not supported; supported are 0 to 3", v)
	}
	switch {
	case c.short:
		return nil, errorf("truncated in the superblock, after %d bytes", whole)
	case s.offsets != 8 || s.lengths != 8:
		return nil, errorf("addresses of %d bytes and lengths of %d are not supported; supported are 8 and 8", s.offsets, s.lengths)
	case s.damaged && !unchecked:
		return nil, errorf("the superblock's checksum does not fit: the file is damaged")
	case s.base != base && s.base != 0:
		return nil, errorf("the superblock says that the file begins at %d, but it is at %d: the file is damaged", s.base, base)
	case s.driver != undefined:
		return nil, errorf("a file spread over several by a driver is not supported")
	case s.end > whole:
		return nil, errorf("truncated: %d bytes, but the superblock says %d: copy the file again", whole, s.end)
	}
	if f.root, err = f.object(s.root, "/"); err != nil {
		return nil, err
	}
	return f, nil
}

// findSignature looks for the superblock at the start and behind user blocks, which
// are of 512 bytes times a power of two.
func (f *File) findSignature() (uint64, error) {
	var head [len(Signature)]byte
	for base := uint64(0); base+uint64(len(head)) <= f.size; base = max(512, 2*base) {
		if err := f.read(head[:], base, "signature"); err != nil {
			return 0, err
		}
		if string(head[:]) == Signature {
			return base, nil
		}
	}
	return 0, errorf("not an HDF5 file: it does not start with the HDF5 signature")
}

type superblock struct {
	offsets, lengths        byte
	base, end, driver, root uint64
	damaged                 bool
}

func oldSuperblock(c *cursor, version byte) superblock {
	c.skip(4)
	s := superblock{offsets: c.u8(), lengths: c.u8()}
	c.skip(9)
	if version == 1 {
		c.skip(4)
	}
	s.base = c.u64()
	c.u64()
	s.end, s.driver = c.u64(), c.u64()
	c.u64()
	s.root = c.u64()
	return s
}

func newSuperblock(c *cursor) superblock {
	s := superblock{offsets: c.u8(), lengths: c.u8(), driver: undefined}
	c.skip(1)
	s.base = c.u64()
	c.u64() // the extension: settings of free space and of drivers
	s.end, s.root = c.u64(), c.u64()
	whole := c.b[:c.pos]
	s.damaged = c.u32() != checksum(whole) && !c.short
	return s
}

// read fills b from an address on.
func (f *File) read(b []byte, at uint64, what string) error {
	if n := uint64(len(b)); at > f.size || n > f.size-at {
		return errorf("%s: %d bytes at address %#x lie beyond the end of the file (%d bytes): it is truncated or damaged", what, n, at, f.size)
	}
	if n, err := f.at.ReadAt(b, int64(at)); n < len(b) {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return errorf("%s: at address %#x: %w", what, at, err)
	}
	return nil
}

// block is the n bytes at address at.
func (f *File) block(at, n uint64, what string) ([]byte, error) {
	if at > f.size || n > f.size-at {
		return nil, errorf("%s: %d bytes at address %#x lie beyond the end of the file (%d bytes): it is truncated or damaged", what, n, at, f.size)
	}
	b := make([]byte, n)
	return b, f.read(b, at, what)
}

// checked is a block that begins with a signature and ends in its checksum, without
// the two.
func (f *File) checked(at, n uint64, signature, what string) (*cursor, error) {
	if n < uint64(len(signature))+4 {
		return nil, errorf("%s: a %s of %d bytes: the file is damaged", what, signature, n)
	}
	b, err := f.block(at, n, what)
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(b, []byte(signature)) {
		return nil, errorf("%s: no %s at address %#x: the file is damaged", what, signature, at)
	}
	end := len(b) - 4
	if binary.LittleEndian.Uint32(b[end:]) != checksum(b[:end]) && !f.unchecked {
		return nil, errorf("%s: the checksum of the %s at address %#x does not fit: the file is damaged", what, signature, at)
	}
	return &cursor{b: b[:end], pos: len(signature)}, nil
}

// Root is the file's root group.
func (f *File) Root() (*Group, error) { return f.root.group() }
