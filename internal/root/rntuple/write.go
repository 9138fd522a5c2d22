package rntuple

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"barrow/internal/root"
)

// Type is that of a written field's values.
type Type int

// The types that are written.
const (
	Int64 Type = iota
	Int32
	Float64
	Float32
	Text
)

// types has each one's name in C++ and its column.
var types = [...]struct {
	name string
	kind int
}{
	Int64:   {"std::int64_t", 0x15},
	Int32:   {"std::int32_t", 0x13},
	Float64: {"double", 0x19},
	Float32: {"float", 0x18},
	Text:    {"std::string", 0x1b},
}

// A Field is one column of a table that is written.
type Field struct {
	// Name is not empty and has no control characters, spaces, dots, or slashes of
	// either kind.
	Name string
	Type Type
	// Len is 0 for one value an entry, or that of an array of as many in each.
	Len int
	// About is kept as the field's description: see [Table.About].
	About string
}

const (
	pageBytes    = 1 << 16 // of a page, unpacked
	clusterBytes = 1 << 22 // of a cluster, unpacked, or one entry more
	groupLen     = 128     // clusters of a group
)

// A Writer writes a ROOT file that holds one RNTuple. Its memory does not grow with the
// table but for some 50 bytes every 128 clusters of 4 MB.
type Writer struct {
	file   container
	name   string
	fields []Field
	pack   func([]byte) []byte // until the next call

	header  link
	headSum uint64

	columns []*written // a field's one after the other
	entries int64      // of finished clusters
	now     int64      // of the cluster that is being filled
	raw     int64      // its bytes, unpacked
	pages   []byte     // its pages, packed

	unpacked []byte // room for a page

	clusters []cluster // of the group that is being filled
	offsets  [][]int64 // by cluster and column: elements before it
	groups   []group
	closed   bool
}

// written is a column that is being filled.
type written struct {
	encoding encoding
	kind     int
	before   int64    // elements of finished clusters
	now      int64    // of the cluster that is being filled
	values   []uint64 // of the page that is being filled
	chars    []byte   // the same, for characters
	pages    []page   // whose offsets count from the first
}

// NewWriter begins a file with a table of that name. Its beginning is written last:
// where out is no regular file ([barrow/internal/outfile.File] says so) all of it goes
// to a temporary file first, until Close or Abort.
func NewWriter(out io.Writer, name string, fields []Field) (*Writer, error) {
	if err := check(name, fields); err != nil {
		return nil, fmt.Errorf("rntuple: %w", err)
	}
	p, err := newPacker()
	if err != nil {
		return nil, fmt.Errorf("rntuple: %w", err)
	}
	return newWriter(out, name, fields, p.pack)
}

func newWriter(out io.Writer, name string, fields []Field, pack func([]byte) []byte) (*Writer, error) {
	to, err := newOutput(out)
	if err != nil {
		return nil, fmt.Errorf("rntuple: %w", err)
	}
	w := &Writer{name: name, fields: fields, pack: pack, file: container{out: to, sum: xxh3.New(), name: name + ".root"}}
	for _, f := range fields {
		w.column(types[f.Type].kind)
		if f.Type == Text {
			w.column(charKind)
		}
	}
	w.file.begin()
	header := envelope(headerEnvelope, w.describe)
	w.headSum = sumOf(header)
	w.header = w.envelope(header)
	if err := w.fail(); err != nil {
		to.discard()
		return nil, err
	}
	return w, nil
}

func (w *Writer) column(kind int) {
	w.columns = append(w.columns, &written{kind: kind, encoding: encodings[kind]})
}

// fail is the error of the output, if it has one.
func (w *Writer) fail() error {
	if w.file.err != nil {
		return fmt.Errorf("rntuple: writing %s: %w", w.name, w.file.err)
	}
	return nil
}

