package keras

import (
	"fmt"
	"slices"

	"barrow/nn"
)

// A value is what flows along an edge of a Keras graph, in terms of nn: some of
// the model's inputs, concatenated along the channels, after some layers.
type value struct {
	inputs []int // indices into lowering.inputs
	shape  nn.Shape
	layers []nn.Layer
	// pad is zero padding that awaits its convolution.
	pad padding
	// negated says that the inputs are negated before the layers.
	negated bool
	// half is which of the channels of its one input the value has, from and to,
	// where it has not all; exchanged says that it has all, but the second half first.
	half      [2]int
	whole     nn.Shape // of that input
	halfName  string   // of the layer that takes them
	exchanged bool
	// steps are TensorFlow operations that await their fellows.
	steps []step
}

// with is the value after one more layer.
func (v value) with(layers ...nn.Layer) value {
	v.layers = append(slices.Clip(v.layers), layers...)
	return v
}

// A lowering maps one architecture onto a chain of nn layers.
type lowering struct {
	inputs []Input
	depth  int
	calls  int
	inner  []value // what nested models make
}

// maxCalls bounds the layer calls that are followed: nested models may share
// sub-models, so that a small file can describe an enormous graph.
const maxCalls = 2000

// A scope is one call of a model: its config and what its inputs are bound to.
type scope struct {
	l     *lowering
	c     *config
	bound map[string]value
	done  map[call]value
	busy  map[call]bool
}

type call struct {
	layer string
	node  int
}

// lower maps an architecture onto one nn.Spec: a Model without weights.
func lower(c *config) (*Model, error) {
	l := &lowering{}
	s := &scope{l: l, c: c, bound: map[string]value{}}
	names, err := c.inputLayers()
	if err != nil {
		return nil, err
	}
	for _, layer := range names {
		shape, err := layer.inputShape()
		if err != nil {
			return nil, layer.fail(err)
		}
		s.bound[layer.name] = value{inputs: []int{len(l.inputs)}, shape: shape}
		l.inputs = append(l.inputs, Input{Name: layer.name, Shape: shape})
	}
	v, err := s.output()
	if err != nil {
		return nil, err
	}
	v = v.taken()
	if err := v.settled(); err != nil || v.negated || v.exchanged {
		if v.exchanged {
			err = fmt.Errorf("exchanging the halves of an input is supported only in a pair")
		}
		if v.negated {
			err = fmt.Errorf("TensorFlow operation \"negative\" is supported only in a pair")
		}
		return nil, fmt.Errorf("architecture: output of model %q: %w", c.name, err)
	}
	spec := nn.Spec{Name: c.name, Layers: v.layers}
	inputs, err := l.order(v, &spec)
	if err != nil {
		return nil, fmt.Errorf("architecture: model %q: %w", c.name, err)
	}
	shapes, err := spec.Check()
	if err != nil {
		return nil, fmt.Errorf("architecture: %w", err)
	}
	total := 0
	for _, s := range shapes {
		if total += s.Out.Size(); total > maxValues {
			return nil, fmt.Errorf("architecture: model %q: more than %d values a sample are not supported", c.name, maxValues)
		}
	}
	m := &Model{Spec: spec, Inputs: inputs, Latent: l.latent(spec.Layers)}
	for _, in := range inputs {
		m.places = append(m.places, slices.Index(l.inputs, in))
	}
	return m, nil
}

// order puts the model's inputs in the order in which the network wants them,
// those that join later last, and sets the network's input shape.
func (l *lowering) order(v value, spec *nn.Spec) ([]Input, error) {
	var out []Input
	for _, i := range v.inputs {
		in := l.inputs[i]
		if len(out) > 0 && (in.Shape.H != spec.Input.H || in.Shape.W != spec.Input.W) {
			return nil, fmt.Errorf("inputs of shapes %v and %v cannot be concatenated by channel", out[0].Shape, in.Shape)
		}
		if in.Side != "" || slices.Contains(out, in) {
			return nil, fmt.Errorf("input %q is used twice, which is supported only in nested models that are averaged", in.Name)
		}
		spec.Input = nn.Shape{H: in.Shape.H, W: in.Shape.W, C: spec.Input.C + in.Shape.C}
		out = append(out, in)
	}
	for _, in := range l.inputs {
		if in.Side != "" {
			out = append(out, in)
		} else if !slices.Contains(out, in) {
			return nil, fmt.Errorf("input %q does not reach the output", in.Name)
		}
	}
	return out, nil
}

// maxValues bounds the values between all layers for one sample.
const maxValues = 1 << 26

