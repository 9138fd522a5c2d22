package ttree

import (
	"errors"
	"fmt"
	"strings"

	"barrow/internal/root"
)

// number is how one value is written.
type number int

const (
	i8 number = iota
	u8
	i16
	u16
	i32
	u32
	i64
	u64
	f32
	f64
	truth
	// short32 is an exponent of eight bits and a mantissa of up to sixteen.
	short32
	// ranged is 32 bits that count steps of a range.
	ranged
	// text is strings that begin with their length.
	text
)

// numbers are the values' sizes in bytes, their kinds, and their names in C++.
var numbers = [...]struct {
	size int
	kind root.Kind
	name string
}{
	i8: {1, root.Int, "int8_t"}, u8: {1, root.Int, "uint8_t"}, i16: {2, root.Int, "int16_t"}, u16: {2, root.Int, "uint16_t"},
	i32: {4, root.Int, "int32_t"}, u32: {4, root.Int, "uint32_t"}, i64: {8, root.Int, "int64_t"}, u64: {8, root.Uint, "uint64_t"},
	f32: {4, root.Float, "float"}, f64: {8, root.Float, "double"}, truth: {1, root.Int, "bool"},
	short32: {3, root.Float, "Float16_t"}, ranged: {4, root.Float, "Double32_t"}, text: {1, root.Text, "string"},
}

// layout is how a branch's entries are written.
type layout struct {
	number number
	// n is the number of values of every entry, or of every element of a list.
	n int
	// list tells that entries differ in their number of values.
	list bool
	// header is the number of bytes in front of an entry's list; the last four count its
	// elements where counted is set.
	header  int
	counted bool
	// before is where the values are within an entry of stride bytes, where they are one
	// of a branch's several leaves.
	before, stride int
	// counts is the branch that counts an entry's values.
	counts *branch
	// bits is the mantissa's in short32; low and step are for ranged.
	bits      int
	low, step float64
	// prefix is the number of bytes in front of strings: of their length.
	prefix int
}

// size is the number of bytes of an entry, or of one element of its list.
func (l *layout) size() int { return numbers[l.number].size * l.n }

// typeName is the type as people read it.
func (l *layout) typeName(vector bool) string {
	name := numbers[l.number].name
	switch {
	case vector:
		return "vector<" + name + ">"
	case l.list && l.n > 1:
		return fmt.Sprintf("%s[][%d]", name, l.n)
	case l.list:
		return name + "[]"
	case l.n > 1:
		return fmt.Sprintf("%s[%d]", name, l.n)
	}
	return name
}

// interpret makes a branch's columns: none where it only holds others together.
func (t *Tree) interpret(b *branch) []column {
	parent := len(b.object.Objects("fBranches")) > 0
	if parent && b.kind != clones && b.kind != collection {
		return nil
	}
	if len(b.leaves) > 1 && b.err == nil {
		return t.leafList(b)
	}
	c := column{Column: root.Column{Name: b.name, Type: b.typeName(t)}, branch: b}
	var err error
	vector := false
	switch {
	case b.err != nil:
		err = b.err
	case b.object.Text("fFileName") != "":
		err = fmt.Errorf("its values are in another file, %s", b.object.Text("fFileName"))
	case len(b.leaves) == 0 || b.leaves[0] == nil:
		err = fmt.Errorf("a branch without leaves")
	case parent:
		c.layout = layout{number: i32, n: 1}
	default:
		c.layout, vector, err = t.layout(b, b.leaves[0])
	}
	t.finish(&c, vector, err)
	return []column{c}
}

// finish fills in what the layout says of a column.
func (t *Tree) finish(c *column, vector bool, err error) {
	if err != nil {
		c.Unread = err.Error()
		return
	}
	c.Kind = numbers[c.layout.number].kind
	c.Type = c.layout.typeName(vector)
	c.Len = c.layout.n
	if c.layout.list || c.branch.entries() < t.entries {
		c.Len = -1
	}
}

// leafList makes a column of each of a branch's leaves, which stand behind each other in
// its entries.
func (t *Tree) leafList(b *branch) []column {
	list := make([]column, len(b.leaves))
	stride := 0
	var bad error
	for i, l := range b.leaves {
		if l == nil {
			l = &root.Object{Class: "none", Err: errors.New("it is not there")}
		}
		list[i] = column{Column: root.Column{Name: b.name + "." + l.Text("fName"), Type: l.Class}, branch: b}
		layout, _, err := t.layout(b, l)
		if err == nil && (layout.list || layout.number == text) {
			err = fmt.Errorf("leaf %s differs in its size from entry to entry", l.Text("fName"))
		}
		if err != nil && bad == nil {
			bad = err
		}
		list[i].layout = layout
		list[i].layout.before = stride
		stride += layout.size()
	}
	for i := range list {
		list[i].layout.stride = stride
		t.finish(&list[i], false, bad)
	}
	return list
}

// typeName is the type that the file says, for a branch that is not read.
func (b *branch) typeName(t *Tree) string {
	if b.above == nil || b.object.Class == "TBranchObject" {
		if s := b.object.Text("fClassName"); s != "" {
			return s
		}
	}
	if e := t.element(b); e != nil {
		return e.Type
	}
	if len(b.leaves) > 0 && b.leaves[0] != nil {
		return b.leaves[0].Class
	}
	return b.object.Class
}

