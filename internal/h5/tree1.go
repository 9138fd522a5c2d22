package h5

import (
	"bytes"
	"encoding/binary"
)

// A node is one of a B-tree of version 1: keys lie before its children, and one behind.
type node struct {
	level    int
	keys     [][]byte
	children []uint64
}

// node reads a node of a kind (0 for groups, 1 for chunks) whose keys have keySize
// bytes; level is what it must be, -1 for the root.
func (o *object) node(at uint64, kind byte, keySize, level int) (*node, error) {
	b, err := o.file.block(at, 24, o.path+": B-tree")
	if err != nil {
		return nil, err
	}
	c := &cursor{b: b, pos: 4}
	gotKind, gotLevel, n := c.u8(), int(c.u8()), c.u16()
	if !bytes.HasPrefix(b, []byte("TREE")) || gotKind != kind || level >= 0 && gotLevel != level || gotLevel > maxDepth {
		return nil, errorf("%s: no such B-tree node at address %#x: the file is damaged", o.path, at)
	}
	if b, err = o.file.block(at+24, uint64(n)*uint64(keySize+8), o.path+": B-tree"); err != nil {
		return nil, err
	}
	found := &node{level: gotLevel}
	for c = (&cursor{b: b}); c.pos < len(b); {
		found.keys = append(found.keys, c.take(keySize))
		found.children = append(found.children, c.u64())
	}
	return found, nil
}

// A treeIndex is the B-tree of version 1 that finds a dataset's chunks.
type treeIndex struct {
	d    *Dataset
	root uint64
}

// band visits the chunks whose first row is the given one.
func (x *treeIndex) band(row uint64, visit func(chunk) error) error {
	if x.root == undefined {
		return nil
	}
	seen := map[uint64]bool{}
	return x.walk(x.root, -1, row, seen, visit)
}

func (x *treeIndex) walk(at uint64, level int, row uint64, seen map[uint64]bool, visit func(chunk) error) error {
	if seen[at] {
		return errorf("%s: B-tree visits address %#x twice: the file is damaged", x.d.o.path, at)
	}
	seen[at] = true
	rank := len(x.d.chunk)
	n, err := x.d.o.node(at, 1, 8+8*(rank+1), level)
	if err != nil {
		return err
	}
	first := func(i int) uint64 { return binary.LittleEndian.Uint64(n.keys[i][8:]) }
	for i, child := range n.children {
		if i > 0 && first(i) < first(i-1) {
			return errorf("%s: a B-tree's keys are not in order: the file is damaged", x.d.o.path)
		}
		switch {
		case first(i) > row:
			continue
		case n.level > 0:
			// A child has what lies between its key and the next one's.
			if i+1 < len(n.children) && first(i+1) < row {
				continue
			}
			err = x.walk(child, n.level-1, row, seen, visit)
		case first(i) == row:
			c := &cursor{b: n.keys[i]}
			k := chunk{at: child}
			k.size, k.mask = uint64(c.u32()), c.u32()
			for j := range rank {
				v := c.u64()
				if v%x.d.chunk[j] != 0 {
					return errorf("%s: a chunk lies between others: the file is damaged", x.d.o.path)
				}
				k.scaled = append(k.scaled, v/x.d.chunk[j])
			}
			err = visit(k)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
