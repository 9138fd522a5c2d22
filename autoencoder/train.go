package autoencoder

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/internal/setting"
	"barrow/loss"
	"barrow/nn"
	"barrow/wafer"
)

// A Budget says how long and along which course an encoder is trained. The zero value is
// Adam at 1e-3 with batches of 500 for 100 epochs.
type Budget struct {
	Epochs   int     `json:"epochs" help:"epochs at most"`                                                                                           // 100 by default
	Batch    int     `json:"batch" help:"images a step (default 20; 50 with the decoder dense or residual)"`                                         // 500 by default
	Rate     float64 `json:"learning_rate" flag:"rate" help:"learning rate, at the start (default 0.003; 0.001 with the decoder dense or residual)"` // 1e-3 by default
	Schedule string  `json:"schedule" help:"course of the learning rate"`                                                                            // of Schedules; "constant" by default
	// Patience is after how many epochs without a better validation loss a training stops; 0
	// runs them all.
	Patience int `json:"patience" help:"epochs without a better validation loss before stopping; 0 runs them all"`
	// ZeroStart starts all biases at 0, as the paper does: a sigmoid then starts
	// at 1/2 in every cell, 16 times too high, and some of the encoder's
	// outputs stay behind their ReLU for good (half of them where the chip
	// truncates). By default the decoded image starts at the mean of the training
	// images and the encoder's outputs at 1/4.
	ZeroStart bool `json:"zero_start,omitempty" help:"start all biases at 0, as the paper does, not at the data's mean with live outputs"`
}

// Choices are the values that a setting of the budget may have.
func (Budget) Choices(key string) []string {
	if key == "schedule" {
		return schedules()
	}
	return nil
}

// Check reports what no training can have, by the setting's key. What is 0 is left to
// its default.
func (b Budget) Check() error {
	for _, c := range []struct {
		key  string
		v    int
		most int
		zero string
	}{{"epochs", b.Epochs, maxEpochs, "for the default"}, {"batch", b.Batch, maxBatch, "for the default"}, {"patience", b.Patience, maxEpochs, "to run all epochs"}} {
		if c.v != 0 {
			if err := limit.Count(c.key+" =", c.v, c.most); err != nil {
				return fmt.Errorf("autoencoder: %w, or 0 %s", err, c.zero)
			}
		}
	}
	if b.Rate != 0 && !(b.Rate > 0 && b.Rate < 1) {
		return fmt.Errorf("autoencoder: learning_rate = %v: want a number between 0 and 1", b.Rate)
	}
	if b.Schedule == "" {
		return nil
	}
	if err := setting.Choice("schedule", b.Schedule, schedules()); err != nil {
		return fmt.Errorf("autoencoder: %w", err)
	}
	return nil
}

// More than any training needs.
const (
	maxEpochs = 1_000_000
	maxBatch  = 100_000
)

// Settings of a training run; the zero value trains the paper's autoencoder on the zero
// budget.
type Settings struct {
	Architecture Architecture
	Budget
	Seed    uint64
	Threads int    // never changes a bit; 0 means all processors
	Kernel  string // of the network, one of nn.Kernels; the fastest by default
	// Start is the weights file of a model of the same architecture, but perhaps for the
	// widths of its outputs, to start from, or StartMeta, instead of random weights; none by default. It counts
	// as epoch 0: where no epoch is better, its weights are kept.
	Start string
	// Encoder is the weights file of a model whose encoder, of the same
	// architecture but for the decoder, is taken over and stays as it is: only the
	// decoder is trained, as for a chip whose weights are set. None by default.
	Encoder string
	// Measured and MeasuredValidation are what the encoder gets in place of the images of either
	// set, one for one, with the columns that conditions are made of: images as a detector that has
	// changed measures them, to be decoded as what they were. nil is the images themselves.
	Measured, MeasuredValidation *wafer.Set
	// Watch is another loss, measured on the validation images after every epoch, by its name
	// among the history's figures. It changes nothing; none by default.
	Watch      loss.Loss
	Checkpoint string                           // file to save to and resume from; none by default
	Progress   func(share float64, note string) // as nn.Fit's
}

