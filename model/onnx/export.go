package onnx

import (
	"context"
	"fmt"

	"barrow/model"
	"barrow/nn"
)

// What is written: versions that every tool of the last years reads.
const (
	writtenIR    = 8
	writtenOpset = 17
)

func numbered(name string, n int) string { return fmt.Sprintf("%s_%d", name, n) }

// export writes every part of a model in a file.
func export(_ context.Context, m *model.Model) ([]model.File, error) {
	chip := map[string]bool{}
	if e := m.Encoder(); e != nil && e.Chip != nil {
		for _, l := range e.Network.Layers() {
			chip[l.Name] = true
		}
	}
	var out []model.File
	for _, p := range m.Parts() {
		g, err := part(p, chip)
		if err != nil {
			return nil, err
		}
		proto := &modelProto{ir: writtenIR, producer: "barrow", opsets: []opset{{"", writtenOpset}}, graph: &g.graphProto}
		out = append(out, model.File{
			Name: p.Name + ".onnx", Data: proto.encode(), Part: &p,
			About: fmt.Sprintf("%s, opset %d: any number of samples, images with the channels last", p.About, writtenOpset),
		})
	}
	return out, nil
}

// A writer puts a network's layers into a graph. Values have the channels last, as
// nn has them; a convolution lies between two transposes.
type writer struct {
	*builder
	net  *nn.Network
	side map[string]string // the inputs that concat layers take
	chip map[string]bool   // layers whose single products are rounded down
	made map[string][]value
}

// A value is what a node makes.
type value struct {
	name  string
	image bool // whether it has four dimensions, not two
}

func part(p model.Part, chip map[string]bool) (*builder, error) {
	w := &writer{newBuilder(p.Name), p.Network, map[string]string{}, map[string]bool{}, map[string][]value{}}
	if p.Name == "encoder" || p.Name == "whole" {
		w.chip = chip
	}
	var first []string
	open := func(name string, s nn.Shape) *valueInfo {
		v := &valueInfo{name: name, dtype: typeFloat, shape: []int{-1, s.C}, params: []string{"N", ""}}
		if s.Positions() > 1 {
			v.shape, v.params = []int{-1, s.H, s.W, s.C}, []string{"N", "", "", ""}
		}
		return v
	}
	for _, in := range p.Inputs {
		w.inputs = append(w.inputs, open(in.Name, in.Shape))
		w.used[in.Name]++
		if in.Side != "" {
			w.side[in.Side] = in.Name
		} else {
			first = append(first, in.Name)
		}
	}
	w.used[p.Output]++
	x := first[0]
	if len(first) > 1 {
		x = w.node("inputs", "Concat", []*attribute{intAttr("axis", -1)}, first...)
	}
	values := []value{{x, p.Network.InputShape().Positions() > 1}}
	for _, l := range p.Network.Layers() {
		var err error
		if values, err = w.layer(l, values); err != nil {
			return nil, fmt.Errorf("onnx: part %s: layer %q: %w", p.Name, l.Name, err)
		}
		w.made[l.Name] = values
	}
	if len(values) != 1 {
		return nil, fmt.Errorf("onnx: part %s ends inside a pair", p.Name)
	}
	w.nodes = append(w.nodes, &nodeProto{name: "output", op: "Identity", in: []string{values[0].name}, out: []string{p.Output}})
	w.outputs = []*valueInfo{open(p.Output, p.Network.OutputShape())}
	return w.builder, nil
}

