package plan

import (
	"cmp"
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/nn"
	"barrow/run"
	"barrow/wafer"
)

// Errors are what a candidate leaves of a class's images.
type Errors struct {
	EMD    float64 `json:"emd"`     // mean of the images with charge
	Charge float64 `json:"emd_sum"` // mean of all images of the EMD times the image's charge in CALQ counts
}

// A Score is a candidate with what it leaves of the images that are chosen by and of those
// that are measured by.
type Score struct {
	Candidate
	Validation Errors `json:"validation"`
	HeldOut    Errors `json:"held_out"`
}

// measure is what is kept of a class.
type measure struct {
	Images [2]int     `json:"images"` // with charge, to choose by and to measure by
	Charge [2]float64 `json:"charge"` // mean of all images, CALQ counts
	Scores []Score    `json:"scores"`
}

// partsOf are a class's images.
func (w *work) partsOf(ctx context.Context, k int) (*parts, error) {
	if w.measured != nil {
		return w.measured.parts[k], nil
	}
	return w.plan.simulated(ctx, &w.classes[k])
}

// measureAll measures candidates of every class, those that are not measured yet.
func (w *work) measureAll(ctx context.Context, what string, from, to float64, of func(*class, *parts) ([]Candidate, error)) ([]measure, error) {
	list := make([]measure, len(w.classes))
	weights := make([]float64, len(list))
	for i := range weights {
		weights[i] = 1
	}
	t := w.tally(from, to, weights)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(w.threads)
	for k := range list {
		g.Go(func() error {
			c := &w.classes[k]
			err := w.folder.Once(fmt.Sprintf("class-%04d-%s", k, what), c.name(), &list[k], func() ([]string, error) {
				p, err := w.partsOf(ctx, k)
				if err != nil {
					return nil, err
				}
				candidates, err := of(c, p)
				if err != nil {
					return nil, err
				}
				list[k], err = w.measure(ctx, c, p, candidates)
				return nil, err
			})
			t.set(k, 1, "measuring "+c.name())
			return err
		})
	}
	return list, g.Wait()
}

// handCandidates are the rules by hand, TS with the threshold that its images ask for.
func (w *work) handCandidates(c *class, p *parts) ([]Candidate, error) {
	threshold := tsThreshold(p.validation, c.links)
	var list []Candidate
	for _, s := range byHand(c.links) {
		one := Candidate{Algorithm: algorithmOf(s), Decoding: s.Decoding, Links: s.Links}
		if s.Algorithm == econt.ThresholdSum {
			one.Threshold = threshold
		}
		list = append(list, one)
	}
	return list, nil
}

// tsThreshold is the lowest with which TS's mean frame fits.
func tsThreshold(images *wafer.Set, links int) uint32 {
	var lengths evaluate.FrameLengths
	for i := range images.Len() {
		lengths.Add(images.Image(i))
	}
	return lengths.Threshold(links)
}

// measure measures candidates on both parts of a class's images.
func (w *work) measure(ctx context.Context, c *class, p *parts, candidates []Candidate) (m measure, err error) {
	m.Scores = make([]Score, len(candidates))
	for i, one := range candidates {
		m.Scores[i].Candidate = one
	}
	for side, images := range []*wafer.Set{p.validation, p.heldOut} {
		n := images.Len()
		m.Images[side] = n
		charges, total := make([]float64, n), 0.0
		for i := range charges {
			charges[i] = wafer.Sum(images.Image(i))
			total += charges[i]
		}
		m.Charge[side] = p.charged[side] * total / float64(n)
		for i, one := range candidates {
			if err := ctx.Err(); err != nil {
				return m, err
			}
			values, err := w.distances(ctx, c, images, one)
			if err != nil {
				return m, fmt.Errorf("plan: %s: %s: %w", c.name(), one.Label(), err)
			}
			var e Errors
			for k, v := range values {
				e.EMD += v / float64(n)
				e.Charge += p.charged[side] * v * charges[k] / float64(n)
			}
			if side == 0 {
				m.Scores[i].Validation = e
			} else {
				m.Scores[i].HeldOut = e
			}
		}
	}
	return m, nil
}

// distances are the EMDs between images and what a candidate leaves of them.
func (w *work) distances(ctx context.Context, c *class, images *wafer.Set, one Candidate) ([]float64, error) {
	if one.Algorithm == encoderName {
		return w.encoderDistances(ctx, images, one)
	}
	s, err := one.scheme()
	if err != nil {
		return nil, err
	}
	if one.Set != "" {
		if s.Decoder, err = w.openDecoder(one.Set); err != nil {
			return nil, err
		}
	}
	of := evaluate.ChipSettings{Settings: evaluate.Settings{Threads: 1}, Density: evaluate.LowDensity, Values: true}
	if c.high {
		of.Density = evaluate.HighDensity
	}
	list, err := evaluate.Chip(ctx, w.metric, images, []evaluate.Scheme{s}, of)
	if err != nil {
		return nil, err
	}
	return list[0].Fidelity.Of(evaluate.EMD).Values, nil
}

// weights is the file of a set.
func (w *work) weights(set string) string {
	return w.folder.Path(run.Weights, set+run.WeightsEnding)
}

// encoderDistances are those of an encoder; images of which nothing arrives count as the same
// in all cells, as with the other algorithms.
func (w *work) encoderDistances(ctx context.Context, images *wafer.Set, one Candidate) ([]float64, error) {
	m, err := autoencoder.Load(w.weights(one.Set), nn.Settings{Threads: 1})
	if err != nil {
		return nil, err
	}
	decoded, err := m.Decode(ctx, images)
	if err != nil {
		return nil, err
	}
	for i := range decoded.Len() {
		if image := decoded.Image(i); wafer.Sum(image) == 0 {
			for k := range image {
				image[k] = 1
			}
		}
	}
	f, err := evaluate.Images(ctx, w.metric, images, decoded, evaluate.Settings{Threads: 1})
	if err != nil {
		return nil, err
	}
	return f.Of(evaluate.EMD).Values, nil
}

// candidatesOf are the sets of weights that a class can use: decoders of its own number of
// links, encoders of no more.
func candidatesOf(sets []Set, c *class, p *parts) []Candidate {
	var list []Candidate
	for _, s := range sets {
		switch {
		case s.Algorithm == encoderName && s.For <= c.links:
			list = append(list, Candidate{Algorithm: encoderName, Decoding: evaluate.DecodeLearned, Links: s.Links, Set: s.Name})
		case s.Algorithm != encoderName && s.For == c.links:
			one := Candidate{Algorithm: s.Algorithm, Decoding: evaluate.DecodeLearned, Links: s.Links, Set: s.Name}
			if s.Algorithm == econt.ThresholdSum.String() {
				one.Threshold = cmp.Or(tsThreshold(p.validation, c.links), 1)
			}
			list = append(list, one)
		}
	}
	return list
}
