package compare

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/nn"
	"barrow/run"
	"barrow/study/internal/board"
	"barrow/wafer"
)

// A sender makes of images what arrives of them, and says how many bits of information a frame has
// in the mean.
type sender interface {
	send(ctx context.Context, images *wafer.Set) (decoded *wafer.Set, bits float64, err error)
	// speed is the wafers a second that one core does.
	speed(ctx context.Context, images *wafer.Set) (speeds, error)
}

// speeds are wafers a second, encoded and decoded.
type speeds struct{ encoding, decoding float64 }

// outputs are the bits of an encoder's outputs.
func outputs(a autoencoder.Architecture) int {
	all := 0
	for _, b := range a.Widths() {
		all += b
	}
	return all
}

// trainedSender is an autoencoder.
type trainedSender struct{ *autoencoder.Model }

func (t trainedSender) send(ctx context.Context, images *wafer.Set) (*wafer.Set, float64, error) {
	decoded, err := t.Decode(ctx, images)
	return decoded, float64(econt.AEHeadBits + outputs(t.Architecture())), err
}

func (t trainedSender) speed(ctx context.Context, images *wafer.Set) (s speeds, err error) {
	images = images.Slice(0, min(images.Len(), timed))
	var outputs []float32
	if s.encoding, err = speed(images.Len(), func() (err error) { outputs, err = t.Encode(ctx, images); return err }); err != nil {
		return s, err
	}
	s.decoding, err = speed(images.Len(), func() error { _, err := t.DecodeOutputs(ctx, images, outputs); return err })
	return s, err
}

// linearSender is the principal components.
type linearSender struct{ *linear }

func (l linearSender) send(_ context.Context, images *wafer.Set) (*wafer.Set, float64, error) {
	decoded, err := l.decode(images)
	return decoded, float64(econt.AEHeadBits + outputs(l.arch)), err
}

func (l linearSender) speed(_ context.Context, images *wafer.Set) (s speeds, err error) {
	images = images.Slice(0, min(images.Len(), timed))
	outs, scales := make([]float64, images.Len()*len(l.components)), make([]float64, images.Len())
	out := func(i int) []float64 { return outs[i*len(l.components):][:len(l.components)] }
	s.encoding, _ = speed(images.Len(), func() error {
		for i := range scales {
			scales[i] = l.encode(images.Image(i), out(i))
		}
		return nil
	})
	s.decoding, err = speed(images.Len(), func() error {
		decoded := &wafer.Set{Charge: make([]float64, len(images.Charge))}
		for i, scale := range scales {
			l.restore(out(i), scale, decoded.Image(i))
		}
		return l.arch.Rescale(images, decoded)
	})
	return s, err
}

// chipSender is one of the chip's algorithms.
type chipSender struct {
	scheme evaluate.Scheme
	chips  [2]*econt.Baseline // of low and of high density
}

// newChipSender makes one. The threshold of threshold sum is the lowest with which the training
// images' mean frame fits the links.
func newChipSender(s evaluate.Scheme, training *wafer.Set) (chipSender, error) {
	if s.Algorithm == econt.ThresholdSum {
		var lengths evaluate.FrameLengths
		for i := range training.Len() {
			lengths.Add(training.Image(i))
		}
		s.Threshold = lengths.Threshold(s.Links)
	}
	return newChip(s)
}

func newChip(s evaluate.Scheme) (chipSender, error) {
	chips, err := s.Chips()
	return chipSender{s, chips}, err
}

func (c chipSender) send(ctx context.Context, images *wafer.Set) (*wafer.Set, float64, error) {
	decoded, bits, _, err := c.frames(ctx, images, false)
	return decoded, bits, err
}

// of is the chip of image i.
func (c chipSender) of(high []bool, i int) *econt.Baseline {
	if high != nil && high[i] {
		return c.chips[1]
	}
	return c.chips[0]
}

// densities tell which images are of wafers of high density, none where they do not say, and in words
// how many those are.
func densities(images *wafer.Set) (high []bool, words string) {
	high, err := images.HighDensity()
	var missing *wafer.NoColumnError
	switch {
	case errors.As(err, &missing):
		return nil, "low, assumed: the images do not say"
	case err != nil:
		return nil, fmt.Sprintf("low, assumed: %v", err)
	}
	n := 0
	for _, h := range high {
		if h {
			n++
		}
	}
	return high, fmt.Sprintf("%d images low, %d high, as the column HD_LD says", len(high)-n, n)
}

