package plan

import (
	"fmt"
	"strings"

	"barrow/autoencoder"
	"barrow/econt"
	"barrow/evaluate"
)

// encoderName names the encoder among the chip's algorithms.
var encoderName = econt.Autoencoder.String()

// A Candidate is a way to set a module and to decode what it sends.
type Candidate struct {
	// Algorithm is the chip's by its short name (evaluate.Scheme.Short).
	Algorithm string            `json:"algorithm"`
	Decoding  evaluate.Decoding `json:"decoding"`
	Links     int               `json:"links"`               // that it uses
	Threshold uint32            `json:"threshold,omitempty"` // of TS, in CALQ counts
	Drop      int               `json:"drop_lsb"`            // bits of TS, BC and the types with 4E3M that are dropped before it, 0 to 4
	Set       string            `json:"set,omitempty"`       // of trained weights; none of the rules by hand
}

// Label is the candidate in a few words, without links.
func (c Candidate) Label() string {
	switch {
	case c.Algorithm == encoderName:
		return "encoder"
	case c.Decoding == evaluate.DecodeKept:
		return c.Algorithm
	}
	return c.Algorithm + " " + string(c.Decoding)
}

// drops reports whether the candidate's algorithm drops bits.
func (c Candidate) drops() bool {
	s, err := c.named()
	return err == nil && s.Drops()
}

// baseline sends images by a chip and reads the frames. Of TS it has all links, since the buffer
// carries a long frame over.
func baseline(config econt.Config, d evaluate.Decoding) (*econt.Baseline, error) {
	if config.Algorithm == econt.ThresholdSum {
		config.Links = econt.LinkMask(econt.MaxETx)
	}
	return econt.NewBaseline(config, econt.BaselineSettings{Decoder: d.Reading()})
}

// config is the chip's on the candidate's links, of an algorithm of its own.
func (c Candidate) config(high bool) (econt.Config, error) {
	s, err := c.named()
	if err != nil {
		return econt.Config{}, err
	}
	config, err := econt.BaselineConfig(s.Algorithm, c.Links, high, nil)
	if err != nil {
		return config, err
	}
	config.STCType = s.STCType
	if s.Drops() {
		config.DropLSB = uint8(c.Drop)
	}
	if s.Algorithm == econt.ThresholdSum {
		for ch := range config.Threshold {
			config.Threshold[ch] = c.Threshold
		}
	}
	return config, nil
}

// named is the scheme with the usual bits dropped.
func (c Candidate) named() (evaluate.Scheme, error) {
	s, err := evaluate.ParseShort(c.Algorithm)
	s.Links, s.Threshold, s.Decoding = c.Links, c.Threshold, c.Decoding
	return s, err
}

// architecture is that of the encoder for so many links.
func (p Plan) architecture(n int) autoencoder.Architecture {
	a := autoencoder.Architecture{
		Precision: precision, Normalisation: autoencoder.Normalisations()[0],
		Decoder: autoencoder.DecoderResidual, Output: autoencoder.OutputSquare, Conditional: true,
	}
	a.Mask = usualMasks[n]
	if masks, err := p.masks(); err == nil && masks[n] != "" {
		a.Mask = masks[n]
	}
	return a
}

// usualMasks use all 18, 50, 82 and 114 bits that an encoder's frame has for outputs on 1 to 4 links,
// where the same width for all leaves two of them; on one link two bits of nine outputs keep
// more than one of sixteen.
var usualMasks = map[int]string{1: "9x2,7x0", 2: "2x4,14x3", 3: "2x6,14x5", 4: "2x8,14x7", 5: "16x9"}

// usualMasksText says them as settings do.
func usualMasksText() string {
	var words []string
	for n := 1; usualMasks[n] != ""; n++ {
		words = append(words, fmt.Sprintf("%d:%s", n, usualMasks[n]))
	}
	return strings.Join(words, ", ")
}

// masks are the widths of outputs by links.
func (p Plan) masks() (map[int]string, error) {
	by := map[int]string{}
	for _, text := range p.Masks {
		var n int
		links, widths, ok := strings.Cut(text, ":")
		if _, err := fmt.Sscanf(links, "%d", &n); err != nil || !ok || widths == "" || fmt.Sprint(n) != links {
			return nil, fmt.Errorf("masks = %q: want LINKS:WIDTHS, as in 1:9x2,7x0", text)
		}
		if by[n] != "" {
			return nil, fmt.Errorf("masks: two for %s", links)
		}
		w, err := autoencoder.ParseWidths(widths)
		if err != nil {
			return nil, err
		}
		keep := w.Keep()
		if most := keep.Links(); most > n {
			return nil, fmt.Errorf("masks = %q: %d bits take %d links", text, keep.Count(), most)
		}
		by[n] = w.String()
	}
	return by, nil
}
