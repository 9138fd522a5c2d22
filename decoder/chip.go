package decoder

import (
	"crypto/sha256"
	"fmt"

	"barrow/econt"
)

// A Chip is what decides what a frame means to a decoder.
type Chip struct {
	Algorithm string `json:"algorithm"`
	// Links is how many there are; 0 of TS, whose frames know no links.
	Links     int    `json:"links,omitempty"`
	STCType   int    `json:"stc_type,omitempty"`
	Threshold uint32 `json:"threshold,omitempty"` // of TS, the largest; any other fits, too
	// Keep and Weights tell an encoder from others: the bits of its outputs that are sent, and a
	// digest of its weights.
	Keep    *econt.Mask `json:"keep,omitempty"`
	Weights string      `json:"weights,omitempty"`
	// Entry, Point, ZeroCode and Pedestal are how images enter and how codes are read.
	Entry    econt.Entry `json:"entry,omitempty"`
	Point    econt.Point `json:"point,omitempty"`
	ZeroCode bool        `json:"zero_code,omitempty"`
	Pedestal bool        `json:"pedestal,omitempty"`
	// Low and High are what the chips of low- and of high-density wafers sent that the decoder
	// learned from: nil of a density that it did not learn, both of an untrained decoder and in
	// files that do not say.
	Low  *Sent `json:"low,omitempty"`
	High *Sent `json:"high,omitempty"`
}

// Sent is what is as important to a decoder as the algorithm, but for those of which it
// changes nothing: these have zeros.
type Sent struct {
	DropLSB uint8 `json:"drop_lsb,omitempty"` // bits dropped before 4E3M, 0 to 4
	UseSum  bool  `json:"use_sum,omitempty"`  // of TS and BC: the sum of all cells, not of those left out
}

// sentBy is what a chip sends.
func sentBy(config econt.Config) (s Sent) {
	a := config.Algorithm
	sums := a == econt.ThresholdSum || a == econt.BestChoice
	if a.Drops(config.STCType) && config.DropLSB <= econt.MaxDropLSB {
		s.DropLSB = config.DropLSB // above, it acts as 0
	}
	s.UseSum = sums && config.UseSum
	return s
}

// learnt notes the chips of both densities that the decoder learns from.
func (c *Chip) learnt(chips [2]*econt.Baseline) error {
	c.Low, c.High = nil, nil
	for _, chip := range chips {
		if chip == nil {
			continue // of which newSender tells
		}
		of, config := &c.Low, chip.Config()
		if config.HighDensity {
			of = &c.High
		}
		s := sentBy(config)
		if *of != nil && **of != s {
			return fmt.Errorf("decoder: two chips of the same density to learn from, one with %v and one with %v: give one of each density, or the same twice", **of, s)
		}
		*of = &s
	}
	return nil
}

// String says it as settings do.
func (s Sent) String() string { return fmt.Sprintf("drop_lsb %d and use_sum %t", s.DropLSB, s.UseSum) }

// chipOf is that of a baseline's frames.
func chipOf(b *econt.Baseline) Chip {
	config, set := b.Config(), b.Settings()
	c := Chip{
		Algorithm: config.Algorithm.String(), Links: config.ETx(),
		Entry: set.Entry, Point: set.Decoder.Point, ZeroCode: set.Decoder.ZeroCode, Pedestal: set.Decoder.Pedestal,
	}
	switch config.Algorithm {
	case econt.ThresholdSum:
		c.Links = 0
		for _, v := range config.Threshold {
			c.Threshold = max(c.Threshold, v)
		}
	case econt.SuperTriggerCell:
		c.STCType = int(config.STCType)
	case econt.Autoencoder:
		keep := config.Keep
		c.Keep = &keep
		h := sha256.New()
		for _, w := range config.Weights.Registers() {
			h.Write([]byte{byte(w)})
		}
		c.Weights = fmt.Sprintf("%x", h.Sum(nil))
	}
	return c
}

// algorithm is the chip's.
func (c Chip) algorithm() (econt.Algorithm, error) {
	a, err := econt.ParseAlgorithm(c.Algorithm)
	if err != nil {
		return a, fmt.Errorf("decoder: %w", err)
	}
	return a, nil
}

// String names the chip as a sentence would: BC on 3 links.
func (c Chip) String() string {
	s := c.Algorithm
	if c.Algorithm == econt.SuperTriggerCell.String() {
		s += fmt.Sprintf(" type %d", c.STCType)
	}
	switch {
	case c.Links == 1:
		s += " on 1 link"
	case c.Links > 1:
		s += fmt.Sprintf(" on %d links", c.Links)
	}
	return s
}

// A framesError is that frames are of another algorithm, or on other links, than those that a
// decoder reads.
type framesError struct{ Want, Got Chip }

func (e *framesError) Error() string {
	return fmt.Sprintf("decoder: trained for frames of %v, not of %v", e.Want, e.Got)
}

// OtherFrames is true: it is no matter of settings.
func (e *framesError) OtherFrames() bool { return true }

// fits tells why frames of another chip are not those that a decoder was trained for.
func (c Chip) fits(other Chip) error {
	switch {
	case c.Algorithm != other.Algorithm || c.Links != other.Links || c.STCType != other.STCType:
		return &framesError{c, other}
	case c.Weights != other.Weights:
		return fmt.Errorf("decoder: trained for the outputs of an encoder with other weights")
	case c.Keep != nil && *c.Keep != *other.Keep:
		return fmt.Errorf("decoder: trained for an encoder of which other bits are sent")
	case c.Entry != other.Entry:
		return fmt.Errorf("decoder: trained for images that enter the chip otherwise, through the readout's code or not")
	case c.Point != other.Point || c.ZeroCode != other.ZeroCode || c.Pedestal != other.Pedestal:
		return fmt.Errorf("decoder: trained for charges that are read otherwise from their codes (point, zero code, pedestal)")
	}
	return nil
}

// fitsSent tells why what a chip sends is not what the decoder learned from. A density that it did
// not learn is none of those where it changes what a frame means.
func (c Chip) fitsSent(config econt.Config) error {
	own, other, name := c.Low, c.High, "low"
	if config.HighDensity {
		own, other, name = c.High, c.Low, "high"
	}
	s := sentBy(config)
	switch {
	case own != nil && *own != s:
		return fmt.Errorf("decoder: trained for %s-density wafers' frames with %v, not with %v", name, *own, s)
	case own == nil && other != nil && (*other != s || c.Entry != econt.EntryCALQ || c.Pedestal):
		return fmt.Errorf("decoder: not trained for frames of %s-density wafers, only for those of the other density with %v", name, *other)
	}
	return nil
}
