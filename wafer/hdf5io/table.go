package hdf5io

import (
	"fmt"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/internal/h5"
)

// A file is what an HDF5 file holds.
type file struct {
	name   string
	root   *h5.Group
	tables []*table
}

// A table is a group with its datasets, a dataset of structures, or a data frame.
type table struct {
	name  string // path without the leading slash; "/" for the file's root
	kind  string // group, table, frame
	parts []part
	words func(attribute string) (string, bool, error) // of the group, or the structures
	err   error                                        // why it cannot be read
}

// A part is what a column may be: a dataset, a field of structures, a frame's column.
type part struct {
	name    string
	dataset *h5.Dataset
	typ     *h5.Type // of a value
	offset  int      // of a row's first value, in the row
	shape   []int    // of a row, without dimensions of length 1
	rows    int
	scalar  bool   // the dataset has no rows
	dims    string // the whole shape, for messages
	why     string // why it is not read

	perSecond int64 // whole numbers that are times since 1970: so many a second
	utc       bool  // and in UTC, not of no zone
}

// per is how many values a row has.
func (p *part) per() int {
	n := 1
	for _, d := range p.shape {
		n *= d
	}
	return n
}

func (p *part) numbers() bool { return p.why == "" && p.perSecond == 0 && p.typ.Number() }

// image reports whether a row is the charges of an image.
func (p *part) image() bool {
	return p.numbers() && !p.scalar && len(p.shape) == 1 && p.shape[0] == hgcal.Cells
}

// kind is type and shape.
func (p *part) kind() string {
	if p.typ == nil {
		return "unread"
	}
	if p.perSecond > 0 {
		return "time " + p.dims
	}
	return p.typ.String() + " " + p.dims
}

// A walk goes through a file's groups and notes their tables.
type walk struct {
	file    *file
	seen    map[uint64]bool
	objects int
}

// Bounds of what is looked at.
const (
	mostDepth   = 16
	mostObjects = 100_000
)

// group notes the tables in a group and those below it.
func (w *walk) group(g *h5.Group, depth int) {
	path := strings.Trim(g.Path(), "/")
	if path == "" {
		path = "/"
	}
	t := &table{name: path, kind: "group", words: g.String}
	if kind, _, err := g.String("pandas_type"); err == nil && kind == "frame" {
		t.kind = "frame"
		t.frame(g)
		w.file.tables = append(w.file.tables, t)
		return
	}
	var below []*h5.Group
	var structures []*table
	for _, name := range g.Names() {
		if w.objects++; w.objects > mostObjects {
			t.err = fmt.Errorf("hdf5: %s: the file has more than %d objects, the others are not looked at", g.Path(), mostObjects)
			break
		}
		if strings.HasPrefix(name, "_i_") { // an index of PyTables
			continue
		}
		sub, d, err := g.Open(name)
		switch {
		case err != nil:
			t.parts = append(t.parts, part{name: name, why: strings.TrimPrefix(err.Error(), "hdf5: ")})
		case sub != nil && depth < mostDepth && !w.seen[sub.Address()]:
			w.seen[sub.Address()] = true
			below = append(below, sub)
		case d == nil || w.seen[d.Address()]:
		case d.Type().Class == h5.Compound:
			w.seen[d.Address()] = true
			structures = append(structures, structure(d))
		default:
			w.seen[d.Address()] = true
			t.parts = append(t.parts, whole(name, d))
		}
	}
	structures = t.join(structures)
	if len(t.parts) > 0 || t.err != nil {
		w.file.tables = append(w.file.tables, t)
	}
	w.file.tables = append(w.file.tables, structures...)
	for _, sub := range below {
		w.group(sub, depth+1)
	}
}

// hasCharges reports whether a part may be charges.
func (t *table) hasCharges() bool {
	return t.named() || slices.ContainsFunc(t.parts, func(p part) bool { return p.image() })
}

// join takes structures beside charges for metadata of these, field by field, and
// returns those that have charges themselves.
func (t *table) join(structures []*table) []*table {
	if !t.hasCharges() {
		return structures
	}
	return slices.DeleteFunc(structures, func(of *table) bool {
		if of.err != nil || of.hasCharges() {
			return false
		}
		t.parts = append(t.parts, of.parts...)
		return true
	})
}

// whole is a dataset as one part.
func whole(name string, d *h5.Dataset) part {
	p := part{name: name, dataset: d, typ: d.Type(), scalar: len(d.Shape()) == 0, rows: 1}
	shape := d.Shape()
	if !p.scalar {
		p.rows = shape[0]
		p.shape = squeezed(shape[1:])
	}
	p.settle(shape)
	return p
}

// settle takes an array in each element for dimensions of the dataset, and says why
// values are not read that are neither numbers nor text.
func (p *part) settle(shape []int) {
	shape = slices.Clone(shape)
	for p.typ.Class == h5.Block {
		shape = append(shape, p.typ.Dims...)
		p.shape = append(p.shape, squeezed(p.typ.Dims)...)
		p.typ = p.typ.Base
	}
	p.dims = dims(shape)
	if !p.typ.Number() && !p.typ.Words() {
		p.why = fmt.Sprintf("values of type %v; save them as numbers or text", p.typ)
	}
}

// dims is a shape as NumPy writes it.
func dims(shape []int) string {
	text := strings.ReplaceAll(strings.Trim(fmt.Sprint(shape), "[]"), " ", ", ")
	if len(shape) == 1 {
		text += ","
	}
	return "(" + text + ")"
}

func squeezed(shape []int) []int {
	return slices.DeleteFunc(slices.Clone(shape), func(n int) bool { return n == 1 })
}

// structure is a dataset of structures as a table.
func structure(d *h5.Dataset) *table {
	t := &table{name: strings.Trim(d.Path(), "/"), kind: "table", words: d.String}
	shape := d.Shape()
	if len(shape) == 0 || len(squeezed(shape[1:])) > 0 {
		t.err = fmt.Errorf("hdf5: %s: structures in a shape of %s: no rows", d.Path(), dims(shape))
		return t
	}
	var add func(prefix string, typ *h5.Type, offset int)
	add = func(prefix string, typ *h5.Type, offset int) {
		for _, m := range typ.Members {
			if m.Type.Class == h5.Compound { // depth is bounded where types are read
				add(prefix+m.Name+".", m.Type, offset+m.Offset)
				continue
			}
			p := part{name: prefix + m.Name, dataset: d, typ: m.Type, offset: offset + m.Offset, rows: shape[0]}
			p.settle([]int{p.rows})
			for _, attribute := range []string{"_dtype", "_kind"} { // of columns, of the index
				p.times(said(d, p.name+attribute), false)
			}
			if names, ok := blockNames(d, p.name, p.per()); ok {
				t.parts = append(t.parts, p.columns(names)...)
				continue
			}
			t.parts = append(t.parts, p)
		}
	}
	add("", d.Type(), 0)
	return t
}
