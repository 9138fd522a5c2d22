package autoencoder

import (
	"context"
	"fmt"

	"barrow/loss"
	"barrow/nn"
	"barrow/wafer"
)

// A Pass gives a loss of a model's decoded images and its gradients with respect to the model's
// weights, for who steps through weights himself: the network's Params hold both. A pass sees the
// weights as they are at each call. It is used by one goroutine at a time.
type Pass struct{ o *objective }

// NewPass is a pass of a model with a loss, for batches of at most so many images.
func NewPass(m *Model, l loss.Loss, batch int) (*Pass, error) {
	if most := m.net.Settings().MaxBatch; batch < 1 || batch > most {
		return nil, fmt.Errorf("autoencoder: batches of %d images: want 1 to %d", batch, most)
	}
	o := &objective{model: m, loss: l}
	o.resize(batch)
	return &Pass{o}, nil
}

// A Prepared is a set of images as the models of one normalisation take them.
type Prepared struct{ part *part }

// Prepare makes a set ready for the passes of all models with the pass's normalisation and, of conditional
// ones, of those alone.
func (p *Pass) Prepare(set *wafer.Set) (*Prepared, error) {
	part, err := p.o.set(set, nil)
	if err != nil {
		return nil, err
	}
	return &Prepared{part}, nil
}

// Len is the number of images.
func (p *Prepared) Len() int { return p.part.len() }

// Cells are the N×48 normalised charges.
func (p *Prepared) Cells() []float32 { return p.part.cells }

// Gradient is the mean loss over the images with these numbers; its gradients are left in the Grad
// of the network's Params, in place of what was there.
func (p *Pass) Gradient(ctx context.Context, images *Prepared, index []int) (float64, error) {
	p.o.train = images.part
	p.o.model.net.ZeroGrad()
	return p.o.Train(ctx, index)
}

// Loss is the mean loss over the images with these numbers.
func (p *Pass) Loss(ctx context.Context, images *Prepared, index []int) (float64, error) {
	o := p.o
	o.units = o.units[:0]
	for _, i := range index {
		o.units = append(o.units, images.part.units[i])
	}
	err := o.forward(len(index), nn.Inference, images.part, func(k int) int { return index[k] })
	if err != nil {
		return 0, err
	}
	return loss.EvalIn(ctx, o.loss, o.units, o.target, o.pred, nil)
}
