package parquet

import (
	"encoding/binary"
	"math/bits"
)

const (
	// pageBytes is when a page is full, by its values as they are unpacked.
	pageBytes = 1 << 16
	// dictionaryBytes bounds a dictionary. A column that needs a larger one is written
	// without from there on.
	dictionaryBytes = 1 << 16
)

// writing is a column's part of the row group under way.
type writing struct {
	NewColumn
	pages    []byte // packed, with their headers
	unpacked int64
	total    int64 // entries in them

	entries int      // waiting for the next page
	size    int      // values of the dictionary
	indices []uint32 // in the dictionary of those that wait, or
	plain   []byte   // as they are
	full    bool     // no dictionary from here on

	places     map[uint64]uint32 // in the dictionary, plus one, of numbers by their bits,
	texts      map[string]uint32 // and of texts
	small      [1 << 12]uint32   // and of whole numbers, by far the most frequent
	dictionary []byte
	waiting    int // bytes
}

func newWriting(c NewColumn) *writing {
	return &writing{NewColumn: c, places: map[uint64]uint32{}, texts: map[string]uint32{}}
}

// reset begins the next row group.
func (c *writing) reset() {
	c.pages, c.unpacked, c.total, c.waiting = c.pages[:0], 0, 0, 0
	c.size, c.full, c.dictionary = 0, false, c.dictionary[:0]
	clear(c.places)
	clear(c.texts)
	c.small = [1 << 12]uint32{}
}

// coded reports whether the page under way is of indices.
func (c *writing) coded() bool { return len(c.indices) > 0 }

// value adds a value of so many bytes. at is where its place in the dictionary is kept,
// plus one.
func value[K uint64 | string](w *Writer, c *writing, key K, size int, at uint32, keep func(uint32)) error {
	switch {
	case c.full:
		c.plain = appendPlain(c.plain, key)
	case at > 0:
		c.indices = append(c.indices, at-1)
	case len(c.dictionary)+size > dictionaryBytes:
		c.leave()
		c.plain = appendPlain(c.plain, key)
	default:
		c.size++
		keep(uint32(c.size))
		c.dictionary = appendPlain(c.dictionary, key)
		c.indices = append(c.indices, uint32(c.size-1))
	}
	c.entries++
	c.waiting += size
	if c.waiting >= pageBytes && c.entries%max(c.List, 1) == 0 {
		return w.endPage(c)
	}
	return nil
}

// leave ends the use of the dictionary: what waits becomes plain, since a page is of
// one kind.
func (c *writing) leave() {
	c.full = true
	values := make([][]byte, 0, c.size)
	for b := c.dictionary; len(b) > 0; {
		n := 8
		if c.Kind == Texts {
			n = 4 + int(binary.LittleEndian.Uint32(b))
		}
		values, b = append(values, b[:n]), b[n:]
	}
	for _, i := range c.indices {
		c.plain = append(c.plain, values[i]...)
	}
	c.indices = c.indices[:0]
	if c.total == 0 { // no page refers to it
		c.dictionary, c.size = c.dictionary[:0], 0
	}
}

func appendPlain[K uint64 | string](b []byte, key K) []byte {
	switch k := any(key).(type) {
	case uint64:
		return binary.LittleEndian.AppendUint64(b, k)
	case string:
		return append(binary.LittleEndian.AppendUint32(b, uint32(len(k))), k...)
	}
	return b
}

// appendIndices adds the places in the dictionary: their width, and packed bits.
func (c *writing) appendIndices(b []byte) []byte {
	width := bits.Len(uint(max(c.size-1, 0)))
	b = append(b, byte(width))
	groups := (len(c.indices) + 7) / 8
	b = binary.AppendUvarint(b, uint64(groups)<<1|1)
	var word uint64
	n := 0
	for i := range 8 * groups {
		if i < len(c.indices) {
			word |= uint64(c.indices[i]) << n
		}
		for n += width; n >= 8; n -= 8 {
			b = append(b, byte(word))
			word >>= 8
		}
	}
	return b
}
