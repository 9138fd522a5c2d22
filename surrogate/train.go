package surrogate

import (
	"context"
	"fmt"
	"math"

	"barrow/emd"
	"barrow/internal/limit"
	"barrow/nn"
)

// Settings of a training run; the zero value trains N1 on fresh pairs. The
// learning rate falls along half a cosine from 3e-3 to 1e-5.
type Settings struct {
	Architecture Architecture // N1 by default
	Seed         uint64
	Threads      int                              // never changes a bit; 0 means all processors
	Kernel       string                           // of the network, one of nn.Kernels; the fastest by default
	Pairs        int                              // pairs an epoch; 50,000 by default
	Epochs       int                              // 64 by default
	Batch        int                              // pairs a step; 64 by default
	Loss         nn.Loss                          // Relative by default, nn.Huber where the network sees whole images
	Gradient     float64                          // weight of the gradient's error, see docs/surrogate.md; none by default
	Validation   int                              // pairs the best epoch is chosen by; 5,000 by default
	Checkpoint   string                           // file to save to and resume from; none by default
	Progress     func(share float64, note string) // as nn.Fit's
}

// Bounds of what a training may be asked for, beyond any need.
const (
	maxPairs  = 1_000_000_000
	maxEpochs = 1_000_000
	maxBatch  = 100_000
)

// order is the memory that a pair's place in an epoch takes.
const order = 8

// gradientShare of the pairs is what the gradient is learnt from.
const gradientShare = 0.25

// Check tells whether the settings can be trained on this machine; zero fields are
// the defaults.
func (s Settings) Check() error {
	s = s.withDefaults()
	if err := checkSizes(s.Pairs, s.Epochs, s.Batch, s.Validation); err != nil {
		return err
	}
	if !(s.Gradient >= 0) || math.IsInf(s.Gradient, 0) {
		return fmt.Errorf("surrogate: gradient = %v: want a number that is not negative", s.Gradient)
	}
	return s.Architecture.Check()
}

// checkSizes checks what the trainings of both sorts of networks have in common.
func checkSizes(pairs, epochs, batch, validation int) error {
	for _, c := range []struct {
		what    string
		n, most int
	}{{"pairs =", pairs, maxPairs}, {"epochs =", epochs, maxEpochs}, {"batch =", batch, maxBatch}, {"validation =", validation, maxPairs}} {
		if err := limit.Count(c.what, c.n, c.most); err != nil {
			return fmt.Errorf("surrogate: %w", err)
		}
	}
	// A held pair is two images and its distance; of a batch there are gradients,
	// directions and the network's input, too.
	const pair = 8 * (2*Cells + 1)
	if err := limit.Fits("pairs =", pairs, order); err != nil {
		return fmt.Errorf("surrogate: %w", err)
	}
	if err := limit.Fits("validation =", validation, pair); err != nil {
		return fmt.Errorf("surrogate: %w", err)
	}
	if err := limit.Fits("batch =", batch, 6*pair); err != nil {
		return fmt.Errorf("surrogate: %w", err)
	}
	return nil
}

func (s Settings) withDefaults() Settings {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	if s.Architecture == (Architecture{}) {
		s.Architecture = N1()
	}
	set(&s.Pairs, 50_000)
	set(&s.Epochs, 64)
	set(&s.Batch, 64)
	set(&s.Validation, 5_000)
	if s.Loss == nil {
		s.Loss = nn.Huber{}
		if s.Architecture.Surplus {
			s.Loss = Relative{}
		}
	}
	return s
}

// Train trains a new EMD CNN on pairs of the training source, labelled with
// their exact EMD as they are drawn, and returns the weights of the epoch with
// the smallest loss on pairs of the validation source, scaled to no bias there
// if the network sees what the images do not share. It resumes from
// Settings.Checkpoint if that file is there and gives the same bits as a run
// that was never interrupted.
func Train(ctx context.Context, train, validation *Source, m *emd.Metric, s Settings) (*CNN, *nn.History, error) {
	s = s.withDefaults()
	if err := s.Check(); err != nil {
		return nil, nil, err
	}
	model, err := NewCNN(s.Architecture, nn.Settings{Seed: s.Seed, Threads: s.Threads, Kernel: s.Kernel, MaxBatch: 2 * s.Batch})
	if err != nil {
		return nil, nil, err
	}
	exact, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Threads: s.Threads})
	if err != nil {
		return nil, nil, fmt.Errorf("surrogate: %w", err)
	}
	o := &objective{model: model, loss: s.Loss, exact: exact, train: train, seed: s.Seed, pairs: s.Pairs, gradient: s.Gradient}
	if s.Gradient > 0 {
		o.share = gradientShare
	}
	if err := o.fix(ctx, validation, s.Validation); err != nil {
		return nil, nil, err
	}
	fit := nn.Fit{
		Net: model.net, Schedule: nn.Cosine{Start: 3e-3, End: 1e-5}, Samples: s.Pairs, Batch: s.Batch, Epochs: s.Epochs, Seed: s.Seed,
		Checkpoint: s.Checkpoint, Resume: true, Progress: s.Progress,
	}
	h, err := fit.Run(ctx, o)
	if err != nil {
		return nil, nil, fmt.Errorf("surrogate: training: %w", err)
	}
	if s.Architecture.Surplus {
		if err := o.calibrate(ctx); err != nil {
			return nil, nil, err
		}
	}
	return o.model, h, nil
}

