package h5

// maxBand bounds what of a dataset has to be in memory at a time: the chunks that
// share rows.
const maxBand = 1 << 29

// mostShrunk is the most that filters shrink data by which is believed: deflate's, which
// zeros nearly reach.
const mostShrunk = 1032

// Rows reads a dataset row by row, in any order, fast in order. Its memory is that of
// the chunks that share rows.
type Rows struct {
	d        *Dataset
	rowBytes uint64
	from, to uint64 // rows that are in band
	band     []byte
	raw      []byte
	unpack   unpacker
}

// Rows starts reading; a scalar is one row.
func (d *Dataset) Rows() (*Rows, error) {
	for _, f := range d.filters {
		if !f.known() {
			return nil, errorf("%s: compressed with filter %d (%s), which is not supported; supported are deflate (gzip), shuffle, fletcher32, lzf, bzip2, blosc, lz4 and zstd", d.o.path, f.id, f.title())
		}
	}
	total, err := d.need()
	if err != nil {
		return nil, err
	}
	r := &Rows{d: d, rowBytes: uint64(d.typ.Size)}
	if total == 0 {
		return r, nil
	}
	for _, n := range d.space.dims[min(1, len(d.space.dims)):] {
		r.rowBytes *= n
	}
	switch {
	case r.rowBytes > maxBand:
		return nil, errorf("%s: rows of %d bytes are not supported; supported are at most %d", d.o.path, r.rowBytes, maxBand)
	case d.compact != nil && uint64(len(d.compact)) < total:
		return nil, errorf("%s: compact data is cut short: the file is damaged", d.o.path)
	case total > d.o.file.size*mostShrunk: // never written, too: it would be read forever
		return nil, errorf("%s: %d bytes cannot come out of a file of %d: the file is damaged, or most of them were never written", d.o.path, total, d.o.file.size)
	case d.index == nil:
		return r, nil
	}
	band := r.rowBytes
	if rows := min(d.chunk[0], d.space.dims[0]); band > maxBand/rows || d.chunkBytes > maxBand {
		return nil, errorf("%s: chunks of %v: more than %d bytes of rows that belong together are not supported; write it with smaller chunks", d.o.path, d.chunk, maxBand)
	}
	return r, nil
}

// Len is the number of rows.
func (r *Rows) Len() int {
	switch {
	case r.d.space.elements == 0:
		return 0
	case len(r.d.space.dims) == 0:
		return 1
	}
	return int(r.d.space.dims[0])
}

// Size is the number of bytes of a row.
func (r *Rows) Size() int { return int(r.rowBytes) }

// Read puts rows first to first+n-1 into dst, reusing its memory, and returns it: their
// elements one behind the other, as the file has them.
func (r *Rows) Read(dst []byte, first, n int) ([]byte, error) {
	if first < 0 || n < 0 || first > r.Len()-n {
		return nil, errorf("%s: rows %d to %d of %d", r.d.o.path, first, first+n, r.Len())
	}
	if uint64(n) > maxBytes/r.rowBytes {
		return nil, errorf("%s: %d rows of %d bytes at once", r.d.o.path, n, r.rowBytes)
	}
	from, size := uint64(first)*r.rowBytes, uint64(n)*r.rowBytes
	d := r.d
	if d.index == nil && d.compact == nil && d.at != undefined && size > d.o.file.size {
		return nil, errorf("%s: cut short: the file is damaged", d.o.path)
	}
	if uint64(cap(dst)) < size {
		dst = make([]byte, size)
	}
	dst = dst[:size]
	switch {
	case d.index != nil:
		return dst, r.chunked(dst, uint64(first), uint64(n))
	case d.compact != nil:
		copy(dst, d.compact[from:])
	case d.at == undefined:
		fill(dst, d.fill)
	case size > 0:
		return dst, d.o.file.read(dst, d.at+from, d.o.path)
	}
	return dst, nil
}

// fill repeats a value, zero if it is nil.
func fill(b, value []byte) {
	if value == nil {
		clear(b)
		return
	}
	for n := copy(b, value); n < len(b); n *= 2 {
		copy(b[n:], b[:n])
	}
}

