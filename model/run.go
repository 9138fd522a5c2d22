package model

import (
	"context"
	"fmt"

	"barrow/nn"
)

// RunNetwork runs a network of the given inputs on arrays with the channels last.
// Nil stands for the network's own: its input x, and one for each concat layer, x1
// and so on.
func RunNetwork(net *nn.Network, inputs []Input) Runner {
	if inputs == nil {
		inputs = []Input{{Name: "x", Shape: net.InputShape()}}
		for _, l := range net.Layers() {
			if l.Kind == nn.KindConcat {
				side := nn.Shape{H: l.In.H, W: l.In.W, C: l.Channels}
				inputs = append(inputs, Input{Name: fmt.Sprintf("x%d", len(inputs)), Shape: side, Side: l.Name})
			}
		}
	}
	return &network{net, inputs}
}

type network struct {
	net    *nn.Network
	inputs []Input
}

func (r *network) Inputs() []Port {
	var out []Port
	for _, in := range r.inputs {
		out = append(out, Port{in.Name, vectorShape(-1, in.Shape)})
	}
	return out
}

func (r *network) Run(ctx context.Context, in []*Array) (Vectors, error) {
	n, err := r.check(in)
	if err != nil {
		return nil, err
	}
	shape := r.net.OutputShape()
	out := &Array{Shape: vectorShape(n, shape), Data: make([]float64, n*shape.Size())}
	x := nn.NewTensor(1, r.net.InputShape())
	row := make([]float32, shape.Size())
	for from := 0; from < n; from += r.net.Settings().MaxBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		k := min(r.net.Settings().MaxBatch, n-from)
		if err := r.load(x.Resize(k), in, from); err != nil {
			return nil, err
		}
		y, err := r.net.Forward(x, nn.Inference)
		if err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
		if y.N != k {
			return nil, fmt.Errorf("model: network %q ends inside a pair, with two outputs a sample", r.net.Spec().Name)
		}
		for i := range k {
			y.Sample(i, row)
			for j, v := range row {
				out.Data[(from+i)*len(row)+j] = float64(v)
			}
		}
	}
	return Vectors{{Name: "y", Array: out}}, nil
}

// check gives the number of samples.
func (r *network) check(in []*Array) (int, error) {
	if len(in) != len(r.inputs) {
		return 0, fmt.Errorf("model: network %q has %d inputs, %d are given", r.net.Spec().Name, len(r.inputs), len(in))
	}
	n := 0
	for i, want := range r.inputs {
		if in[i] == nil {
			return 0, fmt.Errorf("model: network %q: its input %s is not given", r.net.Spec().Name, want.Name)
		}
		rows, size := in[i].Rows()
		if size != want.Shape.Size() || rows < 1 || len(in[i].Data) != rows*size {
			return 0, fmt.Errorf("model: network %q: its input %s is given in the shape %v, wanted are samples of %v, channels last", r.net.Spec().Name, want.Name, in[i].Shape, want.Shape)
		}
		if i == 0 {
			n = rows
		}
		if rows != n {
			return 0, fmt.Errorf("model: network %q: %d samples for its input %s, %d for %s", r.net.Spec().Name, n, r.inputs[0].Name, rows, want.Name)
		}
	}
	return n, nil
}

// load fills x with x.N samples from the given one on, and hands over those of
// the sides.
func (r *network) load(x *nn.Tensor, in []*Array, from int) error {
	at := 0 // the channel
	for i, input := range r.inputs {
		to, first := x, at
		if input.Side != "" {
			to, first = nn.NewTensor(x.N, input.Shape), 0
		} else {
			at += input.Shape.C
		}
		c, size := input.Shape.C, input.Shape.Size()
		for k := range x.N {
			sample := in[i].Data[(from+k)*size:]
			for pos := range input.Shape.Positions() {
				for j, v := range sample[pos*c : (pos+1)*c] {
					to.Data[(pos*x.N+k)*to.Shape.C+first+j] = float32(v)
				}
			}
		}
		if input.Side != "" {
			if err := r.net.SetSide(input.Side, to); err != nil {
				return fmt.Errorf("model: %w", err)
			}
		}
	}
	return nil
}
