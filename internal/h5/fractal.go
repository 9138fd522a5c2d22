package h5

// A fractalHeap keeps objects of any size: blocks that double in size, row by row.
type fractalHeap struct {
	o          *object
	idSize     int
	checked    bool // direct blocks have checksums
	width      uint64
	start      uint64 // size of the smallest blocks
	mostDirect uint64
	offsetSize int
	lengthSize int
	huge       uint64 // the B-tree of objects larger than a block
	root       uint64
	rows       int // of the root; 0 if it is a direct block
	blockAt    uint64
	block      []byte // the direct block at blockAt, which objects share
}

func (o *object) fractalHeap(at uint64) (*fractalHeap, error) {
	what := o.path + ": fractal heap"
	// Only heaps with filters have a longer header.
	const size, filterAt = 146, 7
	b, err := o.file.block(at, filterAt+2, what)
	if err != nil {
		return nil, err
	}
	h := &fractalHeap{o: o}
	if n := (&cursor{b: b, pos: filterAt}).u16(); n > 0 {
		return nil, errorf("%s: compressed names or attributes are not supported", o.path)
	}
	c, err := o.file.checked(at, size, "FRHP", what)
	if err != nil {
		return nil, err
	}
	version := c.u8()
	h.idSize = c.u16()
	c.skip(2)
	h.checked = c.u8()&2 != 0
	mostManaged := uint64(c.u32())
	c.skip(8)
	h.huge = c.u64()
	c.skip(10 * 8)
	h.width, h.start, h.mostDirect = uint64(c.u16()), c.u64(), c.u64()
	bits := c.u16()
	c.skip(2)
	h.root, h.rows = c.u64(), c.u16()
	power := func(v uint64) bool { return v != 0 && v&(v-1) == 0 }
	switch {
	case c.short || version != 0:
		return nil, errorf("%s: a fractal heap of version %d is not supported; supported is 0", o.path, version)
	case !power(h.width) || !power(h.start) || !power(h.mostDirect) || h.start > h.mostDirect || h.width > 1<<12 || h.mostDirect > 1<<32 ||
		bits < 1 || bits > 64 || h.rows > 64 || h.idSize < 2:
		return nil, errorf("%s: a fractal heap with blocks from %d to %d bytes, %d a row: the file is damaged", o.path, h.start, h.mostDirect, h.width)
	}
	h.offsetSize = (bits + 7) / 8
	h.lengthSize = min((log2(h.mostDirect)+7)/8, sizeOf(mostManaged))
	return h, nil
}

// get returns the object of an identifier.
func (h *fractalHeap) get(id []byte) ([]byte, error) {
	c := &cursor{b: id}
	switch head := c.u8(); head >> 4 & 3 {
	case 0:
		offset, n := c.uint(h.offsetSize), c.uint(h.lengthSize)
		if c.short {
			return nil, errorf("%s: an object of a fractal heap has an identifier of %d bytes: the file is damaged", h.o.path, len(id))
		}
		return h.managed(offset, n)
	case 2:
		n := int(head&15) + 1
		if len(id)-1 > 16 {
			n = int(head&15)<<8 + int(c.u8()) + 1
		}
		if b := c.take(n); !c.short {
			return b, nil
		}
	case 1:
		return h.large(c.uint(min(8, len(id)-1)))
	}
	return nil, errorf("%s: an object of a fractal heap has no valid identifier: the file is damaged", h.o.path)
}

// large returns an object that is too large for blocks, by its number.
func (h *fractalHeap) large(number uint64) ([]byte, error) {
	const kind, size = 1, 24 // records of address, length and number
	if h.huge == undefined {
		return nil, errorf("%s: a large object of a heap that has none: the file is damaged", h.o.path)
	}
	t, err := h.o.tree2(h.huge, kind)
	if err != nil {
		return nil, err
	}
	if t.recordSize != size {
		return nil, errorf("%s: a list of large objects in records of %d bytes: the file is damaged", h.o.path, t.recordSize)
	}
	var found []byte
	err = t.all(func(record []byte) error {
		c := &cursor{b: record}
		at, n := c.u64(), c.u64()
		if c.u64() != number {
			return nil
		}
		var err error
		found, err = h.o.file.block(at, n, h.o.path+": large object")
		return err
	})
	if err == nil && found == nil {
		err = errorf("%s: no large object %d: the file is damaged", h.o.path, number)
	}
	return found, err
}

// rowSize is the size of each block of a row.
func (h *fractalHeap) rowSize(row int) uint64 {
	if row == 0 {
		return h.start
	}
	return h.start << (row - 1)
}

// managed returns n bytes at an offset into the heap's space.
func (h *fractalHeap) managed(offset, n uint64) ([]byte, error) {
	at, rows, size := h.root, h.rows, h.start
	for depth := 0; rows > 0; depth++ {
		if depth > maxDepth {
			return nil, errorf("%s: a fractal heap of more than %d levels: the file is damaged", h.o.path, maxDepth)
		}
		// The row in which the offset lies: each but the first has twice the bytes of
		// the one before.
		first := h.start * h.width
		row := 0
		if offset >= first {
			row = log2(offset/first) + 1
		}
		if row >= rows || row > 60-log2(first) {
			return nil, errorf("%s: an object lies beyond its heap: the file is damaged", h.o.path)
		}
		size = h.rowSize(row)
		inRow := offset
		if row > 0 {
			inRow -= first << (row - 1)
		}
		child, err := h.child(at, rows, row, inRow/size)
		if err != nil {
			return nil, err
		}
		at, offset, rows = child, inRow%size, 0
		if size > h.mostDirect {
			if rows = log2(size) - log2(first) + 1; rows < 1 {
				return nil, errorf("%s: a fractal heap's block of %d bytes: the file is damaged", h.o.path, size)
			}
		}
	}
	if n > size || offset > size-n {
		return nil, errorf("%s: an object lies beyond its heap's block: the file is damaged", h.o.path)
	}
	if h.block == nil || h.blockAt != at {
		b, err := h.o.file.block(at, size, h.o.path+": fractal heap")
		if err != nil {
			return nil, err
		}
		if string(b[:4]) != "FHDB" {
			return nil, errorf("%s: no block of a fractal heap at address %#x: the file is damaged", h.o.path, at)
		}
		if err := h.check(b); err != nil {
			return nil, err
		}
		h.block, h.blockAt = b, at
	}
	return h.block[offset : offset+n], nil
}

// check compares a direct block with its checksum, which counts as zero in it.
func (h *fractalHeap) check(b []byte) error {
	at := 4 + 1 + 8 + h.offsetSize
	if !h.checked || len(b) < at+4 {
		return nil
	}
	said := (&cursor{b: b, pos: at}).u32()
	clear(b[at : at+4])
	if checksum(b) != said && !h.o.file.unchecked {
		return errorf("%s: the checksum of a fractal heap's block does not fit: the file is damaged", h.o.path)
	}
	return nil
}

// child is the address of a block that an indirect block lists.
func (h *fractalHeap) child(at uint64, rows, row int, column uint64) (uint64, error) {
	// Rows of direct blocks come first, then those of indirect ones; both are addresses.
	head := uint64(4 + 1 + 8 + h.offsetSize)
	c, err := h.o.file.checked(at, head+uint64(rows)*h.width*8+4, "FHIB", h.o.path+": fractal heap")
	if err != nil {
		return 0, err
	}
	c.pos = int(head + (uint64(row)*h.width+column)*8)
	found := c.u64()
	if c.short || column >= h.width || found == undefined {
		return 0, errorf("%s: an object lies in a block that its heap lacks: the file is damaged", h.o.path)
	}
	return found, nil
}
