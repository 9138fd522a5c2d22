package decode

import (
	"context"
	"slices"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
	"barrow/study/internal/learned"
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
func (c *contest) start(decoders []evaluate.FrameDecoder) (*meter, error) {
	schemes := c.hand()
	for _, m := range decoders {
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
	decoded, err := learned.DecodeOwn(ctx, m.encoder, images)
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
func (c *contest) measure(ctx context.Context, images *wafer.Set, decoders []evaluate.FrameDecoder) (r measured, err error) {
	m, err := c.start(decoders)
	if err == nil {
		err = m.add(ctx, images)
	}
	if err != nil {
		return r, err
	}
	return m.measure(ctx)
}
