package evaluate

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"barrow/econt"
	"barrow/hgcal"
)

// A Decoding says what the receiver makes of a frame of the trigger chip. By hand it
// knows the frame and the geometry, nothing else.
type Decoding string

const (
	// DecodeKept puts the charges that were sent into their cells, a super
	// trigger cell's sum into its largest cell, and nothing anywhere else.
	DecodeKept Decoding = "kept"
	// DecodeSpread shares what has no cell of its own: the module sum of BC and
	// TS evenly over the cells that were not sent, a super trigger cell's sum
	// evenly over its cells.
	DecodeSpread Decoding = "spread"
	// DecodeLearned leaves it to the scheme's decoder.
	DecodeLearned Decoding = "learned"
)

// A Scheme is one of the chip's fixed algorithms on a number of links with a
// decoding: what a trained encoder competes with.
type Scheme struct {
	Algorithm econt.Algorithm // TS, STC, BC or RPT
	STCType   econt.STCType   // of STC
	// Links is the bandwidth: 32 bits a bunch crossing each. TS is given it on
	// average, all others in every bunch crossing.
	Links int
	// Threshold is the lowest charge that TS sends, in CALQ counts. 0 chooses
	// the lowest with which the mean frame fits the links.
	Threshold uint32
	Decoding  Decoding
	Decoder   FrameDecoder // with DecodeLearned, else nil
	// Chip is that of low and that of high density where its settings are not the usual ones of
	// the algorithm, or the algorithm is AE: with the fields above, from which it is made
	// otherwise. Only the decoding is not the chip's, but the scheme's.
	Chip [2]*econt.Baseline
}

// Schemes lists the chip's algorithms: TS, STC of every type and BC on every
// number of links up to most that they can use, with both decodings by hand where
// they differ, and RPT on the 11 links that it needs if most allows them.
func Schemes(most int) []Scheme {
	var list []Scheme
	both := func(s Scheme) {
		for _, s.Decoding = range []Decoding{DecodeKept, DecodeSpread} {
			list = append(list, s)
		}
	}
	for n := 1; n <= min(most, econt.MaxETx); n++ {
		both(Scheme{Algorithm: econt.BestChoice, Links: n})
	}
	for t := econt.STC4A5E4M; t <= econt.CTC4N5E4M; t++ {
		for n := 1; n <= min(most, econt.MaxETx); n++ {
			s := Scheme{Algorithm: econt.SuperTriggerCell, STCType: t, Links: n, Decoding: DecodeSpread}
			switch {
			case t.Groups(n) == 0:
			case t.Addressed():
				both(s)
			default:
				list = append(list, s)
			}
		}
	}
	for n := 1; n <= min(most, 5); n++ {
		both(Scheme{Algorithm: econt.ThresholdSum, Links: n})
	}
	if most >= repeaterLinks {
		list = append(list, Scheme{Algorithm: econt.Repeater, Links: repeaterLinks, Decoding: DecodeKept})
	}
	return list
}

// repeaterLinks carry RPT's 341 bits.
const repeaterLinks = 11

// SchemesOn lists the chip's algorithms for a module with so many links, with their decodings by
// hand: each on all of them, or on as many as it can use. RPT is there where it has the 11 that it
// needs. Links beyond what TS fills carry its frames sooner.
func SchemesOn(links int) []Scheme {
	var list []Scheme
	at := map[Scheme]int{}
	for _, s := range Schemes(links) {
		of := s
		of.Links = 0
		if s.Algorithm == econt.ThresholdSum {
			s.Links = links
		}
		k, ok := at[of]
		if !ok {
			k = len(list)
			at[of], list = k, append(list, s)
		}
		list[k] = s // on more links
	}
	return list
}

// Learns reports whether frames of the algorithm leave a decoder anything: RPT sends all cells, as
// best choice on 13 links does.
func (s Scheme) Learns() bool {
	return s.Algorithm != econt.Repeater && (s.Algorithm != econt.BestChoice || s.Links < econt.MaxETx)
}

// Drops reports whether the algorithm drops bits.
func (s Scheme) Drops() bool { return s.Algorithm.Drops(s.STCType) }

// Short is the algorithm's short name, without links and decoding: TS, BC, RPT, AE, or the type of
// super trigger cells.
func (s Scheme) Short() string {
	if s.Algorithm == econt.SuperTriggerCell {
		return s.STCType.String()
	}
	return s.Algorithm.String()
}

// ParseShort is the algorithm of a short name.
func ParseShort(name string) (s Scheme, err error) {
	for t := econt.STC4A5E4M; t <= econt.CTC4N5E4M; t++ {
		if t.String() == name {
			return Scheme{Algorithm: econt.SuperTriggerCell, STCType: t}, nil
		}
	}
	s.Algorithm, err = econt.ParseAlgorithm(name)
	return s, err
}

// Name is the algorithm in words, without links and decoding.
func (s Scheme) Name() string {
	switch s.Algorithm {
	case econt.BestChoice:
		return "best choice"
	case econt.ThresholdSum:
		return "threshold sum"
	case econt.Repeater:
		return "repeater"
	}
	return s.Short()
}

