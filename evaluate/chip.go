package evaluate

import (
	"context"
	"fmt"
	"math"

	"barrow/econt"
	"barrow/emd"
	"barrow/wafer"
)

// A Decoding says what the receiver makes of a frame of the trigger chip. It
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
}

// Schemes lists the chip's algorithms: TS, STC of every type and BC on every
// number of links up to most that they can use, with both decodings where
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

// Name is the algorithm in words, without links and decoding.
func (s Scheme) Name() string {
	switch s.Algorithm {
	case econt.BestChoice:
		return "best choice"
	case econt.ThresholdSum:
		return "threshold sum"
	case econt.SuperTriggerCell:
		return s.STCType.String()
	case econt.Repeater:
		return "repeater"
	}
	return s.Algorithm.String()
}

// A Baseline is what a scheme keeps of a set of images.
type Baseline struct {
	Name      string   `json:"name"`
	Algorithm string   `json:"algorithm"` // TS, STC, BC or RPT
	STCType   int      `json:"stc_type"`  // of STC, else −1
	Decoding  Decoding `json:"decoding"`
	Links     int      `json:"links"`
	LinkBits  int      `json:"link_bits"`           // a bunch crossing
	Threshold uint32   `json:"threshold,omitempty"` // of TS, in CALQ counts

	Bits    float64 `json:"bits_mean"` // of information in a frame, without padding
	MaxBits int     `json:"bits_max"`
	// Longer is the share of images whose frame is longer than LinkBits: TS
	// alone, which has a buffer.
	Longer float64 `json:"share_longer"`
	// Empty is the share of images of which no charge arrives. They are scored
	// as the image that is the same in all cells, and their response is 0.
	Empty float64 `json:"share_empty"`

	EMD         Summary `json:"emd"`
	Response    Summary `json:"response"`
	ByOccupancy []Bin   `json:"emd_by_occupancy,omitempty"`

	Values []float64 `json:"-"` // the EMDs image by image
}

// ChipSettings say which chip the images went through.
type ChipSettings struct {
	Settings
	// High says which images are of high-density wafers, whose charges lose
	// three bits instead of one; none by default.
	High []bool
}

// ChipTakes reports why images cannot go through the chip: charges must be
// CALQ counts, below 2^22, of which fractions are cut off. Images in another
// unit are told by most of them having no whole count.
func ChipTakes(images []float64) error {
	n, empty := len(images)/Cells, 0
	for i := range n {
		whole := false
		for c, v := range images[i*Cells : (i+1)*Cells] {
			if !(v >= 0 && v < 1<<22) {
				return fmt.Errorf("evaluate: image %d, cell %d: charge %v; the trigger chip takes 0 to less than %d", i+1, c, v, 1<<22)
			}
			whole = whole || v >= 1
		}
		if !whole {
			empty++
		}
	}
	if 2*empty > n {
		return fmt.Errorf("evaluate: %d of %d images have no charge of 1 or more; the trigger chip takes whole CALQ counts", empty, n)
	}
	return nil
}

// Densities says which images of a set are of high-density wafers, for
// [ChipSettings], and in words how that is known. choice is "ld" or "hd" for all
// of them, or "" for what the column HD_LD says of each (LD or HD); where there
// is none, low density is assumed, and said to be.
func Densities(set *wafer.Set, choice string) (high []bool, words string, err error) {
	switch choice {
	case "ld":
		return nil, "low, as given", nil
	case "hd":
		high = make([]bool, set.Len())
		for i := range high {
			high[i] = true
		}
		return high, "high, as given", nil
	case "":
	default:
		return nil, "", fmt.Errorf("evaluate: wafer density %q: want ld or hd", choice)
	}
	if set.Find(wafer.Density) == nil {
		return nil, "low, assumed: the images do not say", nil
	}
	if high, err = set.HighDensity(); err != nil {
		return nil, fmt.Sprintf("low, assumed: %v", err), nil
	}
	n := 0
	for _, h := range high {
		if h {
			n++
		}
	}
	return high, fmt.Sprintf("%d images low, %d high, as the column HD_LD says", len(high)-n, n), nil
}

// Baselines sends N images (N×48 charges in V9 order, CALQ counts, each with a
// positive sum) through the chip by every scheme, without its output buffer,
// and measures what the receiver gets on a ground metric of 48 points. No image
// is left out of any figure.
func Baselines(ctx context.Context, m *emd.Metric, images []float64, schemes []Scheme, s ChipSettings) ([]Baseline, error) {
	if len(images) == 0 || len(images)%Cells != 0 {
		return nil, fmt.Errorf("evaluate: %d charges; a whole number of %d-cell images is needed", len(images), Cells)
	}
	if n := len(images) / Cells; s.High != nil && len(s.High) != n {
		return nil, fmt.Errorf("evaluate: %d wafer densities for %d images", len(s.High), n)
	}
	if err := ChipTakes(images); err != nil {
		return nil, err
	}
	list := make([]Baseline, len(schemes))
	decoded := make([]float64, len(images))
	for k, scheme := range schemes {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := list[k].measure(ctx, m, images, decoded, scheme, s); err != nil {
			return nil, fmt.Errorf("evaluate: %s on %d links: %w", scheme.Name(), scheme.Links, err)
		}
	}
	return list, nil
}

