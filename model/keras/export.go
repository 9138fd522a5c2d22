package keras

import (
	"fmt"
	"slices"

	"barrow/nn"
)

// exportVersion is the keras_version of files that Export makes: what their
// architecture is written for. Later versions 2.x read it too.
const exportVersion = "2.5.0"

// Export describes a network, with its weights, as a Keras 2 model: a
// functional model, or, for a network in a pair, a nested model base_model that
// is called twice. Write makes one file of it; Write with an empty Config and
// WriteJSON make two. Quantised layers become QKeras' (qkeras.utils.load_qmodel
// loads them). What Keras cannot express is an error that names the layer.
func Export(n *nn.Network) (*File, error) {
	g, err := graphOf(n, plainLayers(n), ownInputs(n))
	if err != nil {
		return nil, err
	}
	return g.file()
}

// ownInputs are the inputs that Export gives a network: two where the halves of
// its input are exchanged, and one for each concat layer.
func ownInputs(n *nn.Network) []Input {
	s := n.InputShape()
	inputs := []Input{{Name: "input_1", Shape: s}}
	if n.Layers()[0].Kind == nn.KindSwapPair {
		s.C /= 2
		inputs = []Input{{Name: "input_1", Shape: s}, {Name: "input_2", Shape: s}}
	}
	for _, l := range n.Layers() {
		if l.Kind == nn.KindConcat {
			inputs = append(inputs, Input{Name: l.Name + "_input", Shape: nn.Shape{H: l.In.H, W: l.In.W, C: l.Channels}, Side: l.Name})
		}
	}
	return inputs
}

// A layerOut is a layer on its way out, with its arrays.
type layerOut struct {
	nn.LayerShape
	weights []Weight // by bare names
	// bias is the bias's quantiser where it is not that of the kernel.
	bias *quantizer
}

// plainLayers are a network's layers as they are.
func plainLayers(n *nn.Network) []layerOut {
	var out []layerOut
	for _, l := range n.Layers() {
		o := layerOut{LayerShape: l}
		for _, s := range slots(l) {
			if p := n.Param(l.Name + "/" + s.name); p != nil {
				o.weights = append(o.weights, Weight{Name: s.name, Shape: slices.Clone(p.Shape), Data: slices.Clone(p.Value)})
			}
		}
		out = append(out, o)
	}
	return out
}

// An exporter writes one network down. The chain of layers goes to the current
// graph: the outer one, or base_model while a pair is open.
type exporter struct {
	layers []layerOut
	inputs []Input
	outer  graph
	base   graph
	cur    *graph
	fronts []tensor // the inputs in front of the network
	second tensor   // what base_model's second call gets, where it is one tensor
}

// graphOf draws the graph of a network with the layers and inputs given.
func graphOf(n *nn.Network, layers []layerOut, inputs []Input) (*graph, error) {
	e := &exporter{layers: layers, inputs: inputs}
	e.outer.name = n.Spec().Name
	if e.outer.name == "" {
		e.outer.name = "model"
	}
	e.cur = &e.outer
	own := []string{"base_model", "concat", "negative", "first_half", "second_half", "exchanged"}
	for _, in := range inputs {
		own = append(own, in.Name)
	}
	for _, l := range layers {
		if slices.Contains(own, l.Name) {
			return nil, errorf("layer %q: the name is taken: Export gives it to a layer of its own", l.Name)
		}
	}
	e.front()
	for i, l := range layers {
		if err := e.layer(i, l); err != nil {
			return nil, errorf("layer %q (%s): %w", l.Name, l.Kind, err)
		}
	}
	if e.cur == &e.base {
		return nil, errorf("a network that ends inside a pair has two outputs a sample, which Keras' models here have not")
	}
	return &e.outer, nil
}

// front makes the inputs in front of the network, and opens a pair that begins
// there.
func (e *exporter) front() {
	for _, in := range e.inputs {
		if in.Side == "" {
			e.fronts = append(e.fronts, e.outer.input(in.Name, in.Shape))
		}
	}
	e.outer.last = e.fronts[0]
	switch open := e.layers[0].Kind; {
	case open == nn.KindSwapPair && len(e.fronts) == 1:
		e.exchange()
		e.openPair()
	case open == nn.KindSwapPair:
		e.openPair()
	case open == nn.KindNegatePair:
		x := e.fronts[0]
		e.second = e.outer.add(&graphNode{name: "negative", op: "negative", calls: [][]tensor{{x}}, out: x.shape})
		e.openPair()
	case len(e.fronts) > 1:
		e.outer.last = join(&e.outer, "concat", e.fronts...)
	}
}

// join puts tensors side by side, by channel.
func join(g *graph, name string, parts ...tensor) tensor {
	out := parts[0].shape
	for _, p := range parts[1:] {
		out.C += p.shape.C
	}
	return g.add(&graphNode{class: "Concatenate", name: name, config: obj{"axis": -1}, calls: [][]tensor{parts}, out: out})
}

