package drift

import (
	"context"
	"fmt"
	"math"
	"slices"

	"barrow/autoencoder"
	"barrow/emd"
	"barrow/hgcal"
	"barrow/nn"
	"barrow/run"
	"barrow/wafer"
)

// The contenders but for those that tune.
const (
	frozen           = "frozen"    // the autoencoder as it was
	gainCells        = "gain"      // every cell of every module times a factor
	gainRing         = "gain-ring" // every cell times a factor that the sisters share
	untuned          = "untuned"   // the decoder with conditions, told of a new detector
	known            = "known"     // the same, told the truth of the detector's state
	retrainedDecoder = "decoder"   // trained anew on the truth
	retrainedAll     = "all"       // encoder and decoder trained anew on the truth
)

// tuner is a contender that tunes.
type tuner struct {
	name, vector, method string
}

func (p Plan) tuners() []tuner {
	var list []tuner
	for _, v := range p.Vectors {
		for _, m := range p.Methods {
			t := tuner{v, v, m}
			if len(p.Methods) > 1 {
				t.name += "-" + m
			}
			list = append(list, t)
		}
	}
	return list
}

// Contenders lists what is compared, in the order of tables.
func (p Plan) contenders() []string {
	list := []string{frozen, gainCells, gainRing}
	if p.tunes() {
		list = append(list, untuned)
	}
	for _, t := range p.tuners() {
		list = append(list, t.name)
	}
	if p.tunes() {
		list = append(list, known)
	}
	return append(list, retrainedDecoder, retrainedAll)
}

// A Track is one drift of one detector.
type Track struct {
	Seed  uint64 `json:"seed"`
	Steps []Step `json:"steps"`
}

// A Step of a track.
type Step struct {
	Step int `json:"step"`
	// EMD is each contender's mean over the held-out images; those that are trained anew have one
	// where they are.
	EMD map[string]float64 `json:"emd"`
	// Vector is what each tuner has found: offsets of the outputs, then conditions. Cost is what it
	// measured there.
	Vector map[string][]float64 `json:"vector"`
	Cost   map[string]float64   `json:"cost"`
	// State is what the conditions truly are, as nearly as they can say it.
	State []float64 `json:"state"`
}

// follower is at work on a track: it knows the truth, and measures by it.
type follower struct {
	w              *work
	d              *detector
	change         *Drift
	model          *autoencoder.Model
	own, tunable   *decoder
	gainReference  []float64 // the mean decoded image of the new detector
	knobs          []*knob   // of the plan's tuners, in their order
	distance       *emd.Batch
	shapes, values []float64
}

// follow does a drift of a detector, with the trainings anew that it is held against.
func (w *work) follow(ctx context.Context, d *detector, change *Drift, k int, track *Track) error {
	name := fmt.Sprintf("%s-seed%d", change.Name, d.seed)
	err := w.once(name, w.plan.following(), track, func(progress func(float64, string)) ([]string, error) {
		f, err := w.newFollower(ctx, d, change)
		if err != nil {
			return nil, err
		}
		*track = Track{Seed: d.seed}
		for s := 0; s <= w.plan.Steps; s++ {
			step, err := f.step(ctx, s)
			if err != nil {
				return nil, err
			}
			track.Steps = append(track.Steps, *step)
			progress(float64(s)/float64(w.plan.Steps), "")
		}
		return nil, nil
	})
	if err != nil {
		return err
	}
	new := track.Steps[0].EMD // the frozen one has been trained as these two are
	new[retrainedDecoder], new[retrainedAll] = new[frozen], new[frozen]
	for _, s := range w.plan.retrained() {
		part, emd := fmt.Sprintf("%s-step%d-", name, s), track.Steps[s].EMD
		if _, emd[retrainedDecoder], err = w.goOn(ctx, d, change, s, d.weights, part+retrainedDecoder); err != nil {
			return err
		}
		encoder, _, err := w.goOn(ctx, d, change, s, "", part+retrainedAll)
		if err != nil {
			return err
		}
		if _, emd[retrainedAll], err = w.goOn(ctx, d, change, s, encoder, part+retrainedAll+"-decoder"); err != nil {
			return err
		}
	}
	return nil
}