// Chips are the low- and the high-density chip of a scheme. Images go through them as
// CALQ counts in V9 order. A number of links that the algorithm cannot use is an error.
func (s Scheme) Chips() (chips [2]*econt.Baseline, err error) { return s.chipsOf("") }

// chipsOf are the chips of wafers that all have a density, twice the same; of both without one.
func (s Scheme) chipsOf(density string) (chips [2]*econt.Baseline, err error) {
	d, err := s.reading()
	if err != nil {
		return chips, err
	}
	for n := range chips {
		k := n
		switch density {
		case LowDensity:
			k = 0
		case HighDensity:
			k = 1
		}
		config, set, err := s.chip(k)
		if err != nil {
			return chips, err
		}
		set.Decoder.Rest, set.Decoder.Share = d.Rest, d.Share
		if chips[n], err = econt.NewBaseline(config, set); err != nil {
			return chips, err
		}
		if s.Decoder == nil {
			continue
		}
		if err := s.Decoder.Fits(chips[n]); err != nil {
			return chips, err
		}
	}
	return chips, nil
}

// chip is what the chip of low or, with 1, of high density is made from.
func (s Scheme) chip(k int) (c econt.Config, set econt.BaselineSettings, err error) {
	if b := s.Chip[k]; b != nil {
		c, set = b.Config(), b.Settings()
		set.Order = hgcal.V9
		if c.Algorithm != s.Algorithm || c.Algorithm == econt.SuperTriggerCell && c.STCType != s.STCType {
			return c, set, fmt.Errorf("the chip's algorithm is %v, of STC type %d: want %v, %d", c.Algorithm, c.STCType, s.Algorithm, s.STCType)
		}
		return c, set, nil
	}
	links := s.Links
	switch {
	case s.Algorithm == econt.ThresholdSum:
		links = econt.MaxETx // the buffer carries a long frame over
	case s.Algorithm == econt.Repeater && links < repeaterLinks:
		return c, set, fmt.Errorf("the repeater's 48 charges need %d links, not %d", repeaterLinks, links)
	}
	if c, err = econt.BaselineConfig(s.Algorithm, links, k == 1, nil); err != nil {
		return c, set, err
	}
	c.STCType = s.STCType
	if s.Algorithm == econt.ThresholdSum {
		for ch := range c.Threshold {
			c.Threshold[ch] = s.Threshold
		}
	}
	return c, set, nil
}

// reading is how frames are read.
func (s Scheme) reading() (d econt.DecoderSettings, err error) {
	switch {
	case s.Decoding == DecodeLearned && s.Decoder == nil:
		return d, errors.New("the decoding is learned, but there is no decoder")
	case s.Decoding != DecodeLearned && s.Decoder != nil:
		return d, fmt.Errorf("there is a decoder, but the decoding is %q: want %s", s.Decoding, DecodeLearned)
	case s.Decoding != DecodeKept && s.Decoding != DecodeSpread && s.Decoding != DecodeLearned:
		return d, fmt.Errorf("decoding %q: want %s, %s or %s", s.Decoding, DecodeKept, DecodeSpread, DecodeLearned)
	}
	return s.Decoding.Reading(), nil
}

// Reading is how frames are read with the decoding: by hand, or as a decoder that has learned wants
// them.
func (d Decoding) Reading() (s econt.DecoderSettings) {
	if d == DecodeSpread {
		s.Rest, s.Share = true, econt.ShareEqual
	}
	return s
}

// thresholdSumWords is the length of TS's frame with n cells in 16-bit words.
func thresholdSumWords(n int) int {
	switch {
	case n == 0:
		return 1
	case n < 8:
		return (16 + 3 + 13*n + 15) / 16
	}
	return (16 + Cells + 7*n + 15) / 16
}

// FrameLengths adds up how long TS's frames are at any threshold. The zero value has seen
// no image.
type FrameLengths struct {
	images int
	// longer is by how many words all frames together are longer once the threshold is
	// as low as a charge: whole ones, so that there are not many.
	longer map[uint32]int
}

// Images is how many there were.
func (f *FrameLengths) Images() int { return f.images }

// Add adds the frames of an image of 48 charges in CALQ counts, of which fractions are
// cut off.
func (f *FrameLengths) Add(image []float64) {
	if f.longer == nil {
		f.longer = map[uint32]int{}
	}
	f.images++
	var charges [Cells]uint32
	for c, v := range image {
		charges[c] = uint32(v)
	}
	slices.Sort(charges[:])
	for n := 1; n <= Cells && charges[Cells-n] > 0; n++ {
		if d := thresholdSumWords(n) - thresholdSumWords(n-1); d > 0 {
			f.longer[charges[Cells-n]] += d
		}
	}
}

// Threshold is the lowest one from 1 on with which TS's mean frame is no longer than what
// the links carry: frames only shorten as it rises.
func (f *FrameLengths) Threshold(links int) uint32 {
	words := f.images * thresholdSumWords(0)
	charges := slices.Sorted(maps.Keys(f.longer))
	for _, v := range slices.Backward(charges) {
		if words += f.longer[v]; words > 2*links*f.images {
			return min(v+1, maxCharge-1)
		}
	}
	return 1
}
