package plan

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

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

// A Set is one set of trained weights: an encoder with its decoder, or a decoder of one of the
// chip's algorithms.
type Set struct {
	Name      string       `json:"name"` // of its file among the run's weights
	Algorithm string       `json:"algorithm"`
	For       int          `json:"for"`            // number of links of the modules that it was trained for
	Links     int          `json:"links"`          // that it uses
	Mask      string       `json:"mask,omitempty"` // bits of an encoder's outputs
	Drop      [2]int       `json:"drop_lsb"`       // of a decoder's algorithm, that is dropped at low and at high density
	Modules   int          `json:"modules"`        // that have so many links
	BestEpoch int          `json:"best_epoch"`
	Curve     [][2]float64 `json:"curve"` // training and validation loss of every epoch
	Used      int          `json:"used"`  // modules that the plan gives it to
}

// sets lists what is trained: encoders, and decoders of the algorithms that are best by hand.
func (w *work) sets(hand []measure) []Set {
	modules := map[int]int{}
	for _, c := range w.classes {
		modules[c.links] += len(c.modules)
	}
	var list []Set
	for _, n := range slices.Sorted(slices.Values(w.plan.encoderLinks())) {
		// It serves modules of more links, too, but is trained for those that it was made for.
		if modules[n] == 0 {
			continue
		}
		widths := w.plan.architecture(n).Widths()
		list = append(list, Set{Name: fmt.Sprintf("%s%d-links", run.EncoderWeights, n), Algorithm: encoderName, For: n, Links: n, Mask: widths.String(), Modules: modules[n]})
	}
	for _, n := range sortedKeys(modules) {
		for _, s := range w.best(n, hand) {
			name := strings.ToLower(strings.ReplaceAll(algorithmOf(s), " ", "-"))
			list = append(list, Set{Name: fmt.Sprintf("%s-%s-%d-links", run.DecoderWeights, name, n), Algorithm: algorithmOf(s), For: n, Links: s.Links, Modules: modules[n], Drop: w.dropped(n, s, hand)})
		}
	}
	return list
}

