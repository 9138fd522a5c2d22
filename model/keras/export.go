package keras

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"barrow/nn"
)

// exportVersion is the keras_version of files that Export makes: what their
// architecture is written for. Later versions 2.x read it too.
const exportVersion = "2.5.0"

type obj = map[string]any

// Export describes a network, with its weights, as a Keras 2 model: a
// functional model, or, for a network in a pair, a nested model base_model that
// is called twice. Write makes one file of it; Write with an empty Config and
// WriteJSON make two. Quantised layers become QKeras' (qkeras.utils.load_qmodel
// loads them). What Keras cannot express is an error that names the layer.
func Export(n *nn.Network) (*File, error) {
	e := &exporter{net: n, layers: n.Layers()}
	if err := e.model(); err != nil {
		return nil, err
	}
	return e.file, nil
}

// An exporter writes one network down. The chain of layers goes to the current
// model: the outer one, or base_model while a pair is open.
type exporter struct {
	net    *nn.Network
	layers []nn.LayerShape
	file   *File
	outer  modelJSON
	base   modelJSON
	cur    *modelJSON
	group  *LayerWeights // of base_model
	late   []Weight      // its moving averages, which Keras puts last
}

// modelJSON is a functional model in the making.
type modelJSON struct {
	name   string
	layers []obj
	inputs []any
	last   string // layer that comes before the next one
	node   int    // and its call
}

func (m *modelJSON) add(class, name string, config obj, inbound ...any) {
	if config["name"] == nil {
		config["name"] = name
		config["dtype"] = "float32"
		if class != "InputLayer" {
			config["trainable"] = true
		}
	}
	if inbound == nil {
		inbound = []any{}
	}
	m.layers = append(m.layers, obj{"class_name": class, "name": name, "config": config, "inbound_nodes": inbound})
}

// chain adds a layer after the last one.
func (m *modelJSON) chain(class, name string, config obj) {
	m.add(class, name, config, []any{m.from(obj{})})
	m.last, m.node = name, 0
}

// from refers to the last layer, with arguments.
func (m *modelJSON) from(args obj) []any { return []any{m.last, m.node, 0, args} }

func (m *modelJSON) input(name string, s nn.Shape) {
	shape := []any{nil, s.H, s.W, s.C}
	if s.H == 1 && s.W == 1 {
		shape = []any{nil, s.C}
	}
	m.add("InputLayer", name, obj{"batch_input_shape": shape, "sparse": false, "ragged": false, "name": name, "dtype": "float32"})
	m.inputs = append(m.inputs, []any{name, 0, 0})
}

func (m *modelJSON) config() obj {
	return obj{"name": m.name, "layers": m.layers, "input_layers": m.inputs, "output_layers": []any{[]any{m.last, m.node, 0}}}
}

func (e *exporter) model() error {
	spec := e.net.Spec()
	e.file = &File{KerasVersion: exportVersion, Backend: "tensorflow"}
	e.outer.name = spec.Name
	if e.outer.name == "" {
		e.outer.name = "model"
	}
	e.cur = &e.outer
	used := map[string]bool{}
	for _, l := range e.layers {
		used[l.Name] = true
	}
	for _, own := range []string{"input_1", "input_2", "base_model", "concat", "negative"} {
		if used[own] {
			return errorf("layer %q: the name is taken: Export gives it to a layer of its own", own)
		}
	}
	open := e.layers[0].Kind
	if open == nn.KindSwapPair {
		half := nn.Shape{H: spec.Input.H, W: spec.Input.W, C: spec.Input.C / 2}
		e.openPair(half, half)
	} else {
		e.outer.input("input_1", spec.Input)
		e.outer.last = "input_1"
		e.file.Layers = append(e.file.Layers, LayerWeights{Layer: "input_1"})
		if open == nn.KindNegatePair {
			e.openPair(spec.Input)
		}
	}
	for i, l := range e.layers {
		if err := e.layer(i, l); err != nil {
			return errorf("layer %q (%s): %w", l.Name, l.Kind, err)
		}
	}
	if e.cur == &e.base {
		return errorf("a network that ends inside a pair has two outputs a sample, which Keras' models here have not")
	}
	config, err := json.Marshal(obj{"class_name": "Functional", "config": e.outer.config()})
	if err != nil {
		return errorf("%w", err)
	}
	e.file.Config = string(config)
	return nil
}

