package onnx

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"barrow/model"
	"barrow/nn"
)

// Read gives a model as a network of the layers that package nn has, its images with
// the channels last. What fits no layer is an error that names the node.
func Read(f model.Source, s nn.Settings) (*nn.Network, error) {
	g, err := read(f.Path)
	if err != nil {
		return nil, err
	}
	net, err := g.network(s)
	if err != nil {
		return nil, fmt.Errorf("onnx: %s: as a network of Barrow's layers: %w", f.Path, err)
	}
	return net, nil
}

// network tries the layouts that images of the inputs may have; what comes furthest
// tells what is wrong.
func (g *graph) network(s nn.Settings) (*nn.Network, error) {
	layouts := []bool{false, true}
	for _, in := range g.inputs {
		if s := in.shape; len(s) == 4 && s[1] == s[2] && s[2] != s[3] {
			layouts = []bool{true, false}
		}
	}
	var first error
	far := -1
	for _, last := range layouts {
		l := &lowering{g: g, last: last, values: map[string]*flow{}, constants: map[string]*tensor{}, grids: map[string]model.Grid{}, done: map[*node]bool{}, names: map[string]int{}}
		spec, layers, err := l.lower()
		if err == nil {
			return build(spec, layers, s)
		}
		if l.handled > far {
			first, far = err, l.handled
		}
	}
	return nil, first
}

func build(spec nn.Spec, layers []*layer, s nn.Settings) (*nn.Network, error) {
	net, err := nn.New(spec, s)
	if err != nil {
		return nil, err
	}
	for _, l := range layers {
		for name, v := range l.weights {
			if err := net.SetParam(l.Name+"/"+name, v); err != nil {
				return nil, err
			}
		}
	}
	return net, nil
}

// A layer is one of nn with its weights by the names of its parameters. It is not
// changed once it is part of a value.
type layer struct {
	nn.Layer
	weights map[string][]float32
}

// maxLayers bounds the layers of a network.
const maxLayers = 2000

// A flow is what flows along an edge: a chain of layers behind inputs of the model,
// and where its numbers lie.
type flow struct {
	inputs []int
	in     nn.Shape // of the network's input
	layers []*layer
	shape  nn.Shape // after the layers
	// order has the shape of the file's tensor, of one sample. Each number is 1 and
	// the place of that element among those of shape, (y, x, channel), or 0, where it
	// is a zero. So the operators that move elements about are run on it as they are.
	order     *tensor
	negated   bool // the inputs are, before the layers
	exchanged bool // the halves of the input's channels are
	// moved is how many layers there were when the file made an image of a vector, or a
	// vector of an image, by the node movedBy; "" if it has not.
	moved   int
	movedBy string
}

// with is the value after further layers, with its elements in Barrow's order.
func (v *flow) with(layers ...*layer) (*flow, error) {
	out := *v
	out.layers = append(slices.Clip(v.layers), layers...)
	if len(out.layers) > maxLayers {
		return nil, fmt.Errorf("more than %d layers are not supported", maxLayers)
	}
	spec := nn.Spec{Input: v.shape}
	for _, l := range layers {
		plain := l.Layer
		if plain.Kind == nn.KindAdd { // the layer it adds is not among these
			continue
		}
		spec.Layers = append(spec.Layers, plain)
	}
	if len(spec.Layers) > 0 {
		shapes, err := spec.Check()
		if err != nil {
			return nil, err
		}
		out.shape = shapes[len(shapes)-1].Out
	}
	return &out, nil
}

// counted is the order of elements that lie as Barrow has them.
func counted(shape ...int) *tensor {
	n := 1
	for _, d := range shape {
		n *= d
	}
	t := &tensor{typeFloat, shape, make([]float64, n)}
	for i := range t.data {
		t.data[i] = float64(i + 1)
	}
	return t
}

// A lowering makes a chain of layers of a graph.
type lowering struct {
	g         *graph
	last      bool // the inputs' images have the channels last
	values    map[string]*flow
	constants map[string]*tensor
	grids     map[string]model.Grid // of constants behind a quantiser
	done      map[*node]bool        // nodes that an earlier one has taken along
	names     map[string]int
	sides     map[int]string
	handled   int
}

