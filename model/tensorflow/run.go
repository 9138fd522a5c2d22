package tensorflow

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"barrow/model"
	"barrow/model/tensorflow/internal/graphpb"
	"barrow/nn"
)

// operations are those that are no elementwise arithmetic.
var operations = map[string]func(n *node, in []*tensor) (*tensor, error){
	"Identity": sameValue, "IdentityN": sameValue, "StopGradient": sameValue, "PreventGradient": sameValue, "Snapshot": sameValue, "PlaceholderWithDefault": sameValue,
	"Cast": cast, "ClipByValue": clip, "Select": choose, "SelectV2": choose, "LeakyRelu": leaky,
	"FakeQuantWithMinMaxArgs": fakeQuant, "FakeQuantWithMinMaxVars": fakeQuant,
	"Shape": shapeOp, "Reshape": reshape, "ConcatV2": concat, "Pack": pack, "Squeeze": squeeze, "ExpandDims": expand, "Transpose": transpose,
	"Pad": pad, "PadV2": pad, "GatherV2": gather, "StridedSlice": strided, "Slice": slice, "Fill": fill, "Tile": tile, "ResizeNearestNeighbor": nearest,
	"Sum": reduce, "Mean": reduce, "Max": reduce, "Min": reduce, "Prod": reduce, "Softmax": softmax,
	"MatMul": matMul, "BiasAdd": bias, "Conv2D": conv, "DepthwiseConv2dNative": conv, "Conv2DBackpropInput": transposed,
	"MaxPool": pool, "AvgPool": pool, "FusedBatchNorm": normalise, "FusedBatchNormV2": normalise, "FusedBatchNormV3": normalise,
}

// compute is the value of a node.
func (n *node) compute(in []*tensor) (*tensor, error) {
	if n.Op == "Const" {
		return constantOf(n.attr("value").GetTensor())
	}
	if out, ok, err := elementwise(n, in); ok {
		return out, err
	}
	if f := operations[n.Op]; f != nil {
		return f(n, in)
	}
	known := slices.Sorted(maps.Keys(operations))
	for _, more := range []any{unary, pairwise, compare} {
		switch m := more.(type) {
		case map[string]func(float64) float64:
			known = append(known, slices.Collect(maps.Keys(m))...)
		case map[string]func(x, y float64) float64:
			known = append(known, slices.Collect(maps.Keys(m))...)
		case map[string]func(x, y float64) bool:
			known = append(known, slices.Collect(maps.Keys(m))...)
		}
	}
	slices.Sort(known)
	return nil, fmt.Errorf("this operation is not known; known are %s", strings.Join(known, ", "))
}

// check names the first node of an operation that is not known, before anything is
// computed.
func (g *frozen) check() error {
	for _, n := range g.nodes {
		if n.Op == "Placeholder" || n.Op == "Const" || unary[n.Op] != nil || pairwise[n.Op] != nil || wholeBinary[n.Op] != nil || compare[n.Op] != nil || operations[n.Op] != nil {
			continue
		}
		_, err := n.compute(nil)
		return n.failed(err)
	}
	return nil
}

// fold computes what does not depend on the input, once.
func (g *frozen) fold() (map[*node]*tensor, error) {
	values := map[*node]*tensor{}
	for _, n := range g.nodes {
		if n.fixed {
			v, err := n.compute(inputsOf(n, values))
			if err != nil {
				return nil, n.failed(err)
			}
			values[n] = v
		}
	}
	return values, nil
}

func inputsOf(n *node, values map[*node]*tensor) []*tensor {
	in := make([]*tensor, len(n.in))
	for k, from := range n.in {
		in[k] = values[from]
	}
	return in
}

// open makes a graph ready to run as it stands: x is its first placeholder, x1 the
// next. Graphs that were frozen for so many samples run any number, so many at
// a time.
func open(f model.Source, _ nn.Settings) (model.Runner, error) {
	g, err := readFile(f.Path)
	if err != nil {
		return nil, err
	}
	r, err := newRunner(g)
	if err != nil {
		return nil, fmt.Errorf("tensorflow: %s: %w", f.Path, err)
	}
	return r, nil
}

// A runner runs a graph.
type runner struct {
	*frozen
	fixed map[*node]*tensor
	ports []model.Port
	batch int // samples at a time, 0 for any
}

// batchAtOnce is how many samples graphs that take any number get at a time.
const batchAtOnce = 512

func newRunner(g *frozen) (*runner, error) {
	r := &runner{frozen: g}
	if err := g.check(); err != nil {
		return nil, err
	}
	for k, n := range g.inputs {
		if t := n.attr("dtype").GetType(); t != float {
			return nil, n.failed(fmt.Errorf("an input of %v; read are those of DT_FLOAT", t))
		}
		shape, err := dims(n.attr("shape").GetShape(), true)
		if err == nil && len(shape) == 0 {
			err = errors.New("an input without samples")
		}
		if err == nil && shape[0] >= 0 {
			if k > 0 && r.batch != shape[0] || shape[0] == 0 {
				err = fmt.Errorf("%d samples at a time", shape[0])
			}
			r.batch, shape[0] = shape[0], -1
		}
		if err != nil {
			return nil, n.failed(err)
		}
		r.ports = append(r.ports, model.Port{Name: n.Name, Shape: shape})
	}
	var err error
	r.fixed, err = g.fold()
	return r, err
}

