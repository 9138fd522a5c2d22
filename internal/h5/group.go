package h5

import (
	"bytes"
	"strconv"
)

// group reads an object as a group kept in a symbol table: a B-tree of nodes
// that list names (kept in a local heap) and addresses.
func (o *object) group() (*Group, error) {
	if _, ok := o.first(msgLayout); ok {
		return nil, errorf("%s: is a dataset where a group is expected", o.path)
	}
	table, ok := o.first(msgSymbolTable)
	if !ok {
		_, info := o.first(msgLinkInfo)
		_, link := o.first(msgLink)
		if info || link {
			return nil, errorf("%s: a group with link messages (libver=\"latest\" or track_order=True) is not supported; supported are symbol tables", o.path)
		}
		return nil, errorf("%s: neither a group nor a dataset: the file is damaged", o.path)
	}
	c := &cursor{b: table}
	tree, heapAt := c.u64(), c.u64()
	if c.short {
		return nil, errorf("%s: symbol table message is cut short", o.path)
	}
	heap, err := o.localHeap(heapAt)
	if err != nil {
		return nil, err
	}
	g := &Group{o: o, entries: map[string]uint64{}}
	leaves, err := o.leaves(tree, 0, 8, 8)
	if err != nil {
		return nil, err
	}
	for _, leaf := range leaves {
		if err := g.addSymbols(leaf.at, heap); err != nil {
			return nil, err
		}
	}
	return g, nil
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
			continue // a soft link: Keras writes none, so nothing can ask for it
		}
		if _, twice := g.entries[string(name)]; twice {
			return errorf("%s: two members are called %s: the file is damaged", g.o.path, strconv.Quote(string(name)))
		}
		g.entries[string(name)] = header
		g.names = append(g.names, string(name))
	}
	return nil
}

// A leaf is what a B-tree of version 1 points to: the address, and the key
// before it.
type leaf struct {
	key []byte
	at  uint64
}

// leaves walks a B-tree of version 1 whose nodes are of a type (0 for groups,
// 1 for chunks) and have keys of keySize bytes, of which the walk keeps keep.
func (o *object) leaves(root uint64, kind byte, keySize, keep int) ([]leaf, error) {
	var found []leaf
	seen := map[uint64]bool{}
	var walk func(at uint64, level int) error
	walk = func(at uint64, level int) error {
		if seen[at] {
			return errorf("%s: B-tree visits address %#x twice: the file is damaged", o.path, at)
		}
		seen[at] = true
		b, err := o.file.block(at, 24, o.path+": B-tree")
		if err != nil {
			return err
		}
		c := &cursor{b: b, pos: 4}
		gotKind, gotLevel, n := c.u8(), int(c.u8()), c.u16()
		if !bytes.HasPrefix(b, []byte("TREE")) || gotKind != kind || level >= 0 && gotLevel != level {
			return errorf("%s: no such B-tree node at address %#x: the file is damaged", o.path, at)
		}
		if b, err = o.file.block(at+24, uint64(n)*uint64(keySize+8), o.path+": B-tree"); err != nil {
			return err
		}
		for c = (&cursor{b: b}); c.pos < len(b); {
			key := c.take(keySize)[:keep]
			child := c.u64()
			if gotLevel == 0 {
				found = append(found, leaf{key, child})
			} else if err := walk(child, gotLevel-1); err != nil {
				return err
			}
		}
		return nil
	}
	return found, walk(root, -1)
}