func (l *lowering) lower() (nn.Spec, []*layer, error) {
	spec := nn.Spec{Name: l.g.name}
	for name, t := range l.g.constants {
		l.constants[name] = t
	}
	l.sides = map[int]string{}
	for i, in := range l.g.inputs {
		v, err := l.input(i, in)
		if err != nil {
			return spec, nil, fmt.Errorf("input %q: %w", in.name, err)
		}
		l.values[in.name] = v
	}
	for _, n := range l.g.nodes {
		if l.done[n] {
			continue
		}
		if err := l.node(n); err != nil {
			return spec, nil, fmt.Errorf("%s: %w", n, err)
		}
		l.handled++
	}
	if len(l.g.outputs) != 1 {
		return spec, nil, fmt.Errorf("it has %d outputs, and a network one", len(l.g.outputs))
	}
	v := l.values[l.g.outputs[0].name]
	if v == nil {
		return spec, nil, fmt.Errorf("the output %q does not depend on an input", l.g.outputs[0].name)
	}
	v, err := l.finish(v)
	if err != nil {
		return spec, nil, fmt.Errorf("output %q: %w", l.g.outputs[0].name, err)
	}
	for i, in := range l.g.inputs {
		if !slices.Contains(v.inputs, i) && l.sides[i] == "" {
			return spec, nil, fmt.Errorf("the input %q does not reach the output", in.name)
		}
	}
	if err := l.ordered(v); err != nil {
		return spec, nil, err
	}
	spec.Input = v.in
	for _, one := range v.layers {
		spec.Layers = append(spec.Layers, one.Layer)
	}
	return spec, v.layers, nil
}

// ordered refuses inputs that could be taken for one another: the network, which has
// them as one, does not say which is the model's first. Of a pair the order is without
// bearing.
func (l *lowering) ordered(v *flow) error {
	if slices.ContainsFunc(v.layers, func(one *layer) bool { return one.Kind == nn.KindSwapPair }) {
		return nil
	}
	for k, i := range v.inputs {
		for _, other := range v.inputs[:k] {
			if a, b := l.g.inputs[i], l.g.inputs[other]; i < other && slices.Equal(a.shape, b.shape) {
				return fmt.Errorf("its inputs %q, %q join in another order than the one in which the model takes them, so that as one network it would take them for one another: name them in the other order in the model", a.name, b.name)
			}
		}
	}
	return nil
}

// input is an input of the model as a value.
func (l *lowering) input(i int, in *valueInfo) (*flow, error) {
	if len(in.shape) < 2 || len(in.shape) > 4 || len(in.shape) == 3 && in.shape[1] != in.shape[2] {
		return nil, fmt.Errorf("the shape %v: wanted are samples of vectors or of images (-1 is any length)", in.shape)
	}
	shape := append([]int{1}, in.shape[1:]...)
	if n, err := sizeOf(shape); err != nil || n == 0 {
		return nil, fmt.Errorf("the shape %v: wanted are lengths from 1 up, but for the number of samples", in.shape)
	}
	v := &flow{inputs: []int{i}, order: counted(shape...)}
	switch {
	case len(shape) == 2:
		v.shape = nn.Vector(shape[1])
	case len(shape) == 3:
		v.shape = nn.Shape{H: shape[1], W: shape[2], C: 1}
	case l.last:
		v.shape = nn.Shape{H: shape[1], W: shape[2], C: shape[3]}
	default:
		v.shape = nn.Shape{H: shape[2], W: shape[3], C: shape[1]}
		v.order = counted(1, shape[2], shape[3], shape[1]).transpose([]int{0, 3, 1, 2})
	}
	v.in = v.shape
	return v, nil
}

// finish brings the output into Barrow's order.
func (l *lowering) finish(v *flow) (*flow, error) {
	if v.negated || v.exchanged {
		return nil, errors.New("negated and exchanged inputs are supported only in pairs, f(x) with f(−x) or f(a, b) with f(b, a), averaged or subtracted")
	}
	if len(v.layers) == 0 {
		return nil, errors.New("there are no layers")
	}
	s := v.order.shape
	if len(s) == 4 && s[0] == 1 {
		return l.finishImage(v)
	}
	n := len(v.order.data)
	if len(s) == 3 && s[0] == 1 && v.shape.Positions() == s[1]*s[2] && slices.Equal(v.order.data, counted(n).data) {
		return v, nil
	}
	return l.vector(v)
}