// schedules are the names that Budget.Schedule takes: "constant", "cosine", which falls to a
// hundredth of the rate at the last epoch, and "warm-cosine", which first rises.
func schedules() []string { return []string{"constant", "cosine", "warm-cosine"} }

// warmShare of a training's epochs is how long "warm-cosine" rises from 0. At the
// full rate the first steps push, in some seeds, one of the encoder's outputs
// behind its ReLU for good.
const warmShare = 0.02

func (s Settings) withDefaults() Settings {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&s.Epochs, 100)
	set(&s.Batch, 500)
	if s.Rate == 0 {
		s.Rate = 1e-3
	}
	return s
}

// schedule is the learning rate's course.
func (b Budget) schedule() nn.Schedule {
	switch b.Schedule {
	case "cosine":
		return nn.Cosine{Start: b.Rate, End: b.Rate / 100}
	case "warm-cosine":
		return nn.Cosine{Start: b.Rate, End: b.Rate / 100, Warmup: warmShare * float64(b.Epochs)}
	}
	return nn.Constant(b.Rate)
}

// Train trains a new autoencoder on images with the loss, and returns the weights
// of the epoch with the smallest loss on the validation images. A conditional
// architecture takes its conditions from the sets' columns ([Conditions]). It
// resumes from Settings.Checkpoint if that file is there and gives the same bits
// as a run that was never interrupted.
func Train(ctx context.Context, train, validation *wafer.Set, l loss.Loss, s Settings) (*Model, *nn.History, error) {
	s = s.withDefaults()
	if train == nil || validation == nil || train.Len() == 0 || validation.Len() == 0 {
		return nil, nil, errors.New("autoencoder: images to train on and images to choose by are needed, both")
	}
	if err := s.Budget.Check(); err != nil {
		return nil, nil, err
	}
	o, err := begin(train, s)
	if err != nil {
		return nil, nil, err
	}
	m := o.model
	o.loss, o.watch = l, s.Watch
	if err := loss.CheckThresholds(l, o.train.units, o.train.cells); err != nil {
		return nil, nil, fmt.Errorf("training images: %w", err)
	}
	if o.validation, err = o.set(validation, s.MeasuredValidation); err != nil {
		return nil, nil, fmt.Errorf("validation images: %w", err)
	}
	o.resize(s.Batch)
	fit := nn.Fit{
		Net:        m.net,
		Schedule:   s.schedule(),
		Samples:    train.Len(),
		Batch:      s.Batch,
		Epochs:     s.Epochs,
		Seed:       s.Seed,
		Patience:   s.Patience,
		KeepStart:  s.Start != "",
		Checkpoint: s.Checkpoint,
		Resume:     true,
		Meta:       m.meta(),
		Progress:   s.Progress,
	}
	h, err := fit.Run(ctx, o)
	if err != nil {
		return nil, nil, fmt.Errorf("autoencoder: training with %s: %w", l.Name(), err)
	}
	return m, h, nil
}

// CheckLosses says whether the thresholds of losses tell cells of images apart, as an autoencoder of
// the architecture has them ([loss.CheckThresholds]). Train asks that first; who has many trainings
// to do asks before the first of them.
func CheckLosses(images *wafer.Set, a Architecture, losses []loss.Loss) error {
	norm, err := wafer.ParseNorm(a.withDefaults().Normalisation)
	if err != nil {
		return fmt.Errorf("autoencoder: %w", err)
	}
	cells, units, err := normalise(images.Charge, norm)
	if err != nil {
		return err
	}
	for i := range units {
		units[i] /= hgcal.CountsPerMIPT
	}
	for _, l := range losses {
		if err := loss.CheckThresholds(l, units, cells); err != nil {
			return err
		}
	}
	return nil
}

// Begin is the autoencoder that Train with these images and settings starts from.
func Begin(train *wafer.Set, s Settings) (*Model, error) {
	if train == nil || train.Len() == 0 {
		return nil, errors.New("autoencoder: images to train on are needed")
	}
	o, err := begin(train, s.withDefaults())
	if err != nil {
		return nil, err
	}
	return o.model, nil
}