// inputLayers are a model's input layers in the order of its arguments.
func (c *config) inputLayers() ([]*layerConfig, error) {
	if c.class == "Sequential" {
		return c.sequentialInput()
	}
	var out []*layerConfig
	for _, r := range c.inputs {
		l := c.byName[r.layer]
		if l == nil || l.class != "InputLayer" || slices.Contains(out, l) {
			return nil, fmt.Errorf("architecture: model %q: input %q is not an input layer of its own", c.name, r.layer)
		}
		out = append(out, l)
	}
	return out, nil
}

// sequentialInput is a Sequential model's input layer, which may be missing:
// then the first layer says what shape it wants.
func (c *config) sequentialInput() ([]*layerConfig, error) {
	first := c.layers[0]
	if first.class != "InputLayer" {
		first = &layerConfig{class: "InputLayer", name: first.name + "_input", raw: first.raw, inModel: c.name}
	}
	return []*layerConfig{first}, nil
}

// output follows a model's graph back from its output.
func (s *scope) output() (value, error) {
	if s.done == nil {
		s.done, s.busy = map[call]value{}, map[call]bool{}
	}
	if s.c.class != "Sequential" {
		if len(s.c.outputs) != 1 {
			return value{}, fmt.Errorf("architecture: model %q has %d inputs and %d outputs; supported are models with one output", s.c.name, len(s.c.inputs), len(s.c.outputs))
		}
		out := s.c.outputs[0]
		out.output = true
		return s.follow(out)
	}
	names, _ := s.c.inputLayers()
	v := s.bound[names[0].name]
	for _, l := range s.c.layers {
		if l.class == "InputLayer" {
			continue
		}
		var err error
		if v, err = s.l.apply(l, []value{v}, nil); err != nil {
			return v, l.fail(err)
		}
	}
	return v, nil
}

// follow gives the value of one output of a layer's call.
func (s *scope) follow(r ref) (value, error) {
	if v, ok := s.bound[r.layer]; ok {
		return v, nil
	}
	l := s.c.byName[r.layer]
	if l == nil {
		return value{}, fmt.Errorf("architecture: model %q: layer %q is referred to but not there", s.c.name, r.layer)
	}
	if l.class == "InputLayer" {
		return value{}, l.fail(fmt.Errorf("is not among the model's inputs"))
	}
	if l.oddCall != nil {
		return value{}, l.fail(l.oddCall)
	}
	k := call{r.layer, r.node}
	if v, ok := s.done[k]; ok {
		return v, nil
	}
	if s.busy[k] {
		return value{}, l.fail(fmt.Errorf("depends on itself"))
	}
	at := l.callOf(r)
	if at < 0 || at >= len(l.nodes) || r.tensor != 0 {
		return value{}, l.fail(fmt.Errorf("has no call %d with an output %d", r.node, r.tensor))
	}
	s.busy[k] = true
	defer delete(s.busy, k)
	if s.l.depth++; s.l.depth > 2000 {
		return value{}, l.fail(fmt.Errorf("graphs deeper than 2000 layers are not supported"))
	}
	defer func() { s.l.depth-- }()
	args := make([]value, 0, len(l.nodes[at]))
	for _, in := range l.nodes[at] {
		v, err := s.follow(in)
		if err != nil {
			return value{}, err
		}
		args = append(args, v)
	}
	if len(args) == 0 {
		return value{}, l.fail(fmt.Errorf("call %d has no input", at))
	}
	v, err := s.l.apply(l, args, l.nodes[at])
	if err != nil {
		return value{}, l.fail(err)
	}
	s.done[k] = v
	return v, nil
}

// callOf is which of a layer's calls a reference to an output of it means. Node 0 of a
// nested model is the model as it was made, before any call: it counts in Keras 2 and,
// of a functional model, in the list of outputs of Keras 3.
func (l *layerConfig) callOf(r ref) int {
	if l.nested != nil && (r.node > 0 || len(l.calls) > 1 && !l.keras3) && (!l.keras3 || r.output && l.class != "Sequential") {
		return r.node - 1
	}
	return r.node
}

// fail puts the layer's name and class before an error.
func (l *layerConfig) fail(err error) error {
	if _, ok := err.(*layerError); ok {
		return err
	}
	return &layerError{l, err}
}

// A layerError is an error that already names the innermost layer.
type layerError struct {
	l   *layerConfig
	err error
}

func (e *layerError) Error() string {
	where := ""
	if e.l.inModel != "" {
		where = fmt.Sprintf(" of model %q", e.l.inModel)
	}
	return fmt.Sprintf("layer %q (%s)%s: %v", e.l.name, e.l.class, where, e.err)
}

func (e *layerError) Unwrap() error { return e.err }

