package surrogate

import (
	"context"
	"fmt"
	"math"

	"barrow/emd"
	"barrow/internal/limit"
	"barrow/nn"
)

// PotentialSettings of a training run. The zero value trains the default
// shape on 3 million fresh pairs. The learning rate falls along half a cosine from
// 1e-3 to 1e-5, and the average of the weights is kept.
type PotentialSettings struct {
	Shape      PotentialShape
	Seed       uint64
	Threads    int    // never changes a bit; 0 means all processors
	Kernel     string // of the networks, one of nn.Kernels; the fastest by default
	Pairs      int    // pairs an epoch; 100,000 by default
	Epochs     int    // 30 by default; an eighth of their pairs teach the gap in the end
	Batch      int    // pairs a step; 256 by default
	Validation int    // pairs the best epoch is chosen by; 5,000 by default
	// Checkpoint is the file to save to and resume from, with ".gap" behind it
	// for the second part; none by default.
	Checkpoint string
	Progress   func(share float64, note string) // as nn.Fit's, over both parts
}

// boundWeight is the weight of what the bound lacks, relative to the EMD.
const boundWeight = 0.5

// Check tells whether the settings can be trained on this machine; zero fields are
// the defaults.
func (s PotentialSettings) Check() error {
	s = s.withDefaults()
	if err := checkSizes(s.Pairs, s.Epochs, s.Batch, s.Validation); err != nil {
		return err
	}
	if err := limit.Fits("pairs that teach the gap: an epoch of", s.gapPairs(), order); err != nil {
		return fmt.Errorf("surrogate: %w", err)
	}
	return s.Shape.Check()
}

// gapEpochs is the number of epochs that teach the gap.
const gapEpochs = 8

// gapPairs is the number of pairs in each of them.
func (s PotentialSettings) gapPairs() int { return max(1, s.Pairs*s.Epochs/8/gapEpochs) }

func (s PotentialSettings) withDefaults() PotentialSettings {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&s.Pairs, 100_000)
	set(&s.Epochs, 30)
	set(&s.Batch, 256)
	set(&s.Validation, 5_000)
	return s
}

// decay is that of the average of the weights, which forgets the start within a
// fifteenth of the steps.
func (s PotentialSettings) decay() float64 {
	steps := s.Epochs * ((s.Pairs + s.Batch - 1) / s.Batch)
	return min(0.999, max(0.5, 1-15/float64(steps)))
}

// TrainPotential trains a new potential network on pairs of the training
// source, drawn anew in every epoch: first the potentials, on the exact ones
// and on the bound that they give, then the guess of the gap that remains
// after the dual steps. It returns the history of the potentials. It resumes
// from Settings.Checkpoint if that file is there and gives the same bits as a
// run that was never interrupted.
func TrainPotential(ctx context.Context, train, validation *Source, m *emd.Metric, s PotentialSettings) (*Potential, *nn.History, error) {
	s = s.withDefaults()
	if err := s.Check(); err != nil {
		return nil, nil, err
	}
	model, err := NewPotential(m, s.Shape, nn.Settings{Seed: s.Seed, Threads: s.Threads, Kernel: s.Kernel, MaxBatch: s.Batch})
	if err != nil {
		return nil, nil, err
	}
	exact, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Threads: s.Threads})
	if err != nil {
		return nil, nil, fmt.Errorf("surrogate: %w", err)
	}
	o := &potentialObjective{model: model, exact: exact, train: train, seed: s.Seed, pairs: s.Pairs, dy: nn.NewTensor(s.Batch, nn.Vector(Cells))}
	o.vp, o.vq = validation.Pairs(s.Seed+validationSeed, s.Validation)
	share := float64(s.Pairs*s.Epochs) / float64(s.Pairs*s.Epochs+s.gapPairs()*gapEpochs)
	part := func(from, to float64, of string) func(float64, string) {
		if s.Progress == nil {
			return nil
		}
		return func(done float64, note string) { s.Progress(from+(to-from)*done, of+note) }
	}
	fit := nn.Fit{
		Net: model.net, Schedule: nn.Cosine{Start: 1e-3, End: 1e-5}, Samples: s.Pairs, Batch: s.Batch, Epochs: s.Epochs, Seed: s.Seed, EMA: s.decay(),
		Checkpoint: s.Checkpoint, CheckpointSteps: 500, Resume: true, Progress: part(0, share, ""),
	}
	history, err := fit.Run(ctx, o)
	if err != nil {
		return nil, nil, fmt.Errorf("surrogate: training potentials: %w", err)
	}
	o.pairs = s.gapPairs()
	fit.Progress = part(share, 1, "gap, ")
	fit.Net, fit.Samples, fit.Epochs = model.gap, o.pairs, gapEpochs
	if s.Checkpoint != "" {
		fit.Checkpoint += ".gap"
	}
	if _, err := fit.Run(ctx, &gapObjective{o}); err != nil {
		return nil, nil, fmt.Errorf("surrogate: training the gap: %w", err)
	}
	return model, history, nil
}

