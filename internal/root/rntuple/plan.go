package rntuple

import (
	"fmt"
	"math"
	"strings"

	"barrow/internal/root"
)

// A leaf is the values of one column of the table: how an entry comes to them.
type leaf struct {
	top *field
	// levels lead from the entry to the values.
	levels []level
	// value is the field whose columns have the values.
	value *field
	// lengths are read in place of values: how many members a collection has.
	lengths bool
	// single precision is that of the field.
	single bool
}

// level is one step from an entry to its values: so many each, or, where repeat is 0,
// as many as the field's column of indices says.
type level struct {
	repeat int64
	field  *field
}

// maxDepth bounds fields within fields.
const maxDepth = 100

// planner collects the columns of a table.
type planner struct {
	t   *Table
	top *field
	// paths are the columns'.
	paths []path
}

// plan makes the table's columns of its fields.
func (t *Table) plan() {
	p := planner{t: t}
	for _, f := range t.schema.top {
		p.top = f
		p.visit(f, path{name: f.name})
	}
	p.name()
}

// path is how a field was come to.
type path struct {
	name   string
	levels []level
	// around is how the type of a value is written, %s being the value's own.
	around string
	depth  int
	// bases are the classes that the last record inherits the member from.
	bases []string
}

func (p path) typ(value string) string {
	if p.around == "" {
		return value
	}
	return strings.Replace(p.around, "\x00", value, 1)
}

// within is the path of a member or of what is in a collection.
func (p path) within(l *level, around string) path {
	if l != nil {
		p.levels = append(p.levels[:len(p.levels):len(p.levels)], *l)
		p.around = p.typ(around)
	}
	p.depth++
	return p
}

// visit adds the columns of a field.
func (p *planner) visit(f *field, at path) {
	switch {
	case at.depth > maxDepth:
		p.unread(f, at, "too many fields within each other")
	case f.repeat == noValues:
		p.unread(f, at, "an array of length 0")
	case f.role == variantRole:
		p.unread(f, at, "its values are of one of several types each")
	case f.role == streamerRole:
		p.unread(f, at, "objects as ROOT's streamers write them")
	case f.role > streamerRole:
		p.unread(f, at, fmt.Sprintf("a field of role %#02x is not known", f.role))
	case f.role == collectionRole:
		if len(f.children) != 1 || f.representationLen != 1 || p.class(f, 0) != indices {
			p.unread(f, at, "a collection without its index or its members' field")
			return
		}
		p.visit(f.children[0], at.within(&level{field: f}, collectionType(f.typ)))
	case f.repeat > 0 && len(f.columns) == 0:
		if len(f.children) != 1 {
			p.unread(f, at, "an array without its members' field")
			return
		}
		p.visit(f.children[0], at.within(&level{repeat: f.repeat}, fmt.Sprintf("\x00[%d]", f.repeat)))
	case f.role == recordRole:
		p.members(f, at)
	case len(f.columns) == 0 && len(f.children) == 1:
		// Around a value, as enumerations and atomic values have it.
		p.visit(f.children[0], at.within(nil, ""))
	default:
		if f.repeat > 0 { // a bitset
			at = at.within(&level{repeat: f.repeat}, "\x00")
		}
		p.value(f, at)
	}
}