// draw draws images of a step.
func (w *work) draw(n int, seed uint64, d *detector, change *Drift, step int) (*events, error) {
	t := float64(step) / float64(w.plan.Steps)
	b := w.plan.beam()
	if change.PileUp.Mean > 0 {
		b.pileUp += (change.PileUp.Mean - b.pileUp) * t
	}
	b.spot = [2]float64{change.Spot.X * t, change.Spot.Y * t}
	var ages [hgcal.Sectors]*age
	for s := range ages {
		ages[s] = change.at(w.site.module, s, seedOf(d.seed, forAges, 0), t)
	}
	return w.site.draw(n, seed, b, func(_, sector int) *age { return ages[sector] })
}

// goOn is again as a part of the run, and tells the file of the weights, too.
func (w *work) goOn(ctx context.Context, d *detector, change *Drift, step int, encoder, part string) (weights string, emd float64, err error) {
	var v struct {
		EMD float64 `json:"emd"`
	}
	err = w.once(part, w.plan.further(), &v, func(progress func(float64, string)) ([]string, error) {
		var err error
		v.EMD, err = w.again(ctx, d, change, step, encoder, part, progress)
		return []string{part + run.WeightsEnding}, err
	})
	return w.folder.Path(run.Weights, part+run.WeightsEnding), v.EMD, err
}

// again goes on with the training of a detector's autoencoder on the truth of a step: of its decoder
// alone, for the encoder in a file of weights, or without one of all of it. It returns its mean EMD.
func (w *work) again(ctx context.Context, d *detector, change *Drift, step int, encoder, part string, progress func(float64, string)) (float64, error) {
	train, err := w.draw(w.plan.More, seedOf(d.seed, forRetraining, step), d, change, step)
	if err != nil {
		return 0, err
	}
	choice, err := w.draw(chosen(w.plan.More), seedOf(d.seed, forRetrainingChoice, step), d, change, step)
	if err != nil {
		return 0, err
	}
	s := w.training(d, part, progress)
	s.Epochs, s.Start, s.Encoder = w.plan.MoreFor, d.first, encoder
	path := w.folder.Path(run.Weights, part+run.WeightsEnding)
	if err := w.train(ctx, train, choice, s, path); err != nil {
		return 0, err
	}
	m, err := autoencoder.Load(path, nn.Settings{Threads: 1})
	if err != nil {
		return 0, err
	}
	dec, err := newDecoder(m, w.site.conditions)
	if err != nil {
		return 0, err
	}
	b, err := emd.NewBatch(w.metric, emd.Settings{Unequal: emd.UnequalNormalise, Threads: 1})
	if err != nil {
		return 0, fmt.Errorf("drift: %w", err)
	}
	f := &follower{w: w, d: d, change: change, distance: b}
	test, err := f.test(step)
	if err != nil {
		return 0, err
	}
	frames, err := arrive(ctx, m, test.measured, 0)
	if err != nil {
		return 0, err
	}
	shapes, err := dec.decode(frames, shift{}, nil)
	if err != nil {
		return 0, err
	}
	return f.emd(ctx, test.truth, shapes)
}

// test are the held-out images of a step.
func (f *follower) test(step int) (*events, error) {
	return f.w.draw(f.w.plan.Test, seedOf(f.d.seed, forTest, 0), f.d, f.change, step)
}

// emd is the mean exact EMD between images and shapes.
func (f *follower) emd(ctx context.Context, truth *wafer.Set, shapes []float64) (float64, error) {
	f.values = make([]float64, truth.Len())
	if err := f.distance.Distance(ctx, truth.Charge, shapes, f.values); err != nil {
		return 0, fmt.Errorf("drift: %w", err)
	}
	sum := 0.0
	for _, v := range f.values {
		sum += v
	}
	return sum / float64(len(f.values)), nil
}

