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

func (r *runner) Run(ctx context.Context, in []*model.Array) (model.Vectors, error) {
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
