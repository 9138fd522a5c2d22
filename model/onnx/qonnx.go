package onnx

import (
	"context"
	_ "embed" // hls.py
	"errors"
	"fmt"
	"slices"

	"barrow/model"
	"barrow/nn"
)

// QFormat is QONNX, of quantised encoders, which is written only: Format reads it.
func QFormat() model.Format {
	return model.Format{
		Name: "qonnx", About: "QONNX, as hls4ml reads it: encoder.onnx", Open: open,
		Check: checkQ, Export: exportQ,
	}
}

func checkQ(m *model.Model) error {
	e := m.Encoder()
	if e == nil {
		return errors.New("onnx: QONNX is written of encoders, and this network is none: take the format onnx")
	}
	if !rounded(e.Network) {
		return errors.New("onnx: QONNX is of quantised encoders, and this one is in floating point: take the format onnx, or train with a quantised precision")
	}
	_, err := quantised(e)
	return err
}

// rounded reports whether anything is quantised: weights or what a layer makes.
func rounded(n *nn.Network) bool {
	return slices.ContainsFunc(n.Layers(), func(l nn.LayerShape) bool { return l.Bits > 0 })
}

// script makes firmware of an exported encoder.
//
//go:embed hls.py
var script []byte

func exportQ(ctx context.Context, m *model.Model) ([]model.File, error) {
	e := m.Encoder()
	g, err := quantised(e)
	if err != nil {
		return nil, err
	}
	proto := &modelProto{ir: writtenIR, producer: "barrow", opsets: []opset{{"", writtenOpset}, {domainQuant, 1}, {domainLast, 1}}, graph: &g.graphProto}
	about := "16 numbers of one image, channels last; hls4ml's convert_from_onnx_model takes it, the input's type with room for what is rounded first (fixed<32,8,RND_CONV,SAT>)"
	if e.Chip != nil {
		off, err := m.Untruncated(ctx)
		if err != nil {
			return nil, err
		}
		about += ".\nThe chip rounds down every single product, which no layer of QONNX does: the file adds up exactly.\n" + off
	}
	files := []model.File{{Name: "encoder.onnx", Data: proto.encode(), Part: m.Part("encoder"), About: about}}
	if e.Exact() {
		how := "firmware of the encoder by hls4ml, and its C simulation held to the test vectors, to the bit: python hls.py"
		if e.Chip != nil {
			how += ".\nOf this model it finds numbers that differ: latent is the chip's"
		}
		files = append(files, model.File{Name: "hls.py", Data: script, About: how})
	}
	return files, nil
}

// A quantWriter puts an encoder into a graph as hls4ml wants it: one image, channels
// last, a Quant node with parameters of its own to everything that is rounded, and the
// shape of every value told.
type quantWriter struct {
	*builder
	net *nn.Network
}

func quantised(e *model.Encoder) (*builder, error) {
	w := &quantWriter{newBuilder("encoder"), e.Network}
	layers := e.Network.Layers()
	in := e.Network.InputShape()
	x := "x"
	w.inputs = []*valueInfo{info(x, in)}
	w.used[x]++
	w.used["latent"]++
	for _, l := range layers {
		var err error
		if x, err = w.layer(l, x); err != nil {
			return nil, fmt.Errorf("onnx: layer %q: %w", l.Name, err)
		}
	}
	// The last node makes the output; what it made has no other name then.
	last := w.nodes[len(w.nodes)-1]
	last.out[0] = "latent"
	w.values = w.values[:len(w.values)-1]
	w.outputs = []*valueInfo{info("latent", e.Network.OutputShape())}
	for _, t := range w.initializers {
		v := &valueInfo{name: t.name, dtype: t.dtype, shape: []int{}}
		for _, d := range t.dims {
			v.shape = append(v.shape, int(d))
		}
		w.values = append(w.values, v)
	}
	return w.builder, nil
}

// info tells a value of one sample.
func info(name string, s nn.Shape) *valueInfo {
	if s.Positions() == 1 {
		return &valueInfo{name: name, dtype: typeFloat, shape: []int{1, s.C}}
	}
	return &valueInfo{name: name, dtype: typeFloat, shape: []int{1, s.H, s.W, s.C}}
}