// Inputs implements model.Runner.
func (r *runner) Inputs() []model.Port { return r.ports }

// Run implements model.Runner.
func (r *runner) Run(ctx context.Context, in []*model.Array) (model.Vectors, error) {
	v, err := r.run(ctx, in, []*node{r.output})
	if err != nil {
		return nil, err
	}
	return model.Vectors{{Name: "y", Array: v[0].Array}}, nil
}

// Trace implements model.Tracer: all nodes of floating-point numbers that have a row
// a sample.
func (r *runner) Trace(ctx context.Context, in []*model.Array) (model.Vectors, error) {
	var wanted []*node
	for _, n := range r.nodes {
		if !n.fixed && n.Op != "Placeholder" {
			wanted = append(wanted, n)
		}
	}
	return r.run(ctx, in, wanted)
}

// run gives the values of the wanted nodes; among several, those without a row a
// sample are left out.
func (r *runner) run(ctx context.Context, in []*model.Array, wanted []*node) (model.Vectors, error) {
	rows, err := r.rows(in)
	if err != nil {
		return nil, err
	}
	out := make(model.Vectors, len(wanted))
	step := batchAtOnce
	if r.batch > 0 {
		step = r.batch
	}
	for from := 0; from < rows; from += step {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		k := min(step, rows-from)
		given := k
		if r.batch > 0 {
			given = r.batch // filled with 0
		}
		values, err := r.values(r.feed(in, from, k, given), wanted)
		if err != nil {
			return nil, err
		}
		for i, n := range wanted {
			t := values[n]
			if t.kind != float || len(t.shape) == 0 || t.shape[0] != given {
				if len(wanted) == 1 {
					return nil, n.failed(fmt.Errorf("the output is %v of the shape %v, without a row for each of %d samples", t.kind, t.shape, given))
				}
				continue
			}
			if out[i].Array == nil {
				shape := slices.Clone(t.shape)
				shape[0] = 0
				out[i] = model.Vector{Name: n.Name, Array: &model.Array{Shape: shape}}
			}
			size := len(t.f) / given
			out[i].Shape[0] += k
			for _, v := range t.f[:k*size] {
				out[i].Data = append(out[i].Data, float64(v))
			}
		}
	}
	return slices.DeleteFunc(out, func(v model.Vector) bool { return v.Array == nil }), nil
}

// rows checks the inputs and counts their samples.
func (r *runner) rows(in []*model.Array) (int, error) {
	if len(in) != len(r.ports) {
		return 0, fmt.Errorf("tensorflow: the graph has %d inputs, %d are given", len(r.ports), len(in))
	}
	rows := 0
	for k, p := range r.ports {
		if in[k] == nil {
			return 0, fmt.Errorf("tensorflow: node %q: the input is not given", p.Name)
		}
		fits := len(in[k].Shape) == len(p.Shape)
		for d := 1; fits && d < len(p.Shape); d++ {
			fits = p.Shape[d] < 0 || p.Shape[d] == in[k].Shape[d]
		}
		n, size := in[k].Rows()
		if !fits || n < 1 || n*size != len(in[k].Data) {
			return 0, fmt.Errorf("tensorflow: node %q: the input is given in the shape %v, wanted is %v", p.Name, in[k].Shape, p.Shape)
		}
		if k == 0 {
			rows = n
		}
		if n != rows {
			return 0, fmt.Errorf("tensorflow: node %q: %d samples, and %d for %q", p.Name, n, rows, r.ports[0].Name)
		}
	}
	return rows, nil
}

// feed cuts samples out of the inputs.
func (r *runner) feed(in []*model.Array, from, k, given int) []*tensor {
	out := make([]*tensor, len(in))
	for i, a := range in {
		_, size := a.Rows()
		shape := slices.Clone(a.Shape)
		shape[0] = given
		t := &tensor{kind: graphpb.DataType_DT_FLOAT, shape: shape, f: make([]float32, given*size)}
		for j, v := range a.Data[from*size : (from+k)*size] {
			t.f[j] = float32(v)
		}
		out[i] = t
	}
	return out
}

// values computes the nodes wanted; others are let go as soon as nothing needs them.
func (r *runner) values(in []*tensor, wanted []*node) (map[*node]*tensor, error) {
	values := maps.Clone(r.fixed)
	left := map[*node]int{}
	for _, n := range wanted {
		left[n]++
	}
	for _, n := range r.nodes {
		for _, from := range n.in {
			left[from]++
		}
	}
	for k, n := range r.inputs {
		values[n] = in[k]
	}
	for _, n := range r.nodes {
		if values[n] == nil {
			v, err := n.compute(inputsOf(n, values))
			if err != nil {
				return nil, fmt.Errorf("tensorflow: %w", n.failed(err))
			}
			values[n] = v
		}
		for _, from := range n.in {
			if left[from]--; left[from] == 0 {
				delete(values, from)
			}
		}
	}
	return values, nil
}