// Pairs are the first n pairs of a seed, N×48 values each side.
func (s *Source) Pairs(seed uint64, n int) (p, q []float64) {
	p, q = make([]float64, n*Cells), make([]float64, n*Cells)
	for k := range n {
		s.Draw(seed, uint64(k), p[k*Cells:(k+1)*Cells], q[k*Cells:(k+1)*Cells])
	}
	return p, q
}

// potentialObjective trains the network of a Potential.
type potentialObjective struct {
	model *Potential
	exact *emd.Batch
	train *Source
	seed  uint64
	pairs int // an epoch
	epoch int

	p, q, e, dq []float64 // a batch
	loss        []float64
	dy          *nn.Tensor
	vp, vq      []float64
}

// StartEpoch makes Train draw the epoch's own pairs.
func (o *potentialObjective) StartEpoch(epoch int) { o.epoch = epoch }

func (o *potentialObjective) resize(n int) {
	if cap(o.e) < n {
		o.p, o.q, o.dq = make([]float64, n*Cells), make([]float64, n*Cells), make([]float64, n*Cells)
		o.e, o.loss = make([]float64, n), make([]float64, n)
	}
	o.p, o.q, o.dq, o.e, o.loss = o.p[:n*Cells], o.q[:n*Cells], o.dq[:n*Cells], o.e[:n], o.loss[:n]
}

// drawBatch draws and labels the pairs idx of the epoch.
func (o *potentialObjective) drawBatch(ctx context.Context, seed uint64, idx []int) error {
	o.resize(len(idx))
	o.model.parallel(len(idx), func(i int) {
		o.train.Draw(seed, uint64(o.epoch)*uint64(o.pairs)+uint64(idx[i]), o.p[i*Cells:(i+1)*Cells], o.q[i*Cells:(i+1)*Cells])
	})
	return o.exact.Gradient(ctx, o.p, o.q, o.e, nil, o.dq)
}

// Train is one training step's loss and gradients.
func (o *potentialObjective) Train(ctx context.Context, idx []int) (float64, error) {
	if err := o.drawBatch(ctx, o.seed, idx); err != nil {
		return 0, err
	}
	v, err := o.run(nn.Training)
	if err != nil {
		return v, err
	}
	return v, o.model.net.BackwardWeights(o.dy)
}

// Validate is the loss on the validation pairs.
func (o *potentialObjective) Validate(ctx context.Context) (float64, error) {
	return o.eachValidation(ctx, func() (float64, error) { return o.run(nn.Inference) })
}

// eachValidation is the mean of a loss over batches of the validation pairs.
func (o *potentialObjective) eachValidation(ctx context.Context, loss func() (float64, error)) (float64, error) {
	n, sum := len(o.vp)/Cells, 0.0
	for i := 0; i < n; i += pairBatch {
		j := min(n, i+pairBatch)
		o.resize(j - i)
		copy(o.p, o.vp[i*Cells:j*Cells])
		copy(o.q, o.vq[i*Cells:j*Cells])
		if err := o.exact.Gradient(ctx, o.p, o.q, o.e, nil, o.dq); err != nil {
			return 0, err
		}
		v, err := loss()
		if err != nil {
			return 0, err
		}
		sum += v * float64(j-i)
	}
	return sum / float64(n), nil
}

// run is the batch's mean loss; its gradient is left in o.dy.
func (o *potentialObjective) run(mode nn.Mode) (float64, error) {
	m, n := o.model, len(o.e)
	if err := m.load(0, o.p, o.q); err != nil {
		return 0, err
	}
	y, err := m.net.Forward(m.in, mode)
	if err != nil {
		return 0, err
	}
	clear(o.dy.Resize(n).Data)
	m.parallel(n, func(i int) {
		s := &m.pairs[i]
		o.loss[i] = 0
		if !s.differ {
			return
		}
		out, dy := y.Data[i*Cells:(i+1)*Cells], o.dy.Data[i*Cells:(i+1)*Cells]
		o.loss[i] = o.distance(s, out, o.dq[i*Cells:(i+1)*Cells], dy, 1/float64(n))
		o.loss[i] += o.lack(s, out, o.e[i], dy, boundWeight/float64(n))
	})
	sum := 0.0
	for _, v := range o.loss {
		sum += v
	}
	return sum / float64(n), nil
}

