package h5

// A chunk is a block of a dataset as it lies in the file.
type chunk struct {
	at     uint64 // undefined if it was never written
	size   uint64 // as filtered
	mask   uint32 // filters that were left out
	scaled []uint64
}

// A chunkIndex finds chunks.
type chunkIndex interface {
	// band visits the chunks that were written and whose first row is the given one.
	band(row uint64, visit func(chunk) error) error
}

// noChunks is the index of a dataset of which nothing was written.
type noChunks struct{}

func (noChunks) band(uint64, func(chunk) error) error { return nil }

// A singleIndex is the dataset's only chunk.
type singleIndex struct {
	d     *Dataset
	chunk chunk
}

func (x *singleIndex) band(row uint64, visit func(chunk) error) error {
	if row != 0 || x.chunk.at == undefined {
		return nil
	}
	k := x.chunk
	k.scaled = make([]uint64, len(x.d.chunk))
	return visit(k)
}

// An arrayIndex numbers the chunks, in the order of the largest shape that the
// dataset may have. If one dimension has no limit it counts as the first.
type arrayIndex struct {
	d         *Dataset
	unlimited int // dimension, or -1
	get       func(i uint64) (chunk, error)
}

// swizzled is the order in which dimensions count.
func (x *arrayIndex) swizzled() []int {
	var order []int
	if x.unlimited > 0 {
		order = append(order, x.unlimited)
	}
	for i := range x.d.chunk {
		if x.unlimited <= 0 || i != x.unlimited {
			order = append(order, i)
		}
	}
	return order
}

func (x *arrayIndex) band(row uint64, visit func(chunk) error) error {
	d := x.d
	order := x.swizzled()
	down := make([]uint64, len(d.chunk)) // chunks below a step in the dimension
	below := uint64(1)
	for i := len(order) - 1; i >= 0; i-- {
		k := order[i]
		down[k] = below
		if i > 0 {
			most := d.space.most[k]
			if most == undefined {
				return errorf("%s: chunks numbered in a shape of several unlimited dimensions: the file is damaged", d.o.path)
			}
			n := most/d.chunk[k] + min(1, most%d.chunk[k])
			if n > 0 && below > maxElements/n {
				return errorf("%s: more than %d chunks are not supported", d.o.path, uint64(maxElements))
			}
			below *= n
		}
	}
	scaled := make([]uint64, len(d.chunk))
	scaled[0] = row / d.chunk[0]
	for {
		number := uint64(0)
		for i, s := range scaled {
			if s > 0 && s > maxElements/down[i] {
				return errorf("%s: more than %d chunks are not supported", d.o.path, uint64(maxElements))
			}
			number += s * down[i]
		}
		k, err := x.get(number)
		if err != nil {
			return err
		}
		if k.at != undefined {
			k.scaled = append([]uint64{}, scaled...)
			if err := visit(k); err != nil {
				return err
			}
		}
		i := len(scaled) - 1
		for ; i > 0; i-- {
			if scaled[i]++; scaled[i]*d.chunk[i] < d.space.dims[i] {
				break
			}
			scaled[i] = 0
		}
		if i == 0 {
			return nil
		}
	}
}

// element decodes what an array lists of a chunk, in entries of so many bytes.
func (d *Dataset) element(b []byte, client byte) chunk {
	c := &cursor{b: b}
	k := chunk{at: c.u64(), size: d.chunkBytes}
	if client == 1 {
		k.size, k.mask = c.uint(len(b)-12), c.u32()
	}
	return k
}

// checkClient compares what an array lists with the dataset's filters.
func (d *Dataset) checkClient(client byte, size int) error {
	filtered := len(d.filters) > 0
	if client > 1 || filtered != (client == 1) || client == 0 && size != 8 || client == 1 && (size < 13 || size > 20) {
		return errorf("%s: an index with entries of type %d and %d bytes: the file is damaged", d.o.path, client, size)
	}
	return nil
}

// A page is a part of an array that ends in its checksum, kept for the next chunk.
type page struct {
	at uint64
	b  []byte
}

// read reads n bytes behind an address, and compares them with the checksum behind.
func (p *page) read(d *Dataset, at, n uint64) ([]byte, error) {
	if p.b == nil || p.at != at || uint64(len(p.b)) != n {
		c, err := d.o.file.checked(at, n+4, "", d.o.path+": index of chunks")
		if err != nil {
			return nil, err
		}
		p.at, p.b = at, c.b
	}
	return p.b, nil
}

// fixedArray reads the header of a fixed array, the index of data that cannot grow.
func (d *Dataset) fixedArray(at uint64) (chunkIndex, error) {
	if at == undefined {
		return noChunks{}, nil
	}
	what := d.o.path + ": index of chunks"
	c, err := d.o.file.checked(at, 28, "FAHD", what)
	if err != nil {
		return nil, err
	}
	version, client := c.u8(), c.u8()
	size := uint64(c.u8())
	bits := c.u8()
	count, block := c.u64(), c.u64()
	if version != 0 || bits > 30 {
		return nil, errorf("%s: a fixed array of version %d is not supported; supported is 0", d.o.path, version)
	}
	if err := d.checkClient(client, int(size)); err != nil {
		return nil, err
	}
	if block != undefined && count > d.o.file.size*8 {
		return nil, errorf("%s: an index of %d chunks: the file is damaged", d.o.path, count)
	}
	const head = 4 + 1 + 1 + 8
	perPage := uint64(1) << bits
	var now, bitmap page
	return &arrayIndex{d: d, unlimited: -1, get: func(i uint64) (chunk, error) {
		if i >= count {
			return chunk{}, errorf("%s: chunk %d of %d: the file is damaged", d.o.path, i, count)
		}
		if block == undefined {
			return chunk{at: undefined}, nil
		}
		if count <= perPage {
			b, err := now.read(d, block, head+count*size)
			if err != nil {
				return chunk{}, err
			}
			if string(b[:4]) != "FADB" {
				return chunk{}, errorf("%s: no data block at address %#x: the file is damaged", d.o.path, block)
			}
			return d.element(b[head+i*size:head+(i+1)*size], client), nil
		}
		pages := (count + perPage - 1) / perPage
		b, err := bitmap.read(d, block, head+(pages+7)/8)
		if err != nil {
			return chunk{}, err
		}
		p := i / perPage
		if b[head+p/8]>>(7-p%8)&1 == 0 {
			return chunk{at: undefined}, nil
		}
		n := min(perPage, count-p*perPage)
		if b, err = now.read(d, block+uint64(len(b))+4+p*(perPage*size+4), n*size); err != nil {
			return chunk{}, err
		}
		i %= perPage
		return d.element(b[i*size:(i+1)*size], client), nil
	}}, nil
}
