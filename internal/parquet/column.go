package parquet

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/bits"
)

// window is how much of a column is read at a time: as long as a page's header may be.
const window = 1 << 16

// Column reads the values of one column from the first row on.
type Column struct {
	f    *File
	leaf *Leaf
	unpacker
	in       *bufio.Reader
	section  *io.SectionReader // the chunk, of which in reads
	group    int               // row group, from 1
	rest     int64             // bytes of its chunk that are not read
	left     int64             // entries of its chunk that are not in pages yet
	rows     int64             // begun so far, in all row groups
	wanted   int64             // rows when the chunk is at its end
	dict     *Values
	raw, buf []byte // a page, packed and not
	scrap    []uint32
	held     int64 // bytes counted in File.held

	entries  int // of the page that are to be read
	values   int // of them that are there
	rep, def hybrid
	decoder  decoder
}

// Column starts reading a column.
func (f *File) Column(l *Leaf) *Column {
	return &Column{f: f, leaf: l}
}

// CountNulls reads a plain column of whole numbers to learn how many are missing, if
// the file does not say: Leaf.Nulls. What cannot be read stays unknown.
func (f *File) CountNulls(l *Leaf) {
	if l.Nulls >= 0 || l.Def == 0 || l.Rep > 0 || l.Physical > Int64 {
		return
	}
	c := f.Column(l)
	defer c.Close()
	var v Values
	missing := int64(0)
	for {
		n, err := c.Read(&v, 1<<12)
		if err == io.EOF {
			l.Nulls = missing
			return
		}
		if err != nil {
			return
		}
		missing += int64(n - v.count())
	}
}

// Close frees what the column holds.
func (c *Column) Close() {
	c.f.held -= c.held
	c.held = 0
	c.unpacker.close()
}

// Read replaces the contents of v by the next n entries, fewer only at the end of the
// column, where it is io.EOF if there are none. An error names the column and the
// row, from 1.
func (c *Column) Read(v *Values, n int) (int, error) {
	v.reset()
	got := 0
	for got < n {
		if c.entries == 0 {
			if err := c.page(); err == io.EOF {
				break
			} else if err != nil {
				return 0, c.fail(err)
			}
			continue
		}
		k := min(n-got, c.entries)
		if err := c.some(v, k); err != nil {
			return 0, c.fail(err)
		}
		c.entries -= k
		got += k
	}
	if got == 0 && n > 0 {
		return 0, io.EOF
	}
	return got, nil
}

func (c *Column) fail(err error) error {
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = errors.New("it ends within a page")
	}
	return fmt.Errorf("row %d, column %s: %w", c.rows+1, c.leaf.Name(), err)
}

// some adds the next n entries of the page.
func (c *Column) some(v *Values, n int) error {
	there := n
	if c.leaf.Rep > 0 {
		at := len(v.Rep)
		v.Rep = longer(v.Rep, n)
		if err := fill(&c.rep, v.Rep[at:]); err != nil {
			return err
		}
		for _, r := range v.Rep[at:] {
			if int(r) > c.leaf.Rep {
				return fmt.Errorf("repetition level %d", r)
			}
			if r == 0 {
				c.rows++
			}
		}
	} else {
		c.rows += int64(n)
	}
	if c.leaf.Def > 0 {
		at := len(v.Def)
		v.Def = longer(v.Def, n)
		if err := fill(&c.def, v.Def[at:]); err != nil {
			return err
		}
		there = 0
		for _, d := range v.Def[at:] {
			if int(d) > c.leaf.Def {
				return fmt.Errorf("definition level %d", d)
			}
			if int(d) == c.leaf.Def {
				there++
			}
		}
	}
	return c.decoder.read(v, there)
}

// chunk goes to the next row group that has rows.
func (c *Column) chunk() error {
	if c.group > 0 && c.rows != c.wanted {
		return fmt.Errorf("row group %d has %d rows where the table of contents has %d more", c.group, c.rows, c.wanted-c.rows)
	}
	for c.group < len(c.f.groups) {
		g := c.f.groups[c.group]
		k := g.chunks[c.leaf.index]
		c.group++
		c.wanted += g.rows
		if k.values == 0 {
			continue
		}
		c.left, c.rest, c.dict = k.values, k.len, nil
		c.section = io.NewSectionReader(c.f.in, k.offset, k.len)
		if c.in == nil {
			c.in = bufio.NewReaderSize(c.section, window)
		}
		c.in.Reset(c.section)
		return nil
	}
	return io.EOF
}

