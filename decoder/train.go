package decoder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"reflect"

	"barrow/econt"
	"barrow/hgcal"
	"barrow/internal/limit"
	"barrow/loss"
	"barrow/nn"
	"barrow/wafer"
)

// A Budget says how long a decoder is trained; zero fields are the defaults. The learning
// rate falls along half a cosine to a hundredth.
type Budget struct {
	Epochs   int     `json:"epochs" help:"epochs at most"`                                                             // 30 by default
	Batch    int     `json:"batch" help:"images a step"`                                                               // 200 by default
	Rate     float64 `json:"learning_rate" flag:"rate" help:"learning rate, at the start"`                             // 1e-3 by default
	Patience int     `json:"patience" help:"epochs without a better validation loss before stopping; 0 runs them all"` // none by default
}

// More than any training needs.
const (
	maxEpochs = 1_000_000
	maxBatch  = 100_000
)

func (b Budget) withDefaults() Budget {
	if b.Epochs == 0 {
		b.Epochs = 30
	}
	if b.Batch == 0 {
		b.Batch = 200
	}
	if b.Rate == 0 {
		b.Rate = 1e-3
	}
	return b
}

// Check reports what no training can have, by the setting's key.
func (b Budget) Check() error {
	b = b.withDefaults()
	for _, c := range []struct {
		key     string
		v, most int
	}{{"epochs", b.Epochs, maxEpochs}, {"batch", b.Batch, maxBatch}} {
		if err := limit.Count(c.key+" =", c.v, c.most); err != nil {
			return fmt.Errorf("decoder: %w, or 0 for the default", err)
		}
	}
	if b.Patience < 0 || b.Patience > maxEpochs {
		return fmt.Errorf("decoder: patience = %d: want 1 to %d, or 0 to run all epochs", b.Patience, maxEpochs)
	}
	if !(b.Rate > 0 && b.Rate < 1) {
		return fmt.Errorf("decoder: learning_rate = %v: want a number between 0 and 1", b.Rate)
	}
	return nil
}

// Settings of a training; the zero value trains the default architecture on the default
// budget.
type Settings struct {
	Architecture Architecture
	Budget
	Seed uint64
	// Beside is a source of further images that every epoch has, beside its own. Given images are so
	// few that a decoder learns them by heart, unless there are others. None by default.
	Beside Source
	// Turns lets every epoch have its own images turned by 120° and 240°, too. A wafer looks the same
	// then, with its distances and super trigger cells; where the beam is does not: a network without
	// conditions is told in their place which turn it is, and so learns what turned images have in
	// common with the others, and what not. Not with Beside.
	Turns bool
	// Average is the share of the training's steps over which the weights are averaged: that is then
	// what is validated and kept. The weights themselves by default.
	Average float64
	// Threshold says from which charge on TS sends each of some images, in CALQ counts, so that a
	// decoder learns what it is told of several thresholds; the chips' own by default. Of other
	// algorithms it is not asked.
	Threshold func(images *wafer.Set) []uint32

	Threads int // never changes a bit; 0 means all processors
	// Start is a decoder of the same architecture to start from, whose weights are copied,
	// instead of random weights; it may be of another chip, as of fewer links. None by
	// default. It counts as epoch 0: where no epoch is better, its weights are kept.
	Start      *Model
	Checkpoint string                           // file to save to and resume from; none by default
	Progress   func(share float64, note string) // as nn.Fit's
}

