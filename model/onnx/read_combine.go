package onnx

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"barrow/model"
	"barrow/nn"
)

// users are the nodes that take a value.
func (l *lowering) users(name string) []*node {
	var out []*node
	for _, n := range l.g.nodes {
		if slices.Contains(n.in, name) {
			out = append(out, n)
		}
	}
	for _, o := range l.g.outputs {
		if o.name == name {
			out = append(out, nil)
		}
	}
	return out
}

// only is the node that alone takes a node's result, if it has one of these operators.
func (l *lowering) only(n *node, ops ...string) *node {
	if u := l.users(n.out[0]); len(u) == 1 && u[0] != nil && slices.Contains(ops, u[0].op) {
		return u[0]
	}
	return nil
}

// scalar is the one number of an input of a node.
func (l *lowering) scalar(n *node, i int) (float64, bool) {
	t := l.known(n, i)
	if t == nil || len(t.data) != 1 {
		return 0, false
	}
	return t.data[0], true
}

// known is an input that is constant, an initializer or one that is computed later
// from nothing but such.
func (l *lowering) known(n *node, i int) *tensor {
	if t := n.inputOf(l.constants, i); t != nil || i >= len(n.in) {
		return t
	}
	for _, m := range l.g.nodes {
		if slices.Contains(m.out, n.in[i]) && m.op == "Constant" && l.fold(m) == nil {
			return l.constants[n.in[i]]
		}
	}
	return nil
}

func (l *lowering) power(n *node, v *flow) (*flow, error) {
	if p, ok := l.scalar(n, 1); ok && p == 2 {
		return l.each(n, v, nn.KindSquare)
	}
	return nil, errors.New("it raises to a power: supported is the square")
}

// negate is supported of inputs, in pairs.
func (l *lowering) negate(_ *node, v *flow) (*flow, error) {
	if len(v.layers) > 0 {
		return nil, errors.New("it negates what layers have made: supported is a negated input in a pair, f(x) with f(−x)")
	}
	w := *v
	w.negated = !v.negated
	return &w, nil
}

// binary is arithmetic of two values, or of one and a constant.
func (l *lowering) binary(n *node, in []*flow) (*flow, error) {
	a, b := in[0], in[1]
	if a == nil || b == nil {
		return l.affine(n, in)
	}
	if n.op == "Mul" {
		return l.product(n, a, b)
	}
	if n.op == "Div" {
		return nil, errors.New("it divides by what is computed of the inputs, which no layer does")
	}
	if w, err := l.pair(n, a, b); w != nil || err != nil {
		return w, err
	}
	if n.op == "Sub" {
		return nil, errors.New("it subtracts: supported is the difference of a pair, of f(x) and f(−x) or of f(a, b) and f(b, a)")
	}
	skip := b
	if len(a.layers) < len(skip.layers) {
		a, skip = b, a
	}
	k := len(skip.layers)
	if k == 0 || !slices.Equal(a.layers[:k], skip.layers) || !slices.Equal(a.inputs, skip.inputs) || a.negated != skip.negated || a.exchanged != skip.exchanged {
		return nil, errors.New("its inputs are not of one chain of layers: supported is a layer's output added to what the layers after it make of it")
	}
	if a.shape != skip.shape || !slices.Equal(a.order.shape, skip.order.shape) || !slices.Equal(a.order.data, skip.order.data) {
		return nil, fmt.Errorf("it adds %v and %v, or the same in different orders", a.shape, skip.shape)
	}
	return a.with(&layer{Layer: nn.Layer{Kind: nn.KindAdd, Name: l.named(n), From: skip.layers[k-1].Name}})
}

// product is a square, or a SiLU.
func (l *lowering) product(n *node, a, b *flow) (*flow, error) {
	if len(a.layers) > len(b.layers) {
		a, b = b, a
	}
	k := len(a.layers)
	if slices.Equal(a.inputs, b.inputs) && slices.Equal(a.order.data, b.order.data) && slices.Equal(b.layers[:k], a.layers) && a.negated == b.negated {
		switch {
		case len(b.layers) == k:
			return l.each(n, a, nn.KindSquare)
		case len(b.layers) == k+1 && b.layers[k].Kind == nn.KindSigmoid:
			return l.each(n, a, nn.KindSiLU)
		}
	}
	return nil, errors.New("it multiplies two results: supported are the square, and x·sigmoid(x)")
}

