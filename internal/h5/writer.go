package h5

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
)

// Encode writes the tree as an HDF5 file: superblock version 0, symbol tables,
// contiguous little-endian float32. The same tree gives the same bytes.
func Encode(t *Tree) ([]byte, error) {
	w := &writer{heap: map[string]uint32{}}
	w.b = make([]byte, 96) // the superblock, once the addresses are known
	if err := w.globalHeap(t); err != nil {
		return nil, err
	}
	root, err := w.group(t, "/")
	if err != nil {
		return nil, err
	}
	var s buffer
	s = append(s, Signature...)
	s = append(s, 0, 0, 0, 0, 0, 8, 8, 0)
	s.u16(leafK)
	s.u16(internalK)
	s.u32(0)
	s.u64(0, undefined, uint64(len(w.b)), undefined)
	s.u64(0, root.header)
	s.u32(1)
	s.u32(0)
	s.u64(root.tree, root.heap)
	copy(w.b, s)
	return w.b, nil
}

// Half the number of entries of a symbol table node and of a B-tree node:
// HDF5's defaults.
const (
	leafK     = 4
	internalK = 16
)

// A buffer takes little-endian numbers.
type buffer []byte

func (b *buffer) u16(v int)    { *b = binary.LittleEndian.AppendUint16(*b, uint16(v)) }
func (b *buffer) u32(v uint32) { *b = binary.LittleEndian.AppendUint32(*b, v) }
func (b *buffer) u64(v ...uint64) {
	for _, x := range v {
		*b = binary.LittleEndian.AppendUint64(*b, x)
	}
}

// pad adds zeros up to a multiple of eight.
func (b *buffer) pad() { *b = append(*b, make([]byte, -len(*b)&7)...) }

type writer struct {
	b      buffer
	heap   map[string]uint32 // string → object in the global heap
	heapAt uint64
}

// put appends a block, aligned to eight bytes, and returns its address.
func (w *writer) put(block []byte) uint64 {
	w.b.pad()
	at := uint64(len(w.b))
	w.b = append(w.b, block...)
	return at
}

// globalHeap writes the strings of variable length of the whole tree.
func (w *writer) globalHeap(t *Tree) error {
	var objects buffer
	var collect func(t *Tree) error
	collect = func(t *Tree) error {
		for _, name := range sorted(t.Scalars) {
			s := t.Scalars[name]
			if _, there := w.heap[s]; there || s == "" {
				continue
			}
			id := len(w.heap) + 1
			if id > math.MaxUint16 || len(s) > math.MaxInt32 {
				return errorf("attribute %s: too many or too long strings", name)
			}
			if strings.ContainsRune(s, 0) {
				return errorf("attribute %s: holds a zero byte", name)
			}
			w.heap[s] = uint32(id)
			objects.u16(id)
			objects.u16(1)
			objects.u32(0)
			objects.u64(uint64(len(s)))
			objects = append(objects, s...)
			objects.pad()
		}
		for _, name := range sorted(t.Groups) {
			if err := collect(t.Groups[name]); err != nil {
				return err
			}
		}
		return nil
	}
	if err := collect(t); err != nil || len(objects) == 0 {
		return err
	}
	size := max(4096, 16+len(objects)+16)
	free := size - 16 - len(objects)
	var h buffer
	h = append(h, "GCOL\x01\x00\x00\x00"...)
	h.u64(uint64(size))
	h = append(h, objects...)
	h.u64(0, uint64(free))
	h = append(h, make([]byte, free-16)...)
	w.heapAt = w.put(h)
	return nil
}

// written says where a group's structures are.
type written struct{ header, tree, heap uint64 }

// entry is one member of a group on its way into the symbol table.
type entry struct {
	name   string
	nameAt uint64
	written
}

// group writes a group after everything in it.
func (w *writer) group(t *Tree, path string) (written, error) {
	var entries []entry
	for name := range t.Groups {
		entries = append(entries, entry{name: name})
	}
	for name := range t.Datasets {
		entries = append(entries, entry{name: name})
	}
	slices.SortFunc(entries, func(a, b entry) int { return strings.Compare(a.name, b.name) })
	names := make(buffer, 8) // the empty name, which keys the first node
	for i := range entries {
		e := &entries[i]
		if e.name == "" || strings.ContainsAny(e.name, "/\x00") {
			return written{}, errorf("%s: %q cannot be a name in the file", path, e.name)
		}
		e.nameAt = uint64(len(names))
		names = append(append(names, e.name...), 0)
		names.pad()
		if a, ok := t.Datasets[e.name]; ok {
			e.header = w.dataset(a)
			continue
		}
		var err error
		if e.written, err = w.group(t.Groups[e.name], strings.TrimSuffix(path, "/")+"/"+e.name); err != nil {
			return written{}, err
		}
	}
	attributes, err := w.attributes(t, path)
	if err != nil {
		return written{}, err
	}
	var g written
	g.tree = w.symbolTable(entries)
	heapData := w.put(names)
	var h buffer
	h = append(h, "HEAP\x00\x00\x00\x00"...)
	h.u64(uint64(len(names)), 1, heapData) // 1: no free block
	g.heap = w.put(h)
	var table buffer
	table.u64(g.tree, g.heap)
	g.header = w.object(append([]message{{msgSymbolTable, table}}, attributes...))
	return g, nil
}

