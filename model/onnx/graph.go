package onnx

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A graph is a model that has been checked: its nodes in an order in which they can
// be run, each of an operator that is known.
type graph struct {
	name      string
	nodes     []*node
	inputs    []*valueInfo // without those that are initializers
	outputs   []*valueInfo
	constants map[string]*tensor
	opset     int
}

// A node is one operation.
type node struct {
	*nodeProto
	at    int // among the file's nodes, from 0
	opset int // of its domain
	by    operator
}

// String names the node as errors do.
func (n *node) String() string {
	if n.name == "" {
		return fmt.Sprintf("node %d (%s)", n.at, n.op)
	}
	return fmt.Sprintf("node %q (%s)", n.name, n.op)
}

// Domains of QONNX; the older one is what Brevitas wrote.
const (
	domainQuant = "qonnx.custom_op.general"
	domainBrevi = "onnx.brevitas"
	domainFinn  = "finn.custom_op.general"
	domainLast  = "qonnx.custom_op.channels_last"
)

const maxNodes = 100_000

// Opsets up to newestOpset are those whose operators are known to compute what those
// of the opsets before did, for the types of numbers that are read, but for these,
// which are known up to the opset before: Range rounds its sums in half precision
// since 27, Mod takes fractions without fmod since 28.
const newestOpset = 28

var changed = map[string]int{"Range": 27, "Mod": 28}

// parse reads a model and checks its graph.
func parse(b []byte, dir *beside) (*graph, error) {
	m, err := parseModel(b)
	if err != nil {
		return nil, err
	}
	if m.ir < 1 || m.ir > 14 {
		return nil, fmt.Errorf("IR version %d, read are 1 to 14", m.ir)
	}
	p := m.graph
	g := &graph{name: p.name, constants: map[string]*tensor{}, outputs: p.outputs, opset: 1}
	versions := map[string]int{}
	for _, o := range m.opsets {
		if o.domain == "ai.onnx" {
			o.domain = ""
		}
		if o.version < 1 {
			return nil, fmt.Errorf("opset %d of the domain %q, read are 1 to %d", o.version, o.domain, newestOpset)
		}
		versions[o.domain] = int(min(o.version, 1<<20))
	}
	if v, ok := versions[""]; ok {
		g.opset = v
	}
	// Before anything of numbers, so that what is not known is told by its name.
	if len(p.nodes) > maxNodes {
		return nil, fmt.Errorf("graph %q has %d nodes, at most %d are supported", p.name, len(p.nodes), maxNodes)
	}
	for i, n := range p.nodes {
		known, err := newNode(n, i, versions, dir)
		if err != nil {
			return nil, err
		}
		g.nodes = append(g.nodes, known)
	}
	for _, t := range p.initializers {
		if t.name == "" || g.constants[t.name] != nil {
			return nil, fmt.Errorf("two initializers have the name %q", t.name)
		}
		if g.constants[t.name], err = t.decode(dir); err != nil {
			return nil, err
		}
	}
	if err := g.takeInputs(p); err != nil {
		return nil, err
	}
	if len(p.outputs) == 0 {
		return nil, fmt.Errorf("graph %q has no outputs", p.name)
	}
	return g, g.sort()
}

func (g *graph) takeInputs(p *graphProto) error {
	seen := map[string]bool{}
	for _, v := range p.inputs {
		if v.name == "" || seen[v.name] {
			return fmt.Errorf("two inputs have the name %q", v.name)
		}
		seen[v.name] = true
		if g.constants[v.name] != nil {
			continue
		}
		if v.other {
			return fmt.Errorf("input %q%s is no tensor, which is not supported", v.name, g.user(v.name))
		}
		if _, ok := numerics[v.dtype]; !ok {
			return fmt.Errorf("input %q%s is of numbers of the type %d, which is not supported", v.name, g.user(v.name), v.dtype)
		}
		g.inputs = append(g.inputs, v)
	}
	for _, v := range p.outputs {
		if v.other {
			return fmt.Errorf("output %q is no tensor, which is not supported", v.name)
		}
	}
	return nil
}

