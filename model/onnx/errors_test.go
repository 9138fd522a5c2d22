package onnx

import (
	"context"
	"os"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"barrow/model"
	"barrow/nn"
)

// nested is one of an outer field: a helper for small models that are wrong.
func nested(num protowire.Number, b []byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, num, protowire.BytesType), b)
}

func varint(num protowire.Number, v int64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, num, protowire.VarintType), uint64(v))
}

func join(parts ...[]byte) (out []byte) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

// small is a model of nodes, with an input x and an output y of one dimension.
func small(nodes ...[]byte) []byte {
	value := func(name string) []byte {
		return join(nested(1, []byte(name)), nested(2, nested(1, join(varint(1, typeFloat), nested(2, nested(1, varint(1, 3)))))))
	}
	g := nested(2, []byte("small"))
	for _, n := range nodes {
		g = append(g, nested(1, n)...)
	}
	g = append(g, join(nested(11, value("x")), nested(12, value("y")))...)
	return join(varint(1, 8), nested(8, varint(2, 17)), nested(7, g))
}

func op(kind, in, out string, more ...[]byte) []byte {
	b := join(nested(4, []byte(kind)), nested(3, []byte("the_"+strings.ToLower(kind))))
	for _, name := range strings.Fields(in) {
		b = append(b, nested(1, []byte(name))...)
	}
	for _, name := range strings.Fields(out) {
		b = append(b, nested(2, []byte(name))...)
	}
	return append(b, join(more...)...)
}

func TestErrors(t *testing.T) {
	array := func(dims ...int64) []byte {
		b := varint(2, typeFloat)
		for _, d := range dims {
			b = append(b, varint(1, d)...)
		}
		return b
	}
	value := func(t []byte) []byte {
		return nested(5, join(nested(1, []byte("value")), nested(5, t), varint(20, attrTensor)))
	}
	outside := join(array(3), nested(13, join(nested(1, []byte("location")), nested(2, []byte("../../etc/passwd")))), varint(14, 1))
	for name, c := range map[string]struct {
		b    []byte
		want string
	}{
		"unknown":    {small(op("Wobble", "x", "y")), `node "the_wobble" (Wobble): operator Wobble is not supported`},
		"circle":     {small(op("Add", "x b", "a"), op("Neg", "a", "b"), op("Neg", "a", "y")), `node "the_add" (Add): it depends on itself, by way of its input "b"`},
		"behind":     {small(op("Neg", "b", "y"), op("Add", "x b", "a"), op("Neg", "a", "b")), `node "the_neg" (Neg): it depends on itself, by way of its input "a"`},
		"nowhere":    {small(op("Add", "x q", "y")), `its input "q" is made by no node`},
		"twice":      {small(op("Neg", "x", "y"), op("Exp", "x", "y")), `its output "y" is made elsewhere`},
		"negative":   {small(op("Constant", "", "k", value(array(-3))), op("Add", "x k", "y")), `a dimension of -3`},
		"huge":       {small(op("Constant", "", "k", value(array(1<<20, 1<<20))), op("Add", "x k", "y")), `more than 67108864 numbers`},
		"short":      {small(op("Constant", "", "k", value(array(3))), op("Add", "x k", "y")), `0 numbers, want 3`},
		"outside":    {small(op("Constant", "", "k", value(outside)), op("Add", "x k", "y")), `only files beside the model are read`},
		"inputs":     {small(op("Add", "x", "y")), `1 inputs, an operator Add has 2`},
		"attribute":  {small(op("Neg", "x", "y", nested(5, nested(1, []byte("depth"))))), `attribute "depth" of operator Neg is not supported`},
		"subgraph":   {small(op("If", "x", "y", nested(5, join(nested(1, []byte("then_branch")), nested(6, nil))))), `operator If is not supported`},
		"no output":  {small(op("Neg", "x", "z")), `output "y" of the graph is made by no node`},
		"no graph":   {varint(1, 8), "holds no graph"},
		"version":    {join(varint(1, 99), nested(7, nil)), "IR version 99"},
		"wrong wire": {join(varint(1, 8), varint(7, 3)), "wire type"},
	} {
		_, err := parse(c.b, &beside{t.TempDir()})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	// What shows only when it is run.
	fill := small(op("Constant", "", "k", nested(5, join(nested(1, []byte("value_ints")), varint(8, 1<<20), varint(8, 1<<20), varint(20, attrInts)))), op("ConstantOfShape", "k", "y"))
	g, err := parse(fill, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := g.run(context.Background(), map[string]*tensor{"x": vectorOf(typeFloat, 1, 2, 3)}); err == nil || !strings.Contains(err.Error(), `node "the_constantofshape" (ConstantOfShape): the shape`) {
		t.Errorf("a large shape: %v", err)
	}
}

// TestDamaged cuts a model off everywhere, and flips its bytes: nothing but errors and
// other results may come of it.
func TestDamaged(t *testing.T) {
	whole, err := os.ReadFile("testdata/dense.onnx")
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		if g, err := parse(whole[:n], nil); err == nil && len(g.nodes) > 0 && n < len(whole)-16 {
			t.Errorf("%d bytes of %d are taken for a model", n, len(whole))
		}
		for bit := range 8 {
			b := append([]byte(nil), whole...)
			b[n] ^= 1 << bit
			try(b)
		}
	}
}

// try runs what can be read of b.
func try(b []byte) {
	g, err := parse(b, nil)
	if err != nil {
		return
	}
	_, _ = g.network(nn.Settings{Threads: 1, MaxBatch: 1})
	r := &runner{g: g, path: "it"}
	var in []*model.Array
	for _, p := range r.Inputs() {
		a := &model.Array{}
		n := 1
		for _, d := range p.Shape {
			if d < 0 {
				d = 2
			}
			if n *= max(d, 1); n > 1<<12 {
				return
			}
			a.Shape = append(a.Shape, d)
		}
		for _, d := range a.Shape {
			n *= min(d, 1)
		}
		a.Data = make([]float64, n)
		in = append(in, a)
	}
	_, _ = r.Run(context.Background(), in)
}

func FuzzRead(f *testing.F) {
	whole, err := os.ReadFile("testdata/dense.onnx")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(small(op("Softmax", "x", "s"), op("Add", "x s", "y")))
	f.Fuzz(func(_ *testing.T, b []byte) {
		if len(b) < 1<<14 {
			try(b)
		}
	})
}