// finishImage tells which way round an output's images are: as the layers make them, or
// as their lengths say, or the inputs' are.
func (l *lowering) finishImage(v *flow) (*flow, error) {
	s := v.order.shape
	turned := *v
	turned.order = v.order.transpose([]int{0, 3, 1, 2})
	first, last := v, &turned
	for _, o := range []*flow{first, last} {
		h, w, c := o.order.shape[2], o.order.shape[3], o.order.shape[1]
		if v.shape == (nn.Shape{H: h, W: w, C: c}) && slices.Equal(o.order.transpose([]int{0, 2, 3, 1}).data, counted(len(o.order.data)).data) {
			return v, nil
		}
	}
	isLast := l.last
	if s[1] == s[2] != (s[2] == s[3]) {
		isLast = s[1] == s[2]
	}
	if isLast {
		first, last = last, first
	}
	for _, o := range []*flow{first, last} {
		if w, pad, err := l.image(o, "output"); err == nil && pad == (padding{}) {
			return w, nil
		}
	}
	return nil, errOrder
}

// vector makes a vector, in Barrow's order, of a value.
func (l *lowering) vector(v *flow) (*flow, error) {
	n := len(v.order.data)
	flat := *v
	flat.order = v.order.as([]int{1, n, 1, 1})
	w, pad, err := l.image(&flat, "vector")
	if err == nil && pad != (padding{}) {
		err = errors.New("it is padded")
	}
	if err != nil {
		return nil, err
	}
	w.order = w.order.as([]int{1, n})
	return w, nil
}

// name is one that no layer has, for a layer of a node.
func (l *lowering) name(of string) string {
	of = strings.ReplaceAll(strings.Trim(of, "/"), "/", "_")
	if of == "" {
		of = "layer"
	}
	if l.names[of]++; l.names[of] > 1 {
		return l.name(numbered(of, l.names[of]))
	}
	return of
}

func (l *lowering) named(n *node) string {
	if n.name != "" {
		return l.name(n.name)
	}
	return l.name(n.out[0])
}

// node handles one node: it computes what is constant, moves elements about, or adds a
// layer.
func (l *lowering) node(n *node) error {
	var in []*flow
	constant := true
	for _, name := range n.in {
		v := l.values[name]
		if name != "" && v == nil && l.constants[name] == nil {
			return fmt.Errorf("its input %q is made by no layer", name)
		}
		if v != nil {
			constant = false
		}
		in = append(in, v)
	}
	if n.op == "Shape" && !constant {
		l.values[n.in[0]], constant = nil, true
		l.constants[n.in[0]] = in[0].order
		defer func() { l.values[n.in[0]] = in[0]; delete(l.constants, n.in[0]) }()
	}
	if constant {
		return l.fold(n)
	}
	f, ok := lowered()[n.op]
	if !ok {
		return fmt.Errorf("operator %s makes no layer that Barrow has; run the model as it stands (model run), or export it without", n.op)
	}
	out, err := f(l, n, in)
	if err != nil {
		return err
	}
	for i, v := range out {
		if i < len(n.out) && n.out[i] != "" {
			l.values[n.out[i]] = v
		}
	}
	return nil
}