// members adds the columns of a record. Those of classes it inherits from are its own.
func (p *planner) members(f *field, at path) {
	if len(f.children) == 0 {
		p.unread(f, at, "a record without members")
	}
	for _, c := range f.children {
		m := at.within(nil, "")
		if !strings.HasPrefix(f.name, ":_") {
			m.bases = nil
		}
		switch {
		case strings.HasPrefix(c.name, ":_"):
			m.bases = append(m.bases[:len(m.bases):len(m.bases)], c.typ)
		case strings.HasPrefix(c.name, "_") && digits(c.name[1:]): // of a pair or tuple
			m.name += "." + c.name[1:]
		default:
			m.name += "." + c.name
		}
		p.visit(c, m)
	}
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

// value adds a field with columns of values.
func (p *planner) value(f *field, at path) {
	c := root.Column{Type: at.typ(cppType(f.typ))}
	l := &leaf{top: p.top, levels: at.levels, value: f, single: strings.TrimPrefix(f.typ, "std::") == "float"}
	switch class := p.class(f, 0); {
	case f.representationLen == 2 && class == indices && p.chars(f):
		c.Kind = root.Text
	case f.representationLen != 1:
		p.unread(f, at, fmt.Sprintf("values of type %s in %d columns are not known", f.typ, f.representationLen))
		return
	case class == indices:
		c.Kind, l.lengths = root.Int, true
		c.Type = at.typ(strings.TrimSuffix(strings.TrimPrefix(cppType(f.typ), "ROOT::RNTupleCardinality<"), ">"))
	case class == integers:
		c.Kind = root.Int
	case class == unsigned:
		c.Kind = root.Uint
	case class == floats:
		c.Kind = root.Float
	default:
		p.unread(f, at, p.why(f))
		return
	}
	c.Len, c.Nested = 1, len(at.levels) > 1
	for _, v := range at.levels {
		switch {
		case v.repeat == 0 || c.Len < 0:
			c.Len = -1
		case v.repeat > math.MaxInt32/int64(c.Len):
			p.unread(f, at, "an array of too many values")
			return
		default:
			c.Len *= int(v.repeat)
		}
	}
	p.add(at, c, l)
}

func (p *planner) unread(f *field, at path, why string) {
	p.add(at, root.Column{Type: at.typ(cppType(f.typ)), Len: -1, Unread: why}, &leaf{top: p.top})
}

func (p *planner) add(at path, c root.Column, l *leaf) {
	c.Name = at.name
	p.t.columns = append(p.t.columns, c)
	p.t.leaves = append(p.t.leaves, l)
	p.paths = append(p.paths, at)
}

// name tells members of the same name apart that a class and those it inherits from
// have: all but its own get as many of those classes in front as it takes.
func (p *planner) name() {
	for most := 1; ; most++ {
		count := map[string]int{}
		for _, c := range p.t.columns {
			count[c.Name]++
		}
		changed := false
		for i, at := range p.paths {
			c := &p.t.columns[i]
			if count[c.Name] == 1 || most > len(at.bases) {
				continue
			}
			folder, name := "", at.name
			if k := strings.LastIndexByte(name, '.'); k >= 0 {
				folder, name = name[:k+1], name[k+1:]
			}
			c.Name = folder + strings.Join(at.bases[:most], "::") + "::" + name
			changed = true
		}
		if !changed {
			return
		}
	}
}

// class is that of the field's columns at a place of each representation, unknown
// where they differ. Numbers of both kinds are floats.
func (p *planner) class(f *field, place int) class {
	out := unknown
	for i := place; i < len(f.columns); i += f.representationLen {
		c := f.columns[i].encoding().class
		switch {
		case out == unknown || out == c:
			out = c
		default:
			return unknown
		}
		if out == unknown {
			return unknown
		}
	}
	return out
}

// chars tells whether the second column of each representation is of characters.
func (p *planner) chars(f *field) bool {
	for i := 1; i < len(f.columns); i += 2 {
		if f.columns[i].kind != charKind || f.columns[i].bits != 8 {
			return false
		}
	}
	return true
}

// why says why a field with columns is not read.
func (p *planner) why(f *field) string {
	for _, c := range f.columns {
		if c.encoding().class == unknown {
			return c.unread()
		}
	}
	return "its columns are of several kinds"
}

// cppType is a type's name without the namespaces that all have.
func cppType(t string) string {
	if t == "" {
		return "record"
	}
	return strings.ReplaceAll(strings.ReplaceAll(t, "ROOT::VecOps::", ""), "std::", "")
}

// collectionType is how a collection's type is written around that of its members.
func collectionType(t string) string {
	t = cppType(t)
	name, _, ok := strings.Cut(t, "<")
	if !ok {
		name = "vector"
	}
	return name + "<\x00>"
}
