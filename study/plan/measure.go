package plan

import (
	"context"
	"fmt"

	"barrow/econt"
	"barrow/evaluate"
	"barrow/wafer"
)

// Errors are what a candidate leaves of a class's images.
type Errors struct {
	EMD    float64 `json:"emd"`     // mean of the images with charge
	Charge float64 `json:"emd_sum"` // mean of all images of the EMD times the image's charge in CALQ counts
	// Energy is, with the figure resolution, what a module of the class adds to the mean square
	// of the relative error of electrons' clusters.
	Energy float64 `json:"energy,omitempty"`
}

// A Score is a candidate with what it leaves of the images that are chosen by and of those
// that are measured by.
type Score struct {
	Candidate
	Validation Errors `json:"validation"`
	HeldOut    Errors `json:"held_out"`
	// Scale calibrates, with the figure resolution, what arrives of clusters: the best one of
	// those that are chosen by.
	Scale float64 `json:"scale,omitempty"`
	// ByDrop is Validation with 0 to 4 bits dropped, of the rules by hand that drop some: the
	// candidate has the best of them.
	ByDrop []Errors `json:"by_drop_lsb,omitempty"`
}

// measure is what is kept of a class.
type measure struct {
	Images [2]int     `json:"images"` // with charge, to choose by and to measure by
	Empty  [2]int     `json:"empty"`  // without
	Charge [2]float64 `json:"charge"` // mean of all images, CALQ counts
	// Occupancy is the mean of all images' cells above 1 MIP_T, nil in plans from before it was kept.
	Occupancy *[2]float64 `json:"occupancy,omitempty"`
	Scores    []Score     `json:"scores"`
}

// partsOf are a class's images.
func (w *work) partsOf(ctx context.Context, k int) (*parts, error) {
	if w.measured != nil {
		return w.measured.parts[k], nil
	}
	return w.plan.simulated(ctx, &w.classes[k])
}

// What classes are measured with.
const (
	byHand    = "hand"
	byLearned = "learned"
)

// measureSome measures candidates of some classes, those that are not measured yet. Shards of a
// run share them.
func (w *work) measureSome(ctx context.Context, what string, from, to float64, classes []int, of func(int, *parts) []Candidate) ([]measure, error) {
	list := make([]measure, len(w.classes))
	weights, names := make([]float64, len(classes)), make([]string, len(classes))
	for i, k := range classes {
		weights[i], names[i] = 1, fmt.Sprintf("%sclass-%04d-%s", w.prefix, k, what)
	}
	t := w.tally(from, to, weights)
	return list, w.folder.Share(ctx, names, w.threads, func(ctx context.Context, i int) error {
		k := classes[i]
		c := &w.classes[k]
		err := w.folder.Once(names[i], c.name(), &list[k], func() ([]string, error) {
			p, err := w.partsOf(ctx, k)
			if err != nil {
				return nil, err
			}
			list[k], err = w.measure(ctx, k, p, of(k, p))
			return nil, err
		})
		t.set(i, 1, "measuring "+c.name())
		return err
	})
}

// handCandidates are the rules by hand of a class, TS with the threshold that its images ask for.
func (w *work) handCandidates(k int, p *parts) []Candidate {
	c := &w.classes[k]
	var list []Candidate
	for _, s := range evaluate.SchemesOn(c.links) {
		one := Candidate{Algorithm: s.Short(), Decoding: s.Decoding, Links: s.Links}
		if s.Algorithm == econt.ThresholdSum {
			one.Threshold = tsThreshold(p.validation, c.links)
		}
		list = append(list, one)
	}
	return list
}

// tsThreshold is the lowest with which TS's mean frame fits.
func tsThreshold(images *wafer.Set, links int) uint32 {
	var lengths evaluate.FrameLengths
	for i := range images.Len() {
		lengths.Add(images.Image(i))
	}
	return lengths.Threshold(links)
}