// op adds an operation and tells the shape of what it makes.
func (w *quantWriter) op(name, kind, domain string, shape []int, attrs []*attribute, in ...string) string {
	out := w.node(name, kind, attrs, in...)
	w.nodes[len(w.nodes)-1].domain = domain
	w.values = append(w.values, &valueInfo{name: out, dtype: typeFloat, shape: shape})
	return out
}

// quant rounds x by a Quant node.
func (w *quantWriter) quant(name, x string, g model.Grid, shape []int) string {
	signed, how := 0, "ROUND"
	if g.Signed {
		signed = 1
	}
	if g.Floor {
		how = "FLOOR"
	}
	at := []*attribute{intAttr("signed", signed), intAttr("narrow", 0), {name: "rounding_mode", kind: attrString, s: []byte(how)}}
	one := func(what string, v float32) string { return w.floats(name+"_"+what, []float32{v}, 1) }
	return w.op(name, "Quant", domainQuant, shape, at, x, one("scale", g.Step), one("zero", 0), one("bits", float32(g.Bits)))
}

// weights is a kernel or bias behind its Quant node.
func (w *quantWriter) weights(l nn.LayerShape, what string, v []float32, shape ...int) string {
	return w.quant(l.Name+"_"+what+"_quant", w.floats(l.Name+"_"+what, v, shape...), model.GridOf(l.Layer), shape)
}

func (w *quantWriter) layer(l nn.LayerShape, x string) (string, error) {
	out := info("", l.Out).shape
	if (l.Kind == nn.KindConv2D || l.Kind == nn.KindDense) && l.Bits == 0 {
		return "", errors.New("its weights are in floating point, or kernel and bias have each a format of its own: QONNX is written here of layers with one for both; take the format onnx")
	}
	kernel, bias := arrays(w.net, l)
	switch l.Kind {
	case nn.KindConv2D:
		if bias == nil {
			bias = make([]float32, l.Filters)
		}
		k := l.Kernel
		y0, y1, _ := pads(l, l.In.H, l.Out.H)
		x0, x1, _ := pads(l, l.In.W, l.Out.W)
		return w.op(l.Name, "Conv", domainLast, out, []*attribute{
			intsAttr("kernel_shape", k, k), intsAttr("strides", l.Stride, l.Stride), intsAttr("pads", y0, x0, y1, x1), intsAttr("dilations", 1, 1), intAttr("group", 1),
		}, x, w.weights(l, "kernel", ordered(kernel, []int{k, k, l.In.C, l.Filters}, []int{3, 0, 1, 2}), l.Filters, k, k, l.In.C), w.weights(l, "bias", bias, l.Filters)), nil
	case nn.KindDense:
		if l.In.Positions() > 1 {
			x = w.op(l.Name+"_flatten", "Flatten", "", []int{1, l.In.Size()}, []*attribute{intAttr("axis", 1)}, x)
		}
		x = w.op(l.Name, "MatMul", "", out, nil, x, w.weights(l, "kernel", kernel, l.In.Size(), l.Units))
		if bias != nil {
			x = w.op(l.Name+"_add", "Add", "", out, nil, x, w.weights(l, "bias", bias, l.Units))
		}
		return x, nil
	case nn.KindFlatten:
		if l.In.Positions() == 1 {
			return x, nil
		}
		return w.op(l.Name, "Flatten", "", out, []*attribute{intAttr("axis", 1)}, x), nil
	case nn.KindReLU:
		return w.op(l.Name, "Relu", "", out, nil, x), nil
	case nn.KindQuantizedReLU: // names that hls4ml keeps for itself, "input", have an end
		return w.quant(l.Name+"_quant", w.op(l.Name+"_relu", "Relu", "", out, nil, x), model.GridOf(l.Layer), out), nil
	case nn.KindQuantizedBits:
		return w.quant(l.Name+"_quant", x, model.GridOf(l.Layer), out), nil
	}
	return "", fmt.Errorf("layers of the kind %s are not written: hls4ml has none in QONNX", l.Kind)
}