// apply gives the value after a layer.
func (l *lowering) apply(c *layerConfig, args []value, refs node) (value, error) {
	if l.calls++; l.calls > maxCalls {
		return value{}, fmt.Errorf("graphs of more than %d layer calls are not supported", maxCalls)
	}
	if c.nested != nil {
		return l.callModel(c, args)
	}
	halves := c.class == "Concatenate" && len(args) == 2 && args[0].half != [2]int{} && args[1].half != [2]int{}
	for i := range args {
		if !halves {
			args[i] = args[i].taken()
		}
	}
	switch c.class {
	case "Concatenate":
		return l.concatenate(c, args)
	case "Average", "Subtract":
		return pair(c, args)
	case "Add":
		return residual(c, args)
	case "Multiply":
		return square(c, args)
	}
	if len(args) != 1 {
		return value{}, fmt.Errorf("has %d inputs; supported is one, except for Concatenate, Add, Multiply, Average and Subtract", len(args))
	}
	v := args[0]
	next, err := c.layer(v, refs)
	if err != nil {
		return value{}, err
	}
	if next.shape, err = outShape(next, len(v.layers), v.shape); err != nil {
		return value{}, err
	}
	return next, nil
}

// outShape is the shape after the layers of v from index from on.
func outShape(v value, from int, in nn.Shape) (nn.Shape, error) {
	if from == len(v.layers) {
		return in, nil
	}
	out, err := nn.Spec{Input: in, Layers: v.layers[from:]}.Check()
	if err != nil {
		return in, err
	}
	return out[len(out)-1].Out, nil
}

// callModel gives the value of a nested model.
func (l *lowering) callModel(c *layerConfig, args []value) (value, error) {
	names, err := c.nested.inputLayers()
	if err != nil {
		return value{}, err
	}
	if len(names) != len(args) {
		return value{}, fmt.Errorf("the nested model has %d inputs but is called with %d", len(names), len(args))
	}
	s := &scope{l: l, c: c.nested, bound: map[string]value{}}
	for i, n := range names {
		want, err := n.inputShape()
		if err != nil {
			return value{}, n.fail(err)
		}
		if want != args[i].shape {
			return value{}, fmt.Errorf("input %q wants %v and is given %v", n.name, want, args[i].shape)
		}
		s.bound[n.name] = args[i]
	}
	v, err := s.output()
	if err == nil {
		l.inner = append(l.inner, v)
	}
	return v, err
}

// latent is after how many layers of a chain a nested model ends that makes a vector
// of the model's input, an encoder: 0 where none does.
func (l *lowering) latent(layers []nn.Layer) int {
	for _, v := range l.inner {
		n := len(v.layers)
		if n > 0 && n < len(layers) && v.shape == nn.Vector(v.shape.C) && v.settled() == nil && !v.negated && slices.Equal(v.layers, layers[:n]) {
			return n
		}
	}
	return 0
}

// concatenate joins values along the channels: inputs before any layer, or
// inputs to the end of a value that has gone through layers.
func (l *lowering) concatenate(c *layerConfig, args []value) (value, error) {
	var cfg struct {
		Axis *int `json:"axis"`
	}
	if err := c.read(&cfg); err != nil {
		return value{}, err
	}
	rank := 4
	if args[0].shape.H == 1 && args[0].shape.W == 1 {
		rank = 2
	}
	if cfg.Axis != nil && *cfg.Axis != -1 && *cfg.Axis != rank-1 {
		return value{}, fmt.Errorf("axis %d is not supported; supported is the last one, the channels", *cfg.Axis)
	}
	v := args[0]
	if len(args) == 2 && v.half != [2]int{} {
		return l.halves(v, args[1])
	}
	for _, a := range args {
		if err := a.settled(); err != nil {
			return value{}, err
		}
		if (a.negated || a.exchanged) && len(args) > 1 {
			return value{}, fmt.Errorf("negated or exchanged inputs are not supported here")
		}
	}
	v.inputs = slices.Clone(v.inputs)
	for i, a := range args[1:] {
		if a.shape.H != v.shape.H || a.shape.W != v.shape.W {
			return value{}, fmt.Errorf("shapes %v and %v do not fit", v.shape, a.shape)
		}
		if len(a.layers) > 0 {
			return value{}, fmt.Errorf("input %d has gone through layers; supported are the model's own inputs after the first", i+1)
		}
		if len(v.layers) == 0 {
			v.inputs = append(v.inputs, a.inputs...)
			v.shape.C += a.shape.C
			continue
		}
		if len(a.inputs) != 1 || l.inputs[a.inputs[0]].Side != "" || len(args) != 2 {
			return value{}, fmt.Errorf("supported is one of the model's own inputs, once, after layers")
		}
		in := &l.inputs[a.inputs[0]]
		in.Side = c.id
		v = v.with(nn.Layer{Kind: nn.KindConcat, Name: c.id, Channels: a.shape.C})
		v.shape.C += a.shape.C
	}
	return v, nil
}

