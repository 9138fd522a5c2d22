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
	// Algorithm is the chip's: TS, STC and CTC by the type, BC, RPT or AE.
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

// algorithmOf is the short name of a scheme's algorithm, with the type where there are several.
func algorithmOf(s evaluate.Scheme) string {
	if s.Algorithm == econt.SuperTriggerCell {
		return s.STCType.String()
	}
	return s.Algorithm.String()
}

// mostDrop is the most bits that drop_lsb drops.
const mostDrop = 4

// drops reports whether an algorithm drops bits: the others send theirs whole, or as many as fit.
func drops(s evaluate.Scheme) bool {
	return s.Algorithm == econt.ThresholdSum || s.Algorithm == econt.BestChoice || s.Algorithm == econt.SuperTriggerCell && s.STCType.Drops()
}

// drops reports whether the candidate's algorithm does.
func (c Candidate) drops() bool {
	s, err := c.named()
	return err == nil && drops(s)
}

// scheme is the candidate of a chip's own algorithm, on chips of low and of high density that
// drop so many bits.
func (c Candidate) scheme(drop [2]int) (evaluate.Scheme, error) {
	s, err := c.named()
	if err != nil || !drops(s) {
		return s, err
	}
	if s.Algorithm == econt.ThresholdSum {
		c.Links = econt.MaxETx // the buffer carries a long frame over
	}
	for k := range s.Chip {
		c.Drop = drop[k]
		config, err := c.config(k == 1)
		if err != nil {
			return s, err
		}
		if s.Chip[k], err = econt.NewBaseline(config, econt.BaselineSettings{}); err != nil {
			return s, err
		}
	}
	return s, nil
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
	if drops(s) {
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
func (c Candidate) named() (s evaluate.Scheme, err error) {
	s = evaluate.Scheme{Links: c.Links, Threshold: c.Threshold, Decoding: c.Decoding}
	for t := econt.STC4A5E4M; t <= econt.CTC4N5E4M; t++ {
		if t.String() == c.Algorithm {
			s.Algorithm, s.STCType = econt.SuperTriggerCell, t
			return s, nil
		}
	}
	s.Algorithm, err = econt.ParseAlgorithm(c.Algorithm)
	return s, err
}

// repeaterLinks are those without which RPT loses channels.
const repeaterLinks = 11

// byHand lists the chip's algorithms on so many links with their rules by hand. Those that
// cannot use as many links take what they can. TS is yet without its threshold.
func byHand(n int) []evaluate.Scheme {
	var list []evaluate.Scheme
	both := func(s evaluate.Scheme) {
		for _, s.Decoding = range []evaluate.Decoding{evaluate.DecodeKept, evaluate.DecodeSpread} {
			list = append(list, s)
		}
	}
	both(evaluate.Scheme{Algorithm: econt.BestChoice, Links: n})
	for t := econt.STC4A5E4M; t <= econt.CTC4N5E4M; t++ {
		s := evaluate.Scheme{Algorithm: econt.SuperTriggerCell, STCType: t, Links: n, Decoding: evaluate.DecodeSpread}
		for s.Links > 1 && t.Groups(s.Links) == 0 {
			s.Links--
		}
		if t.Addressed() {
			both(s)
		} else {
			list = append(list, s)
		}
	}
	both(evaluate.Scheme{Algorithm: econt.ThresholdSum, Links: n})
	if n >= repeaterLinks {
		list = append(list, evaluate.Scheme{Algorithm: econt.Repeater, Links: repeaterLinks, Decoding: evaluate.DecodeKept})
	}
	return list
}

// learnable reports whether frames leave a decoder something to learn.
func learnable(s evaluate.Scheme) bool {
	return s.Algorithm != econt.Repeater && (s.Algorithm != econt.BestChoice || s.Links < econt.MaxETx)
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