// element is the member of a class that a branch has the values of.
func (t *Tree) element(b *branch) *root.Element {
	o := b.object
	if !o.Has("fID") || o.Int("fID") < 0 {
		return nil
	}
	list := t.infos.Elements(o.Text("fClassName"), int(o.Int("fClassVersion")), uint32(o.Int("fCheckSum")))
	name := b.name[strings.LastIndexByte(b.name, '.')+1:]
	name, _, _ = strings.Cut(name, "[")
	id := int(o.Int("fID"))
	if id < len(list) && list[id].Name == name {
		return &list[id]
	}
	for i := range list {
		if list[i].Name == name {
			return &list[i]
		}
	}
	if id < len(list) {
		return &list[id]
	}
	return nil
}

// layout is how a leaf's values are written.
func (t *Tree) layout(b *branch, leaf *root.Object) (layout, bool, error) {
	l := layout{n: int(leaf.Int("fLen"))}
	if l.n == 0 || l.n == -1 {
		l.n = 1 // A counted array says that it has none.
	}
	if l.n < 0 || l.n > 1<<28 {
		return l, false, fmt.Errorf("leaf %s with %d values", leaf.Text("fName"), l.n)
	}
	counter := leaf.Object("fLeafCount")
	if counter != nil {
		l.list = true
		l.counts = t.leaves[counter]
	}
	unsigned := leaf.Int("fIsUnsigned") != 0
	pick := func(signed, un number) number {
		if unsigned {
			return un
		}
		return signed
	}
	switch leaf.Class {
	case "TLeafB":
		l.number = pick(i8, u8)
	case "TLeafS":
		l.number = pick(i16, u16)
	case "TLeafI":
		l.number = pick(i32, u32)
	case "TLeafL", "TLeafG":
		l.number = pick(i64, u64)
	case "TLeafF":
		l.number = f32
	case "TLeafD":
		l.number = f64
	case "TLeafO":
		l.number = truth
	case "TLeafF16":
		l.short(leaf.Text("fTitle"), true)
	case "TLeafD32":
		l.short(leaf.Text("fTitle"), false)
	case "TLeafC":
		l = layout{number: text, n: 1, prefix: 1}
	case "TLeafElement":
		return t.elementLayout(b, leaf, l)
	default:
		return l, false, fmt.Errorf("values of class %s", b.typeName(t))
	}
	return l, false, nil
}

// elementLayout is how the values of a member of a class are written.
func (t *Tree) elementLayout(b *branch, leaf *root.Object, l layout) (layout, bool, error) {
	code := int(leaf.Int("fType"))
	member := b.kind == clonesMember || b.kind == collectMember
	if member {
		l.list = true
		if l.counts == nil {
			l.counts = t.countOf(b)
		}
	}
	if code > root.CodePointer && code < 60 {
		if member {
			return l, false, fmt.Errorf("%s within a list", b.typeName(t))
		}
		l = layout{n: 1, list: true, header: 1}
		code -= root.CodePointer
	} else if code > root.CodeArray && code < root.CodePointer {
		code -= root.CodeArray
	}
	title := ""
	if e := t.element(b); e != nil {
		title = e.Title
	}
	switch code {
	case root.CodeDouble32:
		l.short(title, false)
		return l, false, nil
	case root.CodeFloat16:
		l.short(title, true)
		return l, false, nil
	}
	if n, ok := byCode[code]; ok {
		l.number = n
		return l, false, nil
	}
	return t.objectLayout(b, code, l, member)
}

// countOf is the branch that counts the elements of the list whose member b has.
func (t *Tree) countOf(b *branch) *branch {
	for up := b.above; up != nil; up = up.above {
		if up.kind == clones || up.kind == collection {
			return up
		}
	}
	return nil
}

// byCode are the numbers by ROOT's codes.
var byCode = map[int]number{
	root.CodeChar: i8, root.CodeUChar: u8, root.CodeShort: i16, root.CodeUShort: u16, root.CodeInt: i32, root.CodeCounter: i32,
	root.CodeUInt: u32, root.CodeBits: u32, root.CodeLong: i64, root.CodeULong: u64, root.CodeLong64: i64, root.CodeULong64: u64,
	root.CodeFloat: f32, root.CodeDouble: f64, root.CodeBool: truth,
}

// objectLayout is how strings and containers of numbers are written.
func (t *Tree) objectLayout(b *branch, code int, l layout, member bool) (layout, bool, error) {
	name := b.typeName(t)
	no := fmt.Errorf("values of class %s", name)
	if member {
		return l, false, fmt.Errorf("values of class %s within a list", name)
	}
	class := plain(name)
	switch {
	case l.n > 1 || l.list:
		return l, false, fmt.Errorf("an array of %s", name)
	case code == root.CodeCharStar || class == "char*":
		return layout{number: text, n: 1, prefix: 4}, false, nil
	case code == root.CodeTString, code == root.CodeSTLString, class == "TString", class == "string":
		return layout{number: text, n: 1, prefix: 1}, false, nil
	}
	if n, ok := tarrays[class]; ok {
		return layout{number: n, n: 1, list: true, header: 4, counted: true}, false, nil
	}
	within, ok := elementOf(strings.TrimSuffix(class, "*")) // A list behind a pointer is written like one that is not.
	if !ok {
		return l, false, no
	}
	l = layout{n: 1, list: true, header: 10, counted: true}
	switch within {
	case "string", "TString":
		l.number, l.prefix = text, 1
	case "Double32_t":
		l.number = f32
	case "Float16_t":
		l.number, l.bits = short32, 12
	default:
		if l.number, ok = byName[within]; !ok {
			return l, false, no
		}
	}
	return l, true, nil
}
