package parquet

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"
)

// Kind is what the values of a column to be written are.
type Kind int

// Kinds of values, all of them there: none is missing.
const (
	Ints   Kind = iota // INT64
	Floats             // DOUBLE
	Texts              // BYTE_ARRAY, UTF-8
)

// NewColumn is a column to be written.
type NewColumn struct {
	Name string
	Kind Kind
	// List is how many values every row has, as a list; 0 for one value without a list.
	List int
}

// Writer writes a file as a stream, packed by Zstandard. It holds the packed pages of
// a row group.
type Writer struct {
	out     io.Writer
	at      int64
	columns []*writing
	packer  *zstd.Encoder
	groups  []written
	meta    map[string]string
	buf     []byte // a page
	packed  []byte // the same, packed
}

// written is what the table of contents has of a row group.
type written struct {
	rows   int64
	chunks []writtenChunk
}

type writtenChunk struct {
	offset, dictionary, data int64 // dictionary is 0 where there is none
	values, size, packed     int64
	coded                    bool
}

// NewWriter starts a file of these columns. meta is what it says about itself.
func NewWriter(out io.Writer, columns []NewColumn, meta map[string]string) (*Writer, error) {
	packer, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault),
		zstd.WithEncoderCRC(false), zstd.WithWindowSize(2*pageBytes), zstd.WithLowerEncoderMem(true))
	if err != nil {
		return nil, err
	}
	w := &Writer{out: out, packer: packer, meta: meta}
	for _, c := range columns {
		w.columns = append(w.columns, newWriting(c))
	}
	return w, w.write([]byte(magic))
}

func (w *Writer) write(b []byte) error {
	n, err := w.out.Write(b)
	w.at += int64(n)
	return err
}

// Ints adds values of column i, whose kind this is; Floats and Texts likewise.
func (w *Writer) Ints(i int, v []int64) error {
	for _, x := range v {
		if err := w.number(w.columns[i], uint64(x), x); err != nil {
			return err
		}
	}
	return nil
}

// Floats adds values of column i; for lists, those of whole rows.
func (w *Writer) Floats(i int, v []float64) error {
	for _, x := range v {
		// -0 and what is no whole number differ from it in their bits.
		whole, bits := int64(-1), math.Float64bits(x)
		if x >= 0 && x < 1<<12 && math.Float64bits(float64(int64(x))) == bits {
			whole = int64(x)
		}
		if err := w.number(w.columns[i], bits, whole); err != nil {
			return err
		}
	}
	return nil
}

// number adds a number by its bits, and as a whole number if it is a small one.
func (w *Writer) number(c *writing, bits uint64, whole int64) error {
	if whole >= 0 && whole < int64(len(c.small)) {
		return value(w, c, bits, 8, c.small[whole], func(at uint32) { c.small[whole] = at })
	}
	at := uint32(0)
	if !c.full {
		at = c.places[bits]
	}
	return value(w, c, bits, 8, at, func(at uint32) { c.places[bits] = at })
}

// Texts adds values of column i.
func (w *Writer) Texts(i int, v []string) error {
	c := w.columns[i]
	for _, x := range v {
		if err := value(w, c, x, 4+len(x), c.texts[x], func(at uint32) { c.texts[x] = at }); err != nil {
			return err
		}
	}
	return nil
}

// EndGroup writes the row group that is under way, if it has rows.
func (w *Writer) EndGroup() error {
	var g written
	for i, c := range w.columns {
		if err := w.endPage(c); err != nil {
			return err
		}
		rows := c.total / int64(max(c.List, 1))
		if i == 0 {
			g.rows = rows
		} else if rows != g.rows {
			return fmt.Errorf("internal/parquet: column %q has %d rows, %q %d", c.Name, rows, w.columns[0].Name, g.rows)
		}
	}
	if g.rows == 0 {
		return nil
	}
	for _, c := range w.columns {
		k, err := w.chunk(c)
		if err != nil {
			return err
		}
		g.chunks = append(g.chunks, k)
	}
	w.groups = append(w.groups, g)
	return nil
}

// chunk writes the pages of a column.
func (w *Writer) chunk(c *writing) (writtenChunk, error) {
	k := writtenChunk{offset: w.at, values: c.total, coded: c.size > 0}
	if c.size > 0 {
		w.packed = w.packer.EncodeAll(c.dictionary, w.packed[:0])
		page := w.packed
		head := dictionaryHeader(len(c.dictionary), page, c.size)
		k.dictionary = w.at
		k.size += int64(len(head) + len(c.dictionary))
		if err := w.write(append(head, page...)); err != nil {
			return k, err
		}
	}
	k.data = w.at
	if err := w.write(c.pages); err != nil {
		return k, err
	}
	k.size += c.unpacked
	k.packed = w.at - k.offset
	c.reset()
	return k, nil
}

// Close writes what is under way, and the table of contents.
func (w *Writer) Close() error {
	if err := w.EndGroup(); err != nil {
		return err
	}
	w.packer.Close()
	b := w.contents()
	b = binary.LittleEndian.AppendUint32(b, uint32(len(b)))
	return w.write(append(b, magic...))
}

// endPage packs the values that wait.
func (w *Writer) endPage(c *writing) error {
	if c.entries == 0 {
		return nil
	}
	if c.total == 0 && !c.full && 2*c.size > c.entries {
		c.leave() // a dictionary of values that hardly repeat is longer than they are
	}
	b := w.buf[:0]
	if c.List > 0 {
		b = appendLevels(b, c.entries, c.List)
	}
	coded := c.coded()
	if coded {
		b = c.appendIndices(b)
	} else {
		b = append(b, c.plain...)
	}
	w.buf = b
	w.packed = w.packer.EncodeAll(b, w.packed[:0])
	packed := w.packed
	head := dataHeader(len(b), packed, c.entries, coded)
	c.unpacked += int64(len(head) + len(b))
	c.pages = append(append(c.pages, head...), packed...)
	c.total += int64(c.entries)
	c.entries, c.waiting, c.indices, c.plain = 0, 0, c.indices[:0], c.plain[:0]
	return nil
}

// appendLevels adds the levels of lists that all have so many values: repetition 0 for
// the first of each and 1 for the others, in packed bits; definition 1 throughout, in
// a run.
func appendLevels(b []byte, entries, list int) []byte {
	groups := (entries + 7) / 8
	at := len(b)
	b = append(b, 0, 0, 0, 0)
	b = binary.AppendUvarint(b, uint64(groups)<<1|1)
	from := len(b)
	for range groups {
		b = append(b, 0xff)
	}
	for i := 0; i < entries; i += list {
		b[from+i/8] &^= 1 << (i % 8)
	}
	if rest := entries % 8; rest > 0 {
		b[len(b)-1] &= 1<<rest - 1
	}
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	at = len(b)
	b = append(b, 0, 0, 0, 0)
	b = append(binary.AppendUvarint(b, uint64(entries)<<1), 1)
	binary.LittleEndian.PutUint32(b[at:], uint32(len(b)-at-4))
	return b
}
