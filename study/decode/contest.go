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

// meter gathers images for the rules by hand and the decoders, in this order.
func (c *contest) meter(learned []evaluate.FrameDecoder) (*evaluate.ChipMeter, error) {
	schemes := c.hand()
	for _, m := range learned {
		schemes = append(schemes, c.scheme(evaluate.DecodeLearned, m))
	}
	s := evaluate.Settings{Threads: c.threads, Points: c.points, Progress: c.progress}
	return evaluate.NewChipMeter(c.metric, schemes, evaluate.ChipSettings{Settings: s, Density: c.density, Values: true})
}

// measured is what decodings keep of images.
type measured struct {
	list    []evaluate.ChipResult // the rules by hand, or AE's own decoder, and then what has learned
	density string                // of the wafers, in words
}

// measure measures the rules and the decoders.
func (c *contest) measure(ctx context.Context, images *wafer.Set, learned []evaluate.FrameDecoder) (r measured, err error) {
	m, err := c.meter(learned)
	if err != nil {
		return r, err
	}
	m.Add(images)
	if r.list, err = m.Measure(ctx); err != nil {
		return r, err
	}
	r.density = m.Density()
	if c.encoder == nil {
		return r, nil
	}
	own := r.list[0] // of the same frames
	own.Decoding = DecodeOwn
	decoded, err := c.own(ctx, images)
	if err != nil {
		return r, err
	}
	f, err := evaluate.Images(ctx, c.metric, images, decoded, evaluate.Settings{Threads: c.threads, Points: c.points})
	if err != nil {
		return r, err
	}
	own.Fidelity = *f
	r.list = slices.Insert(r.list, 0, own)
	return r, nil
}

// own is what the encoder with its own decoder makes of images as the chip takes them, as whole
// counts. One without any is the same in all cells, as where nothing arrives.
func (c *contest) own(ctx context.Context, images *wafer.Set) (*wafer.Set, error) {
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