// Train trains a decoder for the frames of a chip with the loss, and returns the weights of
// the epoch with the smallest loss on the validation images. chips are that of wafers
// of low and that of high density, as evaluate.Scheme.Chips has them, or twice the
// same; the images' column HD_LD says which is whose, and where there is none all are
// low. The loss sees images as an encoder's does: N×48 charges in V9 order, divided by
// 2^⌊log2 Σ⌋ of the image. A decoder with conditions takes them from the images'
// columns.
//
// It resumes from Settings.Checkpoint if that file is there and gives the same bits as a
// run that was never interrupted. An algorithm that leaves no cell to the decoder, as RPT
// and best choice on 13 links, is an error: the rule by hand has nothing to improve.
func Train(ctx context.Context, chips [2]*econt.Baseline, source Source, validation *wafer.Set, l loss.Loss, s Settings) (*Model, *nn.History, error) {
	if err := s.Budget.Check(); err != nil {
		return nil, nil, err
	}
	s.Budget = s.Budget.withDefaults()
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return nil, nil, fmt.Errorf("decoder: %w", err)
	}
	if s.Turns && s.Beside != nil {
		return nil, nil, errors.New("decoder: images beside those that are turned: want one or the other")
	}
	if chips[0] == nil || source == nil || validation == nil {
		return nil, nil, errors.New("decoder: a chip, images to train on and images to choose by are needed")
	}
	m, err := New(s.Architecture, chips[0], nn.Settings{Seed: s.Seed, Threads: s.Threads, MaxBatch: s.Batch})
	if err != nil {
		return nil, nil, err
	}
	if err := m.chip.learnt(chips); err != nil {
		return nil, nil, err
	}
	if s.Start != nil {
		if err := m.fill(s.Start); err != nil {
			return nil, nil, err
		}
	}
	o := &objective{model: m, loss: l, source: source, beside: s.Beside, turns: s.Turns}
	if o.sender, err = newSender(m, chips, s.Threshold, threads); err != nil {
		return nil, nil, err
	}
	if o.validation, err = o.sender.send(ctx, validation); err != nil {
		return nil, nil, fmt.Errorf("validation images: %w", err)
	}
	if !o.validation.grouped() {
		return nil, nil, fmt.Errorf("decoder: frames of %v say all that there is of every cell they have: a decoder has nothing to learn, use the rule by hand", m.chip)
	}
	if err := loss.CheckThresholds(l, o.validation.units, o.validation.target); err != nil {
		return nil, nil, fmt.Errorf("decoder: validation images: %w", err)
	}
	if err := m.checkResumed(s.Checkpoint); err != nil {
		return nil, nil, err
	}
	o.resize(max(s.Batch, decodeBatch))
	fit := nn.Fit{
		Net: m.net, Schedule: nn.Cosine{Start: s.Rate, End: s.Rate / 100}, Samples: o.perEpoch(), Batch: s.Batch, Epochs: s.Epochs,
		Seed: s.Seed, EMA: s.decay(o.perEpoch()), Patience: s.Patience, Checkpoint: s.Checkpoint, Resume: true, Meta: m.meta(), Progress: s.Progress,
		KeepStart: s.Start != nil,
	}
	h, err := fit.Run(ctx, o)
	if err != nil {
		return nil, nil, fmt.Errorf("decoder: training with %s: %w", l.Name(), err)
	}
	return m, h, nil
}

// decay is what an average of the weights keeps of itself in a step, such that it is over a share of
// all steps.
func (s Settings) decay(perEpoch int) float64 {
	steps := float64(s.Epochs) * math.Ceil(float64(perEpoch)/float64(s.Batch))
	return 1 - 1/max(1, s.Average*steps)
}

// checkResumed refuses the checkpoint of another decoder, whose network may well have the same
// layers.
func (m *Model) checkResumed(path string) error {
	if _, err := os.Stat(path); path == "" || errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	c, err := nn.ReadCheckpoint(path)
	if err != nil {
		return fmt.Errorf("decoder: %w", err)
	}
	var is about
	if err := json.Unmarshal([]byte(c.Meta[metaDecoder]), &is); err != nil {
		return fmt.Errorf("decoder: %s: what it decodes cannot be read: %w", path, err)
	}
	if is.Chip.Low == nil && is.Chip.High == nil { // begun before that was noted
		is.Chip.Low, is.Chip.High = m.chip.Low, m.chip.High
	}
	if !reflect.DeepEqual(is, about{m.arch, m.chip}) {
		return fmt.Errorf("decoder: %s holds the training of another decoder than one of %v as it is to be trained now: name another file", path, m.chip)
	}
	return nil
}

// fill copies the weights of another decoder.
func (m *Model) fill(from *Model) error {
	switch {
	case from.arch != m.arch:
		return fmt.Errorf("decoder: one for frames of %v with %v cannot start one for %v with %v: want the same of both", from.chip, from.arch, m.chip, m.arch)
	case from.net.InputShape() != m.net.InputShape():
		return fmt.Errorf("decoder: one for frames of %v cannot start one for %v: it is told other things of a frame, %d numbers instead of %d",
			from.chip, m.chip, from.net.InputShape().Size(), m.net.InputShape().Size())
	}
	for _, p := range from.net.Params() {
		if err := m.net.SetParam(p.Name, p.Value); err != nil {
			return fmt.Errorf("decoder: %w", err)
		}
	}
	return nil
}

// objective runs batches of frames through the network and the loss.
type objective struct {
	model  *Model
	loss   loss.Loss
	source Source
	beside Source // or nil
	turns  bool
	sender *sender

	epoch      int        // whose images are wanted
	sent       int        // whose are there
	images     *wafer.Set // of which own was made
	own, train *samples   // of the source, turned too, and with those beside
	validation *samples

	rows             []int
	target, pred, dq []float32 // N×48
	units            []float64 // N
	dy               *nn.Tensor
	y                *nn.Tensor // of the last forward pass
}

// StartEpoch makes Train ask for the epoch's own images.
func (o *objective) StartEpoch(epoch int) { o.epoch = epoch }

