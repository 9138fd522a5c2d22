package tensorflow

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"barrow/nn"
)

// A lowering follows a graph from its input to its output, and tells what its nodes
// compute as a chain of layers.
type lowering struct {
	*runner
	trial map[*node]*tensor // values for one batch of zeros, for the sake of their shapes
	data  map[*node]bool    // whether a node depends on an input, not on its shape alone
	users map[*node][]*node // of those, who takes a node's value
	done  map[*node]bool
	ends  map[*node]int // the layers up to a node that the chain has reached

	chain
	at     *node
	shape  nn.Shape
	domain domain
	pads   *[4]int // top, bottom, left, right: they await their convolution
}

// A chain is a network's layers with their arrays.
type chain struct {
	input  nn.Shape
	layers []layer
}

type layer struct {
	nn.Layer
	kernel, bias array
	norm         map[string][]float32 // of a batch norm
}

// An array is a constant: what the graph makes of it, and where it rounds it, what it
// was before.
type array struct {
	value, raw []float32
	rounding   nn.Layer // Bits 0 where there is none
}

// lower tells a graph as layers. What fits no layer is an error that names the node.
func lower(g *frozen) (*chain, error) {
	r, err := newRunner(g)
	if err != nil {
		return nil, err
	}
	l := &lowering{runner: r, data: map[*node]bool{}, users: map[*node][]*node{}, done: map[*node]bool{}, ends: map[*node]int{}, domain: anything}
	if err := l.try(); err != nil {
		return nil, err
	}
	for _, n := range g.nodes {
		l.data[n] = n.Op == "Placeholder"
		for _, from := range n.in {
			if n.Op == "Shape" || !l.data[from] {
				continue
			}
			l.data[n] = true
			if !slices.Contains(l.users[from], n) {
				l.users[from] = append(l.users[from], n)
			}
		}
	}
	for _, n := range g.inputs { // the largest is the image
		if len(l.users[n]) > 0 && (l.at == nil || l.trial[n].size() > l.trial[l.at].size()) {
			l.at = n
		}
	}
	if l.at == nil {
		return nil, g.output.failed(errors.New("the output does not depend on the input"))
	}
	if l.shape, err = l.shapeOf(l.at); err != nil {
		return nil, l.at.failed(err)
	}
	l.input = l.shape
	l.reach(l.at)
	for l.at != g.output {
		if err := l.next(); err != nil {
			return nil, err
		}
	}
	return &l.chain, l.whole()
}

// whole checks that nothing is left out.
func (l *lowering) whole() error {
	if l.pads != nil {
		return l.output.failed(errors.New("zeros are put around an image that no convolution takes"))
	}
	for _, n := range l.nodes {
		if l.data[n] && !l.done[n] {
			return n.failed(errors.New("it does not belong to one chain of layers"))
		}
	}
	if len(l.layers) == 0 {
		return l.output.failed(errors.New("the output is the input"))
	}
	return nil
}

// try computes all nodes, of zeros.
func (l *lowering) try() error {
	in := make([]*tensor, len(l.ports))
	for k, p := range l.ports {
		shape := slices.Clone(p.Shape)
		shape[0] = max(l.batch, 1)
		var err error
		if in[k], err = newTensor(float, shape); err != nil {
			return l.inputs[k].failed(err)
		}
	}
	var err error
	if l.trial, err = l.values(in, l.nodes); err != nil {
		return errors.Unwrap(err) // the package is named by who calls
	}
	return nil
}

// shapeOf is the shape of a sample of a node's value.
func (l *lowering) shapeOf(n *node) (nn.Shape, error) {
	t := l.trial[n]
	if t.kind == float && len(t.shape) > 1 && t.shape[0] == max(l.batch, 1) && t.size() > 0 {
		switch s := t.shape; len(s) {
		case 2:
			return nn.Vector(s[1]), nil
		case 4:
			return nn.Shape{H: s[1], W: s[2], C: s[3]}, nil
		}
	}
	return nn.Shape{}, fmt.Errorf("%v of the shape %v; layers have samples of one dimension or of height, width and channels", t.kind, t.shape)
}

// reach moves on to a node, all before which is told by the layers.
func (l *lowering) reach(n *node) {
	l.at = n
	l.done[n] = true
	l.ends[n] = len(l.layers)
}

// push adds the layer that a node is.
func (l *lowering) push(n *node, x layer) error {
	shape, err := l.shapeOf(n)
	if err != nil {
		return n.failed(err)
	}
	if x.Kind != nn.KindAdd && x.Kind != nn.KindConcat {
		made, err := nn.Spec{Input: l.shape, Layers: []nn.Layer{x.Layer}}.Check()
		if err != nil {
			return n.failed(err)
		}
		if made[0].Out != shape {
			return n.failed(fmt.Errorf("of %v it makes %v, and as a layer (%s) %v", l.shape, shape, x.Kind, made[0].Out))
		}
	}
	x.Name = l.unused(nameOf(n.Name))
	l.layers = append(l.layers, x)
	l.shape = shape
	l.reach(n)
	return nil
}

