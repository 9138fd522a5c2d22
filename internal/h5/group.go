package h5

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// A Group is a folder of the file.
type Group struct {
	o       *object
	entries map[string]uint64 // object header addresses
	names   []string          // in alphabetical order
}

// Path is the group's full name in the file.
func (g *Group) Path() string { return g.o.path }

// Names are the group's members, in alphabetical order. Symbolic links, of this file
// and to others, are none.
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

// Open opens a member: one of the two is nil. A committed datatype is neither.
func (g *Group) Open(name string) (*Group, *Dataset, error) {
	o, err := g.child(name)
	if err != nil {
		return nil, nil, err
	}
	if _, ok := o.first(msgDataspace); ok {
		d, err := o.dataset()
		return nil, d, err
	}
	if _, ok := o.first(msgDatatype); ok {
		return nil, nil, nil
	}
	sub, err := o.group()
	return sub, nil, err
}

// Address tells objects of a file apart: a group or dataset may have several names.
func (g *Group) Address() uint64 { return g.o.at }

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

// group reads an object as a group: a symbol table, or links.
func (o *object) group() (*Group, error) {
	if _, ok := o.first(msgLayout); ok {
		return nil, errorf("%s: is a dataset where a group is expected", o.path)
	}
	g := &Group{o: o, entries: map[string]uint64{}}
	table, ok := o.first(msgSymbolTable)
	_, links := o.first(msgLinkInfo)
	_, link := o.first(msgLink)
	var err error
	switch {
	case ok:
		err = g.readTable(table)
	case links || link:
		err = g.readLinks()
	default:
		err = errorf("%s: neither a group nor a dataset: the file is damaged", o.path)
	}
	if err != nil {
		return nil, err
	}
	slices.Sort(g.names)
	return g, nil
}

// add adds a member.
func (g *Group) add(name string, at uint64) error {
	if name == "" || strings.Contains(name, "/") {
		return errorf("%s: a member is called %s: the file is damaged", g.o.path, strconv.Quote(name))
	}
	if _, twice := g.entries[name]; twice {
		return errorf("%s: two members are called %s: the file is damaged", g.o.path, strconv.Quote(name))
	}
	g.entries[name] = at
	g.names = append(g.names, name)
	return nil
}

// readTable reads a symbol table: a B-tree of nodes that list names (kept in a local
// heap) and addresses.
func (g *Group) readTable(table []byte) error {
	c := &cursor{b: table}
	tree, heapAt := c.u64(), c.u64()
	if c.short {
		return errorf("%s: symbol table message is cut short", g.o.path)
	}
	heap, err := g.o.localHeap(heapAt)
	if err != nil {
		return err
	}
	seen := map[uint64]bool{}
	var walk func(at uint64, level int) error
	walk = func(at uint64, level int) error {
		if seen[at] {
			return errorf("%s: B-tree visits address %#x twice: the file is damaged", g.o.path, at)
		}
		seen[at] = true
		node, err := g.o.node(at, 0, 8, level)
		if err != nil {
			return err
		}
		for _, child := range node.children {
			if node.level == 0 {
				err = g.addSymbols(child, heap)
			} else {
				err = walk(child, node.level-1)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return walk(tree, -1)
}

// localHeap returns the bytes in which a group keeps its members' names.
func (o *object) localHeap(at uint64) ([]byte, error) {
	b, err := o.file.block(at, 32, o.path+": local heap")
	if err != nil {
		return nil, err
	}
	if !bytes.HasPrefix(b, []byte("HEAP")) {
		return nil, errorf("%s: no local heap at address %#x: the file is damaged", o.path, at)
	}
	c := &cursor{b: b, pos: 8}
	size := c.u64()
	c.u64()
	return o.file.block(c.u64(), size, o.path+": local heap")
}

// addSymbols adds the members that one symbol table node lists.
func (g *Group) addSymbols(at uint64, heap []byte) error {
	b, err := g.o.file.block(at, 8, g.o.path+": symbol table node")
	if err != nil {
		return err
	}
	if !bytes.HasPrefix(b, []byte("SNOD")) {
		return errorf("%s: no symbol table node at address %#x: the file is damaged", g.o.path, at)
	}
	n := (&cursor{b: b, pos: 6}).u16()
	if b, err = g.o.file.block(at+8, uint64(n)*40, g.o.path+": symbol table node"); err != nil {
		return err
	}
	for c := (&cursor{b: b}); c.pos < len(b); c.skip(16) {
		nameAt, header := c.u64(), c.u64()
		cache := c.u32()
		c.skip(4)
		if nameAt >= uint64(len(heap)) {
			return errorf("%s: a member's name lies beyond the group's heap: the file is damaged", g.o.path)
		}
		name, _, ok := bytes.Cut(heap[nameAt:], []byte{0})
		if !ok || len(name) == 0 {
			return errorf("%s: a member's name is empty or not ended: the file is damaged", g.o.path)
		}
		if cache == 2 {
			continue // a symbolic link
		}
		if err := g.add(string(name), header); err != nil {
			return err
		}
	}
	return nil
}

// readLinks reads links, of the header itself or of a fractal heap.
func (g *Group) readLinks() error {
	for _, m := range g.o.messages {
		if m.kind == msgLink {
			if err := g.addLink(m.data); err != nil {
				return err
			}
		}
	}
	info, ok := g.o.first(msgLinkInfo)
	if !ok {
		return nil
	}
	c := &cursor{b: info}
	version, flags := c.u8(), c.u8()
	if flags&1 != 0 {
		c.skip(8)
	}
	heapAt, names := c.u64(), c.u64()
	if c.short || version != 0 {
		return errorf("%s: links of version %d are not supported; supported is 0", g.o.path, version)
	}
	return g.o.dense(heapAt, names, treeLinks, 4, g.addLink)
}

// Kinds of B-trees of version 2.
const (
	treeLinks      = 5
	treeAttributes = 8
	treeChunks     = 10
	treeFiltered   = 11
)

// dense visits what is kept in a fractal heap and listed in a B-tree of names, whose
// records hold the object's identifier behind so many bytes.
func (o *object) dense(heapAt, names uint64, kind byte, skip int, visit func([]byte) error) error {
	if heapAt == undefined {
		return nil
	}
	heap, err := o.fractalHeap(heapAt)
	if err != nil {
		return err
	}
	tree, err := o.tree2(names, kind)
	if err != nil {
		return err
	}
	if tree.recordSize < skip+heap.idSize {
		return errorf("%s: a list of names is too narrow: the file is damaged", o.path)
	}
	return tree.all(func(record []byte) error {
		b, err := heap.get(record[skip : skip+heap.idSize])
		if err != nil {
			return err
		}
		return visit(b)
	})
}

// addLink adds the member that a link message is.
func (g *Group) addLink(b []byte) error {
	c := &cursor{b: b}
	version, flags := c.u8(), c.u8()
	kind := byte(0)
	if flags&8 != 0 {
		kind = c.u8()
	}
	if flags&4 != 0 {
		c.skip(8)
	}
	if flags&16 != 0 {
		c.skip(1)
	}
	n := c.uint(1 << (flags & 3))
	name := c.take(int(min(n, uint64(len(b)+1))))
	if kind != 0 {
		return nil // a symbolic link, or one to another file
	}
	at := c.u64()
	if c.short || version != 1 {
		return errorf("%s: a link of version %d and %d bytes is not supported; supported is version 1", g.o.path, version, len(b))
	}
	return g.add(string(name), at)
}
