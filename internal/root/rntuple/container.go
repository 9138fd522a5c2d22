package rntuple

import (
	"encoding/binary"
	"fmt"
	"io"

	"github.com/zeebo/xxh3"
)

const (
	fileBegin = 100 // where the first record of a file is
	bigFile   = 2_000_000_000
	// fileVersion is the first ROOT that has the format, and a million for positions of 64 bits.
	fileVersion = 1_000_000 + 63400
	// longKey is the version of keys with such positions, longFolder that of folders.
	longKey    = 1004
	longFolder = 1005
	// maxRecord bounds records, as ROOT's own programs do.
	maxRecord = 1 << 30
	// date is written in place of when: equal tables are equal files. 1995, January 1st.
	date = 1<<22 | 1<<17
)

// be builds records of a ROOT file.
type be []byte

func (b *be) u8(x uint8)   { *b = append(*b, x) }
func (b *be) u16(x uint16) { *b = binary.BigEndian.AppendUint16(*b, x) }
func (b *be) u32(x uint32) { *b = binary.BigEndian.AppendUint32(*b, x) }
func (b *be) u64(x uint64) { *b = binary.BigEndian.AppendUint64(*b, x) }

func (b *be) text(s string) {
	if len(s) < 255 {
		b.u8(uint8(len(s)))
	} else {
		b.u8(255)
		b.u32(uint32(len(s)))
	}
	*b = append(*b, s...)
}

// counted adds what fill adds behind the number of its bytes.
func (b *be) counted(fill func()) {
	at := len(*b)
	b.u32(0)
	fill()
	binary.BigEndian.PutUint32((*b)[at:], uint32(len(*b)-at-4)|1<<30)
}

// container writes the records of a ROOT file.
type container struct {
	out  output
	at   int64 // where the next record begins
	sum  *xxh3.Hasher
	name string // the file's own
	err  error
}

// key is the beginning of a record at seek whose object has size bytes.
func key(class, name, title string, seek, folder int64, size int) []byte {
	var b be
	length := 4 + 2 + 4 + 4 + 2 + 2 + 8 + 8
	for _, s := range []string{class, name, title} {
		if length += 1 + len(s); len(s) >= 255 {
			length += 4
		}
	}
	b.u32(uint32(length + size))
	b.u16(longKey)
	b.u32(uint32(size))
	b.u32(date)
	b.u16(uint16(length))
	b.u16(1)
	b.u64(uint64(seek))
	b.u64(uint64(folder))
	b.text(class)
	b.text(name)
	b.text(title)
	return b
}

// begin writes header and root folder, as far as they are known.
func (c *container) begin() {
	c.write(make([]byte, fileBegin))
	c.write(c.folder(0, 0, [16]byte{}))
}

// folder is the record of the root folder.
func (c *container) folder(keys int64, keysSize int, id [16]byte) []byte {
	var names, b be
	names.text(c.name)
	names.text("")
	named := len(key("TFile", c.name, "", 0, 0, 0)) + len(names)
	b.u16(longFolder)
	b.u32(date)
	b.u32(date)
	b.u32(uint32(keysSize))
	b.u32(uint32(named))
	b.u64(fileBegin)
	b.u64(0)
	b.u64(uint64(keys))
	b.u16(1)
	b = append(b, id[:]...)
	return append(append(key("TFile", c.name, "", fileBegin, 0, len(names)+len(b)), names...), b...)
}

func (c *container) write(b []byte) {
	if c.err != nil {
		return
	}
	n, err := c.out.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	c.sum.Write(b)
	c.at += int64(n)
	c.err = err
}

// record writes an object with its key, which it returns with where the object begins.
func (c *container) record(class, name, title string, object []byte) (header []byte, seek int64) {
	if len(object) > maxRecord && c.err == nil {
		c.err = fmt.Errorf("a record of %d bytes, more than ROOT files hold", len(object))
	}
	header = key(class, name, title, c.at, fileBegin, len(object))
	c.write(header)
	seek = c.at
	c.write(object)
	return header, seek
}

// blob writes a record without a name.
func (c *container) blob(b []byte) int64 {
	_, seek := c.record("RBlob", "", "", b)
	return seek
}