func (r *Rows) chunked(dst []byte, first, n uint64) error {
	for n > 0 {
		if first < r.from || first >= r.to {
			if err := r.load(first); err != nil {
				return err
			}
		}
		have := min(n, r.to-first)
		copy(dst, r.band[(first-r.from)*r.rowBytes:(first-r.from+have)*r.rowBytes])
		dst = dst[have*r.rowBytes:]
		first, n = first+have, n-have
	}
	return nil
}

// load reads the chunks that have a row.
func (r *Rows) load(row uint64) error {
	d := r.d
	rows := d.chunk[0]
	from := row / rows * rows
	to := min(from+rows, d.space.dims[0])
	size := (to - from) * r.rowBytes
	r.from, r.to = 0, 0
	if uint64(cap(r.band)) < size {
		r.band = make([]byte, size)
	}
	r.band = r.band[:size]
	fill(r.band, d.fill)
	most := uint64(1) // chunks there can be
	for i, c := range d.chunk[1:] {
		most *= (d.space.dims[i+1] + c - 1) / c
	}
	visited := uint64(0)
	err := d.index.band(from, func(k chunk) error {
		if visited++; visited > most {
			return errorf("%s: row %d: more chunks than there can be: the file is damaged", d.o.path, row+1)
		}
		return r.loadChunk(k, from)
	})
	if err != nil {
		return err
	}
	r.from, r.to = from, to
	return nil
}

func (r *Rows) loadChunk(k chunk, from uint64) error {
	d := r.d
	beyond := false // it reaches over the data's edge
	for i, s := range k.scaled {
		if s > d.space.dims[i]/d.chunk[i] || s*d.chunk[i] >= d.space.dims[i] {
			return nil // written before the data were made smaller
		}
		beyond = beyond || d.chunk[i] > d.space.dims[i]-s*d.chunk[i]
	}
	if k.scaled[0]*d.chunk[0] != from {
		return errorf("%s: row %d: a chunk of other rows: the file is damaged", d.o.path, from+1)
	}
	f := d.o.file
	if k.at > f.size || k.size > f.size-k.at {
		return errorf("%s: row %d: a chunk of %d bytes at address %#x lies beyond the end of the file (%d bytes): it is truncated or damaged", d.o.path, from+1, k.size, k.at, f.size)
	}
	if uint64(cap(r.raw)) < k.size {
		r.raw = make([]byte, k.size)
	}
	b := r.raw[:k.size]
	if err := f.read(b, k.at, d.o.path); err != nil {
		return err
	}
	if d.unfiltered && beyond {
		k.mask = ^uint32(0)
	}
	b, err := r.unpack.chunk(d, b, k.mask)
	if err != nil {
		return errorf("%s: the chunk at row %d: %w", d.o.path, from+1, err)
	}
	d.place(r.band, b, k.scaled)
	return nil
}

// place copies a chunk to its place in a band of rows, leaving off what reaches beyond
// the dataset's shape.
func (d *Dataset) place(band, b []byte, scaled []uint64) {
	rank := len(d.chunk)
	last := rank - 1
	size := uint64(d.typ.Size)
	inside := make([]uint64, rank) // of the chunk's shape
	origin := make([]uint64, rank)
	for i, s := range scaled {
		origin[i] = s * d.chunk[i]
		inside[i] = min(d.chunk[i], d.space.dims[i]-origin[i])
	}
	origin[0] = 0
	run := inside[last] * size
	index := make([]uint64, rank) // of the run within the chunk
	for {
		from, to := uint64(0), uint64(0)
		for i := range index {
			from = from*d.chunk[i] + index[i]
			to = to*d.space.dims[i] + origin[i] + index[i]
		}
		copy(band[to*size:to*size+run], b[from*size:from*size+run])
		i := last - 1
		for ; i >= 0; i-- {
			if index[i]++; index[i] < inside[i] {
				break
			}
			index[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// all is the whole dataset.
func (d *Dataset) all() ([]byte, error) {
	n, err := d.need()
	if err != nil {
		return nil, err
	}
	if n > maxBytes {
		return nil, errorf("%s: %d bytes; supported are at most %d", d.o.path, n, maxBytes)
	}
	if d.index == nil && d.compact == nil && d.at == undefined && n > 0 {
		return nil, errorf("%s: no data were written", d.o.path)
	}
	r, err := d.Rows()
	if err != nil {
		return nil, err
	}
	b, err := r.Read(nil, 0, r.Len())
	return b, err
}
