package root

import (
	"errors"
	"fmt"
)

// maxNested bounds objects within objects.
const maxNested = 100

// An Object is an object of a file as its members, those of its base classes among
// them.
type Object struct {
	Class   string
	Version int
	// Err says why not all members were read, where it is so.
	Err error

	members []member
	// raw is the bytes of an object that is not read.
	raw []byte
}

// member is one member: one of the four has its value.
type member struct {
	name    string
	number  int64
	float   float64
	text    string
	objects []*Object
	numbers []int64
	floats  []float64
}

func (o *Object) member(name string) *member {
	if o != nil {
		for i := range o.members {
			if o.members[i].name == name {
				return &o.members[i]
			}
		}
	}
	return &member{}
}

// Has tells whether a member was read.
func (o *Object) Has(name string) bool { return o.member(name).name != "" }

// Int is a member that is an integer or a truth value; 0 where there is none.
func (o *Object) Int(name string) int64 {
	m := o.member(name)
	if m.float != 0 {
		return int64(m.float) // Counts of entries were once of floating point.
	}
	return m.number
}

// Text is a member that is a string.
func (o *Object) Text(name string) string { return o.member(name).text }

// Ints is a member that is an array of integers.
func (o *Object) Ints(name string) []int64 { return o.member(name).numbers }

// Objects is a member that is an object, a pointer to one, or a list of them; nil
// stands for what is not there.
func (o *Object) Objects(name string) []*Object {
	m := o.member(name)
	if len(m.objects) == 1 && m.objects[0] != nil && m.objects[0].isList() {
		return m.objects[0].member("elements").objects
	}
	return m.objects
}

// Object is a member that is an object, or a pointer to one.
func (o *Object) Object(name string) *Object {
	if m := o.member(name); len(m.objects) == 1 {
		return m.objects[0]
	}
	return nil
}

func (o *Object) isList() bool {
	switch o.Class {
	case "TObjArray", "TList", "THashList":
		return true
	}
	return false
}

// Raw is the object's bytes where Err says that it is not read.
func (o *Object) Raw() []byte { return o.raw }

// Object reads an object of a class with the members that infos say.
func (b *Buffer) Object(class string, infos *Streamers) *Object {
	o := &Object{Class: class}
	b.object(o, infos)
	return o
}

// object reads an object that begins with its version. Where the file says where it
// ends, an error within it is its own and the buffer goes on behind it.
func (b *Buffer) object(o *Object, infos *Streamers) {
	if b.depth++; b.depth > maxNested {
		b.fail("more than %d objects within each other", maxNested)
	}
	defer func() { b.depth-- }()
	version, end := b.version()
	o.Version = version
	if b.err != nil {
		o.Err = b.err
		return
	}
	if end < 0 {
		b.content(o, infos)
		o.Err = b.err
		return
	}
	// What is within an object cannot read on behind its end: each byte is gone over
	// once for every object around it, however damaged the file.
	whole := b.data
	b.data = whole[:end]
	b.content(o, infos)
	if b.err != nil {
		o.Err, b.err = b.err, nil
	}
	b.data, b.pos = whole, end
}

// content reads what comes behind an object's version.
func (b *Buffer) content(o *Object, infos *Streamers) {
	switch o.Class {
	case "TObject":
		b.tobject()
		return
	case "TObjArray":
		b.objArray(o, infos)
		return
	case "TList", "THashList":
		b.list(o, infos)
		return
	}
	checksum := uint32(0)
	if o.Version <= 0 {
		checksum = b.U32()
	}
	info := infos.find(o.Class, o.Version, checksum)
	if info == nil {
		b.fail("class %s of version %d is not described", o.Class, o.Version)
		return
	}
	for i := range info.elements {
		if b.element(o, &info.elements[i], infos); b.err != nil {
			b.err = fmt.Errorf("%s.%s: %w", o.Class, info.elements[i].Name, b.err)
			return
		}
	}
}

// tobject reads what is in every object: an identifier, bits, and where the bits say so
// the number of a process.
func (b *Buffer) tobject() {
	b.U32()
	if b.U32()&(1<<4) != 0 {
		b.U16()
	}
}