// halves joins two slices of one input's channels.
func (l *lowering) halves(a, b value) (value, error) {
	whole := l.inputs[a.inputs[0]].Shape
	h := [2][2]int{{0, whole.C / 2}, {whole.C / 2, whole.C}}
	if whole.C%2 != 0 || !slices.Equal(a.inputs, b.inputs) || !(a.half == h[0] && b.half == h[1] || a.half == h[1] && b.half == h[0]) {
		return value{}, fmt.Errorf("channels %d to %d and %d to %d are joined: supported are the two halves of an input", a.half[0], a.half[1], b.half[0], b.half[1])
	}
	return value{inputs: a.inputs, shape: whole, exchanged: a.half == h[1]}, nil
}

// same reports whether two values are of the same layers and inputs.
func (v value) same(w value) bool {
	return slices.Equal(v.layers, w.layers) && slices.Equal(v.inputs, w.inputs) && v.negated == w.negated && v.exchanged == w.exchanged
}

// residual adds a value to what further layers have made of it.
func residual(c *layerConfig, args []value) (value, error) {
	const supported = "supported is a layer's output added to what the layers after it make of it"
	if len(args) != 2 {
		return value{}, fmt.Errorf("has %d inputs; %s", len(args), supported)
	}
	v, skip := args[0], args[1]
	if len(v.layers) < len(skip.layers) {
		v, skip = skip, v
	}
	n := len(skip.layers)
	if n == 0 || !slices.Equal(v.layers[:n], skip.layers) || !slices.Equal(v.inputs, skip.inputs) || v.negated != skip.negated || v.exchanged != skip.exchanged {
		return value{}, fmt.Errorf("its inputs are not of one chain of layers; %s", supported)
	}
	for _, a := range args {
		if err := a.settled(); err != nil {
			return value{}, err
		}
		if a.shape != v.shape {
			return value{}, fmt.Errorf("shapes %v and %v do not fit", skip.shape, v.shape)
		}
	}
	return v.with(nn.Layer{Kind: nn.KindAdd, Name: c.id, From: skip.layers[n-1].Name}), nil
}

// square multiplies a value by itself.
func square(c *layerConfig, args []value) (value, error) {
	if len(args) != 2 || !args[0].same(args[1]) {
		return value{}, fmt.Errorf("its inputs are not one layer's output twice; supported is a layer's output multiplied by itself")
	}
	if err := args[0].settled(); err != nil {
		return value{}, err
	}
	return args[0].with(nn.Layer{Kind: nn.KindSquare, Name: c.id}), nil
}

// pair joins two calls of one chain of layers: f(a, b) with f(b, a), or f(x)
// with f(−x), by their mean or their difference.
func pair(c *layerConfig, args []value) (value, error) {
	const supported = "supported is one nested model called on (a, b) and on (b, a), or on x and on −x"
	if len(args) != 2 || len(args[0].layers) == 0 || !slices.Equal(args[0].layers, args[1].layers) {
		return value{}, fmt.Errorf("its inputs do not come from the same layers; %s", supported)
	}
	v, w := args[0], args[1]
	for _, l := range v.layers {
		if l.Kind == nn.KindConcat || l.Kind == nn.KindSwapPair || l.Kind == nn.KindNegatePair {
			return value{}, fmt.Errorf("layer %q lies within the nested model; %s", l.Name, supported)
		}
	}
	if err := v.settled(); err != nil {
		return value{}, err
	}
	opening := nn.Layer{Kind: nn.KindSwapPair, Name: c.id + "_swap"}
	swapped := len(v.inputs) == 2 && len(w.inputs) == 2 && v.inputs[0] == w.inputs[1] && v.inputs[1] == w.inputs[0]
	one := slices.Equal(v.inputs, w.inputs)
	switch {
	case swapped && !v.negated && !w.negated && !v.exchanged && !w.exchanged:
	case one && !v.negated && !w.negated && !v.exchanged && w.exchanged:
	case one && !v.negated && w.negated && !v.exchanged && !w.exchanged:
		opening = nn.Layer{Kind: nn.KindNegatePair, Name: c.id + "_negate"}
	default:
		return value{}, fmt.Errorf("its inputs come from inputs %v and %v of the model; %s", v.inputs, w.inputs, supported)
	}
	closing := nn.Layer{Kind: nn.KindPairMean, Name: c.id}
	if c.class == "Subtract" {
		closing.Kind = nn.KindPairDifference
	}
	v.layers = append(append([]nn.Layer{opening}, v.layers...), closing)
	return v, nil
}