func (o *objective) resize(n int) {
	o.target, o.pred, o.dq = make([]float32, n*Cells), make([]float32, n*Cells), make([]float32, n*Cells)
	o.rows = make([]int, n)
	o.dy = nn.NewTensor(n, o.model.net.OutputShape())
}

// prepare sends the epoch's images, unless that is done.
func (o *objective) prepare(ctx context.Context) error {
	if o.train != nil && o.sent == o.epoch {
		return nil
	}
	images, err := o.source.Images(ctx, o.epoch)
	if err != nil {
		return err
	}
	if o.own == nil || images != o.images {
		if o.own, err = o.given(ctx, images); err != nil {
			return err
		}
		o.images = images
	}
	o.train = o.own
	if o.beside != nil {
		if images, err = o.beside.Images(ctx, o.epoch); err != nil {
			return err
		}
		if some, _ := images.NonZero(); some.Len() > 0 {
			others, err := o.sender.send(ctx, some)
			if err != nil {
				return err
			}
			o.train = o.own.with(others)
		}
	}
	o.sent = o.epoch
	return nil
}

// given are the samples of the source's images, turned too.
func (o *objective) given(ctx context.Context, images *wafer.Set) (*samples, error) {
	own, err := o.sender.send(ctx, images)
	if err != nil {
		return nil, err
	}
	if !o.turns {
		return own, nil
	}
	told := !o.model.arch.Conditions
	if told {
		own.mark(0)
	}
	for k := 1; k < hgcal.Rhombi; k++ {
		other, err := o.sender.send(ctx, turned(images, k))
		if err != nil {
			return nil, err
		}
		if told {
			other.mark(k)
		}
		own = own.with(other)
	}
	return own, nil
}

// perEpoch is how many images an epoch has.
func (o *objective) perEpoch() int {
	n := o.source.Len()
	if o.turns {
		n *= hgcal.Rhombi
	}
	if o.beside != nil {
		n += o.beside.Len()
	}
	return n
}

// forward decodes the rows of some samples and leaves images and decoded images in target
// and pred.
func (o *objective) forward(s *samples, rows []int, mode nn.Mode) (err error) {
	n, m := len(rows), o.model
	o.target, o.pred = o.target[:n*Cells], o.pred[:n*Cells]
	m.in.Resize(n)
	for k, i := range rows {
		copy(o.target[k*Cells:], s.target[i*Cells:][:Cells])
		m.load(k, &s.frames[i], condition(s.conditions, i))
	}
	if o.y, err = m.net.Forward(m.in, mode); err != nil {
		return err
	}
	var charges [econt.Channels]float64
	for k, i := range rows {
		f, row := &s.frames[i], o.pred[k*Cells:][:Cells]
		if !(sent(f) > 0) { // of which the distances want something
			for c := range row {
				row[c] = 1. / Cells
			}
			continue
		}
		m.place(f, o.y, k, &charges)
		for c, ch := range m.channel {
			row[c] = float32(charges[ch] / s.scale[i])
		}
	}
	return nil
}

// Train is one training step's loss and gradients.
func (o *objective) Train(ctx context.Context, idx []int) (float64, error) {
	if err := o.prepare(ctx); err != nil {
		return 0, err
	}
	rows := o.rows[:len(idx)]
	for k, i := range idx {
		rows[k] = i % o.train.len() // images without charge are passed over
	}
	if err := o.forward(o.train, rows, nn.Training); err != nil {
		return 0, err
	}
	o.dq = o.dq[:len(o.pred)]
	o.units = o.units[:0]
	for _, i := range rows {
		o.units = append(o.units, o.train.units[i])
	}
	v, err := loss.EvalIn(ctx, o.loss, o.units, o.target, o.pred, o.dq)
	if err != nil {
		return v, err
	}
	o.dy.Resize(len(rows))
	var dq [econt.Channels]float64
	for k, i := range rows {
		for c, ch := range o.model.channel {
			dq[ch] = float64(o.dq[k*Cells+c])
		}
		o.model.back(&o.train.frames[i], o.y, k, &dq, 1/o.train.scale[i], o.dy)
	}
	return v, o.model.net.BackwardWeights(o.dy)
}

// Validate is the mean loss over the validation images.
func (o *objective) Validate(ctx context.Context) (float64, error) {
	n, total := o.validation.len(), 0.0
	for i := 0; i < n; i += decodeBatch {
		rows := o.rows[:min(decodeBatch, n-i)]
		for k := range rows {
			rows[k] = i + k
		}
		if err := o.forward(o.validation, rows, nn.Inference); err != nil {
			return 0, err
		}
		v, err := loss.EvalIn(ctx, o.loss, o.validation.units[i:i+len(rows)], o.target, o.pred, nil)
		if err != nil {
			return v, err
		}
		total += v * float64(len(rows))
	}
	return total / float64(n), nil
}
