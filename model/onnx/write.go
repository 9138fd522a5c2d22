package onnx

import (
	"encoding/binary"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// A message is one of protobuf that is being written.
type message []byte

func (m *message) bytes(num protowire.Number, v []byte) {
	*m = protowire.AppendBytes(protowire.AppendTag(*m, num, protowire.BytesType), v)
}

func (m *message) text(num protowire.Number, v string) { m.bytes(num, []byte(v)) }

func (m *message) varint(num protowire.Number, v int64) {
	*m = protowire.AppendVarint(protowire.AppendTag(*m, num, protowire.VarintType), uint64(v))
}

func (m *modelProto) encode() []byte {
	var b message
	b.varint(1, m.ir)
	b.text(2, m.producer)
	b.bytes(7, m.graph.encode())
	for _, o := range m.opsets {
		var s message
		s.text(1, o.domain)
		s.varint(2, o.version)
		b.bytes(8, s)
	}
	return b
}

func (g *graphProto) encode() []byte {
	var b message
	for _, n := range g.nodes {
		b.bytes(1, n.encode())
	}
	b.text(2, g.name)
	for _, t := range g.initializers {
		b.bytes(5, t.encode())
	}
	for i, list := range [][]*valueInfo{g.inputs, g.outputs, g.values} {
		for _, v := range list {
			b.bytes(protowire.Number(11+i), v.encode())
		}
	}
	return b
}

func (n *nodeProto) encode() []byte {
	var b message
	for _, in := range n.in {
		b.text(1, in)
	}
	for _, out := range n.out {
		b.text(2, out)
	}
	b.text(3, n.name)
	b.text(4, n.op)
	for _, a := range n.attrs {
		b.bytes(5, a.encode())
	}
	if n.doc != "" {
		b.text(6, n.doc)
	}
	if n.domain != "" {
		b.text(7, n.domain)
	}
	return b
}

func (a *attribute) encode() []byte {
	var b message
	b.text(1, a.name)
	switch a.kind {
	case attrFloat:
		b = protowire.AppendFixed32(protowire.AppendTag(b, 2, protowire.Fixed32Type), math.Float32bits(a.f))
	case attrInt:
		b.varint(3, a.i)
	case attrString:
		b.bytes(4, a.s)
	case attrInts:
		for _, v := range a.ints {
			b.varint(8, v)
		}
	}
	b.varint(20, a.kind)
	return b
}

func (p *tensorProto) encode() []byte {
	var b message
	for _, d := range p.dims {
		b.varint(1, d)
	}
	b.varint(2, p.dtype)
	b.text(8, p.name)
	b.bytes(9, p.raw)
	return b
}

func (v *valueInfo) encode() []byte {
	var shape message
	for i, d := range v.shape {
		var dim message
		if d < 0 {
			dim.text(2, v.params[i])
		} else {
			dim.varint(1, int64(d))
		}
		shape.bytes(1, dim)
	}
	var tensor, kind, b message
	tensor.varint(1, v.dtype)
	tensor.bytes(2, shape)
	kind.bytes(1, tensor)
	b.text(1, v.name)
	b.bytes(2, kind)
	return b
}

// A builder makes a graph.
type builder struct {
	graphProto
	known map[string]bool // initializers
	used  map[string]int  // names
}

func newBuilder(name string) *builder {
	return &builder{graphProto: graphProto{name: name}, known: map[string]bool{}, used: map[string]int{}}
}

// initial adds a constant.
func (b *builder) initial(name string, dtype int64, raw []byte, shape ...int) string {
	if b.known[name] {
		return name
	}
	b.known[name] = true
	t := &tensorProto{name: name, dtype: dtype, raw: raw}
	for _, d := range shape {
		t.dims = append(t.dims, int64(d))
	}
	b.initializers = append(b.initializers, t)
	return name
}

func (b *builder) floats(name string, v []float32, shape ...int) string {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	return b.initial(name, typeFloat, raw, shape...)
}

func (b *builder) ints(name string, v ...int) string {
	var raw []byte
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(x))
	}
	return b.initial(name, typeInt64, raw, len(v))
}

// node adds an operation and gives its output, which bears its name. Names that come
// again are counted.
func (b *builder) node(name, op string, attrs []*attribute, in ...string) string {
	b.used[name]++
	if n := b.used[name]; n > 1 {
		name = numbered(name, n)
	}
	b.nodes = append(b.nodes, &nodeProto{name: name, op: op, in: in, out: []string{name}, attrs: attrs})
	return name
}

func intsAttr(name string, v ...int) *attribute {
	a := &attribute{name: name, kind: attrInts}
	for _, x := range v {
		a.ints = append(a.ints, int64(x))
	}
	return a
}

func intAttr(name string, v int) *attribute {
	return &attribute{name: name, kind: attrInt, i: int64(v)}
}