// measure fills b; decoded is room for the images.
func (b *Baseline) measure(ctx context.Context, m *emd.Metric, images, decoded []float64, scheme Scheme, s ChipSettings) error {
	if scheme.Algorithm == econt.ThresholdSum && scheme.Threshold == 0 {
		scheme.Threshold = fittingThreshold(images, scheme.Links)
	}
	chips, err := scheme.chips()
	if err != nil {
		return err
	}
	*b = Baseline{
		Name: scheme.Name(), Algorithm: scheme.Algorithm.String(), STCType: -1, Decoding: scheme.Decoding,
		Links: scheme.Links, LinkBits: 32 * scheme.Links,
	}
	switch scheme.Algorithm {
	case econt.SuperTriggerCell:
		b.STCType = int(scheme.STCType)
	case econt.ThresholdSum:
		b.Threshold = scheme.Threshold
	}
	n := len(images) / Cells
	lost, longer, total := make([]bool, n), 0, 0
	for i := range n {
		chip := chips[0]
		if s.High != nil && s.High[i] {
			chip = chips[1]
		}
		out := decoded[i*Cells : (i+1)*Cells]
		bits, err := chip.Encode(images[i*Cells:(i+1)*Cells], out)
		if err != nil {
			return fmt.Errorf("image %d: %w", i+1, err)
		}
		total += bits
		b.MaxBits = max(b.MaxBits, bits)
		if bits > b.LinkBits {
			longer++
		}
		lost[i] = fillEmpty(out)
	}
	e, err := Images(ctx, m, images, decoded, s.Settings)
	if err != nil {
		return err
	}
	empty := 0
	for i, l := range lost {
		if l {
			empty++
			e.Responses[i] = 0
		}
	}
	b.Bits, b.Longer, b.Empty = float64(total)/float64(n), float64(longer)/float64(n), float64(empty)/float64(n)
	b.EMD, b.Response, b.ByOccupancy, b.Values = e.EMD, Summarise(e.Responses), e.ByOccupancy, e.Values
	return nil
}

// fillEmpty puts the same charge into all cells of an image without any: all
// that a receiver without charges knows of an image's shape.
func fillEmpty(image []float64) bool {
	for _, v := range image {
		if v > 0 {
			return false
		}
	}
	for c := range image {
		image[c] = 1
	}
	return true
}

// chips are the low- and the high-density chip of a scheme.
func (s Scheme) chips() (chips [2]*econt.Baseline, err error) {
	links := s.Links
	if s.Algorithm == econt.ThresholdSum {
		links = econt.MaxETx // the buffer carries a long frame over
	}
	for k := range chips {
		c, err := econt.BaselineConfig(s.Algorithm, links, k == 1, nil)
		if err != nil {
			return chips, err
		}
		c.STCType = s.STCType
		if s.Algorithm == econt.ThresholdSum {
			for ch := range c.Threshold {
				c.Threshold[ch] = s.Threshold
			}
		}
		d := econt.DecoderSettings{}
		switch s.Decoding {
		case DecodeKept:
		case DecodeSpread:
			d.Rest, d.Share = true, econt.ShareEqual
		default:
			return chips, fmt.Errorf("decoding %q: want %s or %s", s.Decoding, DecodeKept, DecodeSpread)
		}
		if chips[k], err = econt.NewBaseline(c, econt.BaselineSettings{Decoder: d}); err != nil {
			return chips, err
		}
	}
	return chips, nil
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

// fittingThreshold is the lowest threshold from 1 on with which TS's mean frame
// is no longer than what the links carry: frames only shorten as it rises.
func fittingThreshold(images []float64, links int) uint32 {
	n := len(images) / Cells
	fits := func(threshold float64) bool {
		words := 0
		for i := range n {
			pass := 0
			for _, v := range images[i*Cells : (i+1)*Cells] {
				if math.Floor(v) >= threshold {
					pass++
				}
			}
			words += thresholdSumWords(pass)
		}
		return words <= 2*links*n
	}
	low, high := uint32(1), uint32(1<<22-1)
	for low < high {
		middle := (low + high) / 2
		if fits(float64(middle)) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return low
}

// Reach is the fewest links on which an algorithm, with either decoding, leaves
// no more than the mean EMD, or 0 if it leaves more on all.
func Reach(list []Baseline, name string, emd float64) (links int) {
	for _, b := range list {
		if b.Name == name && b.EMD.Mean <= emd && (links == 0 || b.Links < links) {
			links = b.Links
		}
	}
	return links
}
