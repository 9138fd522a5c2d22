package decode

import (
	"context"
	"math"
	"slices"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/wafer"
)

// DecodeOwn is the decoder that an encoder was trained with, in the place of a rule by hand.
const DecodeOwn evaluate.Decoding = "own"

// A contest measures decodings of the same frames.
type contest struct {
	chips   [2]*econt.Baseline
	encoder *autoencoder.Model // of AE, else nil
	metric  *emd.Metric
	points  []hgcal.Point
	density string // evaluate.ChipSettings.Density
	threads int

	progress func(share float64, note string) // nil for none
}

// scheme is the chip with a decoding.
func (c *contest) scheme(d evaluate.Decoding, m evaluate.FrameDecoder) evaluate.Scheme {
	config := c.chips[0].Config()
	s := evaluate.Scheme{Algorithm: config.Algorithm, Links: config.ETx(), Decoding: d, Decoder: m, Chip: c.chips}
	switch config.Algorithm {
	case econt.SuperTriggerCell:
		s.STCType = config.STCType
	case econt.ThresholdSum:
		s.Threshold = config.Threshold[0]
	}
	return s
}

// hand are the chip's decodings by hand.
func (c *contest) hand() []evaluate.Scheme {
	spread := c.scheme(evaluate.DecodeSpread, nil)
	switch {
	case spread.Algorithm == econt.Autoencoder:
		return nil
	case spread.Algorithm == econt.SuperTriggerCell && !spread.STCType.Addressed():
		return []evaluate.Scheme{spread}
	}
	return []evaluate.Scheme{c.scheme(evaluate.DecodeKept, nil), spread}
}

// measured is what decodings keep of images.
type measured struct {
	list    []evaluate.ChipResult // the rules by hand, or AE's own decoder, and then what has learned
	density string                // of the wafers, in words
}

// rules is how many of the list are none that has learned.
func (c *contest) rules() int { return max(1, len(c.hand())) }

// A meter gathers images, batch by batch.
type meter struct {
	*contest
	chip *evaluate.ChipMeter
	own  *evaluate.Meter // of AE's own decoder, else nil
}

// start makes a meter for the rules by hand and the decoders, in this order.
func (c *contest) start(learned []evaluate.FrameDecoder) (*meter, error) {
	schemes := c.hand()
	for _, m := range learned {
		schemes = append(schemes, c.scheme(evaluate.DecodeLearned, m))
	}
	s, m := evaluate.Settings{Threads: c.threads, Points: c.points}, &meter{contest: c}
	var err error
	if c.encoder != nil {
		if m.own, err = evaluate.NewMeter(c.metric, s); err != nil {
			return nil, err
		}
	}
	s.Progress = c.progress
	m.chip, err = evaluate.NewChipMeter(c.metric, schemes, evaluate.ChipSettings{Settings: s, Density: c.density, Values: true})
	return m, err
}

// add gathers images with charge.
func (m *meter) add(ctx context.Context, images *wafer.Set) error {
	m.chip.Add(images)
	if m.own == nil {
		return nil
	}
	decoded, err := m.decode(ctx, images)
	if err != nil {
		return err
	}
	return m.own.Add(ctx, images, decoded)
}

// measure measures them.
func (m *meter) measure(ctx context.Context) (r measured, err error) {
	if r.list, err = m.chip.Measure(ctx); err != nil {
		return r, err
	}
	r.density = m.chip.Density()
	if m.own != nil {
		own := r.list[0] // of the same frames
		own.Decoding, own.Fidelity = DecodeOwn, *m.own.Fidelity()
		r.list = slices.Insert(r.list, 0, own)
	}
	return r, nil
}

// measure measures the rules and the decoders on images.
func (c *contest) measure(ctx context.Context, images *wafer.Set, learned []evaluate.FrameDecoder) (r measured, err error) {
	m, err := c.start(learned)
	if err == nil {
		err = m.add(ctx, images)
	}
	if err != nil {
		return r, err
	}
	return m.measure(ctx)
}

// decode is what the encoder with its own decoder makes of images as the chip takes them, as whole
// counts. One without any is the same in all cells, as where nothing arrives.
func (c *contest) decode(ctx context.Context, images *wafer.Set) (*wafer.Set, error) {
	decoded := &wafer.Set{Charge: make([]float64, len(images.Charge))}
	var rows []int
	for i := range images.Len() {
		if slices.Max(images.Image(i)) >= 1 {
			rows = append(rows, i)
			continue
		}
		for k := range decoded.Image(i) {
			decoded.Image(i)[k] = 1
		}
	}
	whole := images.Select(rows)
	for i, v := range whole.Charge {
		whole.Charge[i] = math.Floor(v)
	}
	some, err := c.encoder.Decode(ctx, whole)
	if err != nil {
		return nil, err
	}
	for k, i := range rows {
		copy(decoded.Image(i), some.Image(k))
	}
	return decoded, nil
}
