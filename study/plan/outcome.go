package plan

import (
	"context"
	"math/rand/v2"
	"slices"

	"golang.org/x/sync/errgroup"

	"barrow/econt"
	"barrow/evaluate"
	"barrow/internal/stats"
	"barrow/wafer"
)

// An outcome is the plan of one seed.
type outcome struct {
	work     *work
	sets     []Set
	measures []measure
	compared [contests]*contest // nil where there is none
	held     []held             // by class
}

// What a plan is held against one algorithm for all modules in.
const (
	everything   = iota
	filled       // the classes whose images have more than one MIP_T on average
	thresholdOut // without TS, whose links are its on average only
	contests
)

// A contest is a choice for some classes and the best single algorithm there.
type contest struct {
	Comparison
	in     []int
	choice []int // score of every class
	single []int // likewise
}

// held is what is left of the images that a class is measured by, for intervals.
type held struct {
	weights []float64   // of the images for the figure charge
	scores  []int       // that contests are about
	emd     [][]float64 // of each, by image
	off     [][]float64 // likewise, by event, for the figure resolution
	buffer  *Buffer     // where the choice is TS
}

// at is a score's place among those that contests are about.
func (h *held) at(score int) int { return slices.Index(h.scores, score) }

// isTS reports whether a candidate's algorithm is TS.
func isTS(c Candidate) bool { return c.Algorithm == econt.ThresholdSum.String() }

// begin deals out a seed's images and draws its clusters.
func (w *work) begin(ctx context.Context) error {
	if w.measured != nil {
		own := *w.measured
		if err := own.deal(w.plan.Seed, w.classes, nil); err != nil {
			return err
		}
		w.measured = &own
	}
	if w.plan.Figure == figureResolution {
		for side, seed := range [2]uint64{validation: validateSeed, heldOut: heldOutSeed} {
			var err error
			if w.hits[side], err = w.clusters(ctx, seed); err != nil {
				return err
			}
		}
	}
	return nil
}

// outcome plans for one seed.
func (w *work) outcome(ctx context.Context) (*outcome, error) {
	if err := w.begin(ctx); err != nil {
		return nil, err
	}
	hand, err := w.measureSome(ctx, byHand, 0, shareHand, w.everyClass(), w.handCandidates)
	if err != nil {
		return nil, err
	}
	o := &outcome{work: w, sets: w.sets(hand)}
	if err := w.train(ctx, o.sets, hand, func(int) bool { return true }); err != nil {
		return nil, err
	}
	learned, err := w.measureSome(ctx, byLearned, shareTrain, shareLearned, w.everyClass(), func(k int, _ *parts) []Candidate { return w.candidatesOf(o.sets, k, hand[k]) })
	if err != nil {
		return nil, err
	}
	for k := range hand {
		m := hand[k]
		m.Scores = append(slices.Clone(hand[k].Scores), learned[k].Scores...)
		o.measures = append(o.measures, m)
	}
	o.contend()
	return o, o.hold(ctx)
}

// contend chooses, and holds the choice against one algorithm for all modules.
func (o *outcome) contend() {
	w := o.work
	all := w.everyClass()
	choice := w.plan.choose(w.classes, o.measures, o.sets, w.plan.WeightsLimit, nil)
	o.compared[everything] = o.contest(all, choice, nil)
	var in []int
	for k, m := range o.measures {
		if m.Charge[heldOut] > evaluate.MIP {
			in = append(in, k)
		}
	}
	if in != nil {
		o.compared[filled] = o.contest(in, choice, nil)
	}
	o.compared[thresholdOut] = o.contest(all, w.plan.choose(w.classes, o.measures, o.sets, w.plan.WeightsLimit, isTS), isTS)
}

// contest holds a choice for some classes against the best single algorithm there but those that
// without leaves out.
func (o *outcome) contest(in, choice []int, without func(Candidate) bool) *contest {
	w, c := o.work, &contest{in: in, choice: choice}
	c.Modules = w.modulesIn(in)
	c.MeanEMD, c.Value = w.total(o.measures, in, func(k int) Errors { return o.measures[k].Scores[choice[k]].HeldOut }, heldOut)
	c.BestSingle = w.singles(o.measures, in, without)[0]
	for _, m := range o.measures {
		c.single = append(c.single, single(m, c.BestSingle))
	}
	c.Ratio = c.Value / c.BestSingle.Value
	return c
}

