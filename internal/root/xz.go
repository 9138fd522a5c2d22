package root

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"hash/crc64"

	"github.com/ulikunitz/xz/lzma"
)

// What the last byte of a .xz stream's flags says that its blocks are checked by.
const (
	xzNone, xzCRC32, xzCRC64, xzSHA256 = 0, 1, 4, 10
)

var (
	errXZ = errors.New("not a .xz stream of one block")
	ecma  = crc64.MakeTable(crc64.ECMA)
)

// unxz unpacks a .xz stream of one block packed by LZMA2. The container is read here
// rather than by the library, since a stream names the size of the dictionary that it
// was packed with, up to gigabytes, where len(dst) is all that can be looked back at.
// The format: https://tukaani.org/xz/xz-file-format.txt.
func unxz(dst, src []byte) error {
	const head = 12
	if len(src) < head+8 || string(src[:6]) != "\xfd7zXZ\x00" || src[6] != 0 || crc32.ChecksumIEEE(src[6:8]) != binary.LittleEndian.Uint32(src[8:]) {
		return errXZ
	}
	check := src[7]
	block, err := xzBlock(src[head:])
	if err != nil {
		return err
	}
	in := bytes.NewReader(src[head+block:])
	r, err := lzma.Reader2Config{DictCap: max(len(dst), lzma.MinDictCap)}.NewReader2(in)
	if err != nil {
		return err
	}
	if err := fill(dst, r); err != nil {
		return err
	}
	used := len(src) - head - in.Len()
	return xzCheck(dst, src[min(head+(used+3)/4*4, len(src)):], check)
}

// xzBlock is the length of the header at the begin of a block.
func xzBlock(p []byte) (int, error) {
	n := (int(p[0]) + 1) * 4
	if p[0] == 0 || n > len(p) || crc32.ChecksumIEEE(p[:n-4]) != binary.LittleEndian.Uint32(p[n-4:]) {
		return 0, errXZ
	}
	flags, rest := p[1], p[2:n-4]
	for _, there := range []bool{flags&0x40 != 0, flags&0x80 != 0} {
		if !there {
			continue
		}
		_, used := binary.Uvarint(rest)
		if used <= 0 {
			return 0, errXZ
		}
		rest = rest[used:]
	}
	const lzma2 = 0x21
	if flags&0x3f != 0 || len(rest) < 3 || rest[0] != lzma2 {
		return 0, errors.New("packed by filters other than LZMA2")
	}
	return n, nil
}

func xzCheck(data, sum []byte, check byte) error {
	ok := true
	switch check {
	case xzNone:
	case xzCRC32:
		ok = len(sum) >= 4 && binary.LittleEndian.Uint32(sum) == crc32.ChecksumIEEE(data)
	case xzCRC64:
		ok = len(sum) >= 8 && binary.LittleEndian.Uint64(sum) == crc64.Checksum(data, ecma)
	case xzSHA256:
		is := sha256.Sum256(data)
		ok = bytes.HasPrefix(sum, is[:])
	}
	if !ok {
		return errors.New("the checksum is wrong")
	}
	return nil
}
