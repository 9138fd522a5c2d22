package plan

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"barrow/autoencoder"
	"barrow/decoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/loss"
	"barrow/nn"
	"barrow/run"
	"barrow/simulate"
	"barrow/wafer"
)

// trained is what is kept of a training, beside its weights.
type trained struct {
	BestEpoch int          `json:"best_epoch"`
	Curve     [][2]float64 `json:"curve"`
}

// kept is that of the part on simulated images and the part on measured ones, if there is one.
// Where none of its epochs is better, the first part's best stays.
func kept(first, then *nn.History) (t trained) {
	t.BestEpoch = first.BestEpoch
	if then != nil && then.BestEpoch > 0 {
		t.BestEpoch = len(first.Epochs) + then.BestEpoch
	}
	for _, h := range []*nn.History{first, then} {
		if h == nil {
			continue
		}
		for _, e := range h.Epochs {
			t.Curve = append(t.Curve, [2]float64{e.Loss, e.Validation})
		}
	}
	return t
}

// encoderCost is how long an image of an encoder's training takes, in those of a decoder's.
const encoderCost = 2

// train trains those of the sets that are this process's and are not there, as many at a time as
// there are threads, the longest first.
func (w *work) train(ctx context.Context, list []Set, hand []measure, mine func(i int) bool) error {
	weights := make([]float64, len(list))
	order := make([]int, len(list))
	for i, s := range list {
		if order[i], weights[i] = i, 1; s.Algorithm == encoderName {
			weights[i] = encoderCost
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weights[b], weights[a]) })
	t := w.tally(shareHand, shareTrain, weights)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(w.threads)
	for _, i := range order {
		if !mine(i) {
			continue
		}
		g.Go(func() error {
			s := &list[i]
			progress := func(share float64, note string) { t.set(i, share, s.Name+": "+note) }
			one, err := w.trainOne(ctx, s, hand, progress)
			if err != nil {
				return fmt.Errorf("plan: %s: %w", s.Name, err)
			}
			s.BestEpoch, s.Curve = one.BestEpoch, one.Curve
			t.set(i, 1, s.Name)
			return nil
		})
	}
	return g.Wait()
}

// trainOne trains a set on simulated images, and then on measured ones if there are any, unless
// that is done; of one that is given it keeps the weights.
func (w *work) trainOne(ctx context.Context, s *Set, hand []measure, progress func(float64, string)) (t trained, err error) {
	part := w.prefix + s.Name
	checkpoint := w.folder.Path(run.Weights, part+run.CheckpointEnding)
	err = w.folder.Once(part, w.plan.Seed, &t, func() ([]string, error) {
		save, first, then := (func(string) error)(nil), (*nn.History)(nil), (*nn.History)(nil)
		var err error
		switch {
		case s.Given != "":
			k := slices.IndexFunc(w.given, func(g given) bool { return g.Name == s.Name })
			save, first = w.given[k].model.Save, &nn.History{}
		case s.Algorithm == encoderName:
			var m *autoencoder.Model
			if m, first, then, err = w.trainEncoder(ctx, s, checkpoint, progress); err == nil {
				save = m.Save
			}
		default:
			var m *decoder.Model
			var l *decoder.Lessons
			if m, l, err = w.trainDecoder(ctx, s, hand, checkpoint, progress); err == nil {
				save, first, then = m.Save, l.Simulated, l.Given
			}
		}
		if err != nil {
			return nil, err
		}
		t = kept(first, then)
		return []string{w.file(s.Name)}, save(w.weights(s.Name))
	})
	return t, err
}

// exact is the loss of all trainings.
func (w *work) exact() (loss.Loss, error) {
	return loss.Parse(lossName, loss.Resources{Metric: w.metric, Threads: 1})
}

// tunedBy are the measured images of a set's modules, to train on and to stop by; nil where
// images are simulated.
func (w *work) tunedBy(s *Set) (train, stop *wafer.Set, err error) {
	if w.measured == nil {
		return nil, nil, nil
	}
	train, stop = &wafer.Set{}, &wafer.Set{}
	for _, k := range w.taught(s) {
		if err := train.Append(w.measured.train[k]); err != nil {
			return nil, nil, err
		}
		if err := stop.Append(w.measured.stop[k]); err != nil {
			return nil, nil, err
		}
	}
	return train, stop, nil
}

// drawn are simulated images of a set's modules.
func (w *work) drawn(n int, s *Set, seed uint64) (*wafer.Set, error) {
	set, err := simulate.Generate(n, w.plan.simulation(w.distinct(w.taught(s)), seed, 1))
	if err != nil {
		return nil, err
	}
	set, _ = set.NonZero()
	return set, nil
}

// stopping are those that an epoch is chosen by where images are simulated.
func (w *work) stopping(s *Set) (*wafer.Set, error) {
	return w.drawn(w.plan.stopImages(), s, stopSeed)
}

