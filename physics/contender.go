package physics

import (
	"context"
	"fmt"
	"math"

	"barrow/decoder"
	"barrow/econt"
	"barrow/evaluate"
	"barrow/hgcal"
)

// Contender is a way of sending wafers' images, in the integers of the trigger chip.
type Contender interface {
	// Name tells it from other contenders: "all cells", "best choice spread, 3 links".
	Name() string
	// Links are those that it sends on, nil where nothing limits it.
	Links() *LinkTable
	// Decode puts into out[k] what arrives of the images of events[k]: 48 charges for each
	// of its wafers, in CALQ. The slices' memory is reused where it is enough. What
	// comes out does not depend on how events are put together. It is for one
	// goroutine at a time.
	Decode(ctx context.Context, events []*Event, out [][]float64) error
	// Clone returns one for another goroutine.
	Clone() (Contender, error)
}

// Fitter is a Contender that has to see events before it decodes.
type Fitter interface {
	// Fit takes from events, the first of a run's say, what the chip's registers would be
	// set to, in place of what an earlier call took.
	Fit(events []*Event) error
}

// maxCharge is above what a channel of the chip counts.
const maxCharge = 1 << 22

// room makes out the place for what arrives of the events.
func room(events []*Event, out [][]float64) error {
	if len(out) != len(events) {
		return fmt.Errorf("physics: room for %d events, not for %d", len(out), len(events))
	}
	for k, e := range events {
		n := len(e.Wafers) * hgcal.Cells
		if len(e.Images.Charge) != n {
			return fmt.Errorf("physics: event %d: %d charges of %d wafers: want 48 each", e.Number, len(e.Images.Charge), len(e.Wafers))
		}
		if cap(out[k]) < n {
			out[k] = make([]float64, n)
		}
		out[k] = out[k][:n]
	}
	return nil
}

// counts reports whether an image has a charge of one count or more, and what no chip
// can have.
func counts(image []float64) (some bool, err error) {
	top := 0.0
	for k, v := range image {
		if !(v >= 0 && v < maxCharge) {
			return false, fmt.Errorf("cell %d: charge %v: want 0 to less than %d CALQ counts", k, v, maxCharge)
		}
		top = max(top, v)
	}
	return top >= 1, nil
}

// at adds to an error where it is.
func at(e *Event, wafer int, err error) error {
	return fmt.Errorf("physics: event %d, wafer %d: %w", e.Number, wafer+1, err)
}

// allCells is the Contender of NewAllCells.
type allCells struct{}

// NewAllCells sends every charge in whole CALQ counts, on as many links as that takes: what
// the others are compared with.
func NewAllCells() Contender { return allCells{} }

func (allCells) Name() string                { return "all cells" }
func (allCells) Links() *LinkTable           { return nil }
func (a allCells) Clone() (Contender, error) { return a, nil }

func (allCells) Decode(ctx context.Context, events []*Event, out [][]float64) error {
	if err := room(events, out); err != nil {
		return err
	}
	for k, e := range events {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i, v := range e.Images.Charge {
			if !(v >= 0 && v < maxCharge) {
				_, err := counts(e.Images.Image(i / hgcal.Cells))
				return at(e, i/hgcal.Cells, err)
			}
			out[k][i] = math.Floor(v)
		}
	}
	return nil
}

// algorithm is the Contender of NewAlgorithm.
type algorithm struct {
	name       string
	geometry   *Geometry
	scheme     evaluate.Scheme
	links      *LinkTable
	thresholds [econt.MaxETx + 1]uint32             // of TS by links, 0 where not yet fitted
	chips      [econt.MaxETx + 1][2]*econt.Baseline // by links, of low and of high density
	density    []uint8                              // by wafer: 1 for high
	decoders   [econt.MaxETx + 1]*decoder.Model     // by links, of those that learned; else nil
}

// NewAlgorithm sends images by one of the chip's own algorithms, TS, RPT, STC, CTC or BC, on
// the links of the table; Links of the scheme is 0. Wafers of high density lose three bits
// of a charge, others one.
//
// STC and CTC use no more links than their sums fill. TS has the links on average. Its
// threshold, if the scheme's is 0, is chosen for each number of links by Fit: the lowest
// with which the mean frame of the events' wafers with charge on so many links fits; of
// all wafers with charge where there are fewer than 100 such. Links that the algorithm
// cannot use are an error.
func NewAlgorithm(s evaluate.Scheme, links *LinkTable) (Contender, error) {
	a, err := newAlgorithm(s, links)
	if err != nil {
		return nil, err
	}
	if s.Decoding == evaluate.DecodeLearned || s.Decoder != nil {
		return nil, fmt.Errorf("physics: %s with a decoder that has learned: NewLearned has one for each number of links", s.Name())
	}
	return a, a.build()
}

