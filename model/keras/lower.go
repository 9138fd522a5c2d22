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