// affine combines a value with a constant: a bias, a quantiser's first operation, or
// what batch normalisation does.
func (l *lowering) affine(n *node, in []*flow) (*flow, error) {
	v, at := in[0], 1
	if v == nil {
		v, at = in[1], 0
	}
	t := l.constant(n, at)
	if t == nil {
		return nil, errors.New("its constant is not known")
	}
	if at == 0 && n.op == "Div" {
		return nil, errors.New("it divides a constant by what is computed of the inputs, which no layer does")
	}
	if (n.op == "Mul" || n.op == "Div") && len(t.data) == 1 {
		unit := t.data[0]
		if n.op == "Div" {
			unit = 1 / unit
		}
		if w, ok, err := l.chain(n, v, unit); ok {
			return w, err
		}
		if unit == 1 {
			return v, nil
		}
	}
	if len(t.data) > 1 && n.op == "Mul" {
		if f := l.only(n, "Floor"); f != nil {
			return nil, errProducts
		}
		if m := l.only(n, "Mul"); m != nil && l.only(m, "Floor") != nil {
			return nil, errProducts
		}
	}
	otherwise := 0.0
	if n.op == "Mul" || n.op == "Div" {
		otherwise = 1
	}
	k, err := v.spreadTo(t, otherwise)
	if err != nil {
		return nil, err
	}
	if n.op == "Add" {
		if w := l.bias(n, v, k, at); w != nil {
			return w, nil
		}
	}
	c := v.shape.C
	y := &layer{Layer: nn.Layer{Kind: nn.KindBatchNorm, Name: l.named(n), Epsilon: leastEpsilon}, weights: map[string][]float32{
		"gamma": slices.Repeat([]float32{1}, c), "beta": make([]float32, c),
		"moving_mean": make([]float32, c), "moving_variance": slices.Repeat([]float32{1}, c),
	}}
	for i, x := range k {
		switch {
		case n.op == "Add":
			y.weights["beta"][i] = x
		case n.op == "Sub" && at == 1:
			y.weights["beta"][i] = -x
		case n.op == "Sub":
			y.weights["beta"][i], y.weights["gamma"][i] = x, -1
		case n.op == "Mul":
			y.weights["gamma"][i] = x
		case n.op == "Div":
			y.weights["gamma"][i] = 1 / x
		}
	}
	return v.with(y)
}

// bias gives the layer before one; nil where it has one, or none can have it.
func (l *lowering) bias(n *node, v *flow, k []float32, at int) *flow {
	i := len(v.layers) - 1
	if i < 0 || v.layers[i].Kind != nn.KindDense && v.layers[i].Kind != nn.KindConv2D && v.layers[i].Kind != nn.KindConv2DTranspose || !v.layers[i].NoBias {
		return nil
	}
	y := *v.layers[i]
	y.NoBias = false
	y.weights = map[string][]float32{"kernel": y.weights["kernel"], "bias": k}
	g, ok := l.grids[n.in[at]]
	if y.Bits > 0 && (!ok || g.Bits != y.Bits || integerBits(g) != y.Integer || g.Floor != (y.Rounding == nn.RoundFloor)) {
		// The weights are on their grid; together they have none.
		kept := model.GridOf(y.Layer)
		rounded := slices.Clone(y.weights["kernel"])
		for j := range rounded {
			rounded[j] = kept.Round(rounded[j])
		}
		y.weights["kernel"] = rounded
		y.Bits, y.Integer, y.Rounding = 0, 0, ""
	}
	w := *v
	w.layers = append(slices.Clone(v.layers[:i]), &y)
	return &w
}

// alike is whether two chains are the same layers with the same weights, which a graph
// has twice where a model is called twice.
func alike(a, b []*layer) bool {
	if len(a) != len(b) || len(a) == 0 {
		return false
	}
	names := map[string]string{}
	for i, x := range a {
		y := b[i]
		names[y.Name] = x.Name
		moved := y.Layer
		moved.Name = x.Name
		if moved.From != "" {
			moved.From = names[moved.From]
		}
		if moved != x.Layer {
			return false
		}
		for name, w := range x.weights {
			if !slices.Equal(w, y.weights[name]) {
				return false
			}
		}
	}
	return true
}

// pair is the sum or difference of one chain's two results, of x and −x or of (a, b)
// and (b, a); nil if it is none.
func (l *lowering) pair(n *node, a, b *flow) (*flow, error) {
	if !alike(a.layers, b.layers) || len(a.inputs) != len(b.inputs) || !slices.Equal(a.order.data, b.order.data) {
		return nil, nil
	}
	opening := nn.Layer{Kind: nn.KindSwapPair}
	turned := len(a.inputs) == 2 && a.inputs[0] == b.inputs[1] && a.inputs[1] == b.inputs[0]
	if !turned && !slices.Equal(a.inputs, b.inputs) {
		return nil, nil
	}
	changed := turned != (a.exchanged != b.exchanged)
	switch {
	case changed && !a.negated && !b.negated:
	case !turned && !a.exchanged && !b.exchanged && !a.negated && b.negated:
		opening.Kind = nn.KindNegatePair
	default:
		return nil, nil
	}
	for _, y := range a.layers {
		if y.Kind == nn.KindConcat || y.Kind == nn.KindSwapPair || y.Kind == nn.KindNegatePair {
			return nil, fmt.Errorf("the layer %q lies within a pair, which is not supported", y.Name)
		}
	}
	name := l.named(n)
	opening.Name = l.name(name + "_pair")
	closing := nn.Layer{Kind: nn.KindPairMean, Name: name}
	if n.op == "Sub" {
		closing.Kind = nn.KindPairDifference
	}
	w := *a
	if a.exchanged && !turned { // the other is the one to begin with, which is the same
		w.inputs = b.inputs
	}
	w.exchanged = false
	w.layers = append([]*layer{{Layer: opening}}, a.layers...)
	w.layers = append(w.layers, &layer{Layer: closing})
	if n.op == "Sub" || n.op == "Mean" {
		return &w, nil
	}
	half := l.only(n, "Mul", "Div")
	if half == nil {
		return nil, errors.New("of a sum of two results that the same layers make, only the half is supported")
	}
	f, ok := l.scalar(half, 1)
	if !ok {
		f, ok = l.scalar(half, 0)
	}
	if !ok || half.op == "Mul" && f != 0.5 || half.op == "Div" && f != 2 {
		return nil, errors.New("of a sum of two results that the same layers make, only the half is supported")
	}
	l.done[half] = true
	l.values[half.out[0]] = &w
	return &w, nil
}

