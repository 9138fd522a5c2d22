package onnx

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"

	"barrow/model"
	"barrow/nn"
)

// A sketch is a graph that a test draws, with random weights.
type sketch struct {
	*builder
	rng *rand.Rand
}

func draw(inputs ...*valueInfo) *sketch {
	s := &sketch{newBuilder("drawn"), rand.New(rand.NewPCG(1, 2))}
	for _, v := range inputs {
		v.dtype = typeFloat
		v.params = make([]string, len(v.shape))
		v.params[0] = "N"
	}
	s.inputs = inputs
	return s
}

func port(name string, shape ...int) *valueInfo {
	return &valueInfo{name: name, shape: append([]int{-1}, shape...)}
}

// weights are of a size at which all layers keep the numbers near 1.
func (s *sketch) weights(name string, shape ...int) string {
	n := 1
	for _, d := range shape {
		n *= d
	}
	v := make([]float32, n)
	for i := range v {
		v[i] = float32(s.rng.NormFloat64()) / 3
	}
	return s.floats(name, v, shape...)
}

func (s *sketch) conv(name, x string, out, in, k int, at ...*attribute) string {
	return s.node(name, "Conv", at, x, s.weights(name+".weight", out, in, k, k), s.weights(name+".bias", out))
}

// linear is as PyTorch writes it.
func (s *sketch) linear(name, x string, in, out int) string {
	return s.node(name, "Gemm", []*attribute{intAttr("transB", 1)}, x, s.weights(name+".weight", out, in), s.weights(name+".bias", out))
}

func (s *sketch) relu(x string) string { return s.node("relu", "Relu", nil, x) }

func (s *sketch) norm(x string, c int) string {
	var v []float32
	for range c {
		v = append(v, float32(0.5+s.rng.Float64()))
	}
	return s.node("norm", "BatchNormalization", nil, x, s.weights("norm.weight", c), s.weights("norm.bias", c), s.weights("norm.mean", c), s.floats("norm.var", v, c))
}

func (s *sketch) reshape(name, x string, shape ...int) string {
	return s.node(name, "Reshape", nil, x, s.ints(name+".shape", shape...))
}

