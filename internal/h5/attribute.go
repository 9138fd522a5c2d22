package h5

import "bytes"

// maxParts is in how many attributes a list may come.
const maxParts = 256

// An attribute is a small named value on a group or dataset.
type attribute struct {
	o     *object
	name  string
	typ   *Type
	space *space
	data  []byte
}

// attribute finds an attribute by name.
func (o *object) attribute(name string) (*attribute, bool, error) {
	var found *attribute
	visit := func(b []byte) error {
		if found != nil {
			return nil
		}
		a, err := o.readAttribute(b, name)
		found = a
		return err
	}
	for _, m := range o.messages {
		if m.kind == msgAttribute {
			if err := visit(m.data); err != nil {
				return nil, false, err
			}
		}
	}
	info, ok := o.first(msgAttrInfo)
	if !ok || found != nil {
		return found, found != nil, nil
	}
	c := &cursor{b: info}
	version, flags := c.u8(), c.u8()
	if flags&1 != 0 {
		c.skip(2)
	}
	heapAt, names := c.u64(), c.u64()
	if c.short || version != 0 {
		return nil, false, errorf("%s: attributes listed in version %d are not supported; supported is 0", o.path, version)
	}
	err := o.dense(heapAt, names, treeAttributes, 0, visit)
	return found, found != nil, err
}

// readAttribute reads an attribute message, nil if it has another name.
func (o *object) readAttribute(b []byte, name string) (*attribute, error) {
	c := &cursor{b: b}
	version, flags := c.u8(), c.u8()
	sizes := [3]int{c.u16(), c.u16(), c.u16()}
	take := c.take
	switch version {
	case 1:
		take, flags = c.padded, 0
	case 2:
	case 3:
		c.skip(1)
	default:
		return nil, errorf("%s: attribute of version %d is not supported; supported are 1 to 3", o.path, version)
	}
	got, _, _ := bytes.Cut(take(sizes[0]), []byte{0})
	if string(got) != name {
		return nil, nil
	}
	typ, shape := take(sizes[1]), take(sizes[2])
	if c.short {
		return nil, errorf("%s: attribute %s is cut short: the file is damaged", o.path, name)
	}
	a := &attribute{o: o, name: name}
	var err error
	if flags&1 != 0 {
		if typ, err = o.follow(msgDatatype, typ); err != nil {
			return nil, err
		}
	}
	if flags&2 != 0 {
		return nil, errorf("%s: attribute %s has a shared shape, which is not supported", o.path, name)
	}
	if a.typ, err = o.datatype(typ); err != nil {
		return nil, err
	}
	if a.space, err = o.dataspace(shape); err != nil {
		return nil, err
	}
	if a.space.elements > uint64(len(b)) {
		return nil, errorf("%s: attribute %s should hold %d elements, but is cut short: the file is damaged", o.path, name, a.space.elements)
	}
	n := int(a.space.elements) * a.typ.Size
	if a.data = c.take(n); c.short {
		return nil, errorf("%s: attribute %s should hold %d bytes, but is cut short: the file is damaged", o.path, name, n)
	}
	return a, nil
}

// strings are the attribute's elements as strings, of fixed or variable length.
func (a *attribute) strings() ([]string, error) {
	if a.space.elements == 0 {
		return nil, nil // numpy gives an empty list of strings the type float64
	}
	if !a.typ.Words() {
		return nil, errorf("%s: attribute %s holds elements of class %v, not strings", a.o.path, a.name, a.typ.Class)
	}
	return a.o.strings(a.typ, int(a.space.elements), a.data, a.typ.Size)
}

// Strings is the value of a string attribute of the group, and whether the
// group has it. A list longer than one attribute may be (64 KiB) is looked for
// the way Keras writes it, in attributes name0, name1 and so on.
func (g *Group) Strings(name string) ([]string, bool, error) {
	a, ok, err := g.o.attribute(name)
	if err != nil {
		return nil, false, err
	}
	if ok {
		out, err := a.strings()
		return out, err == nil, err
	}
	var out []string
	for i := 0; ; i++ {
		a, ok, err := g.o.attribute(chunkName(name, i))
		if err != nil {
			return nil, false, err
		}
		if !ok {
			return out, i > 0, nil
		}
		part, err := a.strings()
		if err != nil {
			return nil, false, err
		}
		if i >= maxParts {
			return nil, false, errorf("%s: attribute %s comes in more than %d parts, which is not supported", g.o.path, name, maxParts)
		}
		out = append(out, part...)
	}
}

// String is the value of a string attribute of one element, and whether the
// group has it.
func (g *Group) String(name string) (string, bool, error) { return g.o.text(name) }

// String is the value of a string attribute of one element, and whether the
// dataset has it.
func (d *Dataset) String(name string) (string, bool, error) { return d.o.text(name) }

// HasAttribute says whether the group has an attribute, of any type.
func (g *Group) HasAttribute(name string) (bool, error) {
	_, ok, err := g.o.attribute(name)
	return ok, err
}

func (o *object) text(name string) (string, bool, error) {
	a, ok, err := o.attribute(name)
	if !ok || err != nil {
		return "", false, err
	}
	s, err := a.strings()
	if err != nil {
		return "", false, err
	}
	if len(s) != 1 {
		return "", false, errorf("%s: attribute %s holds %d strings, not one", o.path, name, len(s))
	}
	return s[0], true, nil
}
