package econt

import (
	"fmt"
	"math"

	"barrow/hgcal"
)

// An Entry says how an image enters the chip.
type Entry uint8

const (
	// EntryCALQ takes charges as calibrated counts, truncated to integers. An
	// empty cell stays empty.
	EntryCALQ Entry = iota
	// EntryERx sends them through the readout's 4E3M code first, truncated, so
	// that the chip's own decoding gives every cell the middle of its interval
	// and an empty cell its pedestal.
	EntryERx
)

// BaselineSettings choose how a [Baseline] works. The zero value takes CALQ
// counts, and images in V9 order.
type BaselineSettings struct {
	Entry   Entry
	Order   hgcal.Order // of the images, in and out
	Decoder DecoderSettings
}

// A Baseline is the chip as an image compressor: image in, decoded image and
// bits out, one wafer at a time and without the output buffer. Its channels
// are those of the algorithm, whatever the multiplexer says
// ([Algorithm.Order]): [hgcal.PostMux], in which super trigger cells are groups of
// neighbours, and [hgcal.Raster] for AE. It is not safe for concurrent use and allocates nothing after
// NewBaseline.
type Baseline struct {
	emulator *Emulator
	decoder  *Decoder
	set      BaselineSettings
	channel  [Channels]int // channel of the image's cell
	words    []uint16
	decoded  Decoded
}

// BaselineConfig is the usual configuration of an algorithm on n links: the
// density's dropped bits (1 low, 3 high), threshold 47 (1.35 MIP_T for 200 µm),
// the sum of what was left out, all calibrations 1, and for AE the bits the
// chip is meant to send on n links. Weights are for AE, else nil.
func BaselineConfig(a Algorithm, links int, high bool, weights *Weights) (Config, error) {
	if links < 1 || links > MaxETx {
		return Config{}, fmt.Errorf("econt: %d links: want 1 to %d", links, MaxETx)
	}
	c := Defaults()
	c.Algorithm, c.HighDensity, c.Links, c.Weights = a, high, LinkMask(links), weights
	c.DropLSB = 1
	if high {
		c.DropLSB = 3
	}
	c.STCType = STC4A5E4M
	c.UseSum = false
	c.Keep = KeepTop(TopBits(links))
	for ch := range c.Threshold {
		c.Threshold[ch] = 47
	}
	return c, c.Validate()
}

// NewBaseline checks the settings. An STC type that sends nothing on that many
// links is an error here, though a chip would send zeros.
func NewBaseline(c Config, s BaselineSettings) (*Baseline, error) {
	if c.Algorithm == SuperTriggerCell && c.Validate() == nil && stcShapes[c.STCType].onLinks[c.ETx()] == 0 {
		return nil, fmt.Errorf("econt: STC type %d fills at most %d links; on %d the chip sends zeros",
			c.STCType, stcLinks(c.STCType), c.ETx())
	}
	if s.Entry > EntryERx {
		return nil, fmt.Errorf("econt: baseline: entry %d: no such choice", s.Entry)
	}
	if err := s.Order.Check(); err != nil {
		return nil, fmt.Errorf("econt: baseline: %w", err)
	}
	e, err := New(c)
	if err != nil {
		return nil, err
	}
	d, err := NewDecoder(c, s.Decoder)
	if err != nil {
		return nil, err
	}
	return &Baseline{emulator: e, decoder: d, set: s, channel: hgcal.Map(c.Algorithm.Order(), s.Order)}, nil
}

// Order is how a [Baseline] with the algorithm numbers its channels.
func (a Algorithm) Order() hgcal.Order {
	if a == Autoencoder {
		return hgcal.Raster
	}
	return hgcal.PostMux
}

// stcLinks is the most links that a type fills.
func stcLinks(t STCType) (n int) {
	for i, groups := range stcShapes[t].onLinks {
		if groups > 0 {
			n = i
		}
	}
	return n
}

// Config is the chip's configuration.
func (b *Baseline) Config() Config { return b.emulator.Config() }

// Settings are those that it was made with.
func (b *Baseline) Settings() BaselineSettings { return b.set }

// LinkBits is what the links carry in a bunch crossing: 32 bits each. TS may
// need more for one wafer and less for others.
func (b *Baseline) LinkBits() int { return 32 * b.emulator.etx }

// Encode sends one image of 48 charges through the chip and decodes it into
// out, which may be the image itself, both in the settings' order. bits is the
// frame's information without padding. Charges must be numbers from 0 to less
// than 2^22 CALQ counts, or the error is a [*ChargeError]; their fractions are cut off.
func (b *Baseline) Encode(image, out []float64) (bits int, err error) {
	if len(out) != Channels {
		return 0, fmt.Errorf("econt: baseline: output of %d charges; want 48", len(out))
	}
	words, err := b.Send(image)
	if err != nil {
		return 0, err
	}
	if err := b.decoder.Frame(words, &b.decoded); err != nil {
		return 0, err
	}
	for i := range out {
		out[i] = b.decoded.Image[b.channel[i]]
	}
	return b.decoded.Bits, nil
}

// Send is the frame of one image, as Encode takes it, without decoding. The words are valid until the
// next call.
func (b *Baseline) Send(image []float64) ([]uint16, error) {
	if len(image) != Channels {
		return nil, fmt.Errorf("econt: baseline: image of %d charges; want 48", len(image))
	}
	e := b.emulator
	for i, v := range image {
		if !(v >= 0 && v < 1<<22) {
			return nil, &ChargeError{Cell: i, Charge: v}
		}
		e.calq[b.channel[i]] = uint32(math.Floor(v))
	}
	if b.set.Entry == EntryERx {
		d := densityShift(e.config.HighDensity)
		for ch, q := range e.calq {
			code := F4E3M.Encode(uint64(q) >> d)
			e.calq[ch] = uint32(uint64(decodeTC(code, d)) * uint64(e.config.Cal[ch]) >> 11)
		}
	}
	// Bunch crossing 1: the header says nothing about the image.
	e.format(1)
	words := e.frame.words[:(e.frame.pos+15)/16]
	if n := 2 * e.etx; e.config.Algorithm != ThresholdSum && len(words) > n {
		words = words[:n] // RPT on fewer links than it needs
	}
	b.words = words
	return words, nil
}

// A ChargeError is a charge that the chip's inputs cannot have.
type ChargeError struct {
	Cell   int
	Charge float64
}

func (e *ChargeError) Error() string {
	return fmt.Sprintf("econt: baseline: cell %d: charge %v: want 0 to less than %d", e.Cell, e.Charge, 1<<22)
}

// Words is the frame of the last Encode, at most 26 words of 16 bits; it is valid until the
// next.
func (b *Baseline) Words() []uint16 { return b.words }

// Decoded is the frame of the last Encode, read back, in the algorithm's
// channel order.
func (b *Baseline) Decoded() *Decoded { return &b.decoded }

// Fields are the parts of the frame of the last Encode, in their order, without what fills up its
// last word. A channel's index is one of the algorithm's order ([Algorithm.Order]).
func (b *Baseline) Fields() []Field {
	f := &b.emulator.frame
	f.trace = true
	b.emulator.format(1)
	f.trace = false
	var list []Field
	for _, field := range f.fields {
		if end := 16 * len(b.words); field.Bit < end && field.Name != "padding" && field.Name != "idle" {
			field.Width = min(field.Width, end-field.Bit)
			list = append(list, field)
		}
	}
	return list
}
