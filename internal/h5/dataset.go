package h5

// A Dataset is an array.
type Dataset struct {
	o       *object
	space   *space
	typ     *Type
	filters []filter
	fill    []byte // one element; nil for zeros

	compact []byte     // the data themselves,
	at      uint64     // or where they are in one piece,
	index   chunkIndex // or how to find their chunks,

	chunk      []uint64 // of this shape
	chunkBytes uint64
	// unfiltered says that chunks which reach beyond the data are not filtered.
	unfiltered bool
}

// maxBytes is how large a dataset may be that is read at once.
const maxBytes = 1 << 30

// Classes of layouts.
const (
	layoutCompact    = 0
	layoutContiguous = 1
	layoutChunked    = 2
	layoutVirtual    = 3
)

// dataset reads an object as a dataset, without its elements.
func (o *object) dataset() (*Dataset, error) {
	shape, okSpace := o.first(msgDataspace)
	typ, okType := o.first(msgDatatype)
	layout, okLayout := o.first(msgLayout)
	if !okSpace || !okType || !okLayout {
		return nil, errorf("%s: is not a dataset", o.path)
	}
	d := &Dataset{o: o, at: undefined}
	var err error
	if d.space, err = o.dataspace(shape); err != nil {
		return nil, err
	}
	if d.typ, err = o.datatype(typ); err != nil {
		return nil, err
	}
	if pipeline, ok := o.first(msgFilter); ok {
		if d.filters, err = o.pipeline(pipeline); err != nil {
			return nil, err
		}
	}
	if err := d.readFill(); err != nil {
		return nil, err
	}
	if _, ok := o.first(msgExternal); ok {
		return nil, errorf("%s: data in other files are not supported", o.path)
	}
	return d, d.readLayout(layout)
}

// Path is the dataset's full name in the file.
func (d *Dataset) Path() string { return d.o.path }

// Shape is the dataset's shape; empty for a scalar.
func (d *Dataset) Shape() []int { return d.space.shape() }

// Type is that of the elements.
func (d *Dataset) Type() *Type { return d.typ }

// readFill reads what elements are that were never written.
func (d *Dataset) readFill() error {
	b, ok := d.o.first(msgFill)
	c := &cursor{b: b}
	switch version := c.u8(); {
	case !ok:
		if b, ok = d.o.first(msgFillOld); !ok {
			return nil
		}
		c = &cursor{b: b}
	case version == 1 || version == 2:
		c.skip(2)
		if defined := c.u8(); version == 2 && defined == 0 {
			return nil
		}
	case version == 3:
		if c.u8()&0x20 == 0 {
			return nil
		}
	default:
		return errorf("%s: fill value of version %d is not supported; supported are 1 to 3", d.o.path, version)
	}
	n := c.u32()
	value := c.take(int(min(n, maxElement+1)))
	switch {
	case c.short:
		return errorf("%s: the fill value is cut short: the file is damaged", d.o.path)
	case len(value) == 0:
		return nil
	case len(value) != d.typ.Size:
		return errorf("%s: a fill value of %d bytes for elements of %d: the file is damaged", d.o.path, len(value), d.typ.Size)
	}
	for _, v := range value {
		if v != 0 {
			d.fill = value
			break
		}
	}
	return nil
}

// readLayout reads how the data are kept.
func (d *Dataset) readLayout(b []byte) error {
	c := &cursor{b: b}
	version := c.u8()
	var class byte
	switch version {
	case 1, 2:
		return d.oldLayout(c)
	case 3, 4, 5:
		class = c.u8()
	default:
		return errorf("%s: data layout of version %d is not supported; supported are 1 to 5", d.o.path, version)
	}
	switch {
	case class == layoutCompact:
		d.setCompact(c.take(c.u16()))
	case class == layoutContiguous:
		d.at = c.u64()
		size := c.u64()
		if err := d.checkContiguous(size); err != nil && !c.short {
			return err
		}
	case class == layoutChunked && version == 3:
		rank := int(c.u8())
		at := c.u64()
		if err := d.setChunk(c, rank, 4); err != nil {
			return err
		}
		d.index = &treeIndex{d, at}
	case class == layoutChunked:
		return d.newLayout(c)
	case class == layoutVirtual:
		return errorf("%s: a virtual dataset, whose data are elsewhere, is not supported", d.o.path)
	default:
		return errorf("%s: data layout class %d is not supported; supported are compact, contiguous and chunked", d.o.path, class)
	}
	if c.short {
		return errorf("%s: data layout is cut short: the file is damaged", d.o.path)
	}
	return nil
}

func (d *Dataset) setCompact(b []byte) { d.compact = append([]byte{}, b...) }