// exchange exchanges the halves of the input's channels.
func (e *exporter) exchange() {
	x := e.fronts[0]
	half := x.shape
	half.C /= 2
	part := func(name string, from int) tensor {
		return e.outer.add(&graphNode{name: name, op: "slice", from: from, to: from + half.C, calls: [][]tensor{{x}}, out: half})
	}
	first := part("first_half", 0)
	e.second = join(&e.outer, "exchanged", part("second_half", half.C), first)
}

// openPair starts base_model.
func (e *exporter) openPair() {
	e.base.name = "base_model"
	var inner []tensor
	for _, in := range e.fronts {
		inner = append(inner, e.base.input(in.name, in.shape))
	}
	e.base.last = inner[0]
	if len(inner) > 1 {
		e.base.last = join(&e.base, "concat", inner...)
	}
	e.cur = &e.base
}

// closePair ends base_model and joins its two calls.
func (e *exporter) closePair(class, name string) {
	swapped := []tensor{e.second}
	if len(e.fronts) == 2 {
		swapped = []tensor{e.fronts[1], e.fronts[0]}
	}
	out := e.base.last.shape
	e.outer.add(&graphNode{class: "Functional", name: "base_model", nested: &e.base, calls: [][]tensor{e.fronts, swapped}, out: out})
	calls := [][]tensor{{{"base_model", 0, out}, {"base_model", 1, out}}}
	e.outer.last = e.outer.add(&graphNode{class: class, name: name, config: obj{}, calls: calls, out: out})
	e.cur = &e.outer
}

// layer adds one layer of the network.
func (e *exporter) layer(i int, l layerOut) error {
	chain := func(class string, config obj) { e.cur.chain(class, l.Name, l.Out, config) }
	quantised := obj{"activation": fmt.Sprintf("quantized_relu(%d,%d)", l.Bits, l.Integer)}
	switch l.Kind {
	case nn.KindSwapPair, nn.KindNegatePair:
		if i > 0 {
			return fmt.Errorf("supported at the front of a network only")
		}
	case nn.KindPairMean:
		e.closePair("Average", l.Name)
	case nn.KindPairDifference:
		e.closePair("Subtract", l.Name)
	case nn.KindConv2D, nn.KindConv2DTranspose, nn.KindDense:
		return e.weighted(l)
	case nn.KindBatchNorm:
		e.batchNorm(l)
	case nn.KindReLU, nn.KindSigmoid, nn.KindTanh:
		chain("Activation", obj{"activation": l.Kind})
	case nn.KindSiLU:
		chain("Activation", obj{"activation": "swish"}) // the name that every version of Keras 2 knows
	case nn.KindAdd:
		e.merge("Add", l, tensor{l.From, 0, l.Out})
	case nn.KindSquare: // a layer of every version of Keras, unlike an activation of that name
		e.merge("Multiply", l, e.cur.last)
	case nn.KindFlatten:
		chain("Flatten", obj{"data_format": "channels_last"})
	case nn.KindReshape:
		target := []int{l.Height, l.Width, l.Channels}
		if l.Height == 1 && l.Width == 1 {
			target = target[2:]
		}
		chain("Reshape", obj{"target_shape": target})
	case nn.KindCrop:
		bottom, right := l.In.H-l.Top-l.Height, l.In.W-l.Left-l.Width
		chain("Cropping2D", obj{"cropping": [][]int{{l.Top, bottom}, {l.Left, right}}, "data_format": "channels_last"})
	case nn.KindConcat:
		return e.side(l)
	case nn.KindQuantizedBits:
		if l.Rounding == nn.RoundFloor {
			return e.roundDown(i, l)
		}
		sign := 1
		if l.Unsigned {
			sign = 0
		}
		chain("QActivation", obj{"activation": fmt.Sprintf("quantized_bits(%d,%d,0,%d,alpha=1)", l.Bits, l.Integer, sign)})
	case nn.KindQuantizedReLU:
		if l.Rounding == nn.RoundFloor {
			return fmt.Errorf("rounding down has no QKeras layer")
		}
		chain("QActivation", quantised)
	default:
		return fmt.Errorf("has no Keras layer")
	}
	return nil
}

// side joins an input that comes in here.
func (e *exporter) side(l layerOut) error {
	if e.cur == &e.base {
		return fmt.Errorf("an input that joins inside a pair is not supported")
	}
	at := slices.IndexFunc(e.inputs, func(in Input) bool { return in.Side == l.Name })
	if at < 0 {
		return fmt.Errorf("no input is named that joins here")
	}
	last := e.outer.last
	e.outer.last = join(&e.outer, l.Name, last, e.outer.input(e.inputs[at].Name, e.inputs[at].Shape))
	return nil
}