// distance is the squared distance of the network's potentials from the exact
// ones, up to a constant, over the cells that count: half by number and half
// by charge. It adds the gradient times weight to dy.
func (o *potentialObjective) distance(s *solution, out []float32, dq []float64, dy []float32, weight float64) float64 {
	sign := -1 / o.model.g.unit // dq is −f
	if s.swapped {
		sign = -sign
	}
	var diff, w [Cells]float64
	mean, all := 0.0, 0.0
	each := 0.5 / float64(len(s.source)+len(s.sink))
	for c, x := range s.x {
		if x != 0 {
			w[c] = each + 0.25*math.Abs(x)
			diff[c] = float64(out[c]) - sign*dq[c]
			mean += w[c] * diff[c]
			all += w[c]
		}
	}
	mean /= all
	loss := 0.0
	for c := range diff {
		d := diff[c] - mean
		loss += w[c] * d * d
		dy[c] += float32(2 * weight * w[c] * d)
	}
	return loss
}

// lack is what the bound of the network's potentials, without dual steps,
// lacks of the EMD, relative to it. It adds the gradient times weight to dy:
// every potential that lift chose passes its cell's charge on.
func (o *potentialObjective) lack(s *solution, out []float32, exact float64, dy []float32, weight float64) float64 {
	g := o.model.g
	var f [Cells]float64
	var from [Cells]int // the source that a sink's potential comes from
	exact /= s.total * g.unit
	weight /= exact
	v := 0.0
	for _, j := range s.sink {
		best := math.Inf(-1)
		row := &g.dist[j]
		for _, i := range s.source {
			if t := float64(out[i]) - row[i]; t > best {
				best, from[j] = t, i
			}
		}
		f[j] = best
		v += s.x[j] * best
		dy[from[j]] -= float32(weight * s.x[j])
	}
	for _, i := range s.source {
		best, at := math.Inf(1), 0
		row := &g.dist[i]
		for _, j := range s.sink {
			if t := f[j] + row[j]; t < best {
				best, at = t, j
			}
		}
		v += s.x[i] * best
		dy[from[at]] -= float32(weight * s.x[i])
	}
	return boundWeight * (exact - v) / exact
}

// gapObjective trains the guess of the gap of a Potential whose potentials are
// learnt. Its loss is the squared relative error of the estimate in percent.
type gapObjective struct{ *potentialObjective }

// gapSeed keeps the pairs apart from those that the potentials were learnt
// from.
const gapSeed = 0x676170

// Train is one training step's loss and gradients.
func (o *gapObjective) Train(ctx context.Context, idx []int) (float64, error) {
	if err := o.drawBatch(ctx, o.seed+gapSeed, idx); err != nil {
		return 0, err
	}
	v, err := o.run(nn.Training)
	if err != nil {
		return v, err
	}
	return v, o.model.gap.BackwardWeights(o.dy)
}

// Validate is the loss on the validation pairs.
func (o *gapObjective) Validate(ctx context.Context) (float64, error) {
	return o.eachValidation(ctx, func() (float64, error) { return o.run(nn.Inference) })
}

func (o *gapObjective) run(mode nn.Mode) (float64, error) {
	m, n := o.model, len(o.e)
	if err := m.solve(0, o.p, o.q, false); err != nil {
		return 0, err
	}
	y, err := m.gap.Forward(m.gapIn, mode)
	if err != nil {
		return 0, err
	}
	o.dy.Shape = nn.Vector(1)
	o.dy.Resize(n)
	const percent = 100
	sum := 0.0
	for i := range n {
		o.dy.Data[i] = 0
		s := &m.pairs[i]
		if !s.differ {
			continue
		}
		share := s.bound * s.total * m.g.unit / o.e[i]
		x := float64(y.Data[i])
		d := percent * (share*(1+softplus(x)) - 1)
		sum += d * d
		o.dy.Data[i] = float32(2 * d * percent * share / (1 + math.Exp(-x)) / float64(n))
	}
	return sum / float64(n), nil
}