func (l *lowering) mean(n *node, in []*flow) (*flow, error) {
	if len(in) == 2 && in[0] != nil && in[1] != nil {
		if w, err := l.pair(n, in[0], in[1]); w != nil || err != nil {
			return w, err
		}
	}
	return nil, errors.New("supported is the mean of a pair, of f(x) and f(−x) or of f(a, b) and f(b, a)")
}

// concat joins values: inputs before any layer, an input and what layers have made, or
// parts of one value.
func (l *lowering) concat(n *node, in []*flow) (*flow, error) {
	for _, v := range in {
		if v == nil {
			return nil, errors.New("it joins a constant and what is computed of the inputs, which no layer does")
		}
	}
	whole := in[0]
	orders := []*tensor{whole.order}
	for _, v := range in[1:] {
		if slices.Equal(whole.layers, v.layers) && slices.Equal(whole.inputs, v.inputs) && whole.negated == v.negated && whole.exchanged == v.exchanged {
			orders = append(orders, v.order)
			continue
		}
		if whole.negated || v.negated || whole.exchanged || v.exchanged {
			return nil, errors.New("negated or exchanged inputs are not supported here")
		}
		joined, before, behind, err := l.join(n, whole, v)
		if err != nil {
			return nil, err
		}
		for i, o := range orders {
			orders[i] = before(o)
		}
		orders = append(orders, behind(v.order))
		whole = joined
	}
	known := map[string]*tensor{}
	for i, o := range orders {
		known[fmt.Sprint(i)] = o
	}
	again := *n
	proto := *n.nodeProto
	again.nodeProto, proto.in = &proto, nil
	for i := range orders {
		proto.in = append(proto.in, fmt.Sprint(i))
	}
	out, err := again.run(context.Background(), known)
	if err != nil {
		return nil, bare(err)
	}
	w := *whole
	w.order = out[0]
	return &w, nil
}

// join puts the channels of two values behind one another, and tells where the elements
// of both lie then.
func (l *lowering) join(n *node, a, b *flow) (out *flow, first, second func(*tensor) *tensor, err error) {
	turned := len(b.layers) > 0
	if turned {
		a, b = b, a
	}
	if len(b.layers) > 0 {
		return nil, nil, nil, errors.New("it joins two results of layers: supported are the model's inputs, and one behind layers")
	}
	for _, i := range b.inputs {
		if slices.Contains(a.inputs, i) || l.sides[i] != "" {
			return nil, nil, nil, fmt.Errorf("the input %q is used twice, which is supported only in pairs", l.g.inputs[i].name)
		}
	}
	if a.shape.Positions() != b.shape.Positions() && len(a.layers) > 0 {
		if a, err = l.reshape(a, nn.Vector(a.shape.Size()), n.name); err != nil {
			return nil, nil, nil, err
		}
	}
	if a.shape.H != b.shape.H || a.shape.W != b.shape.W {
		return nil, nil, nil, fmt.Errorf("the shapes %v and %v do not fit", a.shape, b.shape)
	}
	place := func(c, from, all int) func(*tensor) *tensor {
		return func(t *tensor) *tensor {
			moved := &tensor{t.dtype, t.shape, slices.Clone(t.data)}
			for i, p := range t.data {
				if k := int(p) - 1; k >= 0 {
					moved.data[i] = float64(k/c*all + from + k%c + 1)
				}
			}
			return moved
		}
	}
	all := a.shape.C + b.shape.C
	first, second = place(a.shape.C, 0, all), place(b.shape.C, a.shape.C, all)
	if len(a.layers) == 0 {
		w := *a
		w.inputs = append(slices.Clone(a.inputs), b.inputs...)
		w.shape.C = all
		w.in = w.shape
		out = &w
	} else {
		if len(b.inputs) != 1 {
			return nil, nil, nil, errors.New("it joins several inputs and what layers have made: supported is one")
		}
		name := l.named(n)
		if out, err = a.with(&layer{Layer: nn.Layer{Kind: nn.KindConcat, Name: name, Channels: b.shape.C}}); err != nil {
			return nil, nil, nil, err
		}
		l.sides[b.inputs[0]] = name
	}
	if turned {
		first, second = second, first
	}
	return out, first, second, nil
}
