package parquet

import (
	"encoding/binary"
	"math/bits"
)

const (
	// pageBytes is when a page is full, by its values as they are unpacked.
	pageBytes = 1 << 19
	// dictionaryBytes bounds a dictionary. A column that needs a larger one is written
	// without from there on.
	dictionaryBytes = 1 << 18
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

	ints, floats map[uint64]uint32 // places in the dictionary
	texts        map[string]uint32
	dictionary   []byte
	waiting      int // bytes
}

func newWriting(c NewColumn) *writing {
	w := &writing{NewColumn: c}
	w.reset()
	return w
}

// reset begins the next row group.
func (c *writing) reset() {
	c.pages, c.unpacked, c.total, c.waiting = c.pages[:0], 0, 0, 0
	c.size, c.full, c.dictionary = 0, false, c.dictionary[:0]
	c.ints, c.floats, c.texts = map[uint64]uint32{}, map[uint64]uint32{}, map[string]uint32{}
}

// coded reports whether the page under way is of indices.
func (c *writing) coded() bool { return len(c.indices) > 0 }

// add adds values, the key and size of each given by what.
func add[T any, K uint64 | string](w *Writer, c *writing, known *map[K]uint32, v []T, what func(T) (K, int)) error {
	row := max(c.List, 1)
	for i, x := range v {
		key, n := what(x)
		if !c.full {
			at, ok := (*known)[key]
			if !ok {
				if len(c.dictionary)+n > dictionaryBytes {
					if err := w.leave(c); err != nil {
						return err
					}
				} else {
					at = uint32(c.size)
					(*known)[key] = at
					c.size++
					c.dictionary = appendPlain(c.dictionary, key)
				}
			}
			if !c.full {
				c.indices = append(c.indices, at)
			}
		}
		if c.full {
			c.plain = appendPlain(c.plain, key)
		}
		c.entries++
		c.waiting += n
		if c.waiting >= pageBytes && (i+1)%row == 0 {
			c.waiting = 0
			if err := w.endPage(c); err != nil {
				return err
			}
		}
	}
	return nil
}

// leave ends the use of the dictionary: what waits becomes plain, since a page is of
// one kind.
func (w *Writer) leave(c *writing) error {
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
	return nil
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