// page goes to the next page with values.
func (c *Column) page() error {
	for {
		if c.left == 0 {
			if err := c.chunk(); err != nil {
				return err
			}
		}
		h, err := c.header()
		if err != nil {
			return err
		}
		switch h.kind {
		case dataPage, dataPage2:
			return c.data(h)
		case dictionaryPage:
			if err := c.dictionary(h); err != nil {
				return err
			}
		default: // of an index that nobody writes
			if err := c.discard(h.packed); err != nil {
				return err
			}
		}
	}
}

// kinds of pages.
const (
	dataPage       = 0
	dictionaryPage = 2
	dataPage2      = 3
)

// header is a page's.
type header struct {
	kind         int64
	size, packed int
	values       int64
	encoding     encoding
	repEncoding  int64
	defEncoding  int64
	rep, def     int64 // bytes of levels, version 2
	checked      bool  // there is a checksum
	sum          uint32
	plain        bool // version 2: not packed
}

func (t *thrift) header() header {
	h := header{values: -1, repEncoding: int64(runs), defEncoding: int64(runs)}
	var size, packed int64
	t.fields(typeStruct, func(id int, typ byte) bool {
		switch id {
		case 1:
			h.kind = t.int(typ)
		case 2:
			size = t.int(typ)
		case 3:
			packed = t.int(typ)
		case 4:
			h.sum, h.checked = uint32(t.int(typ)), true
		case 5, 7, 8:
			t.fields(typ, func(field int, typ byte) bool { return t.pageField(&h, id, field, typ) })
		default:
			return false
		}
		return true
	})
	if t.err == nil && (size < 0 || packed < 0 || size > 1<<31-1 || packed > 1<<31-1 || (h.kind != 1 && h.values < 0) || h.values > 1<<31-1 || h.rep < 0 || h.def < 0) {
		t.fail(errors.New("a page of negative size"))
	}
	h.size, h.packed = int(size), int(packed)
	return h
}

// pageField reads a field of the part of a header that is for one kind of page: 5 and 8
// for data, 7 for a dictionary.
func (t *thrift) pageField(h *header, part, id int, typ byte) bool {
	switch {
	case id == 1:
		h.values = t.int(typ)
	case part == 8 && id == 4 || part != 8 && id == 2:
		h.encoding = encoding(t.int(typ))
	case part == 5 && id == 3:
		h.defEncoding = t.int(typ)
	case part == 5 && id == 4:
		h.repEncoding = t.int(typ)
	case part == 8 && id == 5:
		h.def = t.int(typ)
	case part == 8 && id == 6:
		h.rep = t.int(typ)
	case part == 8 && id == 7:
		h.plain = typ == typeFalse
		return false
	default:
		return false
	}
	return true
}

// header reads the header of the next page.
func (c *Column) header() (header, error) {
	for n := 256; ; n *= 4 {
		b, err := c.in.Peek(min(n, window))
		if err != nil && err != io.EOF {
			return header{}, err
		}
		t := &thrift{b: b}
		h := t.header()
		if errors.Is(t.err, errShort) && err == nil && n < window {
			continue
		}
		if t.err != nil {
			return header{}, fmt.Errorf("the header of a page in row group %d: %w", c.group, t.err)
		}
		c.rest -= int64(t.at)
		if _, err := c.in.Discard(t.at); err != nil {
			return header{}, err
		}
		if int64(h.packed) > c.rest {
			return header{}, fmt.Errorf("a page of %d bytes where row group %d has %d left", h.packed, c.group, c.rest)
		}
		c.rest -= int64(h.packed)
		return h, nil
	}
}

// bytes reads a page as it is packed.
func (c *Column) bytes(h header) ([]byte, error) {
	c.raw = grown(c.raw, h.packed)
	if _, err := io.ReadFull(c.in, c.raw); err != nil {
		return nil, err
	}
	if is := crc32.ChecksumIEEE(c.raw); h.checked && is != h.sum {
		return nil, fmt.Errorf("the checksum of a page is %08x where %08x is written: the file is damaged", is, h.sum)
	}
	return c.raw, nil
}

// unpacked is the part of a page that is packed, unpacked.
func (c *Column) unpacked(raw []byte, size int) ([]byte, error) {
	k := c.f.groups[c.group-1].chunks[c.leaf.index].codec
	if k == uncompressed {
		if len(raw) != size {
			return nil, errSize
		}
		return raw, nil
	}
	b, err := c.unpack(k, c.buf, raw, size)
	if err != nil {
		return nil, fmt.Errorf("unpacking a page by %v: %w", k, err)
	}
	c.buf = b
	return b, c.account()
}