// need is how many bytes the data have.
func (d *Dataset) need() (uint64, error) {
	if d.space.elements > maxElements/uint64(d.typ.Size) {
		return 0, errorf("%s: %d elements of %d bytes are not supported", d.o.path, d.space.elements, d.typ.Size)
	}
	return d.space.elements * uint64(d.typ.Size), nil
}

// checkContiguous compares the size of data in one piece with the shape's.
func (d *Dataset) checkContiguous(size uint64) error {
	need, err := d.need()
	switch {
	case err != nil:
		return err
	case d.at == undefined || need == 0:
		return nil
	case size < need:
		return errorf("%s: %d bytes of data for a shape that needs %d: the file is damaged", d.o.path, size, need)
	case d.at > d.o.file.size || need > d.o.file.size-d.at:
		return errorf("%s: %d bytes at address %#x lie beyond the end of the file (%d bytes): it is truncated or damaged", d.o.path, need, d.at, d.o.file.size)
	}
	return nil
}

// oldLayout reads versions 1 and 2, of libraries before 1.6.3.
func (d *Dataset) oldLayout(c *cursor) error {
	rank, class := int(c.u8()), c.u8()
	c.skip(5)
	at := undefined
	if class != layoutCompact {
		at = c.u64()
	}
	switch class {
	case layoutChunked:
		if err := d.setChunk(c, rank, 4); err != nil {
			return err
		}
		d.index = &treeIndex{d, at}
	case layoutContiguous:
		need, err := d.need()
		if err != nil {
			return err
		}
		d.at = at
		return d.checkContiguous(need)
	case layoutCompact:
		c.skip(4 * rank)
		d.setCompact(c.take(int(min(c.u32(), 1<<16))))
	default:
		return errorf("%s: data layout class %d is not supported; supported are compact, contiguous and chunked", d.o.path, class)
	}
	if c.short {
		return errorf("%s: data layout is cut short: the file is damaged", d.o.path)
	}
	return nil
}

// setChunk reads the shape of chunks: rank numbers of so many bytes, the last that of
// an element's bytes.
func (d *Dataset) setChunk(c *cursor, rank, size int) error {
	bytes := uint64(d.typ.Size)
	for i := range rank {
		v := c.uint(size)
		if c.short || v == 0 || i < rank-1 && bytes > maxElements/v {
			return errorf("%s: chunks of %v and %d: the file is damaged", d.o.path, d.chunk, v)
		}
		if i == rank-1 {
			if v != uint64(d.typ.Size) {
				return errorf("%s: chunks of elements of %d bytes for data of %d: the file is damaged", d.o.path, v, d.typ.Size)
			}
			break
		}
		bytes *= v
		d.chunk = append(d.chunk, v)
	}
	if len(d.chunk) != len(d.space.dims) || len(d.chunk) == 0 {
		return errorf("%s: chunks of %d dimensions for data of %d: the file is damaged", d.o.path, len(d.chunk), len(d.space.dims))
	}
	d.chunkBytes = bytes
	return nil
}

// Indices of chunks in layouts from version 4 on.
const (
	indexSingle     = 1
	indexImplicit   = 2
	indexFixed      = 3
	indexExtensible = 4
	indexTree       = 5
)

// newLayout reads chunked data of layouts from version 4 on.
func (d *Dataset) newLayout(c *cursor) error {
	flags := c.u8()
	rank, size := int(c.u8()), int(c.u8())
	if err := d.setChunk(c, rank, size); err != nil {
		return err
	}
	d.unfiltered = flags&1 != 0
	kind := c.u8()
	var err error
	switch kind {
	case indexSingle:
		k := chunk{size: d.chunkBytes}
		if flags&2 != 0 {
			k.size, k.mask = c.u64(), c.u32()
		}
		k.at = c.u64()
		d.index = &singleIndex{d, k}
	case indexImplicit:
		at := c.u64()
		d.index = &arrayIndex{d: d, unlimited: -1, get: func(i uint64) (chunk, error) {
			if at == undefined || i > d.o.file.size/d.chunkBytes {
				return chunk{at: undefined}, nil
			}
			return chunk{at: at + i*d.chunkBytes, size: d.chunkBytes}, nil
		}}
	case indexFixed:
		c.skip(1) // of the header, too
		d.index, err = d.fixedArray(c.u64())
	case indexExtensible:
		c.skip(5) // of the header, too
		d.index, err = d.extensibleArray(c.u64())
	case indexTree:
		c.skip(6) // of the header, too
		d.index, err = d.tree2Index(c.u64())
	default:
		return errorf("%s: chunks found by an index of type %d are not supported; supported are 1 to 5", d.o.path, kind)
	}
	if c.short {
		return errorf("%s: data layout is cut short: the file is damaged", d.o.path)
	}
	return err
}

// Address tells objects of a file apart: a group or dataset may have several names.
func (d *Dataset) Address() uint64 { return d.o.at }