// bare is an error without the node, which all errors name.
func bare(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

// fold computes a node of constants.
func (l *lowering) fold(n *node) error {
	out, err := n.run(context.Background(), l.constants)
	if err != nil {
		return bare(err)
	}
	for i, name := range n.out {
		if name != "" {
			l.constants[name] = out[i]
		}
	}
	switch n.op {
	case "Quant", "IntQuant":
		if g, err := l.quantGrid(n); err == nil {
			l.grids[n.out[0]] = g
		}
	case "Transpose", "Reshape", "Identity", "Flatten", "Squeeze", "Unsqueeze":
		if g, ok := l.grids[n.in[0]]; ok {
			l.grids[n.out[0]] = g
		}
	}
	return nil
}

// lowered are the operators that are known here: it is a function because they refer
// to one another.
func lowered() map[string]func(*lowering, *node, []*flow) ([]*flow, error) {
	moves := func(l *lowering, n *node, in []*flow) ([]*flow, error) { return l.move(n, in) }
	single := func(f func(*lowering, *node, *flow) (*flow, error)) func(*lowering, *node, []*flow) ([]*flow, error) {
		return func(l *lowering, n *node, in []*flow) ([]*flow, error) {
			if in[0] == nil {
				return nil, errors.New("its first input is a constant, and another is not")
			}
			for _, v := range in[1:] {
				if v != nil {
					return nil, errors.New("its weights are computed of the model's inputs")
				}
			}
			v, err := f(l, n, in[0])
			return []*flow{v}, err
		}
	}
	plain := func(kind string) func(*lowering, *node, []*flow) ([]*flow, error) {
		return single(func(l *lowering, n *node, v *flow) (*flow, error) { return l.each(n, v, kind) })
	}
	both := func(l *lowering, n *node, in []*flow) ([]*flow, error) {
		v, err := l.binary(n, in)
		return []*flow{v}, err
	}
	same := func(_ *lowering, _ *node, in []*flow) ([]*flow, error) { return in[:1], nil }
	return map[string]func(*lowering, *node, []*flow) ([]*flow, error){
		"Reshape": moves, "Flatten": moves, "Transpose": moves, "Squeeze": moves, "Unsqueeze": moves, "Slice": moves,
		"Split": moves, "Gather": moves, "Pad": moves, "Expand": moves, "Tile": moves, "DepthToSpace": moves, "SpaceToDepth": moves,
		"Identity": same, "Dropout": same, "Cast": same, "CastLike": same,
		"Relu": plain(nn.KindReLU), "Sigmoid": plain(nn.KindSigmoid), "Tanh": plain(nn.KindTanh),
		"Conv": single((*lowering).conv), "ConvTranspose": single((*lowering).transposed), "MatMul": single((*lowering).dense),
		"Gemm": single((*lowering).dense), "BatchNormalization": single((*lowering).norm), "Neg": single((*lowering).negate),
		"Quant": single((*lowering).quant), "IntQuant": single((*lowering).quant), "Clip": single((*lowering).clip),
		"QuantizeLinear": single((*lowering).quantizeLinear), "Floor": single((*lowering).rounding), "Round": single((*lowering).rounding), "Pow": single((*lowering).power),
		"Add": both, "Sub": both, "Mul": both, "Div": both,
		"Mean": func(l *lowering, n *node, in []*flow) ([]*flow, error) {
			v, err := l.mean(n, in)
			return []*flow{v}, err
		},
		"Concat": func(l *lowering, n *node, in []*flow) ([]*flow, error) {
			v, err := l.concat(n, in)
			return []*flow{v}, err
		},
	}
}

// move runs an operator that moves elements about on their order.
func (l *lowering) move(n *node, in []*flow) ([]*flow, error) {
	if in[0] == nil {
		return nil, errors.New("its first input is a constant, and another is not")
	}
	known := map[string]*tensor{n.in[0]: in[0].order}
	for i, name := range n.in[1:] {
		if in[i+1] != nil {
			return nil, errors.New("how it moves elements depends on the model's inputs")
		}
		known[name] = l.constants[name]
	}
	if n.op == "Reshape" && len(n.in) > 1 {
		// A number of samples that the file sets stands for any.
		if first := l.g.inputs[in[0].inputs[0]].shape[0]; first > 1 && known[n.in[1]] != nil {
			if s := known[n.in[1]].ints(); len(s) > 0 && s[0] == first {
				s[0] = 1
				known[n.in[1]] = vectorOf(typeInt64, s...)
			}
		}
	}
	out, err := n.run(context.Background(), known)
	if err != nil {
		return nil, bare(err)
	}
	if n.op == "Pad" {
		for _, x := range out[0].data {
			if x != 0 && (x < 1 || x > float64(in[0].shape.Size()) || x != float64(int(x))) {
				return nil, errors.New("it pads with other numbers than 0, which no layer does")
			}
		}
		if v := n.inputOf(known, 2); v != nil && len(v.data) == 1 && v.data[0] != 0 {
			return nil, fmt.Errorf("it pads with %v: supported is 0", v.data[0])
		}
	}
	var values []*flow
	for _, t := range out {
		v := *in[0]
		v.order = t
		if (len(t.shape) > 2) != (len(in[0].order.shape) > 2) {
			v.moved, v.movedBy = len(v.layers), n.name
			if n.name == "" {
				v.movedBy = n.out[0]
			}
		}
		values = append(values, &v)
	}
	return values, nil
}

// inputOf is one of a node's inputs among known tensors, or nil.
func (n *node) inputOf(known map[string]*tensor, i int) *tensor {
	if i < len(n.in) {
		return known[n.in[i]]
	}
	return nil
}