// user names the first node that takes a value.
func (g *graph) user(name string) string {
	for _, n := range g.nodes {
		if slices.Contains(n.in, name) {
			return fmt.Sprintf(" of %s", n)
		}
	}
	return ", which no node takes,"
}

// newNode checks that the operator is known, with these inputs and attributes.
func newNode(p *nodeProto, at int, versions map[string]int, dir *beside) (*node, error) {
	n := &node{nodeProto: p, at: at, opset: 1}
	if v, ok := versions[p.domain]; ok {
		n.opset = v
	}
	for _, a := range p.attrs {
		if a.graph {
			return nil, fmt.Errorf("%s: operator %s is not supported: its attribute %q holds a graph; export the model without control flow", n, p.op, a.name)
		}
	}
	key := p.op
	switch p.domain {
	case "":
	case domainQuant, domainBrevi, domainFinn:
		key = "general." + p.op
	case domainLast:
		key = "last." + p.op
	default:
		key = p.domain + "." + p.op
	}
	by, ok := operators()[key]
	if !ok {
		where := ""
		if p.domain != "" {
			where = fmt.Sprintf(" of the domain %q", p.domain)
		}
		return nil, fmt.Errorf("%s: operator %s%s is not supported", n, p.op, where)
	}
	known := newestOpset
	if v, ok := changed[key]; ok {
		known = v - 1
	}
	if p.domain == "" && n.opset > known {
		return nil, fmt.Errorf("%s: operator %s of opset %d is not supported, known are those of 1 to %d", n, p.op, n.opset, known)
	}
	n.by = by
	if len(p.in) < by.least || by.most >= 0 && len(p.in) > by.most {
		return nil, fmt.Errorf("%s: %d inputs, an operator %s has %s", n, len(p.in), p.op, by.inputs())
	}
	for i, in := range p.in {
		if in == "" && i < by.least {
			return nil, fmt.Errorf("%s: its input %d is left out", n, i)
		}
	}
	if len(p.out) == 0 {
		return nil, fmt.Errorf("%s: no outputs", n)
	}
	for _, a := range p.attrs {
		if !slices.Contains(strings.Fields(by.attrs), a.name) {
			return nil, fmt.Errorf("%s: the attribute %q of operator %s is not supported; supported are: %s", n, a.name, p.op, by.attrs)
		}
		if a.kind == 0 { // before IR 3 it went without saying
			a.kind = a.guess()
		}
	}
	return n, n.checkTensors(dir)
}

// checkTensors decodes the tensors of attributes once, so that damaged ones are told
// when the file is opened.
func (n *node) checkTensors(dir *beside) error {
	for _, a := range n.attrs {
		if a.t == nil {
			continue
		}
		t, err := a.t.decode(dir)
		if err != nil {
			return fmt.Errorf("%s: %w", n, err)
		}
		a.decoded = t
	}
	return nil
}

func (a *attribute) guess() int64 {
	switch {
	case a.t != nil:
		return attrTensor
	case len(a.ints) > 0:
		return attrInts
	case len(a.floats) > 0:
		return attrFloats
	case len(a.strs) > 0:
		return attrStrs
	case len(a.s) > 0:
		return attrString
	case a.f != 0:
		return attrFloat
	}
	return attrInt
}