func sortedKeys(m map[int]int) []int {
	var keys []int
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// best are the algorithms that decoders are trained for on a number of links, with the better
// of their rules by hand: those that leave least with it, on the validation images of all
// modules of so many links.
func (w *work) best(n int, hand []measure) []evaluate.Scheme {
	type ranked struct {
		scheme evaluate.Scheme
		value  float64
	}
	in := w.of(func(c *class) bool { return c.links == n })
	var list []ranked
	for _, s := range byHand(n) {
		if !learnable(s) {
			continue
		}
		_, value := w.total(hand, in, func(k int) Errors { return scoreOf(hand[k], algorithmOf(s), s.Decoding).Validation }, validation)
		i := slices.IndexFunc(list, func(r ranked) bool { return algorithmOf(r.scheme) == algorithmOf(s) })
		switch {
		case i < 0:
			list = append(list, ranked{s, value})
		case value < list[i].value:
			list[i] = ranked{s, value}
		}
	}
	slices.SortStableFunc(list, func(a, b ranked) int { return cmp.Compare(a.value, b.value) })
	var out []evaluate.Scheme
	for _, r := range list[:min(len(list), w.plan.Decoders)] {
		out = append(out, r.scheme)
	}
	return out
}

// dropped are the bits that a rule by hand drops best at low and at high density, on the
// validation images of all modules of so many links: those with which its decoder learns.
// A density that there is not has the other's.
func (w *work) dropped(n int, s evaluate.Scheme, hand []measure) (drop [2]int) {
	if !drops(s) {
		return drop
	}
	for k := range drop {
		in := w.of(func(c *class) bool { return c.links == n && c.density() == k })
		if in == nil {
			in = w.of(func(c *class) bool { return c.links == n })
		}
		least := math.Inf(1)
		for d := range mostDrop + 1 {
			_, value := w.total(hand, in, func(k int) Errors { return scoreOf(hand[k], algorithmOf(s), s.Decoding).ByDrop[d] }, validation)
			if value < least {
				drop[k], least = d, value
			}
		}
	}
	return drop
}

// value is what a plan makes small.
func (p Plan) value(e Errors) float64 {
	if p.Figure == FigureCharge {
		return e.Charge
	}
	return e.EMD
}

// trained is what is kept of a training, beside its weights.
type trained struct {
	BestEpoch int          `json:"best_epoch"`
	Curve     [][2]float64 `json:"curve"`
}

func kept(h *nn.History, before trained) trained {
	t := trained{BestEpoch: len(before.Curve) + h.BestEpoch, Curve: before.Curve}
	if h.BestEpoch == 0 {
		t.BestEpoch = before.BestEpoch // no epoch is better than the start
	}
	for _, e := range h.Epochs {
		t.Curve = append(t.Curve, [2]float64{e.Loss, e.Validation})
	}
	return t
}

// train trains the sets that are not there, as many at a time as there are threads, the
// longest first.
func (w *work) train(ctx context.Context, hand []measure) ([]Set, error) {
	list := w.sets(hand)
	weights := make([]float64, len(list))
	order := make([]int, len(list))
	for i, s := range list {
		order[i], weights[i] = i, float64(w.plan.DecoderImages*w.plan.DecoderEpochs)
		if s.Algorithm == encoderName {
			weights[i] = encoderCost * float64(w.plan.Events*w.plan.Epochs)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(weights[b], weights[a]) })
	t := w.tally(shareHand, shareTrain, weights)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(w.threads)
	for _, i := range order {
		g.Go(func() error {
			s := &list[i]
			progress := func(share float64, note string) { t.set(i, share, s.Name+": "+note) }
			one, err := w.trainOne(ctx, s, progress)
			if err != nil {
				return fmt.Errorf("plan: %s: %w", s.Name, err)
			}
			s.BestEpoch, s.Curve = one.BestEpoch, one.Curve
			t.set(i, 1, s.Name)
			return nil
		})
	}
	return list, g.Wait()
}

// encoderCost is how long an image of an encoder's training takes, in those of a decoder's.
const encoderCost = 2

// trainOne trains a set on simulated images, and then on measured ones if there are any.
func (w *work) trainOne(ctx context.Context, s *Set, progress func(float64, string)) (trained, error) {
	train := w.trainDecoder
	if s.Algorithm == encoderName {
		train = w.trainEncoder
	}
	if w.measured == nil {
		return w.part(ctx, s.Name, trained{}, func() (*nn.History, error) { return train(ctx, s, s.Name, "", progress) })
	}
	first := s.Name + "-simulated"
	half := func(from float64) func(float64, string) {
		return func(share float64, note string) { progress(from+share/2, note) }
	}
	before, err := w.part(ctx, first, trained{}, func() (*nn.History, error) { return train(ctx, s, first, "", half(0)) })
	if err != nil {
		return before, err
	}
	return w.part(ctx, s.Name, before, func() (*nn.History, error) { return train(ctx, s, s.Name, first, half(0.5)) })
}

// part does a training unless it is done.
func (w *work) part(ctx context.Context, name string, before trained, do func() (*nn.History, error)) (t trained, err error) {
	err = w.folder.Once(name, w.plan.Seed, &t, func() ([]string, error) {
		h, err := do()
		if err != nil {
			return nil, err
		}
		t = kept(h, before)
		return []string{name + run.WeightsEnding}, nil
	})
	return t, err
}

// exact is the loss of all trainings.
func (w *work) exact() (loss.Loss, error) {
	return loss.Parse(lossName, loss.Resources{Metric: w.metric, Threads: 1})
}

// given are the measured images of modules of so many links, to train on and to choose by.
func (w *work) given(links int) (train, validation *wafer.Set, err error) {
	var lists [2][]*wafer.Set
	for k, c := range w.classes {
		if c.links == links {
			lists[0], lists[1] = append(lists[0], w.measured.train[k]), append(lists[1], w.measured.parts[k].validation)
		}
	}
	if train, err = together(lists[0]); err != nil {
		return nil, nil, err
	}
	validation, err = together(lists[1])
	return train, validation, err
}

// drawn are simulated images of modules of so many links.
func (w *work) drawn(n, links int, seed uint64) (*wafer.Set, error) {
	set, err := simulate.Generate(n, w.plan.simulation(distinct(w.classes, links), seed, 1))
	if err != nil {
		return nil, err
	}
	set, _ = set.NonZero()
	return set, nil
}

// stopping are those that an epoch is chosen by where images are simulated.
func (w *work) stopping(n, links int) (*wafer.Set, error) {
	return w.drawn(max(fewestImages, n), links, stopSeed)
}

// trainEncoder trains an encoder: on simulated images, or on from one that saw those on
// measured ones.
func (w *work) trainEncoder(ctx context.Context, s *Set, part, from string, progress func(float64, string)) (*nn.History, error) {
	of := autoencoder.Settings{
		Architecture: w.plan.architecture(s.Links), Budget: w.plan.encoderBudget(), Seed: w.plan.Seed, Threads: 1,
		Checkpoint: w.folder.Path(run.Weights, part+run.CheckpointEnding), Progress: progress,
	}
	var train, validation *wafer.Set
	var err error
	if from == "" {
		if train, err = w.drawn(w.plan.Events, s.For, trainSeed); err != nil {
			return nil, err
		}
		validation, err = w.stopping(w.plan.Events/(2*validationOf), s.For)
	} else {
		of.Start, of.Epochs, of.Batch = w.weights(from), w.plan.TuneEpochs, tuneBatch
		train, validation, err = w.given(s.For)
	}
	if err != nil {
		return nil, err
	}
	l, err := w.exact()
	if err != nil {
		return nil, err
	}
	m, h, err := autoencoder.Train(ctx, train, validation, l, of)
	if err != nil {
		return nil, err
	}
	return h, m.Save(w.weights(part))
}

// trainDecoder trains a decoder likewise.
func (w *work) trainDecoder(ctx context.Context, s *Set, part, from string, progress func(float64, string)) (*nn.History, error) {
	course := w.plan.course()
	validation, err := w.stopping(course.Validation, s.For)
	if err != nil {
		return nil, err
	}
	one := Candidate{Algorithm: s.Algorithm, Decoding: evaluate.DecodeKept, Links: s.Links}
	if s.Algorithm == econt.ThresholdSum.String() {
		one.Threshold = tsThreshold(validation, s.For)
	}
	scheme, err := one.scheme(s.Drop)
	if err != nil {
		return nil, err
	}
	chips, err := scheme.Chips()
	if err != nil {
		return nil, err
	}
	l, err := w.exact()
	if err != nil {
		return nil, err
	}
	of := decoder.Settings{
		Architecture: decoder.Architecture{Conditions: true}, Budget: course.Simulated, Seed: w.plan.Seed, Threads: 1,
		Checkpoint: w.folder.Path(run.Weights, part+run.CheckpointEnding), Progress: progress,
	}
	var source decoder.Source
	if from == "" {
		source, err = decoder.Simulated(w.plan.simulation(distinct(w.classes, s.For), trainSeed, 1), course.PerEpoch)
	} else {
		var train *wafer.Set
		if of.Start, err = w.openDecoder(from); err == nil {
			train, validation, err = w.given(s.For)
		}
		if err == nil {
			of.Budget = course.Given
			source, err = decoder.Given(train)
		}
	}
	if err != nil {
		return nil, err
	}
	m, h, err := decoder.Train(ctx, chips, source, validation, l, of)
	if err != nil {
		return nil, err
	}
	return h, m.Save(w.weights(part))
}

// openDecoder opens a decoder of the run.
func (w *work) openDecoder(set string) (*decoder.Model, error) {
	return decoder.Load(w.weights(set), nn.Settings{Threads: 1})
}
