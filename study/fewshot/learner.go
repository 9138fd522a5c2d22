package fewshot

import (
	"context"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/loss"
	"barrow/nn"
	"barrow/wafer"
)

// A learner computes losses and gradients of weights, given as one vector, on images of any task. It is
// one goroutine's.
type learner struct {
	size   int         // of the vector of weights
	widths map[int]*of // by bits of the outputs; 0 in floating point
	arch   autoencoder.Architecture
	loss   loss.Loss
	batch  int
}

// of is a model of one width of the outputs.
type of struct {
	model *autoencoder.Model
	pass  *autoencoder.Pass
}

func newLearner(a autoencoder.Architecture, metric *emd.Metric, batch int) (*learner, error) {
	if a.Precision == "" {
		a.Precision = autoencoder.PresetNames()[0]
	}
	l := &learner{arch: a, widths: map[int]*of{}, batch: batch}
	var err error
	if l.loss, err = loss.Parse("emd", loss.Resources{Metric: metric, Threads: 1}); err != nil {
		return nil, err
	}
	w, err := l.of(0)
	if err != nil {
		return nil, err
	}
	for _, p := range w.model.Network().Params() {
		l.size += len(p.Value)
	}
	return l, nil
}

// of is the model for outputs of so many bits.
func (l *learner) of(bits int) (*of, error) {
	if l.arch.Precision == autoencoder.PresetNames()[0] {
		bits = 0
	}
	if w := l.widths[bits]; w != nil {
		return w, nil
	}
	a := l.arch
	a.LatentBits = bits
	m, err := a.New(nn.Settings{Threads: 1, MaxBatch: l.batch})
	if err != nil {
		return nil, err
	}
	p, err := autoencoder.NewPass(m, l.loss, l.batch)
	if err != nil {
		return nil, err
	}
	w := &of{m, p}
	l.widths[bits] = w
	return w, nil
}

// set gives a network the weights.
func set(net *nn.Network, weights []float64) {
	at := 0
	for _, p := range net.Params() {
		for i := range p.Value {
			p.Value[i] = float32(weights[at+i])
		}
		at += len(p.Value)
	}
}

// gradient is the mean loss of images of one task, and adds to grad its gradient times scale.
func (l *learner) gradient(ctx context.Context, weights []float64, bits int, images *autoencoder.Prepared, index []int, scale float64, grad []float64) (float64, error) {
	w, err := l.of(bits)
	if err != nil {
		return 0, err
	}
	set(w.model.Network(), weights)
	v, err := w.pass.Gradient(ctx, images, index)
	if err != nil {
		return 0, err
	}
	at := 0
	for _, p := range w.model.Network().Params() {
		for i, g := range p.Grad {
			grad[at+i] += scale * float64(g)
		}
		at += len(p.Value)
	}
	return v, nil
}

// value is the mean loss of images of one task.
func (l *learner) value(ctx context.Context, weights []float64, bits int, images *autoencoder.Prepared, index []int) (float64, error) {
	w, err := l.of(bits)
	if err != nil {
		return 0, err
	}
	set(w.model.Network(), weights)
	sum := 0.0
	for at := 0; at < len(index); at += l.batch {
		part := index[at:min(at+l.batch, len(index))]
		v, err := w.pass.Loss(ctx, images, part)
		if err != nil {
			return 0, err
		}
		sum += v * float64(len(part))
	}
	return sum / float64(len(index)), nil
}

// begin is the vector of weights that a training on the images would start from.
func (l *learner) begin(images *wafer.Set, seed uint64) ([]float64, error) {
	m, err := autoencoder.Begin(images, autoencoder.Settings{Architecture: l.arch, Seed: seed, Threads: 1})
	if err != nil {
		return nil, err
	}
	return vector(m.Network()), nil
}

// vector is a network's weights.
func vector(net *nn.Network) (v []float64) {
	for _, p := range net.Params() {
		for _, x := range p.Value {
			v = append(v, float64(x))
		}
	}
	return v
}
