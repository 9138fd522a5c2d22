package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// File is a Parquet file's table of contents.
type File struct {
	// Rows is the number of rows.
	Rows int64
	// Leaves are the columns of values, in the file's order.
	Leaves []*Leaf
	// Meta is what programs have put down about the file.
	Meta map[string]string

	in     io.ReaderAt
	size   int64
	groups []group
	held   int64 // bytes of all pages that are unpacked
}

// group is a row group.
type group struct {
	rows   int64
	chunks []chunk
}

// chunk is a column's part of a row group.
type chunk struct {
	physical    Physical
	codec       codec
	values      int64 // entries, missing ones counted
	offset, len int64 // of its pages
	nulls       int64 // -1 where it does not say
}

// magic is at both ends of a file.
const magic = "PAR1"

// maxText bounds the length of a text.
const maxText = 1 << 20

// errEncrypted is a file, or a part of one, that is encrypted.
var errEncrypted = errors.New("the file is encrypted; Barrow has no keys: write it unencrypted")

// Open reads the table of contents of a file of that many bytes.
func Open(in io.ReaderAt, size int64) (*File, error) {
	const ends = 2*len(magic) + 4
	var head, tail [8]byte
	if size < int64(ends) {
		return nil, fmt.Errorf("the file is too short: %d bytes", size)
	}
	if err := readAt(in, head[:4], 0); err != nil {
		return nil, err
	}
	if err := readAt(in, tail[:], size-8); err != nil {
		return nil, err
	}
	switch string(tail[4:]) {
	case magic:
	case "PARE":
		return nil, errEncrypted
	default:
		return nil, errors.New("the file ends without PAR1: it is cut off, or still being written")
	}
	if string(head[:4]) != magic {
		return nil, errors.New("the file does not begin with PAR1")
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if n > size-int64(ends) {
		return nil, fmt.Errorf("a table of contents of %d bytes in a file of %d", n, size)
	}
	footer := make([]byte, n)
	if err := readAt(in, footer, size-8-n); err != nil {
		return nil, err
	}
	f := &File{in: in, size: size, Meta: map[string]string{}}
	if err := f.contents(&thrift{b: footer}); err != nil {
		return nil, fmt.Errorf("the table of contents: %w", err)
	}
	return f, nil
}

func readAt(in io.ReaderAt, b []byte, at int64) error {
	if n, err := in.ReadAt(b, at); n < len(b) {
		if err == nil || err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return fmt.Errorf("byte %d: %w", at+int64(n), err)
	}
	return nil
}

// contents reads the structure FileMetaData.
func (f *File) contents(t *thrift) error {
	var schema []element
	encrypted := false
	t.fields(typeStruct, func(id int, typ byte) bool {
		switch id {
		case 2:
			t.list(typ, func(typ byte) { schema = append(schema, t.element(typ)) })
		case 3:
			f.Rows = t.int(typ)
		case 4:
			t.list(typ, func(typ byte) { f.groups = append(f.groups, t.group(typ)) })
		case 5:
			t.list(typ, func(typ byte) {
				key, value := t.keyValue(typ)
				f.Meta[key] = value
			})
		case 8:
			encrypted = true
			return false
		default:
			return false
		}
		return true
	})
	if encrypted {
		return errEncrypted
	}
	if t.err != nil {
		return t.err
	}
	var err error
	if f.Leaves, err = leaves(schema); err != nil {
		return err
	}
	return f.check()
}

// check holds the row groups to the columns and to the file's size.
func (f *File) check() error {
	rows := int64(0)
	for i, g := range f.groups {
		if len(g.chunks) != len(f.Leaves) {
			return fmt.Errorf("row group %d has %d columns, the table %d", i+1, len(g.chunks), len(f.Leaves))
		}
		if g.rows < 0 || rows+g.rows < rows {
			return fmt.Errorf("row group %d has %d rows", i+1, g.rows)
		}
		rows += g.rows
		for j, c := range g.chunks {
			l := f.Leaves[j]
			switch {
			case c.physical != l.Physical:
				return fmt.Errorf("row group %d, column %q: type %d, where the table has %d", i+1, l.Name(), c.physical, l.Physical)
			case c.values < 0 || l.Rep == 0 && c.values != g.rows || l.Rep > 0 && c.values < g.rows:
				return fmt.Errorf("row group %d, column %q: %d values in %d rows", i+1, l.Name(), c.values, g.rows)
			case c.values == 0:
			case c.offset < 4 || c.len < 1 || c.offset > f.size-8 || c.len > f.size-8-c.offset:
				return fmt.Errorf("row group %d, column %q: %d bytes from %d on of a file of %d: it is cut off or damaged", i+1, l.Name(), c.len, c.offset, f.size)
			}
			if c.nulls < 0 || l.Nulls < 0 {
				l.Nulls = -1
			} else {
				l.Nulls += c.nulls
			}
		}
	}
	if rows != f.Rows {
		return fmt.Errorf("%d rows in all, %d in its row groups", f.Rows, rows)
	}
	return nil
}

// Values is how many entries a column has in all.
func (f *File) Values(l *Leaf) int64 {
	n := int64(0)
	for _, g := range f.groups {
		n += g.chunks[l.index].values
	}
	return n
}

func (t *thrift) keyValue(typ byte) (key, value string) {
	t.fields(typ, func(id int, typ byte) bool {
		switch id {
		case 1:
			key = string(t.bytes(typ))
		case 2:
			value = string(t.bytes(typ))
		}
		return id <= 2
	})
	return key, value
}

func (t *thrift) group(typ byte) group {
	var g group
	t.fields(typ, func(id int, typ byte) bool {
		switch id {
		case 1:
			t.list(typ, func(typ byte) { g.chunks = append(g.chunks, t.chunk(typ)) })
		case 3:
			g.rows = t.int(typ)
		default:
			return false
		}
		return true
	})
	return g
}

func (t *thrift) chunk(typ byte) chunk {
	c := chunk{physical: -1, nulls: -1}
	t.fields(typ, func(id int, typ byte) bool {
		switch id {
		case 1:
			if len(t.bytes(typ)) > 0 {
				t.fail(errors.New("a column is in another file"))
			}
		case 3:
			t.columnMeta(typ, &c)
		case 8, 9:
			t.fail(errEncrypted)
		default:
			return false
		}
		return true
	})
	if c.physical < 0 {
		t.fail(errors.New("a row group has a column without description"))
	}
	return c
}

func (t *thrift) columnMeta(typ byte, c *chunk) {
	var data, dictionary int64
	t.fields(typ, func(id int, typ byte) bool {
		switch id {
		case 1:
			c.physical = Physical(t.int(typ))
		case 4:
			c.codec = codec(t.int(typ))
		case 5:
			c.values = t.int(typ)
		case 7:
			c.len = t.int(typ)
		case 9:
			data = t.int(typ)
		case 11:
			dictionary = t.int(typ)
		case 12:
			t.fields(typ, func(id int, typ byte) bool {
				if id == 3 {
					c.nulls = t.int(typ)
				}
				return id == 3
			})
		default:
			return false
		}
		return true
	})
	c.offset = data
	if dictionary > 0 && dictionary < data { // some programs write 0 for none
		c.offset = dictionary
	}
}