// symbolTable writes a group's members as symbol table nodes below a B-tree,
// and returns the tree's address.
func (w *writer) symbolTable(entries []entry) uint64 {
	type node struct{ at, lastName uint64 }
	var level []node
	for part := range slices.Chunk(entries, 2*leafK) {
		var b buffer
		b = append(b, "SNOD\x01\x00"...)
		b.u16(len(part))
		for _, e := range part {
			b.u64(e.nameAt, e.header)
			if e.tree != 0 {
				b.u32(1) // a group: its tree and heap are noted here too
			} else {
				b.u32(0)
			}
			b.u32(0)
			b.u64(e.tree, e.heap)
		}
		b = append(b, make([]byte, 8+2*leafK*40-len(b))...)
		level = append(level, node{w.put(b), part[len(part)-1].nameAt})
	}
	for depth := 0; ; depth++ {
		var up []node
		first := uint64(0) // key before the level's next child
		parts := slices.Collect(slices.Chunk(level, 2*internalK))
		if len(parts) == 0 {
			parts = append(parts, nil)
		}
		const size = 24 + 8*(2*2*internalK+1)
		w.b.pad()
		at := uint64(len(w.b))
		for i, part := range parts {
			left, right := undefined, undefined
			if i > 0 {
				left = at + uint64(i-1)*size
			}
			if i < len(parts)-1 {
				right = at + uint64(i+1)*size
			}
			var b buffer
			b = append(b, "TREE\x00"...)
			b = append(b, byte(depth))
			b.u16(len(part))
			b.u64(left, right, first)
			for _, n := range part {
				b.u64(n.at, n.lastName)
				first = n.lastName
			}
			b = append(b, make([]byte, size-len(b))...)
			up = append(up, node{w.put(b), first})
		}
		if len(up) == 1 {
			return up[0].at
		}
		level = up
	}
}

// object writes an object header of version 1 in one block.
func (w *writer) object(messages []message) uint64 {
	var body buffer
	for _, m := range messages {
		data := buffer(m.data)
		data.pad()
		body.u16(m.kind)
		body.u16(len(data))
		body.u32(0)
		body = append(body, data...)
	}
	var h buffer
	h = append(h, 1, 0)
	h.u16(len(messages))
	h.u32(1)
	h.u32(uint32(len(body)))
	h.u32(0)
	return w.put(append(h, body...))
}

// Encoded datatypes.
var (
	typeFloat32 = []byte{0x11, 0x20, 0x1f, 0, 4, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0}
	typeFloat64 = []byte{0x11, 0x20, 0x3f, 0, 8, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3, 0, 0}
	// a zero-terminated ASCII string of variable length, which h5py makes of bytes
	typeString = []byte{0x19, 1, 0, 0, 16, 0, 0, 0, 0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0}
	// the same in UTF-8
	typeStringUTF8 = []byte{0x19, 1, 1, 0, 16, 0, 0, 0, 0x10, 0, 0, 0, 1, 0, 0, 0, 0, 0, 8, 0}
)

func dataspace(shape []int) []byte {
	var b buffer
	b = append(b, 1, byte(len(shape)), 0, 0, 0, 0, 0, 0)
	for _, d := range shape {
		b.u64(uint64(d))
	}
	return b
}

// dataset writes the elements and then the header that points to them.
func (w *writer) dataset(a Array) uint64 {
	at := undefined
	if len(a.Data) > 0 {
		data := make(buffer, 0, 4*len(a.Data))
		for _, v := range a.Data {
			data.u32(math.Float32bits(v))
		}
		at = w.put(data)
	}
	layout := buffer{3, 1}
	layout.u64(at, uint64(4*len(a.Data)))
	return w.object([]message{
		{msgDataspace, dataspace(a.Shape)},
		{msgDatatype, typeFloat32},
		{msgFill, []byte{2, 2, 2, 1, 0, 0, 0, 0}}, // allocated late, filled with zeros
		{msgLayout, layout},
	})
}

func sorted[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