func (b *Buffer) objArray(o *Object, infos *Streamers) {
	if o.Version > 2 {
		b.base()
	}
	if o.Version > 1 {
		_ = b.String()
	}
	n := int(b.I32())
	b.I32()
	b.elements(o, n, false, infos)
}

func (b *Buffer) list(o *Object, infos *Streamers) {
	if o.Version > 3 {
		b.base()
		_ = b.String()
	}
	b.elements(o, int(b.I32()), true, infos)
}

// base reads a TObject with its version.
func (b *Buffer) base() {
	b.version()
	b.tobject()
}

func (b *Buffer) elements(o *Object, n int, options bool, infos *Streamers) {
	if n < 0 || n > b.Left() {
		b.fail("a list of %d objects in %d bytes", n, b.Left())
		return
	}
	list := make([]*Object, 0, min(n, b.Left()/4))
	for range n {
		list = append(list, b.pointer(infos))
		if options {
			_ = b.String()
		}
		if b.err != nil {
			return
		}
	}
	o.members = append(o.members, member{name: "elements", objects: list})
}

// What tags of objects say: that a class follows which is new, or that a class is named
// by where it stood.
const (
	newClass  = 0xFFFFFFFF
	classMask = 1 << 31
	// mapOffset is added to positions, since 0 and 1 have a meaning of their own.
	mapOffset = 2
)

// errReference is the error of an object to which something refers that was not read.
var errReference = errors.New("it is not among the objects that are read")

// pointer reads an object behind a pointer, or a reference to one that was read before;
// nil for none.
func (b *Buffer) pointer(infos *Streamers) *Object {
	at := uint32(b.pos + b.origin)
	first := b.U32()
	tag, tagAt, end := first, at, -1
	if first&byteCounted != 0 && first != newClass {
		b.counted = true
		end = b.pos + int(first&^byteCounted)
		tagAt = uint32(b.pos + b.origin)
		tag = b.U32()
		if end > len(b.data) || end < b.pos {
			b.fail("an object of %d bytes where %d are left", first&^byteCounted, b.Left())
		}
	}
	if b.err != nil {
		return nil
	}
	if tag&classMask == 0 {
		if end >= 0 {
			b.pos = end
		}
		switch o := b.objects[tag]; {
		case tag == 0:
			return nil
		case o != nil:
			return o
		}
		return &Object{Err: errReference}
	}
	class := b.class(tag, tagAt)
	if b.err != nil {
		return nil
	}
	o := &Object{Class: class}
	b.remember(o, at)
	b.pointee(o, end, infos)
	return o
}

// class is the name of the class that a tag names, whose position is at.
func (b *Buffer) class(tag, at uint32) string {
	if tag != newClass {
		name, ok := b.classes[tag&^classMask]
		if !ok {
			b.fail("an object of a class that is not named before")
		}
		return name
	}
	name := b.cstring()
	if b.classes == nil {
		b.classes = map[uint32]string{}
	}
	b.number++
	if b.counted {
		b.classes[at+mapOffset] = name
	} else {
		b.classes[b.number] = name
	}
	return name
}

func (b *Buffer) remember(o *Object, at uint32) {
	if b.objects == nil {
		b.objects = map[uint32]*Object{}
	}
	b.number++
	if b.counted {
		b.objects[at+mapOffset] = o
	} else {
		b.objects[b.number] = o
	}
}

// pointee reads the object itself, which ends where the pointer's byte count says.
func (b *Buffer) pointee(o *Object, end int, infos *Streamers) {
	if end < 0 {
		b.object(o, infos)
		return
	}
	whole, start := b.data, b.pos
	b.data = whole[:end]
	if o.Class == "TBasket" {
		b.fail("a basket, whose layout is its own")
	} else {
		b.object(o, infos)
	}
	if b.err != nil {
		o.Err, b.err = b.err, nil
	}
	if o.Err != nil {
		o.raw = whole[start:end]
	}
	b.data, b.pos = whole, end
}
