package h5

import (
	"bytes"
	"compress/zlib"
	"io"
)

// maxBytes is how large a dataset may be once it is decompressed.
const maxBytes = 1 << 30

// deflateRatio is the most that deflate can shrink data.
const deflateRatio = 1032

// A Dataset is an array of numbers.
type Dataset struct {
	o        *object
	shape    []int
	elements int
	datatype datatype
	layout   []byte
	filters  []filter
}

type filter struct {
	id   int
	name string
	args []uint32
}

// Filters that Float32s can undo.
const (
	deflate    = 1
	shuffle    = 2
	fletcher32 = 3
)

// dataset reads an object as a dataset, without its elements.
func (o *object) dataset() (*Dataset, error) {
	space, okSpace := o.first(msgDataspace)
	typ, okType := o.first(msgDatatype)
	layout, okLayout := o.first(msgLayout)
	if !okSpace || !okType || !okLayout {
		return nil, errorf("%s: is not a dataset", o.path)
	}
	d := &Dataset{o: o, layout: layout}
	var err error
	if d.shape, d.elements, err = o.dataspace(space); err != nil {
		return nil, err
	}
	if d.datatype, err = o.datatype(typ); err != nil {
		return nil, err
	}
	if pipeline, ok := o.first(msgFilter); ok {
		if d.filters, err = o.pipeline(pipeline); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// Path is the dataset's full name in the file.
func (d *Dataset) Path() string { return d.o.path }

// Shape is the dataset's shape; empty for a scalar.
func (d *Dataset) Shape() []int { return d.shape }

// pipeline reads which filters a dataset went through.
func (o *object) pipeline(b []byte) ([]filter, error) {
	c := &cursor{b: b}
	version, n := c.u8(), int(c.u8())
	if version == 1 {
		c.skip(6)
	} else if version != 2 {
		return nil, errorf("%s: filter pipeline of version %d is not supported; supported are 1 and 2", o.path, version)
	}
	var filters []filter
	for range n {
		f := filter{id: c.u16()}
		nameSize := 0
		if version == 1 || f.id >= 256 {
			nameSize = c.u16()
		}
		c.skip(2)
		args := c.u16()
		name, _, _ := bytes.Cut(c.take(nameSize), []byte{0})
		f.name = string(name)
		for range args {
			f.args = append(f.args, c.u32())
			if c.short {
				break
			}
		}
		if version == 1 && args%2 == 1 {
			c.skip(4)
		}
		if c.short {
			return nil, errorf("%s: filter pipeline is cut short: the file is damaged", o.path)
		}
		filters = append(filters, f)
	}
	return filters, nil
}

// filterNames are filters that other programs use, for the error.
var filterNames = map[int]string{4: "szip", 5: "nbit", 6: "scaleoffset", 307: "bzip2", 32000: "lzf", 32001: "blosc", 32004: "lz4", 32015: "zstd", 32026: "blosc2"}

// Float32s are the dataset's elements in C order: exact from floats of 16 and
// 32 bits, rounded to nearest from floats of 64 bits and from integers.
func (d *Dataset) Float32s() ([]float32, error) {
	for _, f := range d.filters {
		if f.id < deflate || f.id > fletcher32 {
			name := filterNames[f.id]
			if name == "" {
				name = f.name
			}
			return nil, errorf("%s: compressed with filter %d (%s), which is not supported; supported are deflate (gzip), shuffle and fletcher32, and no compression, as Keras writes", d.o.path, f.id, name)
		}
	}
	if _, err := d.o.decoder(d.datatype); err != nil {
		return nil, err
	}
	b, err := d.bytes()
	if err != nil {
		return nil, err
	}
	return d.o.float32s(b, d.datatype)
}

// bytes are the dataset's raw elements.
func (d *Dataset) bytes() ([]byte, error) {
	n := uint64(d.elements) * uint64(d.datatype.size)
	if n > maxBytes {
		return nil, errorf("%s: %d bytes; supported are at most %d", d.o.path, n, maxBytes)
	}
	c := &cursor{b: d.layout}
	version, class := c.u8(), c.u8()
	switch {
	case c.short || version != 3:
		return nil, errorf("%s: data layout of version %d is not supported; supported is version 3 (h5py without libver=\"latest\")", d.o.path, version)
	case class == 0:
		if b := c.take(c.u16()); uint64(len(b)) >= n {
			return b[:n], nil
		}
		return nil, errorf("%s: compact data is cut short: the file is damaged", d.o.path)
	case class == 1:
		at, size := c.u64(), c.u64()
		switch {
		case n == 0:
			return nil, nil
		case c.short || at == undefined:
			return nil, errorf("%s: no data were written", d.o.path)
		case size < n:
			return nil, errorf("%s: %d bytes of data for a shape that needs %d: the file is damaged", d.o.path, size, n)
		}
		return d.o.file.block(at, n, d.o.path)
	case class == 2:
		return d.chunked(c, int(n))
	}
	return nil, errorf("%s: data layout class %d is not supported; supported are compact, contiguous and chunked", d.o.path, class)
}

// chunked puts a chunked dataset together. Chunks that were never written are
// zero, which is the fill value that Keras's files have.
func (d *Dataset) chunked(c *cursor, n int) ([]byte, error) {
	dims := int(c.u8())
	tree := c.u64()
	chunk := make([]int, max(dims-1, 0))
	chunkBytes := uint64(d.datatype.size)
	for i := range chunk {
		chunk[i] = int(c.u32())
		if chunk[i] == 0 || chunkBytes > maxBytes/uint64(chunk[i]) {
			return nil, errorf("%s: chunks of %v: the file is damaged", d.o.path, chunk[:i+1])
		}
		chunkBytes *= uint64(chunk[i])
	}
	if c.short || len(chunk) != len(d.shape) || len(chunk) == 0 {
		return nil, errorf("%s: chunks of %d dimensions for data of %d: the file is damaged", d.o.path, len(chunk), len(d.shape))
	}
	if limit := uint64(len(d.o.file.data)) * deflateRatio; uint64(n) > limit || chunkBytes > limit {
		return nil, errorf("%s: %d bytes cannot come out of a file of %d: the file is damaged", d.o.path, n, len(d.o.file.data))
	}
	out := make([]byte, n)
	if tree == undefined || n == 0 {
		return out, nil
	}
	leaves, err := d.o.leaves(tree, 1, 8+8*dims, 8+8*dims)
	if err != nil {
		return nil, err
	}
	origins := map[string]bool{}
	for _, l := range leaves {
		k := &cursor{b: l.key}
		size, mask := k.u32(), k.u32()
		if where := string(l.key[8:]); origins[where] {
			return nil, errorf("%s: the chunk at %v is there twice: the file is damaged", d.o.path, l.key[8:])
		} else {
			origins[where] = true
		}
		origin := make([]int, len(chunk))
		for i := range origin {
			at := k.u64()
			if at >= uint64(d.shape[i]) || at%uint64(chunk[i]) != 0 {
				return nil, errorf("%s: a chunk lies outside the data: the file is damaged", d.o.path)
			}
			origin[i] = int(at)
		}
		b, err := d.o.file.block(l.at, uint64(size), d.o.path+": chunk")
		if err != nil {
			return nil, err
		}
		if b, err = d.unfilter(b, mask, int(chunkBytes)); err != nil {
			return nil, err
		}
		d.place(out, b, origin, chunk)
	}
	return out, nil
}

// unfilter undoes the filters of one chunk, last first.
func (d *Dataset) unfilter(b []byte, mask uint32, want int) ([]byte, error) {
	for i := len(d.filters) - 1; i >= 0; i-- {
		if i < 32 && mask>>i&1 != 0 {
			continue
		}
		switch d.filters[i].id {
		case deflate:
			z, err := zlib.NewReader(bytes.NewReader(b))
			if err != nil {
				return nil, errorf("%s: chunk: %w", d.o.path, err)
			}
			// four bytes more than the data, for a checksum below it
			if b, err = io.ReadAll(io.LimitReader(z, int64(want)+4)); err != nil {
				return nil, errorf("%s: chunk: %w", d.o.path, err)
			}
		case shuffle:
			b = unshuffle(b, d.datatype.size)
		case fletcher32:
			if len(b) < 4 {
				return nil, errorf("%s: chunk without its checksum: the file is damaged", d.o.path)
			}
			b = b[:len(b)-4]
		}
	}
	if len(b) != want {
		return nil, errorf("%s: a chunk of %d bytes, not %d: the file is damaged", d.o.path, len(b), want)
	}
	return b, nil
}

// unshuffle puts the bytes of each element together again: the filter writes
// all first bytes, then all second bytes, and so on.
func unshuffle(b []byte, size int) []byte {
	n := len(b) / size
	out := make([]byte, len(b))
	copy(out[n*size:], b[n*size:])
	for j := range size {
		for i := range n {
			out[i*size+j] = b[j*n+i]
		}
	}
	return out
}

// place copies a chunk to its origin in out, row by row, leaving off what
// reaches beyond the dataset's shape.
func (d *Dataset) place(out, b []byte, origin, chunk []int) {
	last := len(chunk) - 1
	size := d.datatype.size
	row := min(chunk[last], d.shape[last]-origin[last]) * size
	index := make([]int, len(chunk)) // of the row within the chunk
	for {
		inside, from, to := true, 0, 0
		for i := range chunk {
			inside = inside && origin[i]+index[i] < d.shape[i]
			from = from*chunk[i] + index[i]
			to = to*d.shape[i] + origin[i] + index[i]
		}
		if inside {
			copy(out[to*size:to*size+row], b[from*size:from*size+row])
		}
		i := last - 1
		for ; i >= 0; i-- {
			if index[i]++; index[i] < chunk[i] {
				break
			}
			index[i] = 0
		}
		if i < 0 {
			return
		}
	}
}
