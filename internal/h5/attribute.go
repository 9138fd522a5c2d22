package h5

import (
	"bytes"
	"encoding/binary"
)

// maxParts is in how many attributes a list may come.
const maxParts = 256

// An attribute is a small named value on a group or dataset.
type attribute struct {
	o        *object
	name     string
	datatype datatype
	elements int
	data     []byte
}

// attribute finds an attribute by name.
func (o *object) attribute(name string) (*attribute, bool, error) {
	for _, m := range o.messages {
		if m.kind != msgAttribute {
			continue
		}
		c := &cursor{b: m.data}
		version := c.u8()
		c.skip(1)
		sizes := [3]int{c.u16(), c.u16(), c.u16()}
		take := c.take
		switch version {
		case 1:
			take = c.padded
		case 2:
		case 3:
			c.skip(1)
		default:
			return nil, false, errorf("%s: attribute of version %d is not supported; supported are 1 to 3", o.path, version)
		}
		got, _, _ := bytes.Cut(take(sizes[0]), []byte{0})
		if string(got) != name {
			continue
		}
		typ, space := take(sizes[1]), take(sizes[2])
		if c.short {
			return nil, false, errorf("%s: attribute %s is cut short: the file is damaged", o.path, name)
		}
		a := &attribute{o: o, name: name}
		var err error
		if a.datatype, err = o.datatype(typ); err != nil {
			return nil, false, err
		}
		if _, a.elements, err = o.dataspace(space); err != nil {
			return nil, false, err
		}
		n := a.elements * a.datatype.size
		if a.data = c.take(n); c.short {
			return nil, false, errorf("%s: attribute %s should hold %d bytes, but is cut short: the file is damaged", o.path, name, n)
		}
		return a, true, nil
	}
	return nil, false, nil
}

// strings are the attribute's elements as strings, of fixed or variable length.
func (a *attribute) strings() ([]string, error) {
	t := a.datatype
	if a.elements == 0 {
		return nil, nil // numpy gives an empty list of strings the type float64
	}
	if t.class != Text && (t.class != Variable || !t.text || t.size != 16) {
		return nil, errorf("%s: attribute %s holds elements of class %v, not strings", a.o.path, a.name, t.class)
	}
	out := make([]string, a.elements)
	total := 0
	for i := range out {
		b := a.data[i*t.size : (i+1)*t.size]
		if t.class == Variable {
			var err error
			if b, err = a.o.file.heapObject(b); err != nil {
				return nil, errorf("%s: attribute %s: %w", a.o.path, a.name, err)
			}
		}
		b, _, _ = bytes.Cut(b, []byte{0})
		if total += len(b); total > len(a.o.file.data) {
			return nil, errorf("%s: attribute %s has more text than the file has bytes: the file is damaged", a.o.path, a.name)
		}
		out[i] = string(b)
	}
	return out, nil
}

// heapObject follows a reference (length, address, index) into the file's
// global heap, where strings of variable length are.
func (f *File) heapObject(ref []byte) ([]byte, error) {
	c := &cursor{b: ref}
	length, at, index := c.u32(), c.u64(), c.u32()
	if length == 0 {
		return nil, nil
	}
	b, err := f.block(at, 16, "global heap")
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(b, []byte("GCOL")) {
		return nil, errorf("no global heap at address %#x: the file is damaged", at)
	}
	if b, err = f.block(at, binary.LittleEndian.Uint64(b[8:]), "global heap"); err != nil {
		return nil, err
	}
	for c = (&cursor{b: b, pos: 16}); len(b)-c.pos >= 16; {
		id := c.u16()
		c.skip(6)
		size := c.u64()
		if id == 0 || size > uint64(len(b)) {
			break
		}
		if data := c.padded(int(size)); uint32(id) == index && int64(length) <= int64(len(data)) {
			return data[:length], nil
		}
	}
	return nil, errorf("global heap at address %#x has no object %d of %d bytes: the file is damaged", at, index, length)
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
func (g *Group) String(name string) (string, bool, error) {
	a, ok, err := g.o.attribute(name)
	if !ok || err != nil {
		return "", false, err
	}
	s, err := a.strings()
	if err != nil {
		return "", false, err
	}
	if len(s) != 1 {
		return "", false, errorf("%s: attribute %s holds %d strings, not one", g.o.path, name, len(s))
	}
	return s[0], true, nil
}
