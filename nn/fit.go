package nn

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"barrow/internal/limit"
	"barrow/internal/weights"
)

// An Objective is what a training minimises: it knows the data and the loss.
type Objective interface {
	// Train runs the forward and backward pass of the samples idx and leaves
	// their gradients in the network's Params, which Fit has zeroed. It
	// returns the mean loss. What it does must follow from idx and the
	// weights alone, or a resumed training differs. If it returns early because
	// the context has ended, the step is done again on resuming.
	Train(ctx context.Context, idx []int) (loss float64, err error)
	// Validate is the loss by which the best weights are chosen, usually of
	// held-out samples.
	Validate(ctx context.Context) (loss float64, err error)
}

// An EpochStarter is an Objective that wants to know the epoch, such as one that
// draws fresh samples in each. StartEpoch is called with the number of completed
// epochs before an epoch's first step, and again when a training is resumed
// within it; what Train does may then follow from that number, too.
type EpochStarter interface {
	StartEpoch(epoch int)
}

// A Fit trains a network: it shuffles, steps, validates, keeps the best
// weights and writes checkpoints. Zero fields mean the defaults given.
type Fit struct {
	Net      *Network
	Schedule Schedule // nil: Constant(1e-3)

	Samples int    // in the training set: Train gets indices below it
	Batch   int    // samples a step; 0 means 256
	Epochs  int    // 0 means 1
	Seed    uint64 // of the shuffles

	EMA      float64 // decay, as 0.999, of the average of the weights that is validated and kept; 0: the weights themselves
	Patience int     // stop after so many epochs without improvement; 0: never
	// KeepStart lets the weights that the training starts with count as epoch 0: they are validated
	// first, and kept if no epoch is better.
	KeepStart bool

	// Checkpoint is the file for interrupted trainings; empty: none. It is
	// written after every epoch, every CheckpointSteps steps (0: never) and
	// when the context ends. With Resume, a training that it holds goes on,
	// to the same bits as one that was never interrupted; one of other epochs,
	// learning rates, samples, batches or seed is an error.
	Checkpoint      string
	CheckpointSteps int
	Resume          bool
	Meta            map[string]string // saved in the checkpoint

	// Progress is called after every step with the share of all epochs' steps
	// that is done, and the epoch and the step's loss in words.
	Progress func(share float64, note string)
}

// An EpochRecord is one epoch of a history.
type EpochRecord struct {
	Epoch      int     `json:"epoch"` // from 1
	Loss       float64 `json:"loss"`  // mean of the steps', penalty included
	Validation float64 `json:"validation"`
	Rate       float64 `json:"rate"` // of the last step
	Seconds    float64 `json:"seconds"`
	Step       int     `json:"step,omitempty"` // steps of the training so far
	// Figures are what an EpochMeasurer measured.
	Figures map[string]float64 `json:"figures,omitempty"`
}

// A History tells how a training went.
type History struct {
	Epochs    []EpochRecord `json:"epochs"`
	Best      float64       `json:"best"`       // lowest validation loss
	BestEpoch int           `json:"best_epoch"` // from 1; 0: the start, or none yet
	Steps     int           `json:"steps"`
	Stopped   bool          `json:"stopped"` // by Patience
	// Seconds are those of the clock, of all calls that had a part in the training: those before an
	// interruption are in the checkpoint.
	Seconds float64 `json:"seconds,omitempty"`
}

// A DivergedError reports a loss or gradient that is not finite.
type DivergedError struct {
	Step, Epoch int    // from 1
	What        string // "loss", "gradient of conv2d_1/kernel", "validation loss"
	Layer       string // first layer with a non-finite output, or empty
	Checkpoint  string // the last good one, or empty
}

// Error names the step, the layer and the checkpoint.
func (e *DivergedError) Error() string {
	s := fmt.Sprintf("nn: %s is not finite at step %d (epoch %d)", e.What, e.Step, e.Epoch)
	if e.Layer != "" {
		s += fmt.Sprintf(": first in the output of layer %q", e.Layer)
	}
	if e.Checkpoint != "" {
		s += "; the last good checkpoint is " + e.Checkpoint
	}
	return s + ": try a lower learning rate"
}

// trainingState is what a checkpoint holds of a training under way.
type trainingState struct {
	Updates    int     `json:"updates"`
	Step       int     `json:"step"`
	Epoch      int     `json:"epoch"`    // completed epochs
	InEpoch    int     `json:"in_epoch"` // steps done of the next
	LossSum    float64 `json:"loss_sum"`
	Wait       int     `json:"wait"`
	History    History `json:"history"`
	NoBest     bool    `json:"no_best"`
	Configured string  `json:"configured"`

	arrays []weights.Array
}

