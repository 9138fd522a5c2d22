package model

import (
	"context"
	"fmt"

	"barrow/nn"
)

// RunNetwork runs a network of the given inputs on arrays with the channels last.
// Nil stands for the network's own: its input x, and one for each concat layer, x1
// and so on. What the first latent layers make of the input is given, too, if latent
// is not 0.
func RunNetwork(net *nn.Network, inputs []Input, latent int) (Runner, error) {
	if inputs == nil {
		inputs = inputsOf(net)
	}
	r := &network{net: net, inputs: inputs}
	if latent > 0 {
		var err error
		if r.encoder, err = net.View(0, latent, nn.Settings{}); err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
	}
	return r, nil
}

// inputsOf are a network's own inputs.
func inputsOf(net *nn.Network) []Input {
	inputs := []Input{{Name: "x", Shape: net.InputShape()}}
	for _, l := range net.Layers() {
		if l.Kind == nn.KindConcat {
			side := nn.Shape{H: l.In.H, W: l.In.W, C: l.Channels}
			inputs = append(inputs, Input{Name: fmt.Sprintf("x%d", len(inputs)), Shape: side, Side: l.Name})
		}
	}
	return inputs
}

// Ports describes a network's own inputs, as [RunNetwork] takes them.
func Ports(net *nn.Network) []Port { return ports(inputsOf(net)) }

// Ports describes what a part takes.
func (p *Part) Ports() []Port { return ports(p.Inputs) }

func ports(inputs []Input) []Port {
	var out []Port
	for _, in := range inputs {
		out = append(out, Port{in.Name, vectorShape(-1, in.Shape)})
	}
	return out
}

type network struct {
	net     *nn.Network
	inputs  []Input
	encoder *nn.Network // its first layers, or nil
}

func (r *network) Inputs() []Port { return ports(r.inputs) }

func (r *network) Run(ctx context.Context, in []*Array) (Vectors, error) {
	n, err := r.check(in)
	if err != nil {
		return nil, err
	}
	out := Vectors{{Name: "y", Array: room(n, r.net)}}
	if r.encoder != nil {
		out = append(out, Vector{Name: "latent", Array: room(n, r.encoder)})
	}
	x := nn.NewTensor(1, r.net.InputShape())
	for from := 0; from < n; from += r.net.Settings().MaxBatch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := r.load(x.Resize(min(r.net.Settings().MaxBatch, n-from)), in, from); err != nil {
			return nil, err
		}
		for i, net := range []*nn.Network{r.net, r.encoder} {
			if net == nil {
				continue
			}
			if err := forward(net, x, from, out[i].Array); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

// room is for what a network makes of n samples.
func room(n int, net *nn.Network) *Array {
	shape := net.OutputShape()
	return &Array{Shape: vectorShape(n, shape), Data: make([]float64, n*shape.Size())}
}

// forward writes what a network makes of x into an array, from a sample on.
func forward(net *nn.Network, x *nn.Tensor, from int, out *Array) error {
	y, err := net.Forward(x, nn.Inference)
	if err != nil {
		return fmt.Errorf("model: %w", err)
	}
	if y.N != x.N {
		return fmt.Errorf("model: network %q ends inside a pair, with two outputs a sample", net.Spec().Name)
	}
	row := make([]float32, y.Shape.Size())
	for i := range y.N {
		y.Sample(i, row)
		for j, v := range row {
			out.Data[(from+i)*len(row)+j] = float64(v)
		}
	}
	return nil
}

// several runs networks that have nothing to do with one another: the inputs are those of
// one behind those of the other, and so are the outputs.
type several []Part

func (r several) Inputs() []Port {
	var out []Port
	for _, p := range r {
		out = append(out, p.Ports()...)
	}
	return out
}

func (r several) Run(ctx context.Context, in []*Array) (Vectors, error) {
	if n := len(r.Inputs()); len(in) != n {
		return nil, fmt.Errorf("model: networks of %d inputs, %d are given", n, len(in))
	}
	var out Vectors
	for i, p := range r {
		v, err := (&network{net: p.Network, inputs: p.Inputs}).Run(ctx, in[:len(p.Inputs)])
		if err != nil {
			return nil, err
		}
		in = in[len(p.Inputs):]
		name := "y"
		if i > 0 {
			name = fmt.Sprintf("y%d", i)
		}
		out = append(out, Vector{Name: name, Array: v[0].Array})
	}
	return out, nil
}

// whole runs an autoencoder: the encoder, which may be the chip, and the decoder.
type whole struct{ *Model }

func (r whole) Inputs() []Port { return r.Part("whole").Ports() }

func (r whole) Run(ctx context.Context, in []*Array) (Vectors, error) {
	p := r.Part("whole")
	n, err := (&network{net: p.Network, inputs: p.Inputs}).check(in)
	if err != nil {
		return nil, err
	}
	latent, err := r.encode(ctx, in[0].Float32s())
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	v := Vectors{{Name: "latent", Array: Floats(latent, n, len(latent)/n)}}
	for i, input := range p.Inputs[1:] {
		v = append(v, Vector{Name: input.Name, Array: in[1+i]})
	}
	y, err := r.Part("decoder").Run(ctx, v)
	if err != nil {
		return nil, err
	}
	return Vectors{{Name: "y", Array: y}, v[0]}, nil
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
		if input.Side == "" {
			continue
		}
		for _, net := range []*nn.Network{r.net, r.encoder} {
			if net == nil || net.LayerIndex(input.Side) < 0 {
				continue
			}
			if err := net.SetSide(input.Side, to); err != nil {
				return fmt.Errorf("model: %w", err)
			}
		}
	}
	return nil
}