func (c chipSender) speed(_ context.Context, images *wafer.Set) (s speeds, err error) {
	images = images.Slice(0, min(images.Len(), timed))
	high, _ := densities(images)
	frames := make([][]uint16, images.Len())
	if s.encoding, err = speed(images.Len(), func() error {
		for i := range frames {
			words, err := c.of(high, i).Send(images.Image(i))
			if err != nil {
				return err
			}
			frames[i] = append(frames[i][:0], words...)
		}
		return nil
	}); err != nil {
		return s, err
	}
	readers, err := c.readers()
	if err != nil {
		return s, err
	}
	var decoded econt.Decoded
	s.decoding, err = speed(images.Len(), func() error {
		for i, words := range frames {
			reader := readers[0]
			if high != nil && high[i] {
				reader = readers[1]
			}
			if err := reader.Frame(words, &decoded); err != nil {
				return err
			}
		}
		return nil
	})
	return s, err
}

// sender is that of a contender without training; method is what it does, in words.
func (w *work) sender(ctx context.Context, c Contender) (s sender, method string, cost autoencoder.Cost, err error) {
	a := w.jobs[0].Architecture
	if c.Linear > 0 {
		l, err := newLinear(c.Linear, a, w.data[0])
		if err != nil {
			return nil, "", cost, err
		}
		return linearSender{l}, "principal components, linear", l.cost(), nil
	}
	chip, err := w.chipOf(ctx, c)
	return chip, chip.method(), cost, err
}

// method is what the chip does, in words.
func (c chipSender) method() string { return fmt.Sprintf("%s, %s", c.scheme.Name(), c.scheme.Decoding) }

// choosing are as many training images as it takes to tell types of super trigger cells apart.
const choosing = 2000

// best is the scheme that leaves least of training images.
func (w *work) best(ctx context.Context, list []evaluate.Scheme) (evaluate.Scheme, error) {
	least, k := math.Inf(1), 0
	if len(list) == 1 {
		return list[0], nil
	}
	images := w.data[0].Slice(0, min(choosing, w.data[0].Len()))
	for i, s := range list {
		chip, err := newChipSender(s, images)
		if err != nil {
			return s, err
		}
		decoded, _, err := chip.send(ctx, images)
		if err != nil {
			return s, err
		}
		f, err := evaluate.Images(ctx, w.metric, images, decoded, evaluate.Settings{Threshold: w.plan.Threshold, Threads: w.threads, Lost: true})
		if err != nil {
			return s, err
		}
		if e := f.Of(evaluate.EMD).Mean; e < least {
			least, k = e, i
		}
	}
	return list[k], nil
}

// A measurement is what arrives of the held-out images.
type measurement struct {
	*evaluate.Fidelity
	fractions []float64 // skill scores by radius, where a protocol wants them
	bits      float64   // of a frame
	rate      speeds
	decoder   int  // its multiplications, a wafer
	diverged  bool // of a training: it ended in numbers that are none
}

// farthest is the largest radius of fractions skill scores.
const farthest = 3

// measure sends the held-out images.
func (w *work) measure(ctx context.Context, s sender) (*measurement, error) {
	images := w.data[2]
	decoded, bits, err := s.send(ctx, images)
	if err != nil {
		return nil, err
	}
	m := &measurement{bits: bits}
	set := evaluate.Settings{Threshold: w.plan.Threshold, Threads: w.threads, Points: w.points, Lost: w.plan.Protocol != nil}
	if m.Fidelity, err = evaluate.Images(ctx, w.metric, images, decoded, set); err != nil {
		return nil, err
	}
	if w.plan.Protocol != nil {
		f, err := evaluate.NewFractions(w.plan.Threshold, farthest)
		if err != nil {
			return nil, err
		}
		if err := f.Add(images, decoded); err != nil {
			return nil, err
		}
		m.fractions = f.Scores()
	}
	m.rate, err = s.speed(ctx, images)
	return m, err
}

// measureJob is that of a trained encoder.
func (w *work) measureJob(ctx context.Context, k int) (*measurement, error) {
	if w.jobs[k].Algorithm != "" {
		return w.measureLesson(ctx, k)
	}
	model, err := autoencoder.Load(Weights(w.folder, w.jobs[k]), nn.Settings{Threads: 1})
	if err != nil {
		return nil, err
	}
	m, err := w.measure(ctx, trainedSender{model})
	if err != nil {
		return nil, err
	}
	if m.decoder, err = decoderOf(model); err != nil {
		return nil, err
	}
	m.diverged = w.records[k].Diverged != ""
	j := w.jobs[k]
	settings := map[string]any{"loss": j.Loss, "precision": j.Architecture.Precision, "bits": float64(outputs(j.Architecture)), "mask": j.Architecture.Mask, "seed": float64(j.Seed), "rate": j.Rate}
	return m, board.Encoder(ctx, w.folder, run.EncoderWeights+j.Name(), settings, m.Fidelity, w.data[2], model.Decode)
}

// timed are the images by which speeds are measured, at most.
const timed = 5000

// speed is how many images of n a second are done, the best of three.
func speed(n int, do func() error) (float64, error) {
	best := math.Inf(1)
	for range 3 {
		start := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		best = math.Min(best, time.Since(start).Seconds())
	}
	return float64(n) / best, nil
}
