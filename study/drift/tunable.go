package drift

import (
	"context"
	"fmt"
	"math"

	"barrow/autoencoder"
	"barrow/internal/counter"
	"barrow/nn"
	"barrow/run"
	"barrow/wafer"
)

// pileUps is how many sets of images the decoder with conditions is trained on, each of its own pile-up.
const pileUps = 8

const (
	stateStream = 0x7374617465
	ageStream   = 0x616765
)

// pupils draws n images of any states of a new detector's site.
func (w *work) pupils(ctx context.Context, m *autoencoder.Model, n int, seed uint64) (*pupils, error) {
	all := &pupils{frames: &frames{}}
	for set := range pileUps {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		// Half of the sets have the plan's pile-up, the others all that the family has.
		logPileUp := 0.0
		if set >= pileUps/2 {
			logPileUp = family.low[onPileUp] + (family.high[onPileUp]-family.low[onPileUp])*float64(set-pileUps/2)/(pileUps/2-1)
		}
		own := seed ^ uint64(set)<<60
		size := n*(set+1)/pileUps - n*set/pileUps
		states, ages := make([][]float64, size), make([]*age, size)
		for i := range states {
			s := counter.New(own^stateStream, uint64(i))
			states[i] = anyState(&s)
			s = counter.New(own^ageStream, uint64(i))
			ages[i] = anyAge(states[i], &s)
			states[i][onPileUp] = logPileUp
		}
		b := w.plan.beam()
		b.pileUp *= math.Exp(logPileUp)
		e, kept, err := w.site.drawKept(size, own, b, func(i, _ int) *age { return ages[i] })
		if err != nil {
			return nil, err
		}
		f, err := arrive(ctx, m, e.measured, 0)
		if err != nil {
			return nil, err
		}
		all.frames.outputs, all.frames.sums = append(all.frames.outputs, f.outputs...), append(all.frames.sums, f.sums...)
		for _, i := range kept {
			all.states = append(all.states, states[i])
		}
		all.truth = append(all.truth, e.truth.Charge...)
	}
	return all, nil
}

// arrive is what the encoder sends of measured images, of which the first are read out in full.
func arrive(ctx context.Context, m *autoencoder.Model, measured *wafer.Set, readout int) (*frames, error) {
	outputs, err := m.Encode(ctx, measured)
	if err != nil {
		return nil, err
	}
	f := &frames{outputs: outputs}
	for i := range measured.Len() {
		f.sums = append(f.sums, sentSum(wafer.Sum(measured.Image(i))))
	}
	if readout > 0 {
		f.readout = measured.Slice(0, min(readout, measured.Len()))
	}
	return f, nil
}

// trainTunable trains the decoder with conditions on simulated images of many states, from where the
// first autoencoder's own decoder is, as the trainings anew are.
func (w *work) trainTunable(ctx context.Context, d *detector, part string, progress func(float64, string)) error {
	train, err := w.pupils(ctx, d.model, w.plan.More, seedOf(d.seed, forTunable, 0))
	if err != nil {
		return err
	}
	choice, err := w.pupils(ctx, d.model, chosen(w.plan.More), seedOf(d.seed, forTunableChoice, 0))
	if err != nil {
		return err
	}
	first, err := autoencoder.Load(d.first, nn.Settings{Threads: 1})
	if err != nil {
		return err
	}
	t, err := newDecoder(first, w.site.conditions)
	if err != nil {
		return err
	}
	l, err := newLesson(t, w.metric, train, choice)
	if err != nil {
		return err
	}
	fit := nn.Fit{
		Net: t.net, Schedule: nn.Cosine{Start: trainRate, End: trainRate / 100, Warmup: 0.02 * float64(w.plan.MoreFor)}, Samples: train.frames.len(), Batch: trainBatch, Epochs: w.plan.MoreFor,
		Seed: d.seed, Checkpoint: w.folder.Path(run.Weights, part+run.CheckpointEnding), Resume: true, Progress: progress,
	}
	if _, err := fit.Run(ctx, l); err != nil {
		return fmt.Errorf("drift: %s: %w", part, err)
	}
	return t.net.Save(d.tunable, nil)
}

// open is a decoder of a detector, for one goroutine: the autoencoder's own, or the one with conditions.
func (d *detector) open(s *site, conditions bool) (*decoder, error) {
	m, err := autoencoder.Load(d.weights, nn.Settings{Threads: 1})
	if err != nil {
		return nil, err
	}
	t, err := newDecoder(m, s.conditions)
	if err != nil || !conditions {
		return t, err
	}
	c, err := nn.ReadCheckpoint(d.tunable)
	if err == nil {
		err = c.Fill(t.net)
	}
	if err != nil {
		return nil, fmt.Errorf("drift: %w", err)
	}
	return t, nil
}
