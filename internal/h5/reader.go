package h5

import (
	"bytes"
	"strings"
)

// A File is an HDF5 file in memory.
type File struct {
	data []byte
	root *object
}

// Parse opens the HDF5 file whose bytes are given. It reads the superblock and
// the root group; everything else is read when it is asked for. The bytes must
// not change while the File is in use.
func Parse(data []byte) (*File, error) {
	if !bytes.HasPrefix(data, []byte(Signature)) {
		return nil, errorf("not an HDF5 file: it does not start with the HDF5 signature")
	}
	c := &cursor{b: data, pos: len(Signature)}
	if v := c.u8(); v != 0 {
		return nil, errorf("superblock version %d is not supported; supported is version 0, which Keras and h5py write unless libver=\"latest\" is given", v)
	}
	c.skip(4)
	offsets, lengths := c.u8(), c.u8()
	c.skip(9)
	base := c.u64()
	c.u64()
	end := c.u64()
	driver := c.u64()
	c.u64()
	root := c.u64()
	switch {
	case c.short:
		return nil, errorf("truncated in the superblock, after %d bytes", len(data))
	case offsets != 8 || lengths != 8:
		return nil, errorf("addresses of %d bytes and lengths of %d are not supported; supported are 8 and 8", offsets, lengths)
	case base != 0:
		return nil, errorf("a user block before the file (base address %d) is not supported", base)
	case driver != undefined:
		return nil, errorf("a file spread over several by a driver is not supported")
	case end > uint64(len(data)):
		return nil, errorf("truncated: %d bytes, but the superblock says %d: copy the file again", len(data), end)
	}
	f := &File{data: data}
	var err error
	if f.root, err = f.object(root, "/"); err != nil {
		return nil, err
	}
	return f, nil
}

// block is the n bytes at address at.
func (f *File) block(at, n uint64, what string) ([]byte, error) {
	if size := uint64(len(f.data)); at > size || n > size-at {
		return nil, errorf("%s: %d bytes at address %#x lie beyond the end of the file (%d bytes): it is truncated or damaged", what, n, at, size)
	}
	return f.data[at : at+n : at+n], nil
}

// object is an object header: a list of messages.
type object struct {
	file     *File
	path     string
	messages []message
}

type message struct {
	kind int
	data []byte
}

// object reads the version 1 object header at an address.
func (f *File) object(at uint64, path string) (*object, error) {
	b, err := f.block(at, 16, path+": object header")
	if err != nil {
		return nil, err
	}
	if bytes.HasPrefix(b, []byte("OHDR")) {
		return nil, errorf("%s: object header version 2 (libver=\"latest\" or track_order=True) is not supported; supported is version 1", path)
	}
	c := &cursor{b: b}
	version := c.u8()
	c.skip(1)
	count := c.u16()
	c.skip(4)
	size := c.u32()
	if version != 1 {
		return nil, errorf("%s: no object header at address %#x: the file is damaged", path, at)
	}
	if b, err = f.block(at+16, uint64(size), path+": object header"); err != nil {
		return nil, err
	}
	o := &object{file: f, path: path}
	seen := map[uint64]bool{at + 16: true}
	for queue := [][]byte{b}; len(queue) > 0 && len(o.messages) < count; queue = queue[1:] {
		more, err := o.readMessages(queue[0], count, seen)
		if err != nil {
			return nil, err
		}
		queue = append(queue, more...)
	}
	return o, nil
}

// readMessages appends the messages of one block of the header and returns the
// blocks in which the header goes on.
func (o *object) readMessages(b []byte, count int, seen map[uint64]bool) ([][]byte, error) {
	var more [][]byte
	for c := (&cursor{b: b}); len(b)-c.pos >= 8 && len(o.messages) < count; {
		kind, size := c.u16(), c.u16()
		flags := c.u8()
		c.skip(3)
		data := c.take(size)
		if c.short {
			return nil, errorf("%s: message %d runs beyond its object header: the file is damaged", o.path, len(o.messages))
		}
		if flags&2 != 0 {
			return nil, errorf("%s: a shared header message (a committed datatype) is not supported", o.path)
		}
		o.messages = append(o.messages, message{kind, data})
		if kind != msgContinuation {
			continue
		}
		d := &cursor{b: data}
		at, n := d.u64(), d.u64()
		if d.short || seen[at] {
			return nil, errorf("%s: object header goes on where it has already been: the file is damaged", o.path)
		}
		seen[at] = true
		block, err := o.file.block(at, n, o.path+": continued object header")
		if err != nil {
			return nil, err
		}
		more = append(more, block)
	}
	return more, nil
}

// first is the first message of a kind.
func (o *object) first(kind int) ([]byte, bool) {
	for _, m := range o.messages {
		if m.kind == kind {
			return m.data, true
		}
	}
	return nil, false
}

// A Group is a folder of the file.
type Group struct {
	o       *object
	entries map[string]uint64 // object header addresses
	names   []string          // in the file's order, which is alphabetical
}

// Root is the file's root group.
func (f *File) Root() (*Group, error) { return f.root.group() }

// Path is the group's full name in the file.
func (g *Group) Path() string { return g.o.path }

// Names are the group's members, in alphabetical order.
func (g *Group) Names() []string { return g.names }

// Has says whether the group has a member of that name.
func (g *Group) Has(name string) bool { _, ok := g.entries[name]; return ok }

// Group opens a group below this one; path may have several parts separated
// by slashes.
func (g *Group) Group(path string) (*Group, error) {
	for _, name := range strings.Split(path, "/") {
		o, err := g.child(name)
		if err != nil {
			return nil, err
		}
		if g, err = o.group(); err != nil {
			return nil, err
		}
	}
	return g, nil
}

// Dataset opens a dataset below this group; path may have several parts
// separated by slashes.
func (g *Group) Dataset(path string) (*Dataset, error) {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		var err error
		if g, err = g.Group(path[:i]); err != nil {
			return nil, err
		}
		path = path[i+1:]
	}
	o, err := g.child(path)
	if err != nil {
		return nil, err
	}
	return o.dataset()
}

func (g *Group) child(name string) (*object, error) {
	at, ok := g.entries[name]
	if !ok {
		return nil, errorf("%s: nothing called %q in this group; it has %s", g.o.path, name, list(g.names))
	}
	return g.o.file.object(at, strings.TrimSuffix(g.o.path, "/")+"/"+name)
}

// list prints names for an error, at most eight of them.
func list(names []string) string {
	if len(names) == 0 {
		return "no members"
	}
	if len(names) > 8 {
		return strings.Join(names[:8], ", ") + " …"
	}
	return strings.Join(names, ", ")
}
