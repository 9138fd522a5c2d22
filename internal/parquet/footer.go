package parquet

import (
	"encoding/binary"
	"hash/crc32"
	"maps"
	"slices"
)

// made writes structures of Thrift's compact protocol.
type made struct {
	b    []byte
	last []int // number of the field before, of each structure that is open
}

func newMade() *made { return &made{last: []int{0}} }

// field begins a field.
func (m *made) field(id int, typ byte) {
	top := &m.last[len(m.last)-1]
	if delta := id - *top; delta > 0 && delta < 16 {
		m.b = append(m.b, byte(delta)<<4|typ)
	} else {
		m.b = binary.AppendVarint(append(m.b, typ), int64(id))
	}
	*top = id
}

func (m *made) int32(id int, v int64) {
	m.field(id, typeI32)
	m.b = binary.AppendVarint(m.b, v)
}

func (m *made) int64(id int, v int64) {
	m.field(id, typeI64)
	m.b = binary.AppendVarint(m.b, v)
}

func (m *made) text(id int, v string) {
	m.field(id, typeBinary)
	m.string(v)
}

func (m *made) string(v string) {
	m.b = append(binary.AppendUvarint(m.b, uint64(len(v))), v...)
}

func (m *made) list(id int, typ byte, n int) {
	m.field(id, typeList)
	if n < 15 {
		m.b = append(m.b, byte(n)<<4|typ)
		return
	}
	m.b = binary.AppendUvarint(append(m.b, 15<<4|typ), uint64(n))
}

// open begins a structure as a field, begin one in a list; end ends either.
func (m *made) open(id int) {
	m.field(id, typeStruct)
	m.begin()
}

func (m *made) begin() { m.last = append(m.last, 0) }

func (m *made) end() {
	m.b = append(m.b, 0)
	m.last = m.last[:len(m.last)-1]
}

func dictionaryHeader(size int, packed []byte, values int) []byte {
	m := newMade()
	m.int32(1, dictionaryPage)
	m.int32(2, int64(size))
	m.int32(3, int64(len(packed)))
	m.int32(4, int64(int32(crc32.ChecksumIEEE(packed))))
	m.open(7)
	m.int32(1, int64(values))
	m.int32(2, int64(plainEncoding))
	m.end()
	m.end0()
	return m.b
}

// end0 ends the outermost structure.
func (m *made) end0() { m.b = append(m.b, 0) }

func dataHeader(size int, packed []byte, values int, coded bool) []byte {
	m := newMade()
	m.int32(1, dataPage)
	m.int32(2, int64(size))
	m.int32(3, int64(len(packed)))
	m.int32(4, int64(int32(crc32.ChecksumIEEE(packed))))
	m.open(5)
	m.int32(1, int64(values))
	if coded {
		m.int32(2, int64(dictionary))
	} else {
		m.int32(2, int64(plainEncoding))
	}
	m.int32(3, int64(runs))
	m.int32(4, int64(runs))
	m.end()
	m.end0()
	return m.b
}

// contents is the structure FileMetaData.
func (w *Writer) contents() []byte {
	m := newMade()
	m.int32(1, 2)
	m.schema(w.columns)
	rows := int64(0)
	for _, g := range w.groups {
		rows += g.rows
	}
	m.int64(3, rows)
	m.list(4, typeStruct, len(w.groups))
	for _, g := range w.groups {
		m.group(g, w.columns)
	}
	keys := slices.Sorted(maps.Keys(w.meta))
	m.list(5, typeStruct, len(keys))
	for _, k := range keys {
		m.begin()
		m.text(1, k)
		m.text(2, w.meta[k])
		m.end()
	}
	m.text(6, "Barrow")
	m.end0()
	return m.b
}

// schema writes the tree of columns. A list is the three levels of the format's
// document LogicalTypes.md, nothing of them optional.
func (m *made) schema(columns []*writing) {
	elements := 1 + len(columns)
	for _, c := range columns {
		if c.List > 0 {
			elements += 2
		}
	}
	m.list(2, typeStruct, elements)
	m.group0("schema", -1, len(columns), false)
	for _, c := range columns {
		name := c.Name
		if c.List > 0 {
			m.group0(name, required, 1, true)
			m.group0("list", repeated, 1, false)
			name = "element"
		}
		m.begin()
		m.int32(1, int64(c.Kind.physical()))
		m.int32(3, required)
		m.text(4, name)
		if c.Kind == Texts {
			m.int32(6, 0)
			m.open(10)
			m.open(1)
			m.end()
			m.end()
		}
		m.end()
	}
}

func (m *made) group0(name string, repetition, children int, list bool) {
	m.begin()
	if repetition >= 0 {
		m.int32(3, int64(repetition))
	}
	m.text(4, name)
	m.int32(5, int64(children))
	if list {
		m.int32(6, 3)
		m.open(10)
		m.open(3)
		m.end()
		m.end()
	}
	m.end()
}

func (k Kind) physical() Physical { return [...]Physical{Int64, Double, ByteArray}[k] }

// group writes the structure RowGroup.
func (m *made) group(g written, columns []*writing) {
	m.begin()
	m.list(1, typeStruct, len(g.chunks))
	size, packed := int64(0), int64(0)
	for i, k := range g.chunks {
		size += k.size
		packed += k.packed
		m.begin()
		m.int64(2, k.offset)
		m.open(3)
		m.chunk(k, columns[i])
		m.end()
		m.end()
	}
	m.int64(2, size)
	m.int64(3, g.rows)
	m.int64(5, g.chunks[0].offset)
	m.int64(6, packed)
	m.end()
}

// chunk writes the structure ColumnMetaData.
func (m *made) chunk(k writtenChunk, c *writing) {
	m.int32(1, int64(c.Kind.physical()))
	encodings := []encoding{plainEncoding, runs}
	if k.coded {
		encodings = append(encodings, dictionary)
	}
	m.list(2, typeI32, len(encodings))
	for _, e := range encodings {
		m.b = binary.AppendVarint(m.b, int64(e))
	}
	path := []string{c.Name}
	if c.List > 0 {
		path = append(path, "list", "element")
	}
	m.list(3, typeBinary, len(path))
	for _, p := range path {
		m.string(p)
	}
	m.int32(4, int64(codecZstd))
	m.int64(5, k.values)
	m.int64(6, k.size)
	m.int64(7, k.packed)
	m.int64(9, k.data)
	if k.dictionary > 0 {
		m.int64(11, k.dictionary)
	}
	m.open(12)
	m.int64(3, 0)
	m.end()
}
