package h5

import "encoding/binary"

// A tree2 is a B-tree of version 2: records of one size in order, in inner nodes, too.
type tree2 struct {
	o          *object
	nodeSize   int
	recordSize int
	depth      int
	root       uint64
	records    int   // of the root
	most       []int // records of a node, by its depth
	countSize  int   // bytes of a child's number of records
	totalSizes []int // bytes of a subtree's number of records, by its depth
}

// tree2 reads the header of a tree of a kind.
func (o *object) tree2(at uint64, kind byte) (*tree2, error) {
	const size = 38
	c, err := o.file.checked(at, size, "BTHD", o.path+": B-tree")
	if err != nil {
		return nil, err
	}
	version, got := c.u8(), c.u8()
	t := &tree2{o: o, nodeSize: int(c.u32()), recordSize: c.u16(), depth: c.u16()}
	c.skip(2)
	t.root, t.records = c.u64(), c.u16()
	if c.short || version != 0 || got != kind {
		return nil, errorf("%s: a B-tree of version %d and type %d where one of version 0 and type %d is expected: the file is damaged", o.path, version, got, kind)
	}
	if t.nodeSize < 64 || t.nodeSize > 1<<24 || uint64(t.nodeSize) > o.file.size || t.recordSize == 0 || t.recordSize > t.nodeSize/2 || t.depth > maxDepth {
		return nil, errorf("%s: a B-tree of depth %d with nodes of %d bytes: the file is damaged", o.path, t.depth, t.nodeSize)
	}
	const prefix = 10 // signature, version, type, checksum
	leaf := (t.nodeSize - prefix) / t.recordSize
	t.most, t.totalSizes = []int{leaf}, []int{0}
	t.countSize = sizeOf(uint64(leaf))
	total := uint64(leaf)
	for d := 1; d <= t.depth; d++ {
		pointer := 8 + t.countSize + t.totalSizes[d-1]
		most := (t.nodeSize - prefix - pointer) / (t.recordSize + pointer)
		if most < 1 || total > 1<<48 {
			return nil, errorf("%s: a B-tree of depth %d with nodes of %d bytes: the file is damaged", o.path, t.depth, t.nodeSize)
		}
		total = uint64(most+1)*total + uint64(most)
		t.most, t.totalSizes = append(t.most, most), append(t.totalSizes, sizeOf(total))
	}
	return t, nil
}

// A node2 is a node of the tree: its records, and before, between and behind them
// its children, unless it is a leaf.
type node2 struct {
	records  [][]byte
	children []child2
}

type child2 struct {
	at      uint64
	records int
}

// node reads a node of so many records, depth levels above the leaves.
func (t *tree2) node(n child2, depth int) (*node2, error) {
	signature, size := "BTLF", 10+n.records*t.recordSize
	pointer := 8 + t.countSize
	if depth > 0 {
		pointer += t.totalSizes[depth-1]
		signature, size = "BTIN", size+(n.records+1)*pointer
	}
	if n.records > t.most[depth] {
		return nil, errorf("%s: a B-tree node of %d records, of which %d fit: the file is damaged", t.o.path, n.records, t.most[depth])
	}
	c, err := t.o.file.checked(n.at, uint64(size), signature, t.o.path+": B-tree")
	if err != nil {
		return nil, err
	}
	c.skip(2)
	found := &node2{}
	for range n.records {
		found.records = append(found.records, c.take(t.recordSize))
	}
	for i := 0; depth > 0 && i <= n.records; i++ {
		found.children = append(found.children, child2{c.u64(), int(c.uint(t.countSize))})
		c.skip(pointer - 8 - t.countSize)
	}
	if c.short {
		return nil, errorf("%s: a B-tree node is cut short: the file is damaged", t.o.path)
	}
	return found, nil
}

// all visits all records.
func (t *tree2) all(visit func([]byte) error) error {
	return t.some(func([]byte) int { return 0 }, visit)
}

// some visits the records for which where is 0: it is negative for those before
// them and positive for those behind.
func (t *tree2) some(where func([]byte) int, visit func([]byte) error) error {
	if t.root == undefined {
		return nil
	}
	return t.walk(child2{t.root, t.records}, t.depth, where, map[uint64]bool{}, visit)
}

func (t *tree2) walk(at child2, depth int, where func([]byte) int, seen map[uint64]bool, visit func([]byte) error) error {
	if seen[at.at] {
		return errorf("%s: B-tree visits address %#x twice: the file is damaged", t.o.path, at.at)
	}
	seen[at.at] = true
	n, err := t.node(at, depth)
	if err != nil {
		return err
	}
	before := -1 // where the last record is
	for i := 0; i <= len(n.records); i++ {
		here := 1
		if i < len(n.records) {
			here = where(n.records[i])
		}
		if here < before {
			return errorf("%s: a B-tree's records are not in order: the file is damaged", t.o.path)
		}
		if depth > 0 && before <= 0 && here >= 0 {
			if err := t.walk(n.children[i], depth-1, where, seen, visit); err != nil {
				return err
			}
		}
		if here == 0 && i < len(n.records) {
			if err := visit(n.records[i]); err != nil {
				return err
			}
		}
		before = here
	}
	return nil
}

// A tree2Index is the B-tree of version 2 that finds a dataset's chunks.
type tree2Index struct {
	d    *Dataset
	tree *tree2
}

func (d *Dataset) tree2Index(at uint64) (chunkIndex, error) {
	if at == undefined {
		return noChunks{}, nil
	}
	kind, least := byte(treeChunks), 8
	if len(d.filters) > 0 {
		kind, least = treeFiltered, 8+1+4
	}
	t, err := d.o.tree2(at, kind)
	if err != nil {
		return nil, err
	}
	if n := t.recordSize - 8*len(d.chunk); n < least || n > 8+8+4 || kind == treeChunks && n != 8 {
		return nil, errorf("%s: an index with records of %d bytes: the file is damaged", d.o.path, t.recordSize)
	}
	return &tree2Index{d, t}, nil
}

// band visits the chunks whose first row is the given one.
func (x *tree2Index) band(row uint64, visit func(chunk) error) error {
	rank := len(x.d.chunk)
	at := x.tree.recordSize - 8*rank
	want := row / x.d.chunk[0]
	return x.tree.some(func(record []byte) int {
		switch v := binary.LittleEndian.Uint64(record[at:]); {
		case v < want:
			return -1
		case v > want:
			return 1
		}
		return 0
	}, func(record []byte) error {
		c := &cursor{b: record}
		k := chunk{at: c.u64(), size: x.d.chunkBytes}
		if len(x.d.filters) > 0 {
			k.size, k.mask = c.uint(at-12), c.u32()
		}
		for range rank {
			k.scaled = append(k.scaled, c.u64())
		}
		return visit(k)
	})
}
