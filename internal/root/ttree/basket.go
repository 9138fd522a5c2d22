package ttree

import (
	"encoding/binary"
	"errors"
	"fmt"

	"barrow/internal/root"
)

// basket is the values of consecutive entries of a branch.
type basket struct {
	entries int
	data    []byte
	// offsets are where the entries begin, and where the last ends; empty where the file
	// has none, since all entries have the same size or others count their values.
	offsets []int32
}

// basketHead is what a basket's key has behind that of all keys.
type basketHead struct {
	key           root.Key
	version       int
	entries, last int
	flag          int
	// made tells that offsets are not written, as counts of others give them.
	made bool
}

func readHead(b *root.Buffer) (basketHead, error) {
	h := basketHead{key: b.Key()}
	h.version = int(b.I16())
	b.I32()
	if b.I32() < 0 { // The size of an entry, or of the list of offsets.
		b.U8()
	}
	h.entries = int(b.I32())
	h.last = int(b.I32())
	h.flag = int(b.U8())
	if h.flag >= 80 {
		h.flag -= 80
		h.made = true
	}
	switch {
	case b.Err() != nil:
		return h, b.Err()
	case h.entries < 0:
		return h, fmt.Errorf("%d entries", h.entries)
	case h.last < h.key.KeyLen() && h.entries > 0:
		return h, fmt.Errorf("values that end at byte %d, within the key of %d", h.last, h.key.KeyLen())
	}
	return h, nil
}

// insideBasket reads a basket that is an object of the TTree rather than a record.
func insideBasket(raw []byte) (basket, error) {
	b := root.NewBuffer(raw, 0)
	h, err := readHead(b)
	if err != nil {
		return basket{}, err
	}
	k := basket{entries: h.entries}
	if h.entries == 0 {
		return k, nil
	}
	if !h.made && h.flag != 0 && h.flag%10 != 2 {
		n := int(b.I32())
		if n < 0 || n > b.Left()/4 {
			return k, fmt.Errorf("%d offsets in %d bytes", n, b.Left())
		}
		if n < h.entries {
			return k, fmt.Errorf("%d offsets of %d entries", n, h.entries)
		}
		for i := range n {
			o := b.U32()
			if h.flag > 20 && h.flag < 40 {
				o &= 0xFFFFFF
			}
			if i < h.entries {
				k.offsets = append(k.offsets, int32(o)-int32(h.key.KeyLen()))
			}
		}
		k.offsets = append(k.offsets, int32(h.last-h.key.KeyLen()))
		if h.flag > 40 {
			b.Take(4 * int(b.I32()))
		}
	}
	if h.flag != 1 && h.flag <= 10 {
		return k, errors.New("without its values")
	}
	if h.version < 2 {
		b.I32()
	}
	b.Take(h.key.KeyLen())
	k.data = b.Take(h.last - h.key.KeyLen())
	if b.Err() != nil {
		return k, b.Err()
	}
	return k, k.check()
}

// loader reads baskets one after the other into the same memory.
type loader struct {
	file             *root.File
	packed, unpacked []byte
	offsets          []int32
	// strings tells that the values are strings, which say themselves where they end:
	// the offsets that ROOT writes of them are none at times.
	strings bool
}

// load reads the basket of size bytes at seek.
func (l *loader) load(seek, size int64) (basket, error) {
	var k basket
	if size <= 0 || size > l.file.Size() {
		return k, fmt.Errorf("a basket of %d bytes in a file of %d", size, l.file.Size())
	}
	if int64(cap(l.packed)) < size {
		l.packed = make([]byte, size+size/4)
	}
	raw := l.packed[:size]
	if err := l.file.ReadAt(raw, seek); err != nil {
		return k, err
	}
	b := root.NewBuffer(raw, 0)
	h, err := readHead(b)
	if err != nil {
		return k, err
	}
	if n := h.key.Size(); n < h.key.KeyLen() || n > len(raw) {
		return k, fmt.Errorf("a basket of %d bytes, %d of them its key, where the branch has %d", n, h.key.KeyLen(), size)
	}
	k.entries = h.entries
	k.data = raw[h.key.KeyLen():h.key.Size()]
	if len(k.data) != h.key.Length() {
		if k.data, err = root.Unpack(l.unpacked, k.data, int64(h.key.Length())); err != nil {
			return k, err
		}
		l.unpacked = k.data
	}
	return k, l.split(&k, h)
}

// split parts a basket's values from the offsets behind them.
func (l *loader) split(k *basket, h basketHead) error {
	border := h.last - h.key.KeyLen()
	if h.entries == 0 {
		return nil
	}
	if border < 0 || border > len(k.data) {
		return fmt.Errorf("values that end at byte %d of %d", border, len(k.data))
	}
	table := k.data[border:]
	k.data = k.data[:border]
	if len(table) == 0 {
		return nil
	}
	if len(table) < 4 {
		return fmt.Errorf("%d bytes behind the values", len(table))
	}
	n := int(int32(binary.BigEndian.Uint32(table)))
	if table = table[4:]; n < h.entries || n > len(table)/4 {
		return fmt.Errorf("%d offsets of %d entries in %d bytes", n, h.entries, len(table))
	}
	if cap(l.offsets) <= h.entries {
		l.offsets = make([]int32, h.entries+1+h.entries/4)
	}
	k.offsets = l.offsets[:h.entries+1]
	table = table[:4*h.entries]
	for i := range h.entries {
		o := int32(binary.BigEndian.Uint32(table[4*i:]))
		k.offsets[i] = o - int32(h.key.KeyLen())
	}
	k.offsets[h.entries] = int32(border)
	err := k.check()
	if err != nil && l.strings {
		k.offsets, err = nil, nil
	}
	return err
}

// check holds the offsets to the data.
func (k *basket) check() error {
	before := int32(0)
	for i, o := range k.offsets {
		if o < before || int(o) > len(k.data) {
			return fmt.Errorf("entry %d of its basket begins at byte %d of %d, the one before at %d", i, o, len(k.data), before)
		}
		before = o
	}
	return nil
}