// end writes the list of the one object's key, what ROOT wants to know of its class and
// of free space, and the header.
func (c *container) end(object []byte) error {
	keysAt := c.at
	list := binary.BigEndian.AppendUint32(nil, 1)
	keysHead, _ := c.record("TFile", c.name, "", append(list, object...))
	keysSize := len(keysHead) + len(list) + len(object)

	infoAt := c.at
	infoHead, info := streamerInfo()
	c.record("TList", "StreamerInfo", "Doubly linked list", info)
	infoSize := infoHead + len(info)

	freeAt := c.at
	freeHead := len(key("TFile", c.name, "", 0, 0, 0))
	free := c.free(freeAt + int64(freeHead))
	c.record("TFile", c.name, "", free)

	id := c.sum.Sum128().Bytes()
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	var h be
	h = append(h, "root"...)
	h.u32(fileVersion)
	h.u32(fileBegin)
	h.u64(uint64(c.at))
	h.u64(uint64(freeAt))
	h.u32(uint32(freeHead + len(free)))
	h.u32(1)
	h.u32(uint32(len(c.folder(0, 0, id)) - 60))
	h.u8(8)
	h.u32(packing)
	h.u64(uint64(infoAt))
	h.u32(uint32(infoSize))
	h.u16(1)
	h = append(h, id[:]...)
	h = append(h, make([]byte, fileBegin-len(h))...)
	h = append(h, c.folder(keysAt, keysSize, id)...)
	if c.err != nil {
		return c.err
	}
	_, err := c.out.WriteAt(h, 0)
	return err
}

// free is the list of free space, which is what follows the file.
func (c *container) free(at int64) []byte {
	var b be
	if end := at + 10; end < bigFile {
		b.u16(1)
		b.u32(uint32(end))
		b.u32(bigFile)
		return b
	}
	end := at + 18
	b.u16(1001)
	b.u64(uint64(end))
	b.u64(uint64(end + 1_000_000_000))
	return b
}

// anchorInfo is the description of the anchor's class that ROOT writes, with the sum
// that it computes of it.
const anchorInfo = 0x28e632ec

// streamerInfo is the list of class descriptions, with the length of its key, from
// which positions in it count.
func streamerInfo() (keyLen int, b be) {
	keyLen = len(key("TList", "StreamerInfo", "Doubly linked list", 0, 0, 0))
	object := func(bits uint32) {
		b.u16(1)
		b.u32(0)
		b.u32(bits)
	}
	named := func(name string, bits uint32) {
		b.counted(func() {
			b.u16(1)
			object(bits)
			b.text(name)
			b.text("")
		})
	}
	class := func(name string) {
		b.u32(1<<32 - 1)
		b = append(append(b, name...), 0)
	}
	b.counted(func() {
		b.u16(5)
		object(0)
		b.text("")
		b.u32(1)
		b.counted(func() {
			class("TStreamerInfo")
			b.counted(func() {
				b.u16(10) // TStreamerInfo's version: 9 or later has checksums
				named(Class, 1<<16)
				b.u32(anchorInfo)
				b.u32(2)
				b.counted(func() {
					class("TObjArray")
					b.counted(func() {
						b.u16(3)
						object(0)
						b.text("")
						b.u32(uint32(len(anchorMembers)))
						b.u32(0)
						known := uint32(0) // where the elements' class is named
						for _, name := range anchorMembers {
							b.counted(func() {
								if known == 0 {
									known = uint32(len(b)+keyLen+2) | 1<<31
									class("TStreamerBasicType")
								} else {
									b.u32(known)
								}
								b.element(name, named)
							})
						}
					})
				})
			})
		})
		b.u8(0)
	})
	return keyLen, b
}

// anchorMembers are the anchor's, four numbers of 16 bits and seven of 64.
var anchorMembers = [...]string{
	"fVersionEpoch", "fVersionMajor", "fVersionMinor", "fVersionPatch",
	"fSeekHeader", "fNBytesHeader", "fLenHeader", "fSeekFooter", "fNBytesFooter", "fLenFooter", "fMaxKeySize",
}

// element describes one member of a class that is a number without a sign.
func (b *be) element(name string, named func(string, uint32)) {
	kind, size, typ := uint32(14), uint32(8), "unsigned long"
	if len(name) > 8 && name[:8] == "fVersion" {
		kind, size, typ = 12, 2, "unsigned short"
	}
	b.counted(func() {
		b.u16(2)
		b.counted(func() {
			b.u16(4)
			named(name, 0)
			b.u32(kind)
			b.u32(size)
			for range 2 + 5 {
				b.u32(0)
			}
			b.text(typ)
		})
	})
}