func (s *sketch) graph(t *testing.T, out string, shape ...int) *graph {
	t.Helper()
	y := port(out, shape...)
	y.dtype, y.params = typeFloat, append([]string{"N"}, make([]string, len(shape))...)
	s.outputs = []*valueInfo{y}
	m := &modelProto{ir: writtenIR, opsets: []opset{{"", writtenOpset}, {domainQuant, 1}}, graph: &s.graphProto}
	g, err := parse(m.encode(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

var (
	half   = intsAttr("strides", 2, 2)
	around = intsAttr("pads", 1, 1, 1, 1)
)

// drawn are graphs as other programs lay them out.
func drawn(t *testing.T) map[string]*graph {
	out := map[string]*graph{}
	// An autoencoder of PyTorch: channels first, a view before and behind the dense layers.
	s := draw(port("x", 3, 4, 4))
	x := s.relu(s.conv("/enc/conv", "x", 8, 3, 3, half, around))
	x = s.node("/flatten", "Flatten", nil, x)
	x = s.relu(s.linear("latent", x, 32, 16))
	x = s.relu(s.linear("open", x, 16, 32))
	x = s.reshape("view", x, -1, 8, 2, 2)
	x = s.node("up", "ConvTranspose", []*attribute{half, around, intsAttr("output_padding", 1, 1)}, x, s.weights("up.weight", 8, 5, 3, 3), s.weights("up.bias", 5))
	x = s.relu(s.norm(x, 5))
	x = s.node("y", "Sigmoid", nil, s.conv("last", x, 3, 5, 3, around))
	out["PyTorch"] = s.graph(t, x, 3, 4, 4)

	// The same ends of it, with no dense layer between and kernels that are not square.
	s = draw(port("x", 2, 8, 6))
	x = s.node("pad", "Pad", nil, "x", s.ints("pads", 0, 0, 1, 0, 0, 0, 2, 1))
	x = s.node("conv", "Conv", []*attribute{half}, x, s.weights("w", 4, 2, 4, 3))
	x = s.node("deep", "Conv", []*attribute{intAttr("group", 2), intsAttr("dilations", 2, 1), intsAttr("pads", 2, 1, 2, 1)}, x, s.weights("d", 6, 2, 3, 3))
	x = s.node("up", "ConvTranspose", []*attribute{half, intsAttr("pads", 0, 1, 1, 0)}, x, s.weights("up.weight", 6, 2, 2, 4))
	out["windows"] = s.graph(t, s.node("y", "Tanh", nil, x), 2, 7, 7)

	// A residual block, the skip over an image that a view has made.
	s = draw(port("x", 16))
	x = s.reshape("view", s.linear("open", "x", 16, 48), -1, 3, 4, 4)
	skip := s.node("act", "Mul", nil, x, s.node("gate", "Sigmoid", nil, x))
	skip = s.conv("in", skip, 3, 3, 3, around)
	x = s.conv("two", s.relu(s.conv("one", skip, 6, 3, 3, around)), 3, 6, 3, around)
	x = s.relu(s.node("add", "Add", nil, x, skip))
	out["residual"] = s.graph(t, s.linear("y", s.node("flat", "Flatten", nil, x), 48, 5), 5)

	// Conditions, in front of what the encoder makes; sizes computed in the graph.
	s = draw(port("x", 1, 8, 8), port("cond", 8))
	x = s.relu(s.conv("conv", "x", 4, 1, 3, half, around))
	n := s.node("n", "Gather", []*attribute{intAttr("axis", 0)}, s.node("shape", "Shape", nil, x), s.ints("zero", 0))
	x = s.node("flat", "Reshape", nil, x, s.node("to", "Concat", []*attribute{intAttr("axis", 0)}, n, s.ints("rest", -1)))
	x = s.node("cat", "Concat", []*attribute{intAttr("axis", 1)}, "cond", x)
	x = s.linear("dense", x, 72, 64)
	out["conditions"] = s.graph(t, s.reshape("y", x, -1, 1, 8, 8), 1, 8, 8)

	// Keras by way of TensorFlow: channels last, transposed around a convolution that
	// pads as TensorFlow does, the bias by itself.
	s = draw(port("x", 8, 8, 2))
	x = s.node("first", "Transpose", []*attribute{intsAttr("perm", 0, 3, 1, 2)}, "x")
	x = s.node("conv", "Conv", []*attribute{half, {name: "auto_pad", kind: attrString, s: []byte("SAME_UPPER")}}, x, s.weights("w", 4, 2, 3, 3))
	x = s.node("bias", "Add", nil, x, s.weights("b", 1, 4, 1, 1))
	x = s.relu(s.node("last", "Transpose", []*attribute{intsAttr("perm", 0, 2, 3, 1)}, x))
	x = s.node("dense", "MatMul", nil, s.reshape("flat", x, -1, 64), s.weights("k", 64, 16))
	out["Keras"] = s.graph(t, s.node("y", "Add", nil, x, s.weights("c", 16)), 16)

	// Two images, each scaled by channel, side by side.
	s = draw(port("a", 3, 4, 4), port("b", 3, 4, 4))
	x = s.node("cat", "Concat", []*attribute{intAttr("axis", 1)}, "a", "b")
	x = s.node("scale", "Div", nil, s.node("less", "Sub", nil, x, s.weights("mean", 1, 6, 1, 1)), s.floats("by", []float32{1, 2, 4, 1, 2, 4}, 6, 1, 1))
	x = s.relu(s.conv("conv", x, 5, 6, 3))
	out["two"] = s.graph(t, s.linear("y", s.reshape("flat", x, -1, 20), 20, 1), 1)

	// Quantisers: of QONNX, of integers of 8 bits, and of single operations.
	s = draw(port("x", 1, 8, 8))
	one := func(name string, v float32) string { return s.floats(name, []float32{v}) }
	x = s.node("q", "Quant", []*attribute{intAttr("signed", 0)}, "x", one("step", 1.0/128), one("nought", 0), one("bits", 10))
	s.nodes[len(s.nodes)-1].domain = domainQuant
	x = s.relu(s.conv("conv", x, 4, 1, 3, half, around))
	x = s.node("down", "Div", nil, x, one("eighth", 0.125))
	x = s.node("limit", "Clip", nil, s.node("round", "Floor", nil, x), one("low", 0), one("high", 63))
	x = s.linear("dense", s.node("flat", "Flatten", nil, s.node("up", "Mul", nil, x, "eighth")), 64, 16)
	x = s.node("ql", "QuantizeLinear", nil, x, one("q.scale", 0.0625), s.initial("q.zero", typeInt8, []byte{0}))
	out["quantised"] = s.graph(t, s.node("y", "DequantizeLinear", nil, x, "q.scale", "q.zero"), 16)
	return out
}

// lastOf turns samples of images from channels first to channels last.
func lastOf(t *tensor, first bool) *tensor {
	if len(t.shape) == 4 && first {
		return t.transpose([]int{0, 2, 3, 1})
	}
	return t
}

// TestLower holds networks to the graphs that they are made of, as these are run.
func TestLower(t *testing.T) {
	const n = 5
	graphs := drawn(t)
	g, err := read("testdata/pytorch.onnx")
	if err != nil {
		t.Fatal(err)
	}
	graphs["PyTorch itself"] = g
	for name, g := range graphs {
		net, err := g.network(nn.Settings{Threads: 1})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		given := map[string]*tensor{}
		rng := rand.New(rand.NewPCG(3, 4))
		var in []*model.Array
		for _, v := range g.inputs {
			x, err := newTensor(typeFloat, append([]int{n}, v.shape[1:]...)...)
			if err != nil {
				t.Fatal(err)
			}
			for i := range x.data {
				x.data[i] = float64(float32(rng.NormFloat64()))
			}
			given[v.name] = x
			in = append(in, lastOf(x, name != "Keras").array())
		}
		if name == "two" { // one input of the network, by channel
			a, b := in[0], in[1]
			both := &model.Array{Shape: []int{n, 4, 4, 6}}
			for i := range n * 16 {
				both.Data = append(append(both.Data, a.Data[i*3:i*3+3]...), b.Data[i*3:i*3+3]...)
			}
			in = []*model.Array{both}
		}
		want, err := g.run(context.Background(), given)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		r, err := model.RunNetwork(net, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		out, err := r.Run(context.Background(), in)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if at, most := model.Differ(out.Get("y").Data, lastOf(want[0], true).data, false); at >= 0 {
			t.Errorf("%s: number %d is another, by up to %g: %+v", name, at, most, model.Layers(net))
		}
	}
}

// TestLowerErrors is of what fits no layer.
func TestLowerErrors(t *testing.T) {
	for want, build := range map[string]func(s *sketch) string{
		`node "pool" (MaxPool): operator MaxPool`: func(s *sketch) string {
			return s.node("pool", "MaxPool", []*attribute{intsAttr("kernel_shape", 1, 1)}, "x")
		},
		`node "soft" (Softmax): operator Softmax`:       func(s *sketch) string { return s.node("soft", "Softmax", nil, "x") },
		`node "conv" (Conv): strides [1 2]`:             func(s *sketch) string { return s.conv("conv", "x", 3, 3, 1, intsAttr("strides", 1, 2)) },
		`node "conv" (Conv): its padding, 9 rows above`: func(s *sketch) string { return s.conv("conv", "x", 3, 3, 1, intsAttr("pads", 9, 9, 9, 9)) },
		`node "q" (Quant): it rounds to steps of 0.3`: func(s *sketch) string {
			y := s.node("q", "Quant", nil, "x", s.floats("s", []float32{0.3}), s.floats("z", []float32{0}), s.floats("b", []float32{8}))
			s.nodes[len(s.nodes)-1].domain = domainQuant
			return y
		},
		`node "clip" (Clip): it keeps numbers between -1 and 1`: func(s *sketch) string {
			return s.node("clip", "Clip", nil, "x", s.floats("l", []float32{-1}), s.floats("h", []float32{1}))
		},
		`node "conv" (Conv): its elements come in an order`: func(s *sketch) string {
			return s.conv("conv", s.node("t", "Transpose", []*attribute{intsAttr("perm", 0, 1, 3, 2)}, s.conv("before", "x", 3, 3, 1)), 3, 3, 1)
		},
		`node "mul" (Mul): it multiplies two results`: func(s *sketch) string {
			return s.node("mul", "Mul", nil, s.relu("x"), s.node("tanh", "Tanh", nil, "x"))
		},
	} {
		s := draw(port("x", 3, 4, 4))
		g := s.graph(t, build(s), 3, 4, 4)
		if _, err := g.network(nn.Settings{Threads: 1}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