// nameOf names a layer by its node: conv of encoder/conv/Conv2D.
func nameOf(node string) string {
	parts := strings.Split(node, "/")
	return parts[max(0, len(parts)-2)]
}

// unused is a name that no layer of the chain has: name, name_2, …
func (c *chain) unused(name string) string {
	used := func(name string) bool {
		return slices.ContainsFunc(c.layers, func(l layer) bool { return l.Name == name })
	}
	free := name
	for k := 2; used(free); k++ {
		free = fmt.Sprintf("%s_%d", name, k)
	}
	return free
}

// next tells what comes after the node that was reached.
func (l *lowering) next() error {
	stretch := l.stretch()
	var users []*node
	for _, n := range l.users[l.at] {
		if other := l.summand(n); other != nil && !stretch[other] {
			if at, ok := l.ends[other]; ok {
				return l.residual(n, at)
			}
			continue // its other summand is to come
		}
		users = append(users, n)
	}
	if len(users) == 0 {
		return l.at.failed(errors.New("what is made of it belongs to no chain of layers"))
	}
	if n := users[0]; len(users) == 1 {
		if l.pads != nil && n.Op != "Conv2D" && n.Op != "Identity" {
			return n.failed(errors.New("zeros are put around its input, which convolutions alone take"))
		}
		if lay := structural[n.Op]; lay != nil {
			return lay(l, n)
		}
		if l.affine(n) {
			return nil
		}
	}
	return l.activate(stretch, users)
}

// summand is what a node adds to the value reached, where that depends on the input.
func (l *lowering) summand(n *node) *node {
	if (n.Op != "Add" && n.Op != "AddV2") || len(n.in) != 2 {
		return nil
	}
	for k, from := range n.in {
		if other := n.in[1-k]; from == l.at && other != l.at && l.data[other] {
			return other
		}
	}
	return nil
}

// residual adds the output of the layer before the one of index at.
func (l *lowering) residual(n *node, at int) error {
	if at == 0 {
		return n.failed(errors.New("it adds the graph's input; layers add the output of an earlier layer"))
	}
	for _, from := range n.in {
		if s, err := l.shapeOf(from); err != nil || s != l.shape {
			return n.failed(errors.New("it adds values of different shapes"))
		}
	}
	l.domain = anything
	return l.push(n, layer{Layer: nn.Layer{Kind: nn.KindAdd, From: l.layers[at-1].Name}})
}

// maxStretch is of how many nodes a layer may be made.
const maxStretch = 256

// stretch are the nodes that make each of their numbers of one number of the value
// reached, and it itself.
func (l *lowering) stretch() map[*node]bool {
	in := map[*node]bool{l.at: true}
	for _, n := range l.nodes {
		if !l.data[n] || l.done[n] || !n.pointwise() || len(in) > maxStretch {
			continue
		}
		single := true
		for _, from := range n.in {
			single = single && (in[from] || l.fixed[from] != nil && l.fixed[from].size() == 1)
		}
		if single {
			in[n] = true
		}
	}
	return in
}

// between are the nodes of a stretch that a node of it is made by, itself the last, if
// nothing else takes their values or, but for the users, the value reached.
func (l *lowering) between(stretch map[*node]bool, users []*node, to *node) []*node {
	needed := map[*node]bool{to: true}
	var out []*node
	for _, n := range slices.Backward(l.nodes) {
		if !needed[n] || n == l.at {
			continue
		}
		out = append(out, n)
		for _, from := range n.in {
			if stretch[from] {
				needed[from] = true
			}
		}
	}
	slices.Reverse(out)
	for _, n := range append([]*node{l.at}, out[:len(out)-1]...) {
		takes := l.users[n]
		if n == l.at {
			takes = users
		}
		for _, user := range takes {
			if !needed[user] {
				return nil
			}
		}
	}
	return out
}

// activate finds a layer that computes what the next nodes do, as many as can be.
func (l *lowering) activate(stretch map[*node]bool, users []*node) error {
	for _, to := range slices.Backward(l.nodes) {
		if !stretch[to] || to == l.at {
			continue
		}
		nodes := l.between(stretch, users, to)
		if nodes == nil {
			continue
		}
		x, out, ok := fit(l.function(l.at, nodes), l.domain)
		if !ok {
			continue
		}
		for _, n := range nodes {
			l.done[n] = true
		}
		l.domain = out
		if x.Kind == "" {
			l.reach(to)
			return nil
		}
		return l.push(to, layer{Layer: x})
	}
	return users[0].failed(fmt.Errorf("no layer computes what it makes of node %q (%s): %w", l.at.Name, l.at.Op, errOtherwise))
}

// errOtherwise is how to go on with a graph that is not read as layers.
var errOtherwise = errors.New("run the graph as it stands (model run), or take the model's Keras or ONNX file, or of Barrow's precision asic its weights file or the chip's registers")
