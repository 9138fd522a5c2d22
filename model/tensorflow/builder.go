package tensorflow

import (
	"encoding/binary"
	"math"
	"strconv"

	"barrow/model/tensorflow/internal/graphpb"
)

// A builder makes a graph node by node. As in graphs that TensorFlow froze, the
// constants come before the operations.
type builder struct {
	consts, ops []*graphpb.NodeDef
	uses        map[string]int // of a name
	scope       string         // of the nodes to come, "encoder/conv/"
}

// producer is the version of graphs that TensorFlow 2.14 writes. Nothing here is
// newer than TensorFlow 2.0.
const producer = 1482

func newBuilder() *builder { return &builder{uses: map[string]int{}} }

// graph ends the graph with the node of its output's name.
func (b *builder) graph(input *graphpb.NodeDef, output string) *graphpb.GraphDef {
	b.scope = ""
	b.op(outputName, "Identity", output)
	nodes := append([]*graphpb.NodeDef{input}, b.consts...)
	return &graphpb.GraphDef{
		Node:     append(nodes, b.ops...),
		Versions: &graphpb.VersionDef{Producer: producer},
	}
}

// name is a free one in the scope: name, name_1, …
func (b *builder) name(name string) string {
	name = b.scope + name
	k := b.uses[name]
	b.uses[name]++
	if k == 0 {
		return name
	}
	return name + "_" + strconv.Itoa(k)
}

// attrs are the attributes of an operation, T among them: float32 unless said.
type attrs map[string]*graphpb.AttrValue

// op adds an operation and gives its name.
func (b *builder) op(name, op string, inputs ...string) string {
	return b.opWith(name, op, nil, inputs...)
}

func (b *builder) opWith(name, op string, a attrs, inputs ...string) string {
	n := &graphpb.NodeDef{Name: b.name(name), Op: op, Input: inputs, Attr: attrs{"T": kind(graphpb.DataType_DT_FLOAT)}}
	for k, v := range a {
		if v == nil {
			delete(n.Attr, k)
			continue
		}
		n.Attr[k] = v
	}
	b.ops = append(b.ops, n)
	return n.Name
}

// placeholder is a graph's input of the given shape, any number of samples.
func placeholder(name string, shape []int) *graphpb.NodeDef {
	return &graphpb.NodeDef{Name: name, Op: "Placeholder", Attr: attrs{
		"dtype": kind(graphpb.DataType_DT_FLOAT),
		"shape": {Value: &graphpb.AttrValue_Shape{Shape: shapeOf(append([]int{-1}, shape...))}},
	}}
}

func (b *builder) floats(name string, v []float32, shape ...int) string {
	raw := make([]byte, 0, 4*len(v))
	for _, x := range v {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
	}
	t := &graphpb.TensorProto{Dtype: graphpb.DataType_DT_FLOAT, TensorShape: shapeOf(shape)}
	if len(v) == 1 {
		t.FloatVal = v
	} else {
		t.TensorContent = raw
	}
	return b.constant(name, t)
}

func (b *builder) scalar(name string, v float32) string { return b.floats(name, []float32{v}) }

func (b *builder) ints(name string, shape []int, v ...int) string {
	raw := make([]byte, 0, 4*len(v))
	whole := make([]int32, len(v))
	for i, x := range v {
		whole[i] = int32(x)
		raw = binary.LittleEndian.AppendUint32(raw, uint32(whole[i]))
	}
	t := &graphpb.TensorProto{Dtype: graphpb.DataType_DT_INT32, TensorShape: shapeOf(shape)}
	if len(v) == 1 {
		t.IntVal = whole
	} else {
		t.TensorContent = raw
	}
	return b.constant(name, t)
}

// vector is a one-dimensional constant.
func (b *builder) vector(name string, v ...int) string { return b.ints(name, []int{len(v)}, v...) }

func (b *builder) constant(name string, t *graphpb.TensorProto) string {
	n := &graphpb.NodeDef{Name: b.name(name), Op: "Const", Attr: attrs{
		"dtype": kind(t.Dtype),
		"value": {Value: &graphpb.AttrValue_Tensor{Tensor: t}},
	}}
	b.consts = append(b.consts, n)
	return n.Name
}

// variable is a constant read as TensorFlow reads what was a variable.
func (b *builder) variable(name string, v []float32, shape ...int) string {
	return b.op(name+"/ReadVariableOp", "Identity", b.floats(name+"/ReadVariableOp/resource", v, shape...))
}

func shapeOf(dims []int) *graphpb.TensorShapeProto {
	s := &graphpb.TensorShapeProto{}
	for _, d := range dims {
		s.Dim = append(s.Dim, &graphpb.TensorShapeProto_Dim{Size: int64(d)})
	}
	return s
}

func kind(t graphpb.DataType) *graphpb.AttrValue {
	return &graphpb.AttrValue{Value: &graphpb.AttrValue_Type{Type: t}}
}

func text(s string) *graphpb.AttrValue {
	return &graphpb.AttrValue{Value: &graphpb.AttrValue_S{S: []byte(s)}}
}

func truth(v bool) *graphpb.AttrValue {
	return &graphpb.AttrValue{Value: &graphpb.AttrValue_B{B: v}}
}

func whole(v int) *graphpb.AttrValue {
	return &graphpb.AttrValue{Value: &graphpb.AttrValue_I{I: int64(v)}}
}

func wholes(v ...int) *graphpb.AttrValue {
	list := &graphpb.AttrValue_ListValue{}
	for _, x := range v {
		list.I = append(list.I, int64(x))
	}
	return &graphpb.AttrValue{Value: &graphpb.AttrValue_List{List: list}}
}