// trainer is a Fit under way.
type trainer struct {
	*Fit
	obj     Objective
	state   trainingState
	adam    Adam
	weights []*Param
	fixed   []*Param    // the others: running statistics, mostly
	before  [][]float32 // fixed before the step under way
	average [][]float32 // EMA of the weights
	best    [][]float32 // every param's best value
	order   []int
	saved   bool
	began   time.Time // the call
	earlier float64   // seconds of the calls before
}

// Run trains until the epochs, the patience or the context end. It leaves the
// best weights in the network unless it is interrupted: then a checkpoint, if
// asked for, holds the state, the network keeps its present weights, and the
// error wraps the context's. The history is valid also with an error.
func (f *Fit) Run(ctx context.Context, obj Objective) (*History, error) {
	t, err := f.prepare(obj)
	if err != nil {
		return nil, err
	}
	if err := t.restore(); err != nil {
		return &t.state.History, err
	}
	t.began, t.earlier = time.Now(), t.state.History.Seconds
	defer t.clock()
	if err = t.tell(ctx); err == nil {
		err = t.run(ctx)
	}
	return &t.state.History, err
}

// clock notes how long the training has taken by now.
func (t *trainer) clock() { t.state.History.Seconds = t.earlier + time.Since(t.began).Seconds() }

func (f *Fit) prepare(obj Objective) (*trainer, error) {
	g := *f
	switch {
	case g.Net == nil:
		return nil, fmt.Errorf("nn: Fit has no Net")
	case g.Samples < 1:
		return nil, fmt.Errorf("nn: Fit.Samples is %d, want at least 1", g.Samples)
	case g.Batch < 0 || g.Epochs < 0 || g.Patience < 0 || g.CheckpointSteps < 0:
		return nil, fmt.Errorf("nn: Fit has a negative Batch, Epochs, Patience or CheckpointSteps")
	case !(g.EMA >= 0 && g.EMA < 1):
		return nil, fmt.Errorf("nn: Fit has EMA %v; want [0,1)", g.EMA)
	}
	if g.Schedule == nil {
		g.Schedule = Constant(1e-3)
	}
	if g.Batch == 0 {
		g.Batch = 256
	}
	if g.Epochs == 0 {
		g.Epochs = 1
	}
	if err := limit.Count("epochs", g.Epochs, maxEpochs); err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	if err := limit.Fits("samples", g.Samples, 8); err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	if err := checkSchedule(g.Schedule, g.Epochs); err != nil {
		return nil, fmt.Errorf("nn: %w", err)
	}
	g.Batch = min(g.Batch, g.Samples)
	t := &trainer{Fit: &g, obj: obj, order: make([]int, g.Samples)}
	for _, p := range g.Net.params {
		if p.Trainable {
			t.weights = append(t.weights, p)
		} else {
			t.fixed = append(t.fixed, p)
		}
	}
	t.before = copyOf(t.fixed)
	t.state = trainingState{NoBest: true}
	if g.EMA > 0 {
		t.average = copyOf(t.weights)
	}
	return t, nil
}

// maxEpochs is more than any training needs; steps can then be counted.
const maxEpochs = 1_000_000

func copyOf(params []*Param) [][]float32 {
	out := make([][]float32, len(params))
	for i, p := range params {
		out[i] = slices.Clone(p.Value)
	}
	return out
}

// stepsPerEpoch counts the batches of an epoch.
func (t *trainer) stepsPerEpoch() int {
	return (t.Samples + t.Batch - 1) / t.Batch
}

func (t *trainer) run(ctx context.Context) error {
	if s := &t.state; t.KeepStart && s.NoBest && s.Step == 0 {
		validation, err := t.validate(ctx)
		switch {
		case err != nil && ctx.Err() != nil:
			return t.interrupted(err)
		case err != nil:
			return err
		}
		t.judge(validation)
	}
	for t.state.Epoch < t.Epochs && !t.state.History.Stopped {
		if err := t.epoch(ctx); err != nil {
			return err
		}
	}
	for i, v := range t.best {
		copy(t.Net.params[i].Value, v)
	}
	return nil
}

// shuffle orders the samples of the epoch under way. It depends on the seed and
// the epoch alone, so that a resumed training needs no other state.
func (t *trainer) shuffle() {
	for i := range t.order {
		t.order[i] = i
	}
	rng := rand.New(rand.NewPCG(t.Seed, uint64(t.state.Epoch)))
	rng.Shuffle(len(t.order), func(i, j int) { t.order[i], t.order[j] = t.order[j], t.order[i] })
}

