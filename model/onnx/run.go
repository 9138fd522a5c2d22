package onnx

import (
	"context"
	"fmt"

	"barrow/model"
	"barrow/nn"
)

// open reads a model to be run as it is.
func open(f model.Source, _ nn.Settings) (model.Runner, error) {
	g, err := read(f.Path)
	if err != nil {
		return nil, err
	}
	return &runner{g, f.Path}, nil
}

// Open reads a model of a file to be run as it is, on arrays in its own layout.
func Open(path string) (model.Runner, error) { return open(model.Source{Path: path}, nn.Settings{}) }

type runner struct {
	g    *graph
	path string
}

func (r *runner) Inputs() []model.Port {
	var out []model.Port
	for _, v := range r.g.inputs {
		out = append(out, model.Port{Name: v.name, Shape: v.shape})
	}
	return out
}

// given checks the inputs.
func (r *runner) given(in []*model.Array) (map[string]*tensor, error) {
	if len(in) != len(r.g.inputs) {
		return nil, fmt.Errorf("onnx: %s: %d inputs are given, the model has %d", r.path, len(in), len(r.g.inputs))
	}
	given := map[string]*tensor{}
	for i, v := range r.g.inputs {
		t, err := v.take(in[i])
		if err != nil {
			return nil, fmt.Errorf("onnx: %s: %w", r.path, err)
		}
		given[v.name] = t
	}
	return given, nil
}

func (r *runner) Run(ctx context.Context, in []*model.Array) (model.Vectors, error) {
	given, err := r.given(in)
	if err != nil {
		return nil, err
	}
	out, err := r.g.run(ctx, given)
	if err != nil {
		return nil, fmt.Errorf("onnx: %s: %w", r.path, err)
	}
	var vectors model.Vectors
	for i, t := range out {
		name := "y"
		if i > 0 {
			name = fmt.Sprintf("y%d", i)
		}
		vectors = append(vectors, model.Vector{Name: name, About: fmt.Sprintf("the model's output %q", r.g.outputs[i].name), Array: t.array()})
	}
	return vectors, nil
}

// take checks an array against what an input says of itself.
func (v *valueInfo) take(a *model.Array) (*tensor, error) {
	if a == nil {
		return nil, fmt.Errorf("input %q is not given", v.name)
	}
	fits := v.shape == nil || len(v.shape) == len(a.Shape)
	for i := 0; fits && i < len(v.shape); i++ {
		fits = v.shape[i] < 0 || v.shape[i] == a.Shape[i]
	}
	n, err := sizeOf(a.Shape)
	if err != nil {
		return nil, fmt.Errorf("input %q: %w", v.name, err)
	}
	if !fits || n != len(a.Data) {
		return nil, fmt.Errorf("input %q is given in the shape %v, wanted is %v (-1 is any length)", v.name, a.Shape, v.shape)
	}
	return castTo(&tensor{typeDouble, a.Shape, a.Data}, v.dtype)
}

// traced is of how many samples a network of Barrow's tells what its layers make.
const traced = 512

// Trace implements model.Tracer: all nodes whose results have a row a sample.
func (r *runner) Trace(ctx context.Context, in []*model.Array) (model.Vectors, error) {
	rows := 0
	short := make([]*model.Array, len(in))
	for i, a := range in {
		if a == nil || len(a.Shape) == 0 {
			return nil, fmt.Errorf("onnx: %s: input %d is not given, or has no samples", r.path, i+1)
		}
		n, _ := a.Rows()
		rows = min(n, traced)
		short[i] = a.Slice(0, rows)
	}
	given, err := r.given(short)
	if err != nil {
		return nil, err
	}
	var out model.Vectors
	_, err = r.g.watch(ctx, given, func(n *node, _, made []*tensor) {
		t := made[0]
		if t != nil && !t.whole() && len(t.shape) > 1 && t.shape[0] == rows {
			out = append(out, model.Vector{Name: label(n), About: n.op, Array: t.array()})
		}
	})
	if err != nil {
		return nil, fmt.Errorf("onnx: %s: %w", r.path, err)
	}
	return out, nil
}

// label is a node's name, or that of what it makes.
func label(n *node) string {
	if n.name != "" {
		return n.name
	}
	return n.out[0]
}

// Layers implements model.Describer: the nodes, with the shapes that one sample has on
// its way; nil where one sample cannot be run.
func (r *runner) Layers() []model.Layer {
	var in []*model.Array
	for _, v := range r.g.inputs {
		a := &model.Array{}
		for _, d := range v.shape {
			if d < 0 {
				d = 1
			}
			a.Shape = append(a.Shape, d)
		}
		n, err := sizeOf(a.Shape)
		if err != nil {
			return nil
		}
		a.Data = make([]float64, n)
		in = append(in, a)
	}
	given, err := r.given(in)
	if err != nil {
		return nil
	}
	var out []model.Layer
	if _, err := r.g.watch(context.Background(), given, func(n *node, in, made []*tensor) {
		if made[0] == nil || n.op == "Constant" {
			return
		}
		l := model.Layer{Name: label(n), Kind: n.op}
		if len(made[0].shape) > 0 {
			l.Shape = made[0].shape[1:]
		}
		for i, t := range in {
			if t != nil && r.g.constants[n.in[i]] != nil && !t.whole() {
				l.Parameters += len(t.data)
			}
		}
		l.Multiplications = multiplications(n, in, made[0])
		out = append(out, l)
	}); err != nil {
		return nil
	}
	return out
}

// multiplications are those with weights, of one sample, padding counted as pixels.
func multiplications(n *node, in []*tensor, out *tensor) int {
	if len(in) < 2 || in[1] == nil || len(in[1].shape) < 2 || len(in[0].shape) < 1 || len(out.shape) < 1 {
		return 0
	}
	w := in[1]
	samples := max(out.shape[0], 1)
	switch n.op {
	case "Conv":
		return len(out.data) / samples * (len(w.data) / max(w.shape[0], 1))
	case "ConvTranspose":
		return len(in[0].data) / samples * (len(w.data) / max(w.shape[0], 1))
	case "MatMul", "Gemm":
		return len(out.data) / samples * in[0].shape[len(in[0].shape)-1]
	}
	return 0
}