// halves tells of the two parts of a training, if there are two.
func halves(parts int, progress func(float64, string)) func(part int) func(float64, string) {
	return func(part int) func(float64, string) {
		return func(share float64, note string) { progress((float64(part)+share)/float64(parts), note) }
	}
}

// trainEncoder trains an encoder on simulated images, and then on measured ones if there are any.
func (w *work) trainEncoder(ctx context.Context, s *Set, checkpoint string, progress func(float64, string)) (m *autoencoder.Model, first, then *nn.History, err error) {
	l, err := w.exact()
	if err != nil {
		return nil, nil, nil, err
	}
	images, err := w.drawn(w.plan.Events, s, trainSeed)
	if err != nil {
		return nil, nil, nil, err
	}
	stop, err := w.stopping(s)
	if err != nil {
		return nil, nil, nil, err
	}
	more, moreStop, err := w.tunedBy(s)
	if err != nil {
		return nil, nil, nil, err
	}
	part := halves(1, progress)
	if more != nil {
		part = halves(2, progress)
	}
	of := autoencoder.Settings{
		Architecture: w.plan.architecture(s.Links), Budget: w.plan.encoderBudget(), Seed: w.plan.Seed, Threads: 1,
		Checkpoint: checkpoint, Progress: part(0),
	}
	if m, first, err = autoencoder.Train(ctx, images, stop, l, of); err != nil || more == nil {
		return m, first, nil, err
	}
	of.Start, of.Checkpoint, of.Progress = checkpoint+"-start", checkpoint+"-given", part(1)
	if err := m.Save(of.Start); err != nil {
		return nil, nil, nil, err
	}
	of.Epochs, of.Batch = w.plan.TuneEpochs, tuneBatch
	m, then, err = autoencoder.Train(ctx, more, moreStop, l, of)
	return m, first, then, err
}

// trainDecoder trains a decoder after the course that decoders have everywhere, with simulated
// images of its modules. Of threshold sum it learns each class's threshold.
func (w *work) trainDecoder(ctx context.Context, s *Set, hand []measure, checkpoint string, progress func(float64, string)) (*decoder.Model, *decoder.Lessons, error) {
	of := decoder.LearnSettings{
		Architecture: decoder.Architecture{Conditions: true}, Course: w.plan.course(), Seed: w.plan.Seed, Threads: 1,
		Checkpoint: checkpoint, Progress: progress,
	}
	one := Candidate{Algorithm: s.Algorithm, Decoding: evaluate.DecodeLearned, Links: s.Links}
	if s.Algorithm == econt.ThresholdSum.String() {
		thresholds := w.thresholds(s, hand)
		for _, v := range thresholds {
			one.Threshold = max(one.Threshold, v)
		}
		of.Threshold = func(images *wafer.Set) []uint32 { return thresholdsOf(images, thresholds) }
	}
	var chips [2]*econt.Baseline
	for k := range chips {
		one.Drop = s.Drop[k]
		config, err := one.config(k == 1)
		if err != nil {
			return nil, nil, err
		}
		if chips[k], err = baseline(config, one.Decoding); err != nil {
			return nil, nil, err
		}
	}
	l, err := w.exact()
	if err != nil {
		return nil, nil, err
	}
	if of.First, err = decoder.Simulated(w.plan.simulation(w.distinct(w.taught(s)), trainSeed, 1), w.plan.Events); err != nil {
		return nil, nil, err
	}
	if of.FirstChosen, err = w.stopping(s); err != nil {
		return nil, nil, err
	}
	train, stop, err := w.tunedBy(s)
	if err != nil {
		return nil, nil, err
	}
	return decoder.Learn(ctx, chips, train, stop, l, of)
}

// thresholds are those of threshold sum in the modules that a decoder is for.
func (w *work) thresholds(s *Set, hand []measure) map[place]uint32 {
	at := map[place]uint32{}
	for _, k := range w.taught(s) {
		for _, p := range w.classes[k].places {
			at[p] = thresholdIn(hand[k])
		}
	}
	return at
}

// thresholdIn is that of threshold sum in a class.
func thresholdIn(hand measure) uint32 {
	return scoreOf(hand, econt.ThresholdSum.String(), evaluate.DecodeKept).Threshold
}

// thresholdsOf are the thresholds of images by their columns; nil if these do not say.
func thresholdsOf(images *wafer.Set, at map[place]uint32) []uint32 {
	var columns [3][]float64
	for k, known := range []wafer.Known{wafer.Layer, wafer.WaferU, wafer.WaferV} {
		var err error
		if columns[k], err = images.Numbers(known); err != nil {
			return nil
		}
	}
	list := make([]uint32, images.Len())
	for i := range list {
		list[i] = at[place{int(columns[0][i]), int(columns[1][i]), int(columns[2][i])}]
	}
	return list
}