func check(table string, fields []Field) error {
	if err := checkName(table); err != nil {
		return fmt.Errorf("a table named %q: %w", table, err)
	}
	if len(fields) == 0 {
		return errors.New("a table without fields")
	}
	names := map[string]bool{}
	for _, f := range fields {
		if err := checkName(f.Name); err != nil {
			return fmt.Errorf("a field named %q: %w", f.Name, err)
		}
		switch {
		case names[f.Name]:
			return fmt.Errorf("two fields named %s", f.Name)
		case f.Type < 0 || int(f.Type) >= len(types):
			return fmt.Errorf("field %s: type %d is not known", f.Name, f.Type)
		case f.Len < 0 || f.Len > 1<<20 || f.Len > 0 && f.Type == Text:
			return fmt.Errorf("field %s: an array of %d %s", f.Name, f.Len, types[f.Type].name)
		}
		names[f.Name] = true
	}
	return nil
}

// checkName holds names to what the format allows.
func checkName(s string) error {
	if s == "" || len(s) > 1<<12 || !utf8.ValidString(s) {
		return errors.New("want some letters, of Unicode")
	}
	if i := strings.IndexFunc(s, func(c rune) bool { return unicode.IsControl(c) || strings.ContainsRune(` ./\`, c) }); i >= 0 {
		return fmt.Errorf("the format has no names with %q", s[i:i+1])
	}
	return nil
}

// Write adds entries: of every field an array with as many values as that takes, in
// Int, Float or Text by its type. Offsets are not looked at. A value that its type
// cannot hold is an error.
func (w *Writer) Write(values []root.Array) error {
	n, err := w.count(values)
	if err != nil {
		return fmt.Errorf("rntuple: %w", err)
	}
	for at := 0; at < n; {
		end := w.room(values, at, n)
		column := 0
		for i, f := range w.fields {
			if err := w.add(w.columns[column:], f, &values[i], at, end); err != nil {
				return fmt.Errorf("rntuple: field %s, entries %d to %d: %w", f.Name, w.entries+w.now, w.entries+w.now+int64(end-at)-1, err)
			}
			if column++; f.Type == Text {
				column++
			}
		}
		w.now += int64(end - at)
		at = end
		if w.raw >= clusterBytes {
			w.cluster()
		}
	}
	return w.fail()
}

// count is the number of entries of values.
func (w *Writer) count(values []root.Array) (int, error) {
	if w.closed {
		return 0, errors.New("written to after Close")
	}
	if len(values) != len(w.fields) {
		return 0, fmt.Errorf("values of %d fields where there are %d", len(values), len(w.fields))
	}
	n := -1
	for i, f := range w.fields {
		have := len(values[i].Int)
		switch f.Type {
		case Float64, Float32:
			have = len(values[i].Float)
		case Text:
			have = len(values[i].Text)
		}
		each := max(f.Len, 1)
		if n < 0 {
			n = have / each
		}
		if have != n*each {
			return 0, fmt.Errorf("field %s has %d values, not %d in each of %d entries", f.Name, have, each, n)
		}
	}
	return n, nil
}

// room is the end of the entries from at on that go into the cluster.
func (w *Writer) room(values []root.Array, at, n int) int {
	raw := w.raw
	for end := at; end < n; end++ {
		for i, f := range w.fields {
			raw += int64(encodings[types[f.Type].kind].bits/8) * int64(max(f.Len, 1))
			if f.Type == Text {
				raw += int64(len(values[i].Text[end]))
			}
		}
		if raw >= clusterBytes {
			return end + 1
		}
	}
	return n
}

// add adds the values of entries from at to end to a field's columns.
func (w *Writer) add(c []*written, f Field, a *root.Array, at, end int) error {
	each := max(f.Len, 1)
	at, end = at*each, end*each
	switch f.Type {
	case Int64, Int32:
		for _, x := range a.Int[at:end] {
			if f.Type == Int32 && int64(int32(x)) != x {
				return fmt.Errorf("%d does not fit into 32 bits", x)
			}
			w.value(c[0], uint64(x))
		}
	case Float64, Float32:
		for _, x := range a.Float[at:end] {
			w.value(c[0], bitsOf(f.Type, x))
		}
	case Text:
		for _, s := range a.Text[at:end] {
			for rest := s; rest != ""; {
				k := min(len(rest), pageBytes-len(c[1].chars))
				c[1].chars = append(c[1].chars, rest[:k]...)
				if rest = rest[k:]; len(c[1].chars) == pageBytes {
					w.page(c[1])
				}
			}
			w.raw += int64(len(s))
			w.value(c[0], uint64(c[1].now)+uint64(len(c[1].chars)))
		}
	}
	return nil
}

// value adds one to a column.
func (w *Writer) value(c *written, x uint64) {
	if c.values == nil {
		c.values = make([]uint64, 0, pageBytes*8/c.encoding.bits)
	}
	c.values = append(c.values, x)
	w.raw += int64(c.encoding.bits / 8)
	if len(c.values) == cap(c.values) {
		w.page(c)
	}
}

// page ends a column's page.
func (w *Writer) page(c *written) {
	n := len(c.values) + len(c.chars)
	if n == 0 {
		return
	}
	b := c.chars
	if c.kind != charKind {
		b = c.encoding.store(w.unpacked, c.values)
		w.unpacked = b
	}
	packed := w.pack(b)
	c.pages = append(c.pages, page{locator{int64(len(w.pages)), int64(len(packed))}, int32(n), true})
	w.pages = append(w.pages, packed...)
	w.pages = binary.LittleEndian.AppendUint64(w.pages, hash(packed))
	c.now += int64(n)
	c.values, c.chars = c.values[:0], c.chars[:0]
}

// cluster ends the cluster.
func (w *Writer) cluster() {
	if w.now == 0 {
		return
	}
	for _, c := range w.columns {
		w.page(c)
	}
	seek := w.file.blob(w.pages)
	now := cluster{first: w.entries, entries: w.now, columns: make([]chunk, len(w.columns))}
	before := make([]int64, len(w.columns))
	for i, c := range w.columns {
		for k := range c.pages {
			c.pages[k].offset += seek
		}
		now.columns[i].pages = append([]page(nil), c.pages...)
		before[i] = c.before
		c.before, c.now, c.pages = c.before+c.now, 0, c.pages[:0]
	}
	w.clusters, w.offsets = append(w.clusters, now), append(w.offsets, before)
	w.entries, w.now, w.raw, w.pages = w.entries+w.now, 0, 0, w.pages[:0]
	if len(w.clusters) == groupLen {
		w.group()
	}
}

// group ends a group of clusters.
func (w *Writer) group() {
	if len(w.clusters) == 0 {
		return
	}
	g := group{first: w.clusters[0].first, clusters: len(w.clusters)}
	g.entries = w.entries - g.first
	g.list = w.envelope(envelope(pageListEnvelope, w.list))
	w.groups = append(w.groups, g)
	w.clusters, w.offsets = w.clusters[:0], w.offsets[:0]
}

// envelope writes one and returns where it is.
func (w *Writer) envelope(b []byte) link {
	packed := w.pack(b)
	return link{locator{w.file.blob(packed), int64(len(packed))}, int64(len(b))}
}

// Abort ends the writing without a file that could be read. After Close it does nothing.
func (w *Writer) Abort() {
	w.closed = true
	w.file.out.discard()
}

// Close completes the file. It does not close the output.
func (w *Writer) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	defer w.file.out.discard()
	w.cluster()
	w.group()
	footer := w.envelope(envelope(footerEnvelope, w.foot))
	var said be
	for _, version := range []uint16{1, 0, 0, 0} {
		said.u16(version)
	}
	for _, x := range []int64{w.header.offset, w.header.size, w.header.length, footer.offset, footer.size, footer.length, maxRecord} {
		said.u64(uint64(x))
	}
	var b be
	b.counted(func() {
		b.u16(2)
		b = append(b, said...)
	})
	b.u64(hash(said))
	key, _ := w.file.record(Class, w.name, "", b)
	if w.file.err == nil {
		w.file.err = w.file.end(key)
	}
	if w.file.err == nil {
		w.file.err = w.file.out.finish()
	}
	return w.fail()
}