// hold keeps, image by image, what the contests are about, and what becomes of TS' frames.
func (o *outcome) hold(ctx context.Context) error {
	w := o.work
	o.held = make([]held, len(w.classes))
	weights := make([]float64, len(w.classes))
	for k := range weights {
		weights[k] = 1
	}
	t := w.tally(shareLearned, 1, weights)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(w.threads)
	for k := range o.held {
		g.Go(func() (err error) {
			o.held[k], err = o.holdClass(ctx, k)
			t.set(k, 1, "intervals")
			return err
		})
	}
	return g.Wait()
}

func (o *outcome) holdClass(ctx context.Context, k int) (h held, err error) {
	w := o.work
	c := &w.classes[k]
	p, err := w.partsOf(ctx, k)
	if err != nil {
		return h, err
	}
	for i := range p.heldOut.Len() {
		h.weights = append(h.weights, p.charged(heldOut)*wafer.Sum(p.heldOut.Image(i)))
	}
	for _, one := range o.compared {
		if one == nil {
			continue
		}
		for _, i := range []int{one.choice[k], one.single[k]} {
			if h.at(i) >= 0 {
				continue
			}
			s := &o.measures[k].Scores[i]
			emd, err := w.distances(ctx, c.high, p.heldOut, s.Candidate)
			if err != nil {
				return h, err
			}
			h.scores, h.emd = append(h.scores, i), append(h.emd, emd)
			if w.plan.Figure != figureResolution {
				continue
			}
			off, _, err := w.off(ctx, k, heldOut, s.Candidate, s.Scale)
			if err != nil {
				return h, err
			}
			h.off = append(h.off, off)
		}
	}
	if s := o.measures[k].Scores[o.compared[everything].choice[k]].Candidate; isTS(s) {
		b, err := w.buffer(c, p, s)
		if err != nil {
			return h, err
		}
		h.buffer = &b
	}
	return h, nil
}

// draw are the errors of the scores that a class's contests are about, of images that are drawn
// anew, in pairs, or of the events that are drawn.
func (h *held) draw(rng *rand.Rand, events []int, modules int) []Errors {
	list := make([]Errors, len(h.scores))
	if events != nil {
		drawn := make([]float64, len(events))
		for i, off := range h.off {
			for k, e := range events {
				drawn[k] = off[e]
			}
			list[i].Energy = energy(drawn, modules)
		}
		return list
	}
	n := len(h.weights)
	rows := make([]int, n)
	for k := range rows {
		rows[k] = rng.IntN(n)
	}
	for i, emd := range h.emd {
		e := &list[i]
		for _, k := range rows {
			e.EMD += emd[k]
			e.Charge += emd[k] * h.weights[k]
		}
		e.EMD, e.Charge = e.EMD/float64(n), e.Charge/float64(n)
	}
	return list
}

// events draws the events of the figure resolution anew, the same for all classes; nil for others.
func (o *outcome) events(rng *rand.Rand) (list []int) {
	if o.work.plan.Figure != figureResolution {
		return nil
	}
	n := o.work.plan.PerClass
	for range n {
		list = append(list, rng.IntN(n))
	}
	return list
}

// draws are those of the bootstrap, drawSeed tells it from other random choices.
const (
	draws    = 1000
	drawSeed = 0x64726177
)

// intervals are the central 95 % of the ratios of the contests over all seeds: every class's
// held-out images are drawn anew, plan and single algorithm the same ones.
func intervals(list []*outcome) (out [contests]evaluate.Interval) {
	rng := rand.New(rand.NewPCG(list[0].work.plan.Seed, drawSeed))
	var ratios [contests][]float64
	errs := make([][]Errors, len(list[0].work.classes))
	for range draws {
		var sums [contests][2]float64
		for _, o := range list {
			events := o.events(rng)
			for k := range errs {
				errs[k] = o.held[k].draw(rng, events, len(o.work.classes[k].modules))
			}
			for i, c := range o.compared {
				if c == nil {
					continue
				}
				for side, scores := range [2][]int{c.choice, c.single} {
					_, v := o.work.total(o.measures, c.in, func(k int) Errors { return errs[k][o.held[k].at(scores[k])] }, heldOut)
					sums[i][side] += v
				}
			}
		}
		for i, s := range sums {
			if s[1] > 0 {
				ratios[i] = append(ratios[i], s[0]/s[1])
			}
		}
	}
	for i, r := range ratios {
		if r != nil {
			slices.Sort(r)
			out[i] = evaluate.Interval{Low: stats.Quantile(r, 0.025), High: stats.Quantile(r, 0.975)}
		}
	}
	return out
}