// measure measures candidates on both parts of a class's images. Rules by hand drop as many
// bits as serves best on those that are chosen by; a decoder has learned with its own.
func (w *work) measure(ctx context.Context, k int, p *parts, candidates []Candidate) (m measure, err error) {
	m.Scores, m.Occupancy = make([]Score, len(candidates)), new([2]float64)
	for side, images := range p.sides() {
		total, above := 0.0, 0
		for i := range images.Len() {
			total += wafer.Sum(images.Image(i))
			above += wafer.Occupancy(images.Image(i), evaluate.MIP)
		}
		n := float64(images.Len())
		m.Images[side], m.Empty[side] = images.Len(), p.empty[side]
		m.Charge[side], m.Occupancy[side] = p.charged(side)*total/n, p.charged(side)*float64(above)/n
	}
	for i, one := range candidates {
		s := &m.Scores[i]
		if s.Candidate = one; one.Set == "" && one.drops() {
			for one.Drop = range econt.MaxDropLSB + 1 {
				e, scale, err := w.errors(ctx, k, p, one, validation, 0)
				if err != nil {
					return m, err
				}
				if s.ByDrop = append(s.ByDrop, e); one.Drop == 0 || w.plan.better(e, s.ByDrop[s.Drop]) {
					s.Drop, s.Scale = one.Drop, scale
				}
			}
			s.Validation = s.ByDrop[s.Drop]
		} else if s.Validation, s.Scale, err = w.errors(ctx, k, p, one, validation, 0); err != nil {
			return m, err
		}
		if s.HeldOut, _, err = w.errors(ctx, k, p, s.Candidate, heldOut, s.Scale); err != nil {
			return m, err
		}
	}
	return m, nil
}

// value is what a plan makes small.
func (p Plan) value(e Errors) float64 {
	switch p.Figure {
	case figureCharge:
		return e.Charge
	case figureResolution:
		return e.Energy
	}
	return e.EMD
}

// better reports whether errors are less than others: where no cluster tells, by the EMD.
func (p Plan) better(e, than Errors) bool {
	v, o := p.value(e), p.value(than)
	return v < o || v == o && e.EMD < than.EMD
}

// errors are what a candidate leaves of one side of a class's images, and the scale of what
// arrives of clusters.
func (w *work) errors(ctx context.Context, k int, p *parts, one Candidate, side int, scale float64) (e Errors, used float64, err error) {
	c, images := &w.classes[k], p.sides()[side]
	if err := ctx.Err(); err != nil {
		return e, 0, err
	}
	values, err := w.distances(ctx, c.high, images, one)
	if err == nil && w.plan.Figure == figureResolution {
		var off []float64
		off, used, err = w.off(ctx, k, side, one, scale)
		e.Energy = energy(off, len(c.modules))
	}
	if err != nil {
		return e, 0, fmt.Errorf("plan: %s: %s: %w", c.name(), one.Label(), err)
	}
	n := float64(images.Len())
	for k, v := range values {
		e.EMD += v / n
		e.Charge += p.charged(side) * v * wafer.Sum(images.Image(k)) / n
	}
	return e, used, nil
}

// candidatesOf are the sets of weights that a class can use: decoders of its own number of
// links, encoders of no more.
func (w *work) candidatesOf(sets []Set, k int, hand measure) []Candidate {
	c := &w.classes[k]
	var list []Candidate
	for _, s := range sets {
		switch {
		case s.Algorithm == encoderName && s.For <= c.links:
			list = append(list, Candidate{Algorithm: encoderName, Decoding: evaluate.DecodeLearned, Links: s.Links, Set: s.Name})
		case s.Algorithm != encoderName && s.For == c.links:
			one := Candidate{Algorithm: s.Algorithm, Decoding: evaluate.DecodeLearned, Links: s.Links, Set: s.Name, Drop: s.Drop[c.density()]}
			if s.Algorithm == econt.ThresholdSum.String() {
				one.Threshold = thresholdIn(hand)
			}
			list = append(list, one)
		}
	}
	return list
}