// calibrate scales the network's output so that its relative difference from
// the exact EMD is 0 in the mean over the validation pairs. The square loss
// leaves it below, as it weighs what is too large more.
func (o *objective) calibrate(ctx context.Context) error {
	e := make([]float64, len(o.ve))
	if err := o.model.Predict(ctx, o.vp, o.vq, e); err != nil {
		return err
	}
	sum, n := 0.0, 0
	for i, v := range o.ve {
		if v > equal {
			sum += e[i] / v
			n++
		}
	}
	if n == 0 || !(sum > 0) {
		return nil
	}
	for _, name := range []string{"emd/kernel", "emd/bias"} {
		value := o.model.net.Param(name).Value
		for i := range value {
			value[i] *= float32(float64(n) / sum)
		}
	}
	return nil
}

// objective labels and runs batches of pairs.
type objective struct {
	model    *CNN
	loss     nn.Loss
	exact    *emd.Batch
	train    *Source
	seed     uint64
	pairs    int     // an epoch
	epoch    int     // that pairs are drawn for
	gradient float64 // weight of the gradient's error
	share    float64 // of the pairs, trained on their gradients

	steps             []step    // of the pairs that are trained on their gradients
	dp, dq, u         []float64 // the exact gradients of a batch; the steps' directions for both images
	p, q, e           []float64 // a batch
	label, pred, grad []float32
	vp, vq            []float64 // the validation pairs
	ve                []float64
}

// StartEpoch makes Train draw the epoch's own pairs.
func (o *objective) StartEpoch(epoch int) { o.epoch = epoch }

// fix draws and labels the validation pairs.
func (o *objective) fix(ctx context.Context, source *Source, n int) error {
	o.vp, o.vq, o.ve = make([]float64, n*Cells), make([]float64, n*Cells), make([]float64, n)
	for k := range n {
		source.Draw(o.seed+validationSeed, uint64(k), o.vp[k*Cells:(k+1)*Cells], o.vq[k*Cells:(k+1)*Cells])
	}
	return o.exact.Gradient(ctx, o.vp, o.vq, o.ve, nil, nil)
}

// validationSeed keeps the validation pairs apart from the training pairs.
const validationSeed = 0x76616c6964

// resize makes room for a batch of n pairs, of which the first k are trained on
// their gradients too.
func (o *objective) resize(n, k int) {
	if cap(o.e) < n {
		o.p, o.q, o.e = make([]float64, n*Cells), make([]float64, n*Cells), make([]float64, n)
		o.dp, o.dq, o.u = make([]float64, n*Cells), make([]float64, n*Cells), make([]float64, 2*n*Cells)
		o.label, o.pred, o.grad = make([]float32, 2*n), make([]float32, 2*n), make([]float32, 2*n)
	}
	o.p, o.q, o.e = o.p[:n*Cells], o.q[:n*Cells], o.e[:n]
	o.dp, o.dq = o.dp[:n*Cells], o.dq[:n*Cells]
	o.label, o.pred, o.grad = o.label[:n+k], o.pred[:n+k], o.grad[:n+k]
}

// Train is one training step's loss and gradients: see supervise.go.
func (o *objective) Train(ctx context.Context, idx []int) (float64, error) {
	n, m := len(idx), o.model
	k := min(n, int(math.Ceil(o.share*float64(n))))
	o.resize(n, k)
	for i, j := range idx {
		o.train.Draw(o.seed, uint64(o.epoch*o.pairs+j), o.p[i*Cells:(i+1)*Cells], o.q[i*Cells:(i+1)*Cells])
	}
	if err := o.exact.Gradient(ctx, o.p, o.q, o.e, o.dp, o.dq); err != nil {
		return 0, err
	}
	if err := m.load(0, o.p, o.q); err != nil {
		return 0, err
	}
	if k > 0 {
		if err := o.directions(k); err != nil {
			return 0, err
		}
		o.fillSteps(n, k)
	}
	y, err := m.net.Forward(m.in, nn.Training)
	if err != nil {
		return 0, err
	}
	for r := range n + k {
		i, rise := r%n, 0.0
		if i < k {
			rise = o.steps[i].length * o.steps[i].slope * m.scale[i]
		}
		if r >= n {
			rise = -rise
		}
		o.label[r], o.pred[r] = float32(o.e[i]+rise), float32(m.scale[i])*y.Data[r]
	}
	v, err := o.loss.Eval(o.label, o.pred, o.grad)
	if err != nil {
		return v, err
	}
	dy := m.dy.Resize(n + k)
	for r, g := range o.grad {
		dy.Data[r] = g * float32(m.scale[r%n])
	}
	return v + o.slopeError(n, k, y.Data, dy.Data), m.net.BackwardWeights(dy)
}

// Validate is the loss on the validation pairs.
func (o *objective) Validate(ctx context.Context) (float64, error) {
	n := len(o.ve)
	e := make([]float64, n)
	if err := o.model.Predict(ctx, o.vp, o.vq, e); err != nil {
		return 0, err
	}
	label, pred := make([]float32, n), make([]float32, n)
	for i := range e {
		label[i], pred[i] = float32(o.ve[i]), float32(e[i])
	}
	return o.loss.Eval(label, pred, nil)
}