func begin(train *wafer.Set, s Settings) (*objective, error) {
	m, err := s.Architecture.New(nn.Settings{Seed: s.Seed, Threads: s.Threads, Kernel: s.Kernel, MaxBatch: s.Batch})
	if err != nil {
		return nil, err
	}
	o := &objective{model: m}
	if o.train, err = o.set(train, s.Measured); err != nil {
		return nil, fmt.Errorf("training images: %w", err)
	}
	switch {
	case s.Start != "":
		if err := m.fill(s.Start); err != nil {
			return nil, err
		}
	case !s.ZeroStart:
		m.startAt(o.train.cells)
	}
	if s.Encoder != "" {
		if err := m.keepEncoder(s.Encoder); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// latentStart is the bias that an output of the encoder starts with: 1/4, or, where
// its format's step is coarser, just below its first step, so that images lie on
// both sides of it. That of an output that is not sent does not matter.
func (m *Model) latentStart(j int) float32 {
	step := 0.0
	if p, err := m.arch.precision(); err == nil && p.Latent.Bits > 0 {
		bits := p.Latent.Bits
		if m.arch.Mask != "" {
			bits = max(1, m.arch.Widths()[j])
		}
		step = math.Exp2(float64(p.Latent.Integer - bits))
	}
	return float32(max(0.25, 15*step/16))
}

// startAt sets the output layer's bias so that an untrained decoder that ends in
// a sigmoid gives the mean of the training images, lifts the encoder's outputs above 0, and starts
// residual blocks as the identity.
func (m *Model) startAt(cells []float32) {
	latent := m.net.Param(layerDense + "/bias").Value
	for i := range latent {
		latent[i] = m.latentStart(i)
	}
	for _, l := range m.net.Layers() {
		if l.Kind == nn.KindDense && strings.HasSuffix(l.Name, blockOut) {
			clear(m.net.Param(l.Name + "/kernel").Value)
		}
	}
	mean := 0.0
	for _, v := range cells {
		mean += float64(v)
	}
	mean /= float64(len(cells)) * float64(m.gain)
	switch m.net.Layers()[len(m.net.Layers())-1].Kind {
	case nn.KindSigmoid:
		mean = math.Min(mean, 0.5)
		mean = math.Log(mean / (1 - mean))
	case nn.KindSquare:
		// The mean's root would give all cells one sign to start with; from both
		// signs the exact EMD ended at 0.10 on electrons, not at 0.14.
		mean = 0
	}
	for i := range m.net.Param(layerOutput + "/bias").Value {
		m.net.Param(layerOutput + "/bias").Value[i] = float32(mean)
	}
}

// A part is a normalised set of images.
type part struct {
	cells      []float32 // N×48
	seen       []float32 // N×48, what the encoder gets: cells, or what was measured of them
	units      []float64 // N: what one of an image is in MIP_T
	conditions []float32 // N×ConditionCount, or nil
}

func (p *part) len() int { return len(p.cells) / Cells }

// row is what the encoder gets of image i, with its conditions.
func (p *part) row(i int) (seen, conditions []float32) {
	if p.conditions != nil {
		conditions = p.conditions[i*ConditionCount : (i+1)*ConditionCount]
	}
	return p.seen[i*Cells : (i+1)*Cells], conditions
}

// objective runs one batch of images through the network and the loss.
type objective struct {
	model             *Model
	loss              loss.Loss
	watch             loss.Loss // or nil
	watched           float64   // mean of watch over the validation images
	train, validation *part
	target, pred, dq  []float32 // N×48
	units             []float64 // N
	dy                *nn.Tensor
}

// set is a normalised set of images, of which the encoder gets what was measured, unless that is nil.
func (o *objective) set(images, measured *wafer.Set) (*part, error) {
	if measured == nil {
		measured = images
	}
	if measured.Len() != images.Len() {
		return nil, fmt.Errorf("autoencoder: %d images, of which %d were measured: want one for one", images.Len(), measured.Len())
	}
	d, err := o.model.dataOf(measured)
	if err != nil {
		return nil, err
	}
	seen, units, err := normalise(d.images, o.model.norm)
	if err != nil {
		return nil, err
	}
	p := &part{seen: seen, cells: seen, units: units, conditions: d.conditions}
	if measured != images {
		if p.cells, err = divided(images.Charge, units); err != nil {
			return nil, err
		}
	}
	for i := range units {
		units[i] /= hgcal.CountsPerMIPT
	}
	return p, nil
}

// divided are images in the units of others.
func divided(images, units []float64) ([]float32, error) {
	if _, _, err := normalise(images, wafer.NormSum); err != nil { // what no image can be
		return nil, err
	}
	cells := make([]float32, len(images))
	for i, v := range images {
		cells[i] = float32(v / units[i/Cells])
	}
	return cells, nil
}

func (o *objective) resize(batch int) {
	batch = max(batch, decodeBatch)
	o.target, o.pred, o.dq = make([]float32, batch*Cells), make([]float32, batch*Cells), make([]float32, batch*Cells)
	o.dy = nn.NewTensor(batch, o.model.net.OutputShape())
}

// forward decodes n images of a set, the at(k)-th each, and leaves the rows in target and pred.
func (o *objective) forward(n int, mode nn.Mode, p *part, at func(k int) int) error {
	o.target, o.pred = o.target[:n*Cells], o.pred[:n*Cells]
	for k := range n {
		copy(o.target[k*Cells:(k+1)*Cells], p.cells[at(k)*Cells:])
	}
	o.model.load(n, func(k int) (seen, conditions []float32) { return p.row(at(k)) })
	y, err := o.model.forward(n, mode)
	if err != nil {
		return err
	}
	o.model.gather(y, o.pred)
	return nil
}

// Train is one training step's loss and gradients.
func (o *objective) Train(ctx context.Context, idx []int) (float64, error) {
	o.units = o.units[:0]
	for _, i := range idx {
		o.units = append(o.units, o.train.units[i])
	}
	err := o.forward(len(idx), nn.Training, o.train, func(k int) int { return idx[k] })
	if err != nil {
		return 0, err
	}
	o.dq = o.dq[:len(o.pred)]
	v, err := loss.EvalIn(ctx, o.loss, o.units, o.target, o.pred, o.dq)
	if err != nil {
		return o.diverged(ctx, v, err)
	}
	o.model.scatter(o.dq, o.dy.Resize(len(idx)))
	return v, o.model.backward(o.dy)
}

// diverged is NaN where a loss has failed since it is beyond all numbers, or a decoded image is: nn.Fit
// then says so, in an [nn.DivergedError].
func (o *objective) diverged(ctx context.Context, v float64, err error) (float64, error) {
	if ctx.Err() != nil { // interrupted, which leaves values open
		return v, err
	}
	if math.IsInf(v, 0) || slices.ContainsFunc(o.pred, func(x float32) bool { return x-x != 0 }) {
		return math.NaN(), nil
	}
	return v, err
}

// Validate is the mean loss over the validation images.
func (o *objective) Validate(ctx context.Context) (float64, error) {
	n, sum, watched := o.validation.len(), 0.0, 0.0
	for i := 0; i < n; i += decodeBatch {
		b := min(decodeBatch, n-i)
		err := o.forward(b, nn.Inference, o.validation, func(k int) int { return i + k })
		if err != nil {
			return 0, err
		}
		v, err := loss.EvalIn(ctx, o.loss, o.validation.units[i:i+b], o.target, o.pred, nil)
		if err != nil {
			return o.diverged(ctx, v, err)
		}
		sum += v * float64(b)
		if o.watch != nil && o.watch.Name() != o.loss.Name() {
			if v, err = loss.EvalIn(ctx, o.watch, o.validation.units[i:i+b], o.target, o.pred, nil); err != nil {
				return o.diverged(ctx, v, err)
			}
		}
		watched += v * float64(b)
	}
	o.watched = watched / float64(n)
	return sum / float64(n), nil
}

// MeasureEpoch is what the loss that is watched was in the last Validate.
func (o *objective) MeasureEpoch(context.Context) (map[string]float64, error) {
	if o.watch == nil {
		return nil, nil
	}
	return map[string]float64{o.watch.Name(): o.watched}, nil
}