// merge adds a layer that joins the last one's output with another's.
func (e *exporter) merge(class string, l layerOut, other tensor) {
	g := e.cur
	g.last = g.add(&graphNode{class: class, name: l.Name, config: obj{}, calls: [][]tensor{{g.last, other}}, out: l.Out})
}

// roundDown writes a quantiser that rounds down as the TensorFlow operations
// that reading knows; they do not saturate below, so values must not get there.
func (e *exporter) roundDown(i int, l layerOut) error {
	fraction := l.Bits - l.Integer - 1
	reaches := i == 0
	if i > 0 {
		p := e.layers[i-1]
		reaches = p.Kind != nn.KindReLU && p.Kind != nn.KindQuantizedReLU && (p.Kind != nn.KindQuantizedBits || p.Integer > l.Integer)
	}
	if l.Unsigned || reaches || fraction < 0 || fraction > 16 || l.Integer < 0 || l.Integer > 3 {
		return fmt.Errorf("rounding down to %d bits, %d of them integer, has no Keras layers; %s, after a quantiser with at most as many integer bits or a ReLU", l.Bits, l.Integer, supportedSteps)
	}
	scale := 1 << fraction
	for _, s := range []struct {
		op     string
		number any
	}{
		{"multiply", scale}, {"floor", nil}, {"truediv", scale},
		{"minimum", float64(int(1)<<l.Integer) - 1/float64(scale)},
	} {
		name := l.Name + "_" + s.op
		if s.op == "minimum" {
			name = l.Name
		}
		e.cur.last = e.cur.add(&graphNode{name: name, op: s.op, number: s.number, calls: [][]tensor{{e.cur.last}}, out: l.Out})
	}
	return nil
}

func initializer(class string) obj { return obj{"class_name": class, "config": obj{}} }

// weighted adds a layer with a kernel.
func (e *exporter) weighted(l layerOut) error {
	class := map[string]string{nn.KindConv2D: "Conv2D", nn.KindConv2DTranspose: "Conv2DTranspose", nn.KindDense: "Dense"}[l.Kind]
	config := obj{
		"activation": "linear", "use_bias": !l.NoBias,
		"kernel_initializer": initializer("GlorotUniform"), "bias_initializer": initializer("Zeros"),
		"kernel_regularizer": nil, "bias_regularizer": nil, "activity_regularizer": nil,
		"kernel_constraint": nil, "bias_constraint": nil,
	}
	if l.L2 != 0 {
		config["kernel_regularizer"] = obj{"class_name": "L1L2", "config": obj{"l1": 0.0, "l2": l.L2}}
	}
	if l.Kind == nn.KindDense {
		if l.In.H != 1 || l.In.W != 1 { // Keras would apply it to each pixel
			e.cur.chain("Flatten", l.Name+"_flatten", nn.Vector(l.In.Size()), obj{"data_format": "channels_last"})
		}
		config["units"] = l.Units
	} else {
		config["filters"] = l.Filters
		config["kernel_size"], config["strides"] = []int{l.Kernel, l.Kernel}, []int{l.Stride, l.Stride}
		config["padding"], config["data_format"] = l.Padding, "channels_last"
		config["dilation_rate"] = []int{1, 1}
		if l.Kind == nn.KindConv2DTranspose {
			config["output_padding"] = nil
		} else {
			config["groups"] = 1
		}
	}
	if l.Bits > 0 {
		if l.Rounding == nn.RoundFloor {
			return fmt.Errorf("weights rounded down have no QKeras layer")
		}
		kernel := quantizer{kind: nn.KindQuantizedBits, bits: l.Bits, integer: l.Integer}
		bias := kernel
		if l.bias != nil {
			bias = *l.bias
		}
		config["kernel_quantizer"], config["bias_quantizer"] = kernel.config(), bias.config()
		class = "Q" + class
	}
	e.cur.chain(class, l.Name, l.Out, config).weights = l.weights
	return nil
}

// config is a quantiser of weights as QKeras describes it.
func (q quantizer) config() obj {
	return obj{"class_name": "quantized_bits", "config": obj{
		"bits": q.bits, "integer": q.integer, "symmetric": 0, "keep_negative": 1, "alpha": 1,
		"use_stochastic_rounding": false, "qnoise_factor": 1.0,
	}}
}

func (e *exporter) batchNorm(l layerOut) {
	axis := 3
	if l.Out.H == 1 && l.Out.W == 1 {
		axis = 1
	}
	e.cur.chain("BatchNormalization", l.Name, l.Out, obj{
		"axis": []int{axis}, "momentum": l.Momentum, "epsilon": l.Epsilon, "center": true, "scale": true,
		"beta_initializer": initializer("Zeros"), "gamma_initializer": initializer("Ones"),
		"moving_mean_initializer": initializer("Zeros"), "moving_variance_initializer": initializer("Ones"),
		"beta_regularizer": nil, "gamma_regularizer": nil, "beta_constraint": nil, "gamma_constraint": nil,
	}).weights = l.weights
}
