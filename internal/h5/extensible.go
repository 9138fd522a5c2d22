package h5

// extensible is an extensible array, the index of data that can grow in one
// dimension: an index block, data blocks that double in size by and by, and above
// those that come late super blocks.
type extensible struct {
	d                *Dataset
	client           byte
	size             uint64 // of an entry
	maxBits          int    // of an entry's number
	inIndex          uint64 // entries in the index block
	least            uint64 // entries of the smallest data blocks
	leastPointers    uint64 // data blocks of the smallest super blocks
	perPage          uint64 // entries of a page of a data block
	block            uint64 // the index block
	index, sup, data page
}

// extensibleArray reads the array's header.
func (d *Dataset) extensibleArray(at uint64) (chunkIndex, error) {
	if at == undefined {
		return noChunks{}, nil
	}
	c, err := d.o.file.checked(at, 72, "EAHD", d.o.path+": index of chunks")
	if err != nil {
		return nil, err
	}
	version, client := c.u8(), c.u8()
	x := &extensible{d: d, client: client, size: uint64(c.u8()), maxBits: int(c.u8()), inIndex: uint64(c.u8()), least: uint64(c.u8()), leastPointers: uint64(c.u8())}
	bits := c.u8()
	c.skip(6 * 8)
	x.block = c.u64()
	power := func(v uint64) bool { return v != 0 && v&(v-1) == 0 }
	if c.short || version != 0 || !power(x.least) || !power(x.leastPointers) || bits > 30 || x.maxBits > 64 || x.maxBits <= log2(x.least) {
		return nil, errorf("%s: an extensible array of version %d with blocks of %d: the file is damaged", d.o.path, version, x.least)
	}
	if err := d.checkClient(client, int(x.size)); err != nil {
		return nil, err
	}
	x.perPage = 1 << bits
	unlimited := -1
	for i, most := range d.space.most {
		if most == undefined {
			unlimited = i
		}
	}
	return &arrayIndex{d: d, unlimited: unlimited, get: x.get}, nil
}

// head is the size of what blocks begin with, but for the place in the array that all
// but the index block have.
const extensibleHead = 4 + 1 + 1 + 8

// get finds a chunk by its number.
func (x *extensible) get(i uint64) (chunk, error) {
	none := chunk{at: undefined}
	if x.block == undefined {
		return none, nil
	}
	inIndex := 2 * log2(x.leastPointers) // super blocks whose data blocks the index block lists
	supers := 1 + x.maxBits - log2(x.least)
	blocks := 2 * (x.leastPointers - 1)
	b, err := x.index.read(x.d, x.block, extensibleHead+x.inIndex*x.size+8*(blocks+uint64(max(0, supers-inIndex))))
	if err != nil {
		return none, err
	}
	if string(b[:4]) != "EAIB" {
		return none, errorf("%s: no index block at address %#x: the file is damaged", x.d.o.path, x.block)
	}
	c := &cursor{b: b, pos: extensibleHead}
	if i < x.inIndex {
		c.skip(int(i * x.size))
		return x.d.element(c.take(int(x.size)), x.client), nil
	}
	c.skip(int(x.inIndex * x.size))
	i -= x.inIndex
	super := log2(i/x.least + 1)
	if super >= supers || super > 60 {
		return none, errorf("%s: a chunk's number is beyond its index: the file is damaged", x.d.o.path)
	}
	// Entries and data blocks before those of the super block.
	start, blocksBefore := uint64(0), uint64(0)
	for s := range super {
		start += x.perBlock(s) << (s / 2)
		blocksBefore += 1 << (s / 2)
	}
	i -= start
	per := x.perBlock(super)
	if super < inIndex {
		c.skip(int(8 * (blocksBefore + i/per)))
		at := c.u64()
		return x.inBlock(c, at, i%per, per, nil)
	}
	c.skip(int(8 * (blocks + uint64(super-inIndex))))
	return x.inSuper(c, i, super)
}

// inSuper reads entry i of a super block, whose address is the next that c takes.
func (x *extensible) inSuper(c *cursor, i uint64, super int) (chunk, error) {
	none := chunk{at: undefined}
	at := c.u64()
	if c.short || at == undefined {
		return none, x.short(c)
	}
	n, per := uint64(1)<<(super/2), x.perBlock(super)
	bitmap := uint64(0) // bytes that say which pages of a data block there are
	if per > x.perPage {
		bitmap = (per/x.perPage + 7) / 8
	}
	head := extensibleHead + uint64(x.maxBits+7)/8
	if n > x.d.o.file.size/8 || bitmap > x.d.o.file.size/n {
		return none, errorf("%s: an index with blocks of %d entries: the file is damaged", x.d.o.path, per)
	}
	b, err := x.sup.read(x.d, at, head+n*bitmap+n*8)
	if err != nil {
		return none, err
	}
	if string(b[:4]) != "EASB" {
		return none, errorf("%s: no super block at address %#x: the file is damaged", x.d.o.path, at)
	}
	k := i / per
	s := &cursor{b: b, pos: int(head + k*bitmap)}
	there := s.take(int(bitmap))
	s.pos = int(head + n*bitmap + k*8)
	at = s.u64()
	return x.inBlock(s, at, i%per, per, there)
}

// perBlock is the number of entries of each data block of a super block.
func (x *extensible) perBlock(super int) uint64 { return x.least << ((super + 1) / 2) }

func (x *extensible) short(c *cursor) error {
	if c.short {
		return errorf("%s: an index of chunks is cut short: the file is damaged", x.d.o.path)
	}
	return nil
}

// inBlock reads entry i of a data block of so many, whose address was the last that c
// took; there says which of its pages were written.
func (x *extensible) inBlock(c *cursor, at, i, per uint64, there []byte) (chunk, error) {
	none := chunk{at: undefined}
	if c.short || at == undefined {
		return none, x.short(c)
	}
	head := extensibleHead + uint64(x.maxBits+7)/8
	if per <= x.perPage {
		b, err := x.data.read(x.d, at, head+per*x.size)
		if err != nil {
			return none, err
		}
		if string(b[:4]) != "EADB" {
			return none, errorf("%s: no data block at address %#x: the file is damaged", x.d.o.path, at)
		}
		return x.d.element(b[head+i*x.size:head+(i+1)*x.size], x.client), nil
	}
	p := i / x.perPage
	if len(there) > 0 && there[p/8]>>(7-p%8)&1 == 0 {
		return none, nil
	}
	b, err := x.data.read(x.d, at+head+4+p*(x.perPage*x.size+4), x.perPage*x.size)
	if err != nil {
		return none, err
	}
	i %= x.perPage
	return x.d.element(b[i*x.size:(i+1)*x.size], x.client), nil
}