// openPair starts base_model, whose inputs have the shapes given.
func (e *exporter) openPair(shapes ...nn.Shape) {
	e.base.name = "base_model"
	for i, s := range shapes {
		name := fmt.Sprintf("input_%d", i+1)
		e.base.input(name, s)
		e.base.last = name
		if len(shapes) == 2 {
			e.outer.input(name, s)
			e.file.Layers = append(e.file.Layers, LayerWeights{Layer: name})
		}
	}
	if len(shapes) == 2 {
		e.base.add("Concatenate", "concat", obj{"axis": -1}, []any{[]any{"input_1", 0, 0, obj{}}, []any{"input_2", 0, 0, obj{}}})
		e.base.last = "concat"
	}
	e.group = &LayerWeights{Layer: "base_model"}
	e.cur = &e.base
}

// closePair ends base_model and joins its two calls.
func (e *exporter) closePair(class, name string) {
	ref := func(name string) []any { return []any{name, 0, 0, obj{}} }
	first, second := []any{ref("input_1")}, []any{ref("negative")}
	if len(e.base.inputs) == 2 {
		first, second = []any{ref("input_1"), ref("input_2")}, []any{ref("input_2"), ref("input_1")}
	} else {
		e.outer.add("TFOpLambda", "negative", obj{"function": "math.negative"}, []any{"input_1", 0, 0, obj{"name": nil}})
		e.file.Layers = append(e.file.Layers, LayerWeights{Layer: "negative"})
	}
	e.outer.add("Functional", "base_model", e.base.config(), first, second)
	e.group.Weights = append(e.group.Weights, e.late...)
	e.file.Layers = append(e.file.Layers, *e.group, LayerWeights{Layer: name})
	e.outer.add(class, name, obj{}, []any{[]any{"base_model", 1, 0, obj{}}, []any{"base_model", 2, 0, obj{}}})
	e.cur = &e.outer
	e.cur.last, e.cur.node = name, 0
}

// layer adds one layer of the network.
func (e *exporter) layer(i int, l nn.LayerShape) error {
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
		e.plain("Activation", l.Name, obj{"activation": l.Kind})
	case nn.KindSiLU:
		e.plain("Activation", l.Name, obj{"activation": "swish"}) // the name that every version of Keras knows
	case nn.KindAdd:
		e.merge("Add", l.Name, []any{l.From, 0, 0, obj{}})
	case nn.KindSquare: // a layer of every version of Keras, unlike an activation of that name
		e.merge("Multiply", l.Name, e.cur.from(obj{}))
	case nn.KindFlatten:
		e.plain("Flatten", l.Name, obj{"data_format": "channels_last"})
	case nn.KindReshape:
		e.plain("Reshape", l.Name, obj{"target_shape": []int{l.Height, l.Width, l.Channels}})
	case nn.KindCrop:
		bottom, right := l.In.H-l.Top-l.Height, l.In.W-l.Left-l.Width
		e.plain("Cropping2D", l.Name, obj{"cropping": [][]int{{l.Top, bottom}, {l.Left, right}}, "data_format": "channels_last"})
	case nn.KindConcat:
		if e.cur == &e.base {
			return fmt.Errorf("an input that joins inside a pair is not supported")
		}
		name := l.Name + "_input"
		e.outer.input(name, nn.Shape{H: l.In.H, W: l.In.W, C: l.Channels})
		e.file.Layers = append(e.file.Layers, LayerWeights{Layer: name}, LayerWeights{Layer: l.Name})
		e.outer.add("Concatenate", l.Name, obj{"axis": -1}, []any{e.outer.from(obj{}), []any{name, 0, 0, obj{}}})
		e.outer.last = l.Name
	case nn.KindQuantizedBits:
		if l.Rounding == nn.RoundFloor {
			return e.roundDown(i, l)
		}
		sign := 1
		if l.Unsigned {
			sign = 0
		}
		quantised["activation"] = fmt.Sprintf("quantized_bits(%d,%d,0,%d,alpha=1)", l.Bits, l.Integer, sign)
		e.plain("QActivation", l.Name, quantised)
	case nn.KindQuantizedReLU:
		if l.Rounding == nn.RoundFloor {
			return fmt.Errorf("rounding down has no QKeras layer")
		}
		e.plain("QActivation", l.Name, quantised)
	default:
		return fmt.Errorf("has no Keras layer")
	}
	return nil
}

// plain adds a layer without weights.
func (e *exporter) plain(class, name string, config obj) {
	e.cur.chain(class, name, config)
	if e.cur == &e.outer {
		e.file.Layers = append(e.file.Layers, LayerWeights{Layer: name})
	}
}