// account holds the memory of all columns to a multiple of the file's size.
func (c *Column) account() error {
	now := int64(cap(c.buf))
	if c.dict != nil {
		now += int64(8*(cap(c.dict.Int)+cap(c.dict.Float)) + 16*cap(c.dict.Text))
	}
	c.f.held += now - c.held
	c.held = now
	if c.f.held > 4*maxPage+ratio*c.f.size {
		return fmt.Errorf("pages of %d MB in a file of %d: too large", c.f.held>>20, c.f.size>>20)
	}
	return nil
}

// dictionary reads a page of values that later pages refer to.
func (c *Column) dictionary(h header) error {
	if c.dict != nil {
		return errors.New("a second dictionary")
	}
	raw, err := c.bytes(h)
	if err != nil {
		return err
	}
	b, err := c.unpacked(raw, h.size)
	if err != nil {
		return err
	}
	d, err := newPlain(c.leaf, b, int(h.values))
	if err != nil {
		return err
	}
	c.dict = &Values{}
	if err := d.read(c.dict, int(h.values)); err != nil {
		return err
	}
	return c.account()
}

// data starts on a page of values.
func (c *Column) data(h header) error {
	if h.values > c.left {
		return fmt.Errorf("a page of %d values where row group %d has %d left", h.values, c.group, c.left)
	}
	raw, err := c.bytes(h)
	if err != nil {
		return err
	}
	var b []byte
	if h.kind == dataPage2 {
		b, err = c.levels2(h, raw)
	} else if b, err = c.unpacked(raw, h.size); err == nil {
		b, err = c.levels(h, b)
	}
	if err != nil {
		return err
	}
	c.entries = int(h.values)
	c.left -= h.values
	if c.values, err = c.there(); err != nil {
		return err
	}
	c.decoder, err = newDecoder(c.leaf, h.encoding, b, c.values, c.dict, &c.scrap)
	return err
}

// there counts the values of the page, without the missing ones.
func (c *Column) there() (int, error) {
	if c.leaf.Def == 0 {
		return c.entries, nil
	}
	def := c.def
	var part [1024]uint8
	n := 0
	for left := c.entries; left > 0; {
		if def.same == 0 && def.more == 0 {
			if err := def.run(); err != nil {
				return 0, err
			}
			continue
		}
		if def.same > 0 { // as almost always
			k := min(def.same, uint64(left))
			if int(def.value) == c.leaf.Def {
				n += int(k)
			}
			def.same -= k
			left -= int(k)
			continue
		}
		some := part[:min(left, len(part), int(min(def.more, 1024)))]
		if err := fill(&def, some); err != nil {
			return 0, err
		}
		for _, d := range some {
			if int(d) == c.leaf.Def {
				n++
			}
		}
		left -= len(some)
	}
	return n, nil
}

// levels takes the levels in front of a page of version 1.
func (c *Column) levels(h header, b []byte) ([]byte, error) {
	for _, l := range []struct {
		greatest int
		encoding int64
		h        *hybrid
	}{{c.leaf.Rep, h.repEncoding, &c.rep}, {c.leaf.Def, h.defEncoding, &c.def}} {
		if l.greatest == 0 {
			continue
		}
		if l.encoding != int64(runs) {
			return nil, fmt.Errorf("levels in encoding %d: not read here", l.encoding)
		}
		if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
			return nil, errValues
		}
		n := 4 + int(binary.LittleEndian.Uint32(b))
		var err error
		if *l.h, err = newHybrid(b[4:n], width(l.greatest)); err != nil {
			return nil, err
		}
		b = b[n:]
	}
	return b, nil
}

// levels2 takes the levels of a page of version 2, which are not packed, and unpacks
// the values.
func (c *Column) levels2(h header, raw []byte) ([]byte, error) {
	n := h.rep + h.def
	if n > int64(len(raw)) || n > int64(h.size) {
		return nil, errValues
	}
	var err error
	if c.rep, err = newHybrid(raw[:h.rep], width(c.leaf.Rep)); err != nil {
		return nil, err
	}
	if c.def, err = newHybrid(raw[h.rep:n], width(c.leaf.Def)); err != nil {
		return nil, err
	}
	if h.plain {
		return raw[n:], nil
	}
	if int64(h.size) == n { // nothing but missing values: some programs pack nothing, too
		return nil, nil
	}
	return c.unpacked(raw[n:], h.size-int(n))
}

// width is the number of bits of levels up to the greatest.
func width(greatest int) uint { return uint(bits.Len(uint(greatest))) }