// newFollower looks at the new detector, and at simulated ones in other states.
func (w *work) newFollower(ctx context.Context, d *detector, change *Drift) (*follower, error) {
	f := &follower{w: w, d: d, change: change}
	var err error
	if f.distance, err = emd.NewBatch(w.metric, emd.Settings{Unequal: emd.UnequalNormalise, Threads: 1}); err != nil {
		return nil, fmt.Errorf("drift: %w", err)
	}
	if f.own, err = d.open(w.site, false); err != nil {
		return nil, err
	}
	if f.model, err = autoencoder.Load(d.weights, nn.Settings{Threads: 1}); err != nil {
		return nil, err
	}
	reference, err := w.site.draw(w.plan.References, seedOf(d.seed, forReference, 0), w.plan.beam(), func(int, int) *age { return fresh() })
	if err != nil {
		return nil, err
	}
	readout := 0
	if w.plan.Readout > 0 {
		readout = reference.measured.Len()
	}
	sent, err := arrive(ctx, f.model, reference.measured, readout)
	if err != nil {
		return nil, err
	}
	plain, err := f.expected(f.own, sent)
	if err != nil {
		return nil, err
	}
	f.gainReference = plain.reference[:cells]
	var bent *expectation
	if w.plan.tunes() {
		if f.tunable, err = d.open(w.site, true); err != nil {
			return nil, err
		}
		if bent, err = f.expected(f.tunable, sent); err != nil {
			return nil, err
		}
		if err := f.bend(ctx, bent); err != nil {
			return nil, err
		}
	}
	for _, t := range w.plan.tuners() {
		k := &knob{decoder: f.own, expected: plain, method: t.method, measurements: w.plan.Tries, seed: d.seed}
		if t.vector != onOutputs {
			k.decoder, k.expected = f.tunable, bent
		}
		k.set(t.vector, sent)
		f.knobs = append(f.knobs, k)
	}
	return f, nil
}

// expected are the statistics that a decoder makes of the new detector's frames.
func (f *follower) expected(d *decoder, sent *frames) (*expectation, error) {
	shapes, err := d.decode(sent, shift{}, f.shapes)
	if err != nil {
		return nil, err
	}
	f.shapes = shapes
	return expect(summarise(sent, shapes, true), f.w.plan.Events, sent.len(), max(1, f.w.plan.Readout))
}

// design are the values of each condition at which simulation says what the statistics are, 0 aside.
var design = [conditions][]float64{
	onGain: {0.375, 0.75, 1.125, 1.5}, onGainX: {-0.8, -0.4, 0.4, 0.8}, onGainY: {-0.8, -0.4, 0.4, 0.8},
	onNoise: {0.625, 1.25, 1.875, 2.5}, onPileUp: {-1, -0.6, -0.3, 0.2},
}

// simulated is how many images of each state there are for one of the reference. Their statistical
// error counts as a deviation wherever a condition is not 0, so that too few draw it there.
const simulated = 5

// bend finds by simulation how the statistics change with the conditions where the decoder is told of
// them.
func (f *follower) bend(ctx context.Context, expected *expectation) error {
	at := func(state []float64) (*summary, error) {
		a := ageOf(state)
		b := f.w.plan.beam()
		b.pileUp *= math.Exp(state[onPileUp])
		e, err := f.w.site.draw(simulated*f.w.plan.References, seedOf(f.d.seed, forExpectation, 0), b, func(int, int) *age { return a })
		if err != nil {
			return nil, err
		}
		readout := 0
		if f.w.plan.Readout > 0 {
			readout = e.measured.Len()
		}
		sent, err := arrive(ctx, f.model, e.measured, readout)
		if err != nil {
			return nil, err
		}
		shapes, err := f.tunable.decode(sent, shift{conditions: state}, nil)
		if err != nil {
			return nil, err
		}
		return summarise(sent, shapes, false), nil
	}
	rest, err := at(make([]float64, conditions))
	if err != nil {
		return err
	}
	for k := range conditions {
		c := &curve{at: design[k]}
		for _, v := range c.at {
			state := make([]float64, conditions)
			state[k] = v
			s, err := at(state)
			if err != nil {
				return err
			}
			for i, r := range rest.mean {
				s.mean[i] -= r
			}
			c.change = append(c.change, s.mean)
		}
		expected.curve[k] = c
	}
	return nil
}