// sort orders the nodes so that each comes behind those that it uses. A value that
// nothing makes, one that two make, and a circle are errors.
func (g *graph) sort() error {
	maker := map[string]*node{}
	given := map[string]bool{}
	for _, v := range g.inputs {
		given[v.name] = true
	}
	for name := range g.constants {
		given[name] = true
	}
	for _, n := range g.nodes {
		for _, out := range n.out {
			if out == "" {
				continue
			}
			if maker[out] != nil || given[out] {
				return fmt.Errorf("%s: its output %q is made elsewhere, too", n, out)
			}
			maker[out] = n
		}
	}
	wait, users := map[*node]int{}, map[*node][]*node{}
	var ready []*node
	for _, n := range g.nodes {
		for _, in := range n.in {
			if in == "" || given[in] {
				continue
			}
			from := maker[in]
			if from == nil {
				return fmt.Errorf("%s: its input %q is made by no node and is no input of the graph", n, in)
			}
			wait[n]++
			users[from] = append(users[from], n)
		}
		if wait[n] == 0 {
			ready = append(ready, n)
		}
	}
	var order []*node
	for ; len(ready) > 0; ready = ready[1:] {
		order = append(order, ready[0])
		for _, u := range users[ready[0]] {
			if wait[u]--; wait[u] == 0 {
				ready = append(ready, u)
			}
		}
	}
	if len(order) < len(g.nodes) {
		return circle(g.nodes, maker, wait)
	}
	for _, v := range g.outputs {
		if maker[v.name] == nil && !given[v.name] {
			return fmt.Errorf("output %q of the graph is made by no node", v.name)
		}
	}
	g.nodes = order
	return nil
}

// maxLive bounds the numbers that are held at the same time.
const maxLive = 1 << 28

// circle is the error that names a node of a circle, and the input by which it depends on
// itself: back from a node that waits, along nodes that wait, until one comes again.
func circle(nodes []*node, maker map[string]*node, wait map[*node]int) error {
	waits := func(name string) bool { return maker[name] != nil && wait[maker[name]] > 0 }
	n := nodes[slices.IndexFunc(nodes, func(n *node) bool { return wait[n] > 0 })]
	for seen := map[*node]bool{}; ; {
		in := n.in[slices.IndexFunc(n.in, waits)]
		if seen[n] {
			return fmt.Errorf("%s: it depends on itself, by way of its input %q", n, in)
		}
		seen[n] = true
		n = maker[in]
	}
}

// run computes the outputs from the values of the inputs.
func (g *graph) run(ctx context.Context, in map[string]*tensor) ([]*tensor, error) {
	return g.watch(ctx, in, func(*node, []*tensor, []*tensor) {})
}

// watch does the same, and tells what each node takes and makes.
func (g *graph) watch(ctx context.Context, in map[string]*tensor, seen func(n *node, in, out []*tensor)) ([]*tensor, error) {
	values := map[string]*tensor{}
	for name, t := range g.constants {
		values[name] = t
	}
	for name, t := range in {
		values[name] = t
	}
	last := map[string]int{}
	for i, n := range g.nodes {
		for _, name := range n.in {
			last[name] = i
		}
	}
	for _, v := range g.outputs {
		last[v.name] = len(g.nodes)
	}
	live := 0
	for i, n := range g.nodes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		out, err := n.run(ctx, values)
		if err != nil {
			return nil, err
		}
		var took []*tensor
		for _, name := range n.in {
			took = append(took, values[name])
		}
		seen(n, took, out)
		for k, name := range n.out {
			if name != "" {
				values[name] = out[k]
				live += len(out[k].data)
			}
		}
		if live > maxLive {
			return nil, fmt.Errorf("%s: more than %d numbers at the same time are not supported", n, maxLive)
		}
		for _, name := range n.in {
			if t := values[name]; t != nil && last[name] == i && g.constants[name] == nil {
				live -= len(t.data)
				delete(values, name)
			}
		}
	}
	var out []*tensor
	for _, v := range g.outputs {
		out = append(out, values[v.name])
	}
	return out, nil
}

// run computes one node's outputs.
func (n *node) run(ctx context.Context, values map[string]*tensor) (out []*tensor, err error) {
	c := &call{node: n, ctx: ctx}
	for _, name := range n.in {
		c.in = append(c.in, values[name])
	}
	for len(c.in) > 0 && c.in[len(c.in)-1] == nil {
		c.in = c.in[:len(c.in)-1]
	}
	out, err = n.by.run(c)
	if err == nil {
		err = c.err
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", n, err)
	}
	if len(out) < len(n.out) {
		for _, name := range n.out[len(out):] {
			if name != "" {
				return nil, fmt.Errorf("%s: its output %d is not supported", n, len(out))
			}
		}
	}
	for len(out) < len(n.out) {
		out = append(out, nil)
	}
	return out, nil
}