// newAlgorithm is one without chips.
func newAlgorithm(s evaluate.Scheme, links *LinkTable) (*algorithm, error) {
	if links == nil {
		return nil, fmt.Errorf("physics: %s without a table of links", s.Name())
	}
	if s.Links != 0 {
		return nil, fmt.Errorf("physics: %s on %d links: the table of links says on how many", s.Name(), s.Links)
	}
	if s.Algorithm > econt.Repeater {
		return nil, fmt.Errorf("physics: %v is none of the algorithms TS, STC, BC and RPT", s.Algorithm)
	}
	a := &algorithm{name: s.Name(), geometry: links.geometry, scheme: s, links: links}
	if s.Decoding == evaluate.DecodeSpread && (s.Algorithm != econt.SuperTriggerCell || s.STCType.Addressed()) {
		a.name += " spread"
	}
	if s.Decoding == evaluate.DecodeLearned {
		a.name += " learned"
	}
	a.name += ", " + links.Name()
	a.density = make([]uint8, a.geometry.Len())
	for i := range a.density {
		if a.geometry.wafers[i].Module.HighDensity() {
			a.density[i] = 1
		}
	}
	for _, n := range links.Counts() {
		a.thresholds[n] = s.Threshold
	}
	return a, nil
}

// LinksUsed is how many of a module's links an algorithm uses: all, but by super trigger
// cells no more than their sums fill.
func LinksUsed(s evaluate.Scheme, links int) int {
	if s.Algorithm == econt.SuperTriggerCell {
		for links > 1 && s.STCType.Groups(links) == 0 {
			links--
		}
	}
	return links
}

// build makes the chips.
func (a *algorithm) build() (err error) {
	for _, n := range a.links.Counts() {
		if n == 0 {
			continue
		}
		s := a.scheme
		s.Links, s.Threshold = LinksUsed(s, n), a.thresholds[n]
		if d := a.decoders[n]; d != nil {
			s.Decoder = d
		}
		if a.chips[n], err = s.Chips(); err != nil {
			return fmt.Errorf("physics: %s: %w", a.name, err)
		}
	}
	return nil
}

func (a *algorithm) Name() string      { return a.name }
func (a *algorithm) Links() *LinkTable { return a.links }

func (a *algorithm) Clone() (Contender, error) {
	c := *a
	return &c, c.build()
}

// fewWafers are too few for a threshold of their own.
const fewWafers = 100

// Fit chooses TS's thresholds.
func (a *algorithm) Fit(events []*Event) error {
	if a.scheme.Algorithm != econt.ThresholdSum || a.scheme.Threshold != 0 {
		return nil
	}
	var all evaluate.FrameLengths
	var own [econt.MaxETx + 1]evaluate.FrameLengths
	for _, e := range events {
		for i, w := range e.Wafers {
			image := e.Images.Image(i)
			some, err := counts(image)
			if err != nil {
				return at(e, i, err)
			}
			if n := a.links.links[w]; some && n > 0 {
				all.Add(image)
				own[n].Add(image)
			}
		}
	}
	if all.Images() == 0 {
		return fmt.Errorf("physics: %s: no wafer with charge in %d events to fit its threshold to", a.name, len(events))
	}
	for _, n := range a.links.Counts() {
		if own[n].Images() >= fewWafers {
			a.thresholds[n] = own[n].Threshold(n)
		} else {
			a.thresholds[n] = all.Threshold(n)
		}
	}
	return a.build()
}

// Decode sends images through the chip.
func (a *algorithm) Decode(ctx context.Context, events []*Event, out [][]float64) error {
	if err := room(events, out); err != nil {
		return err
	}
	if err := a.fitted(); err != nil {
		return err
	}
	for k, e := range events {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i, w := range e.Wafers {
			image, to := e.Images.Image(i), out[k][i*hgcal.Cells:][:hgcal.Cells]
			some, err := counts(image)
			if err != nil {
				return at(e, i, err)
			}
			n := a.links.links[w]
			if !some || n == 0 {
				clear(to)
				continue
			}
			if _, err := a.chips[n][a.density[w]].Encode(image, to); err != nil {
				return at(e, i, err)
			}
		}
	}
	return nil
}

// fitted reports TS's thresholds that are yet to be chosen.
func (a *algorithm) fitted() error {
	if a.scheme.Algorithm != econt.ThresholdSum {
		return nil
	}
	for _, n := range a.links.Counts() {
		if n > 0 && a.thresholds[n] == 0 {
			return fmt.Errorf("physics: %s: no threshold yet: fit it to events first, or give one", a.name)
		}
	}
	return nil
}