// merge adds a layer that joins the last one's output with another's.
func (e *exporter) merge(class, name string, other any) {
	e.cur.add(class, name, obj{}, []any{e.cur.from(obj{}), other})
	e.cur.last = name
	if e.cur == &e.outer {
		e.file.Layers = append(e.file.Layers, LayerWeights{Layer: name})
	}
}

// roundDown writes a quantiser that rounds down as the TensorFlow operations
// that reading knows; they do not saturate below, so values must not get there.
func (e *exporter) roundDown(i int, l nn.LayerShape) error {
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
		op string
		y  any
	}{
		{"multiply", scale}, {"floor", nil}, {"truediv", scale},
		{"minimum", float64(int(1)<<l.Integer) - 1/float64(scale)},
	} {
		name := l.Name + "_" + s.op
		if s.op == "minimum" {
			name = l.Name
		}
		args := obj{"name": nil}
		if s.y != nil {
			args["y"] = s.y
		}
		e.cur.add("TFOpLambda", name, obj{"function": "math." + s.op}, e.cur.from(args))
		e.cur.last, e.cur.node = name, 0
		if e.cur == &e.outer {
			e.file.Layers = append(e.file.Layers, LayerWeights{Layer: name})
		}
	}
	return nil
}

func initializer(class string) obj { return obj{"class_name": class, "config": obj{}} }

// weighted adds a layer with a kernel.
func (e *exporter) weighted(l nn.LayerShape) error {
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
			e.plain("Flatten", l.Name+"_flatten", obj{"data_format": "channels_last"})
		}
		config["units"] = l.Units
	} else {
		config["filters"] = l.Filters
		config["kernel_size"], config["strides"] = []int{l.Kernel, l.Kernel}, []int{l.Stride, l.Stride}
		config["padding"], config["data_format"] = l.Padding, "channels_last"
		config["dilation_rate"], config["groups"] = []int{1, 1}, 1
		if l.Kind == nn.KindConv2DTranspose {
			config["output_padding"] = nil
		}
	}
	if l.Bits > 0 {
		if l.Rounding == nn.RoundFloor {
			return fmt.Errorf("weights rounded down have no QKeras layer")
		}
		q := obj{"class_name": "quantized_bits", "config": obj{
			"bits": l.Bits, "integer": l.Integer, "symmetric": 0, "keep_negative": 1, "alpha": 1,
			"use_stochastic_rounding": false, "qnoise_factor": 1.0,
		}}
		config["kernel_quantizer"], config["bias_quantizer"] = q, q
		class = "Q" + class
	}
	e.cur.chain(class, l.Name, config)
	return e.weights(l, "kernel", "bias")
}

func (e *exporter) batchNorm(l nn.LayerShape) {
	axis := 3
	if l.Out.H == 1 && l.Out.W == 1 {
		axis = 1
	}
	e.cur.chain("BatchNormalization", l.Name, obj{
		"axis": []int{axis}, "momentum": l.Momentum, "epsilon": l.Epsilon, "center": true, "scale": true,
		"beta_initializer": initializer("Zeros"), "gamma_initializer": initializer("Ones"),
		"moving_mean_initializer": initializer("Zeros"), "moving_variance_initializer": initializer("Ones"),
		"beta_regularizer": nil, "gamma_regularizer": nil, "beta_constraint": nil, "gamma_constraint": nil,
	})
	_ = e.weights(l, "gamma", "beta", "moving_mean", "moving_variance") // all there: nn made them
}

// weights copies a layer's arrays.
func (e *exporter) weights(l nn.LayerShape, names ...string) error {
	w := LayerWeights{Layer: l.Name}
	for _, name := range names {
		p := e.net.Param(l.Name + "/" + name)
		if p == nil {
			if name == "bias" && l.NoBias {
				continue
			}
			return fmt.Errorf("the network has no array %s", name)
		}
		x := Weight{Name: l.Name + "/" + name + ":0", Shape: slices.Clone(p.Shape), Data: slices.Clone(p.Value)}
		switch {
		case e.cur == &e.outer:
			w.Weights = append(w.Weights, x)
		case strings.HasPrefix(name, "moving_"):
			e.late = append(e.late, x)
		default:
			e.group.Weights = append(e.group.Weights, x)
		}
	}
	if e.cur == &e.outer {
		e.file.Layers = append(e.file.Layers, w)
	}
	return nil
}
