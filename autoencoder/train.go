package autoencoder

import (
	"context"
	"fmt"

	"barrow/loss"
	"barrow/nn"
)

// Settings of a training run; the zero value is the paper's: Adam at 1e-3,
// batches of 500, at most 100 epochs, early stopping after 30 without a better
// validation loss.
type Settings struct {
	Seed         uint64
	Threads      int     // never changes a bit; 1 by default
	Epochs       int     // 100 by default
	Batch        int     // 500 by default
	LearningRate float64 // 1e-3 by default
	Patience     int     // 30 by default; negative never stops early
	Checkpoint   string  // file to save to and resume from; none by default
	Progress     func(nn.Progress)
}

func (s Settings) withDefaults() Settings {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&s.Threads, 1)
	set(&s.Epochs, 100)
	set(&s.Batch, 500)
	set(&s.Patience, 30)
	if s.LearningRate == 0 {
		s.LearningRate = 1e-3
	}
	return s
}

// Train trains a new autoencoder on images (N×48 charges) with the loss, and
// returns the weights of the epoch with the smallest loss on the validation
// images. It resumes from Settings.Checkpoint if that file is there and gives
// the same bits as a run that was never interrupted.
func Train(ctx context.Context, images, validation []float64, l loss.Loss, s Settings) (*Model, *nn.History, error) {
	s = s.withDefaults()
	if len(images) == 0 || len(validation) == 0 {
		return nil, nil, fmt.Errorf("autoencoder: %d training and %d validation images; both are needed", len(images)/Cells, len(validation)/Cells)
	}
	m, err := build(s.Seed, s.Threads, s.Batch)
	if err != nil {
		return nil, nil, err
	}
	o := &objective{model: m, loss: l}
	if o.train, _, err = Normalise(images); err != nil {
		return nil, nil, fmt.Errorf("training images: %w", err)
	}
	if o.validation, _, err = Normalise(validation); err != nil {
		return nil, nil, fmt.Errorf("validation images: %w", err)
	}
	o.resize(s.Batch)
	fit := nn.Fit{
		Net:        m.net,
		Schedule:   nn.Constant(s.LearningRate),
		Samples:    len(images) / Cells,
		Batch:      s.Batch,
		Epochs:     s.Epochs,
		Seed:       s.Seed,
		Patience:   max(0, s.Patience),
		Checkpoint: s.Checkpoint,
		Resume:     true,
		Progress:   s.Progress,
	}
	h, err := fit.Run(ctx, o)
	if err != nil {
		return nil, nil, fmt.Errorf("autoencoder: training with %s: %w", l.Name(), err)
	}
	return m, h, nil
}

// objective runs one batch of images through the network and the loss.
type objective struct {
	model             *Model
	loss              loss.Loss
	train, validation []float32
	target, pred, dq  []float32 // N×48
	dy                *nn.Tensor
}

func (o *objective) resize(batch int) {
	batch = max(batch, decodeBatch)
	o.target, o.pred, o.dq = make([]float32, batch*Cells), make([]float32, batch*Cells), make([]float32, batch*Cells)
	o.dy = nn.NewTensor(batch, o.model.net.OutputShape())
}

// forward decodes n images of a set and leaves the rows in target and pred.
func (o *objective) forward(n int, mode nn.Mode, image func(k int) []float32) error {
	o.target, o.pred = o.target[:n*Cells], o.pred[:n*Cells]
	for k := range n {
		copy(o.target[k*Cells:], image(k))
	}
	o.model.load(n, func(k int) []float32 { return o.target[k*Cells : (k+1)*Cells] })
	y, err := o.model.net.Forward(o.model.in, mode)
	if err != nil {
		return err
	}
	gather(y, o.pred)
	return nil
}

// Train is one training step's loss and gradients.
func (o *objective) Train(idx []int) (float64, error) {
	err := o.forward(len(idx), nn.Training, func(k int) []float32 {
		return o.train[idx[k]*Cells : (idx[k]+1)*Cells]
	})
	if err != nil {
		return 0, err
	}
	o.dq = o.dq[:len(o.pred)]
	v, err := o.loss.Eval(context.Background(), o.target, o.pred, o.dq)
	if err != nil {
		return v, err
	}
	scatter(o.dq, o.dy.Resize(len(idx)))
	_, err = o.model.net.Backward(o.dy)
	return v, err
}

// Validate is the mean loss over the validation images.
func (o *objective) Validate(ctx context.Context) (float64, error) {
	n, sum := len(o.validation)/Cells, 0.0
	for i := 0; i < n; i += decodeBatch {
		b := min(decodeBatch, n-i)
		err := o.forward(b, nn.Inference, func(k int) []float32 {
			return o.validation[(i+k)*Cells : (i+k+1)*Cells]
		})
		if err != nil {
			return 0, err
		}
		v, err := o.loss.Eval(ctx, o.target, o.pred, nil)
		if err != nil {
			return v, err
		}
		sum += v * float64(b)
	}
	return sum / float64(n), nil
}
