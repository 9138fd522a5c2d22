package keras

import (
	"barrow/nn"
)

// A Predictor runs a model on plain slices, as many samples as are given. It
// serves one goroutine.
type Predictor struct {
	m     *Model
	net   *nn.Network
	x     *nn.Tensor
	sides []*nn.Tensor
	dy    *nn.Tensor
}

// Predictor builds the model's network with room for a batch.
func (m *Model) Predictor(s nn.Settings) (*Predictor, error) {
	net, err := m.Network(s)
	if err != nil {
		return nil, err
	}
	net.Lock() // the weights stay as they are: no need to look at them again
	p := &Predictor{m: m, net: net, x: nn.NewTensor(1, net.InputShape()), dy: nn.NewTensor(1, net.OutputShape())}
	for _, in := range m.Inputs {
		if in.Side != "" {
			p.sides = append(p.sides, nn.NewTensor(1, in.Shape))
		}
	}
	return p, nil
}

// Predict gives the model's output for N samples. The inputs are in the order
// of Model.Inputs, each N samples in (y, x, channel) order; so is the output.
func (p *Predictor) Predict(inputs ...[]float32) ([]float32, error) {
	n, err := p.check(inputs)
	if err != nil {
		return nil, err
	}
	size := p.net.OutputShape().Size()
	out := make([]float32, n*size)
	for from := 0; from < n; {
		k := min(n-from, p.net.Settings().MaxBatch)
		y, err := p.forward(inputs, from, k, nn.Inference)
		if err != nil {
			return nil, err
		}
		for i := range k {
			y.Sample(i, out[(from+i)*size:(from+i+1)*size])
		}
		from += k
	}
	return out, nil
}

// Gradient gives the model's output and, for each input in front of the
// network (those without a Side), the gradient of Σ dy·output with respect to
// it. A nil dy stands for ones.
func (p *Predictor) Gradient(dy []float32, inputs ...[]float32) (out []float32, grads [][]float32, err error) {
	n, err := p.check(inputs)
	if err != nil {
		return nil, nil, err
	}
	size := p.net.OutputShape().Size()
	if dy != nil && len(dy) != n*size {
		return nil, nil, errorf("Gradient: dy has %d values, want %d×%d", len(dy), n, size)
	}
	out = make([]float32, n*size)
	for _, in := range p.m.Inputs {
		if in.Side == "" {
			grads = append(grads, make([]float32, n*in.Shape.Size()))
		}
	}
	ones := make([]float32, size)
	for i := range ones {
		ones[i] = 1
	}
	for from := 0; from < n; {
		k := min(n-from, p.net.Settings().MaxBatch)
		y, err := p.forward(inputs, from, k, nn.Frozen)
		if err != nil {
			return nil, nil, err
		}
		p.dy.Resize(k)
		for i := range k {
			at := (from + i) * size
			y.Sample(i, out[at:at+size])
			if dy == nil {
				p.dy.SetSample(i, ones)
			} else {
				p.dy.SetSample(i, dy[at:at+size])
			}
		}
		dx, err := p.net.Backward(p.dy)
		if err != nil {
			return nil, nil, errorf("%w", err)
		}
		p.scatter(dx, grads, from)
		from += k
	}
	return out, grads, nil
}

// check gives the number of samples.
func (p *Predictor) check(inputs [][]float32) (int, error) {
	if len(inputs) != len(p.m.Inputs) {
		return 0, errorf("model %q has %d inputs, %d are given", p.m.Spec.Name, len(p.m.Inputs), len(inputs))
	}
	n := len(inputs[0]) / p.m.Inputs[0].Shape.Size()
	for i, in := range p.m.Inputs {
		if want := n * in.Shape.Size(); len(inputs[i]) != want {
			return 0, errorf("input %q has %d values, want %d samples of %v", in.Name, len(inputs[i]), n, in.Shape)
		}
	}
	return n, nil
}

// forward runs samples from to from+k.
func (p *Predictor) forward(inputs [][]float32, from, k int, mode nn.Mode) (*nn.Tensor, error) {
	p.x.Resize(k)
	at, side := 0, 0
	for i, in := range p.m.Inputs {
		size, c := in.Shape.Size(), in.Shape.C
		if in.Side != "" {
			t := p.sides[side].Resize(k)
			side++
			for s := range k {
				t.SetSample(s, inputs[i][(from+s)*size:(from+s+1)*size])
			}
			if err := p.net.SetSide(in.Side, t); err != nil {
				return nil, errorf("%w", err)
			}
			continue
		}
		for s := range k {
			v := inputs[i][(from+s)*size:]
			for pos := range in.Shape.Positions() {
				to := (pos*k+s)*p.x.Shape.C + at
				copy(p.x.Data[to:to+c], v[pos*c:(pos+1)*c])
			}
		}
		at += c
	}
	y, err := p.net.Forward(p.x, mode)
	if err != nil {
		return nil, errorf("%w", err)
	}
	return y, nil
}

// scatter takes the network's input gradient apart into the inputs'.
func (p *Predictor) scatter(dx *nn.Tensor, grads [][]float32, from int) {
	at := 0
	for i, g := range grads { // the inputs in front of the network come first
		shape := p.m.Inputs[i].Shape
		for s := range dx.N {
			v := g[(from+s)*shape.Size():]
			for pos := range shape.Positions() {
				row := (pos*dx.N+s)*dx.Shape.C + at
				copy(v[pos*shape.C:(pos+1)*shape.C], dx.Data[row:row+shape.C])
			}
		}
		at += shape.C
	}
}