// layer adds one layer, to each of the two values within a pair.
func (w *writer) layer(l nn.LayerShape, in []value) ([]value, error) {
	x := in[0]
	switch l.Kind {
	case nn.KindSwapPair:
		half := l.In.C / 2
		a := w.slice(l.Name+"_first", x, []int{0}, []int{half}, []int{-1})
		b := w.slice(l.Name+"_second", x, []int{half}, []int{l.In.C}, []int{-1})
		return []value{x, {w.node(l.Name, "Concat", []*attribute{intAttr("axis", -1)}, b.name, a.name), x.image}}, nil
	case nn.KindNegatePair:
		return []value{x, {w.node(l.Name, "Neg", nil, x.name), x.image}}, nil
	case nn.KindPairMean:
		sum := w.node(l.Name+"_sum", "Add", nil, x.name, in[1].name)
		return []value{{w.node(l.Name, "Mul", nil, sum, w.floats("half", []float32{0.5})), x.image}}, nil
	case nn.KindPairDifference:
		return []value{{w.node(l.Name, "Sub", nil, x.name, in[1].name), x.image}}, nil
	}
	out := make([]value, len(in))
	for i, x := range in {
		var err error
		if out[i], err = w.single(l, x, i); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// single adds one layer behind x, the member at of a pair.
func (w *writer) single(l nn.LayerShape, x value, at int) (value, error) {
	same := func(op string) (value, error) { return value{w.node(l.Name, op, nil, x.name), x.image}, nil }
	switch l.Kind {
	case nn.KindConv2D, nn.KindConv2DTranspose:
		return w.convolution(l, x), nil
	case nn.KindDense:
		return w.dense(l, x), nil
	case nn.KindBatchNorm:
		return w.norm(l, x), nil
	case nn.KindReLU:
		return same("Relu")
	case nn.KindSigmoid:
		return same("Sigmoid")
	case nn.KindTanh:
		return same("Tanh")
	case nn.KindSiLU:
		return value{w.node(l.Name, "Mul", nil, x.name, w.node(l.Name+"_sigmoid", "Sigmoid", nil, x.name)), x.image}, nil
	case nn.KindSquare:
		return value{w.node(l.Name, "Mul", nil, x.name, x.name), x.image}, nil
	case nn.KindFlatten, nn.KindReshape:
		return w.reshape(l.Name, x, l.Out), nil
	case nn.KindCrop:
		return w.slice(l.Name, w.reshape(l.Name+"_image", x, l.In), []int{l.Top, l.Left}, []int{l.Top + l.Height, l.Left + l.Width}, []int{1, 2}), nil
	case nn.KindConcat:
		return value{w.node(l.Name, "Concat", []*attribute{intAttr("axis", -1)}, x.name, w.side[l.Name]), x.image}, nil
	case nn.KindAdd:
		return value{w.node(l.Name, "Add", nil, x.name, w.made[l.From][at].name), x.image}, nil
	case nn.KindQuantizedBits, nn.KindQuantizedReLU:
		return value{w.round(l, x.name), x.image}, nil
	}
	return value{}, fmt.Errorf("layers of the kind %s are not written", l.Kind)
}

// slice keeps what lies between two bounds of some axes.
func (w *writer) slice(name string, x value, from, to, axes []int) value {
	return value{w.node(name, "Slice", nil, x.name, w.ints(name+"_from", from...), w.ints(name+"_to", to...), w.ints(name+"_axes", axes...)), x.image}
}

// reshape gives samples the shape, vectors with two dimensions.
func (w *writer) reshape(name string, x value, s nn.Shape) value {
	if s.Positions() == 1 {
		if !x.image {
			return x
		}
		return value{w.node(name, "Reshape", nil, x.name, w.ints(name+"_shape", -1, s.C)), false}
	}
	return value{w.node(name, "Reshape", nil, x.name, w.ints(name+"_shape", -1, s.H, s.W, s.C)), true}
}

// round brings x onto a quantiser's grid. Steps are powers of two, so that the
// products are exact; Round takes halves to even.
func (w *writer) round(l nn.LayerShape, x string) string {
	g := model.GridOf(l.Layer)
	unit := w.floats(l.Name+"_unit", []float32{1 / g.Step})
	x = w.node(l.Name+"_scaled", "Mul", nil, x, unit)
	how := "Round"
	if g.Floor {
		how = "Floor"
	}
	x = w.node(l.Name+"_rounded", how, nil, x)
	x = w.node(l.Name+"_clipped", "Clip", nil, x, w.floats(l.Name+"_low", []float32{g.Low}), w.floats(l.Name+"_high", []float32{g.High}))
	return w.node(l.Name, "Div", nil, x, unit)
}

// truncate rounds down to multiples of 1/unit.
func (w *writer) truncate(name, x string, unit float32) string {
	u := w.floats(name+"_unit", []float32{unit})
	return w.node(name+"_down", "Div", nil, w.node(name+"_floor", "Floor", nil, w.node(name+"_scaled", "Mul", nil, x, u)), u)
}

// arrays are a layer's kernel and bias, rounded where the layer rounds them.
func arrays(net *nn.Network, l nn.LayerShape) (kernel, bias []float32) {
	get := func(name string) []float32 {
		p := net.Param(l.Name + "/" + name)
		if p == nil {
			return nil
		}
		v := append([]float32(nil), p.Value...)
		if l.Bits > 0 {
			g := model.GridOf(l.Layer)
			for i := range v {
				v[i] = g.Round(v[i])
			}
		}
		return v
	}
	return get("kernel"), get("bias")
}

// ordered is an array whose dimensions are in another order.
func ordered(v []float32, shape, perm []int) []float32 {
	t := &tensor{typeFloat, shape, make([]float64, len(v))}
	for i, x := range v {
		t.data[i] = float64(x)
	}
	t = t.transpose(perm)
	out := make([]float32, len(v))
	for i, x := range t.data {
		out[i] = float32(x)
	}
	return out
}

// pads are the rows before and after of a dimension, and what a transposed
// convolution adds behind.
func pads(l nn.LayerShape, in, out int) (before, after, extra int) {
	k, s := l.Kernel, l.Stride
	if l.Kind == nn.KindConv2D {
		if l.Padding != nn.PaddingSame {
			return 0, 0, 0
		}
		total := max((out-1)*s+k-in, 0)
		return total / 2, total - total/2, 0
	}
	total := (in-1)*s + k - out
	if total < 0 {
		return 0, 0, -total
	}
	return total / 2, total - total/2, 0
}

func (w *writer) convolution(l nn.LayerShape, x value) value {
	kernel, bias := arrays(w.net, l)
	k, i, o := l.Kernel, l.In.C, l.Filters
	if w.chip[l.Name] {
		return w.chipConv(l, x, kernel, bias)
	}
	x = w.first(l, x)
	var weights string
	y0, y1, ey := pads(l, l.In.H, l.Out.H)
	x0, x1, ex := pads(l, l.In.W, l.Out.W)
	op, at := "Conv", []*attribute{intsAttr("kernel_shape", k, k), intsAttr("strides", l.Stride, l.Stride), intsAttr("pads", y0, x0, y1, x1)}
	if l.Kind == nn.KindConv2D {
		weights = w.floats(l.Name+"_kernel", ordered(kernel, []int{k, k, i, o}, []int{3, 2, 0, 1}), o, i, k, k)
	} else {
		op = "ConvTranspose"
		weights = w.floats(l.Name+"_kernel", ordered(kernel, []int{k, k, o, i}, []int{3, 2, 0, 1}), i, o, k, k)
		if ey > 0 || ex > 0 {
			at = append(at, intsAttr("output_padding", ey, ex))
		}
	}
	in := []string{x.name, weights}
	if bias != nil {
		in = append(in, w.floats(l.Name+"_bias", bias, o))
	}
	y := w.node(l.Name+"_first", op, at, in...)
	w.note(l)
	return w.last(l, y)
}

// first puts the channels first, for a convolution; last puts them back.
func (w *writer) first(l nn.LayerShape, x value) value {
	if !x.image {
		x = value{w.node(l.Name+"_image", "Reshape", nil, x.name, w.ints(l.Name+"_image_shape", -1, l.In.H, l.In.W, l.In.C)), true}
	}
	return value{w.node(l.Name+"_in", "Transpose", []*attribute{intsAttr("perm", 0, 3, 1, 2)}, x.name), true}
}

func (w *writer) last(l nn.LayerShape, x string) value {
	return w.reshapeVector(l, value{w.node(l.Name, "Transpose", []*attribute{intsAttr("perm", 0, 2, 3, 1)}, x), true})
}

// reshapeVector makes an image of one pixel a vector, as values have it here.
func (w *writer) reshapeVector(l nn.LayerShape, x value) value {
	if l.Out.Positions() > 1 {
		return x
	}
	return w.reshape(l.Name+"_vector", x, l.Out)
}

func (w *writer) dense(l nn.LayerShape, x value) value {
	kernel, bias := arrays(w.net, l)
	x = w.reshape(l.Name+"_flat", x, nn.Vector(l.In.Size()))
	if w.chip[l.Name] {
		return w.chipDense(l, x, kernel, bias)
	}
	weights := w.floats(l.Name+"_kernel", kernel, l.In.Size(), l.Units)
	op, in := "MatMul", []string{x.name, weights}
	if bias != nil {
		op, in = "Gemm", append(in, w.floats(l.Name+"_bias", bias, l.Units))
	}
	y := w.node(l.Name, op, nil, in...)
	w.note(l)
	return value{y, false}
}

// note tells in the documentation of the last node how its weights were rounded, which
// the file's numbers do not say.
func (w *writer) note(l nn.LayerShape) {
	if l.Bits > 0 {
		w.nodes[len(w.nodes)-1].doc = fmt.Sprintf(noted, l.Bits, l.Integer, l.Rounding)
	}
}

func (w *writer) norm(l nn.LayerShape, x value) value {
	in := []string{""}
	for _, name := range []string{"gamma", "beta", "moving_mean", "moving_variance"} {
		in = append(in, w.floats(l.Name+"_"+name, w.net.Param(l.Name+"/"+name).Value, l.In.C))
	}
	at := []*attribute{{name: "epsilon", kind: attrFloat, f: float32(l.Epsilon)}}
	if !x.image {
		in[0] = x.name
		return value{w.node(l.Name, "BatchNormalization", at, in...), false}
	}
	in[0] = w.first(l, x).name
	return w.last(l, w.node(l.Name+"_first", "BatchNormalization", at, in...))
}

// chipConv is a convolution of single products rounded down: one that has an output
// for every product, and one that adds them up. All sums are of small multiples of
// powers of two, and exact.
func (w *writer) chipConv(l nn.LayerShape, x value, kernel, bias []float32) value {
	k, filters := l.Kernel, l.Filters
	taps := k * k * l.In.C
	single, sum := make([]float32, taps*filters*taps), make([]float32, filters*taps*filters)
	for t := range taps {
		for f := range filters {
			// Output t·filters+f has the product of tap t, whose place in the kernel,
			// channels first, is that of (channel, y, x).
			place := t%l.In.C*k*k + t/l.In.C
			single[(t*filters+f)*taps+place] = kernel[t*filters+f]
			sum[f*taps*filters+t*filters+f] = 1
		}
	}
	x = w.first(l, x)
	y0, y1, _ := pads(l, l.In.H, l.Out.H)
	x0, x1, _ := pads(l, l.In.W, l.Out.W)
	at := []*attribute{intsAttr("kernel_shape", k, k), intsAttr("strides", l.Stride, l.Stride), intsAttr("pads", y0, x0, y1, x1)}
	p := w.node(l.Name+"_products", "Conv", at, x.name, w.floats(l.Name+"_kernel", single, taps*filters, l.In.C, k, k))
	p = w.truncate(l.Name, p, 128)
	in := []string{p, w.floats(l.Name+"_sum", sum, filters, taps*filters, 1, 1)}
	if bias != nil {
		in = append(in, w.floats(l.Name+"_bias", bias, filters))
	}
	return w.last(l, w.node(l.Name+"_first", "Conv", []*attribute{intsAttr("kernel_shape", 1, 1)}, in...))
}

// chipDense is the same for a dense layer.
func (w *writer) chipDense(l nn.LayerShape, x value, kernel, bias []float32) value {
	n := l.In.Size()
	col := w.node(l.Name+"_column", "Reshape", nil, x.name, w.ints(l.Name+"_column_shape", -1, n, 1))
	p := w.node(l.Name+"_products", "Mul", nil, col, w.floats(l.Name+"_kernel", kernel, n, l.Units))
	p = w.truncate(l.Name, p, 256)
	s := w.node(l.Name+"_sum", "ReduceSum", []*attribute{intAttr("keepdims", 0)}, p, w.ints(l.Name+"_axis", 1))
	if bias != nil {
		s = w.node(l.Name, "Add", nil, s, w.floats(l.Name+"_bias", bias, l.Units))
	}
	return value{s, false}
}
