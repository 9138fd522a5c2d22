package h5

import "encoding/binary"

// heapObject follows a reference (length, address, index) into the file's
// global heap, where strings of variable length are.
func (f *File) heapObject(ref []byte) ([]byte, error) {
	c := &cursor{b: ref}
	length, at, index := c.u32(), c.u64(), c.u32()
	if length == 0 {
		return nil, nil
	}
	if f.heap == nil || f.heapAt != at {
		if err := f.readHeap(at); err != nil {
			return nil, err
		}
	}
	if data, ok := f.heap[index]; ok && int64(length) <= int64(len(data)) {
		return data[:length], nil
	}
	return nil, errorf("global heap at address %#x has no object %d of %d bytes: the file is damaged", at, index, length)
}

// readHeap reads one collection of the global heap, which is kept for the next string.
func (f *File) readHeap(at uint64) error {
	b, err := f.block(at, 16, "global heap")
	if err != nil {
		return err
	}
	if string(b[:4]) != "GCOL" {
		return errorf("no global heap at address %#x: the file is damaged", at)
	}
	if b, err = f.block(at, max(16, binary.LittleEndian.Uint64(b[8:])), "global heap"); err != nil {
		return err
	}
	f.heapAt, f.heap = at, map[uint32][]byte{}
	for c := (&cursor{b: b, pos: 16}); c.rest() >= 16; {
		id := c.u16()
		c.skip(6)
		size := c.u64()
		if id == 0 || size > uint64(len(b)) {
			break
		}
		data := c.padded(int(size))
		if _, twice := f.heap[uint32(id)]; !twice && !c.short {
			f.heap[uint32(id)] = data
		}
	}
	return nil
}