func (t *trainer) epoch(ctx context.Context) error {
	begin := time.Now()
	t.shuffle()
	if o, ok := t.obj.(EpochStarter); ok {
		o.StartEpoch(t.state.Epoch)
	}
	s, steps := &t.state, t.stepsPerEpoch()
	for s.InEpoch < steps {
		if err := ctx.Err(); err != nil {
			return t.interrupted(err)
		}
		if err := t.step(ctx, t.rate(s.InEpoch)); err != nil {
			return err
		}
		if t.CheckpointSteps > 0 && s.Step%t.CheckpointSteps == 0 && s.InEpoch < steps {
			if err := t.save(); err != nil {
				return err
			}
		}
	}
	validation, err := t.validate(ctx)
	var figures map[string]float64
	if err == nil {
		figures, err = t.measure(ctx)
	}
	if err != nil {
		if ctx.Err() != nil {
			return t.interrupted(err)
		}
		return err
	}
	s.History.Epochs = append(s.History.Epochs, EpochRecord{
		Epoch: s.Epoch + 1, Loss: s.LossSum / float64(steps), Validation: validation,
		Rate: t.rate(steps - 1), Seconds: time.Since(begin).Seconds(), Step: s.Step, Figures: figures,
	})
	s.Epoch, s.InEpoch, s.LossSum = s.Epoch+1, 0, 0
	t.judge(validation)
	if err := t.save(); err != nil {
		return err
	}
	return t.tell(ctx)
}

func (t *trainer) rate(inEpoch int) float64 {
	return t.Schedule.Rate(float64(t.state.Epoch)+float64(inEpoch)/float64(t.stepsPerEpoch()), float64(t.Epochs))
}

// step trains one batch.
func (t *trainer) step(ctx context.Context, rate float64) error {
	s := &t.state
	from := s.InEpoch * t.Batch
	t.Net.ZeroGrad()
	for i, p := range t.fixed {
		copy(t.before[i], p.Value)
	}
	loss, err := t.obj.Train(ctx, t.order[from:min(from+t.Batch, t.Samples)])
	if err != nil && ctx.Err() != nil {
		// The forward pass may have moved the running statistics.
		for i, p := range t.fixed {
			copy(p.Value, t.before[i])
		}
		return t.interrupted(ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("nn: step %d (epoch %d): %w", s.Step+1, s.Epoch+1, err)
	}
	if !finite(loss) {
		return t.diverged("loss")
	}
	loss += t.Net.Penalty()
	if bad := notFinite(t.weights); bad != "" {
		return t.diverged("gradient of " + bad)
	}
	t.adam.Update(t.weights, rate)
	for i, a := range t.average {
		t.weights[i].level.Blend(a, t.weights[i].Value, float32(t.EMA), float32(1-t.EMA))
	}
	s.Step++
	s.InEpoch++
	s.History.Steps = s.Step
	s.LossSum += loss
	t.report(loss)
	return nil
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// notFinite is the name of the first array whose gradient is not finite, or empty.
func notFinite(params []*Param) string {
	for _, p := range params {
		if !finite(p.level.SumSquares(p.Grad)) {
			return p.Name
		}
	}
	return ""
}

// validate runs the objective's validation on the weights to be judged.
func (t *trainer) validate(ctx context.Context) (float64, error) {
	t.exchange()
	v, err := t.obj.Validate(ctx)
	t.exchange()
	if err != nil {
		return 0, fmt.Errorf("nn: validation after step %d: %w", t.state.Step, err)
	}
	if !finite(v) {
		return 0, t.diverged("validation loss")
	}
	return v, nil
}

// exchange swaps the weights with their average, if one is kept.
func (t *trainer) exchange() {
	for i, a := range t.average {
		w := t.weights[i].Value
		for j := range a {
			a[j], w[j] = w[j], a[j]
		}
	}
}

// judge keeps the weights if they are the best so far and counts the patience.
func (t *trainer) judge(validation float64) {
	s := &t.state
	if !s.NoBest && !(validation < s.History.Best) {
		s.Wait++
		s.History.Stopped = t.Patience > 0 && s.Wait >= t.Patience
		return
	}
	s.Wait, s.NoBest = 0, false
	s.History.Best, s.History.BestEpoch = validation, s.Epoch
	t.exchange()
	if t.best == nil {
		t.best = copyOf(t.Net.params)
	}
	for i, p := range t.Net.params {
		copy(t.best[i], p.Value)
	}
	t.exchange()
}

func (t *trainer) report(loss float64) {
	if t.Progress == nil {
		return
	}
	s := &t.state
	t.Progress(float64(s.Step)/float64(t.Epochs*t.stepsPerEpoch()), fmt.Sprintf("epoch %d/%d, loss %.4g", s.Epoch+1, t.Epochs, loss))
}

func (t *trainer) diverged(what string) error {
	e := &DivergedError{Step: t.state.Step + 1, Epoch: t.state.Epoch + 1, What: what, Layer: t.Net.firstNonFinite()}
	if t.saved {
		e.Checkpoint = t.Checkpoint
	}
	return e
}

func (t *trainer) interrupted(err error) error {
	if saveErr := t.save(); saveErr != nil {
		return errors.Join(err, saveErr)
	}
	return fmt.Errorf("nn: training interrupted after step %d: %w", t.state.Step, err)
}