// step tunes on a step's frames, and measures all contenders on its held-out images.
func (f *follower) step(ctx context.Context, number int) (*Step, error) {
	w := f.w
	seen, err := w.draw(w.plan.Events, seedOf(f.d.seed, forEvents, number), f.d, f.change, number)
	if err != nil {
		return nil, err
	}
	test, err := f.test(number)
	if err != nil {
		return nil, err
	}
	arrived, err := arrive(ctx, f.model, seen.measured, w.plan.Readout)
	if err != nil {
		return nil, err
	}
	held, err := arrive(ctx, f.model, test.measured, 0)
	if err != nil {
		return nil, err
	}
	s := &Step{Step: number, EMD: map[string]float64{}, Vector: map[string][]float64{}, Cost: map[string]float64{}, State: f.state(number)}
	score := func(name string, d *decoder, by shift) error {
		shapes, err := d.decode(held, by, f.shapes)
		if err == nil {
			f.shapes = shapes
			s.EMD[name], err = f.emd(ctx, test.truth, shapes)
		}
		return err
	}
	if err := score(frozen, f.own, shift{}); err != nil {
		return nil, err
	}
	if err := f.gains(ctx, s, arrived, seen.sector, held, test); err != nil {
		return nil, err
	}
	for i, t := range w.plan.tuners() {
		k := f.knobs[i]
		if s.Cost[t.name], err = k.tune(ctx, arrived); err != nil {
			return nil, err
		}
		s.Vector[t.name] = slices.Clone(k.at)
		if err := score(t.name, k.decoder, k.shift(k.at)); err != nil {
			return nil, err
		}
	}
	if f.tunable == nil {
		return s, nil
	}
	if err := score(untuned, f.tunable, shift{}); err != nil {
		return nil, err
	}
	return s, score(known, f.tunable, shift{conditions: s.State})
}

// gains are the corrections of the cells' gains from the same frames: every cell times what makes its
// mean decoded share that of the new detector's sisters.
func (f *follower) gains(ctx context.Context, s *Step, arrived *frames, sector []int, held *frames, test *events) error {
	const most = 10
	seen, err := f.own.decode(arrived, shift{}, nil)
	if err != nil {
		return err
	}
	shapes, err := f.own.decode(held, shift{}, nil)
	if err != nil {
		return err
	}
	for _, name := range []string{gainCells, gainRing} {
		group := func(sector int) int {
			if name == gainRing {
				return 0
			}
			return sector
		}
		var mean [hgcal.Sectors][cells]float64
		var count [hgcal.Sectors]float64
		for i, sec := range sector {
			g := group(sec)
			count[g]++
			for c := range cells {
				mean[g][c] += seen[i*cells+c]
			}
		}
		out := make([]float64, len(shapes))
		for i, sec := range test.sector {
			g := group(sec)
			for c := range cells {
				out[i*cells+c] = shapes[i*cells+c]
				if count[g] > 0 {
					out[i*cells+c] *= min(most, f.gainReference[c]/max(mean[g][c]/count[g], 1e-9))
				}
			}
		}
		if s.EMD[name], err = f.emd(ctx, test.truth, out); err != nil {
			return err
		}
	}
	return nil
}

// state is what the conditions are at a step, as nearly as they can say it: of the logarithm of the gains
// of cells that are alive the plane that fits best.
func (f *follower) state(step int) []float64 {
	t := float64(step) / float64(f.w.plan.Steps)
	out := make([]float64, conditions)
	n, points := 0.0, hgcal.CellCentres()
	var xx, yy float64
	for s := range hgcal.Sectors {
		a := f.change.at(f.w.site.module, s, seedOf(f.d.seed, forAges, 0), t)
		out[onNoise] = a.noise - 1
		for c, g := range a.Gain {
			if g == 0 {
				continue
			}
			x, y, loss := points[c][0]/8, points[c][1]/8, -math.Log(g)
			n++
			xx, yy = xx+x*x, yy+y*y
			out[onGain] += loss
			out[onGainX] += loss * x
			out[onGainY] += loss * y
		}
	}
	if n > 0 { // the cells lie evenly around the middle: the three do not mix
		out[onGain], out[onGainX], out[onGainY] = out[onGain]/n, out[onGainX]/xx, out[onGainY]/yy
	}
	if m := f.change.PileUp.Mean; m > 0 {
		p := f.w.plan.PileUp
		out[onPileUp] = math.Log((p + (m-p)*t) / p)
	}
	return out
}
