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
}

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

// fits tells why frames of another chip are not those that a decoder was trained for.
func (c Chip) fits(other Chip) error {
	switch {
	case c.Algorithm != other.Algorithm || c.Links != other.Links || c.STCType != other.STCType:
		return fmt.Errorf("decoder: trained for frames of %v, not of %v", c, other)
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
