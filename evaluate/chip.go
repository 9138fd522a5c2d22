package evaluate

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"barrow/econt"
	"barrow/emd"
	"barrow/internal/jsonout"
	"barrow/wafer"
)

// A ChipResult is what one of the chip's own algorithms keeps of a set of images.
type ChipResult struct {
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
	// Empty is the share of images of which no charge arrives. Their shape is scored
	// as that of the image that is the same in all cells, and their response is 0.
	Empty float64 `json:"share_empty"`

	// Fidelity holds the figures of merit; in JSON their keys stand beside the
	// others.
	Fidelity Fidelity `json:"-"`
}

// MarshalJSON writes the result with its figures as one object.
func (r ChipResult) MarshalJSON() ([]byte, error) {
	type own ChipResult
	return jsonout.Join(own(r), r.Fidelity)
}

// UnmarshalJSON reads it again.
func (r *ChipResult) UnmarshalJSON(b []byte) error {
	type own ChipResult
	if err := json.Unmarshal(b, (*own)(r)); err != nil {
		return err
	}
	return r.Fidelity.UnmarshalJSON(b)
}

// ChipSettings say which chip the images went through.
type ChipSettings struct {
	Settings
	// Density of the wafers, of which those of high density lose three bits of a
	// charge instead of one: one of the Densities for all, or "" for what the column
	// HD_LD says of each (LD or HD). Where there is none, low density is assumed.
	Density string
	// Values keeps the figures image by image, 8 bytes each, in every result.
	Values bool
}

// The densities that ChipSettings takes.
const (
	LowDensity  = "ld"
	HighDensity = "hd"
)

// CheckDensity refuses a density that there is not.
func CheckDensity(density string) error {
	switch density {
	case "", LowDensity, HighDensity:
		return nil
	}
	return fmt.Errorf("evaluate: wafer density %q: want %s or %s", density, LowDensity, HighDensity)
}

// A ChipMeter sends images through the chip. It gathers them batch by batch, packed
// into some 30 bytes each where they are whole counts, with what the schemes' decoders
// want to know of them, and measures every scheme when all are there, since the threshold of TS depends on all.
type ChipMeter struct {
	metric   *emd.Metric
	schemes  []Scheme
	settings ChipSettings

	images   packed
	lengths  FrameLengths
	noCounts int   // images without a charge of 1 or more
	bad      error // the first charge that the chip does not take

	densities densities // by the column HD_LD, if it is what counts

	conditions [][]float32 // by scheme, for the decoders that want them
}

// NewChipMeter sends images through the chip by every scheme, without its output
// buffer, and measures what the receiver gets on a ground metric of 48 points.
func NewChipMeter(m *emd.Metric, schemes []Scheme, s ChipSettings) (*ChipMeter, error) {
	if err := CheckDensity(s.Density); err != nil {
		return nil, err
	}
	for _, scheme := range schemes {
		if _, err := scheme.chipsOf(s.Density); err != nil {
			return nil, fmt.Errorf("evaluate: %s on %d links: %w", scheme.Name(), scheme.Links, err)
		}
	}
	s.Lost = true
	if _, err := s.Settings.withDefaults(); err != nil {
		return nil, err
	}
	return &ChipMeter{metric: m, schemes: schemes, settings: s, conditions: make([][]float32, len(schemes))}, nil
}

// maxCharge is above what a channel of the chip counts.
const maxCharge = 1 << 22

// Add gathers images, CALQ counts with a positive sum each.
func (c *ChipMeter) Add(images *wafer.Set) {
	if c.settings.Density == "" && c.bad == nil {
		_, c.bad = c.densities.add(images)
	}
	c.condition(images)
	for i := range images.Len() {
		if c.bad != nil {
			return
		}
		image, whole := images.Image(i), false
		for k, v := range image {
			if !(v >= 0 && v < maxCharge) {
				c.bad = fmt.Errorf("evaluate: image %d, cell %d: charge %v; the trigger chip takes 0 to less than %d", c.images.n+1, k, v, maxCharge)
				return
			}
			whole = whole || v >= 1
		}
		if !whole {
			c.noCounts++
		}
		c.lengths.Add(image)
		c.images.add(image)
	}
}

// condition asks the decoders what they want to know of the images.
func (c *ChipMeter) condition(images *wafer.Set) {
	for k, scheme := range c.schemes {
		if scheme.Decoder == nil || c.bad != nil {
			continue
		}
		conditions, err := scheme.Decoder.Conditions(images)
		var value *wafer.ValueError
		switch {
		case errors.As(err, &value):
			c.bad = fmt.Errorf("evaluate: %s on %d links, learned: %w", scheme.Name(), scheme.Links, &wafer.ValueError{Image: c.images.n + value.Image, Err: value.Err})
		case err != nil:
			c.bad = fmt.Errorf("evaluate: %s on %d links, learned: %w", scheme.Name(), scheme.Links, err)
		}
		c.conditions[k] = append(c.conditions[k], conditions...)
	}
}

// Density says in words which wafers are of high density, and how that is known.
func (c *ChipMeter) Density() string {
	switch c.settings.Density {
	case LowDensity:
		return "low, as given"
	case HighDensity:
		return "high, as given"
	}
	return c.densities.String()
}

// Check reports why the images so far cannot go through the chip: charges must be
// CALQ counts, below 2^22, of which fractions are cut off. Images in another unit
// are told by most of them having no whole count.
func (c *ChipMeter) Check() error {
	switch {
	case c.bad != nil:
		return c.bad
	case c.images.n == 0:
		return ErrNoImages
	case 2*c.noCounts > c.images.n:
		return fmt.Errorf("evaluate: %d of %d images have no charge of 1 or more; the trigger chip takes whole CALQ counts", c.noCounts, c.images.n)
	}
	return nil
}

// CheckCounts is ChipMeter.Check of images with a positive sum each, of any density.
func CheckCounts(images *wafer.Set) error {
	c := ChipMeter{settings: ChipSettings{Density: LowDensity}}
	c.Add(images)
	return c.Check()
}

// Measure measures the schemes. No image is left out of any figure.
func (c *ChipMeter) Measure(ctx context.Context) ([]ChipResult, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	list := make([]ChipResult, len(c.schemes))
	for k, scheme := range c.schemes {
		var err error
		if list[k], err = c.measure(ctx, k, scheme); err != nil {
			return nil, fmt.Errorf("evaluate: %s on %d links: %w", scheme.Name(), scheme.Links, err)
		}
	}
	return list, nil
}

// chipBatch is how many images go through the chip at once.
const chipBatch = 4096

// measure sends all images through one scheme, the k-th.
func (c *ChipMeter) measure(ctx context.Context, k int, scheme Scheme) (r ChipResult, err error) {
	r = ChipResult{
		Name: scheme.Name(), Algorithm: scheme.Algorithm.String(), STCType: -1, Decoding: scheme.Decoding,
		Links: scheme.Links, LinkBits: 32 * scheme.Links,
	}
	switch scheme.Algorithm {
	case econt.SuperTriggerCell:
		r.STCType = int(scheme.STCType)
	case econt.ThresholdSum:
		if scheme.Threshold == 0 && scheme.Chip[0] == nil {
			scheme.Threshold = c.lengths.Threshold(scheme.Links)
		}
		r.Threshold = scheme.Threshold
	}
	t := tally{ChipMeter: c, k: k, result: &r, learned: learned{decoder: scheme.Decoder}}
	if t.chips, err = scheme.chipsOf(c.settings.Density); err != nil {
		return r, err
	}
	meter, err := NewMeter(c.metric, c.settings.Settings)
	if err != nil {
		return r, err
	}
	done, n := 0, c.images.n
	var images, decoded wafer.Set
	for from := 0; c.images.read(&from, &images, chipBatch); {
		if err := ctx.Err(); err != nil {
			return r, err
		}
		if err := t.send(ctx, done, &images, &decoded); err != nil {
			return r, err
		}
		if err := meter.Add(ctx, &images, &decoded); err != nil {
			return r, err
		}
		done += images.Len()
		if p := c.settings.Progress; p != nil {
			p((float64(k)+float64(done)/float64(n))/float64(len(c.schemes)), fmt.Sprintf("%s on %d links", r.Name, r.Links))
		}
	}
	r.Bits, r.Longer, r.Empty = float64(t.bits)/float64(n), float64(t.longer)/float64(n), float64(t.empty)/float64(n)
	r.Fidelity = *meter.Fidelity()
	if !c.settings.Values {
		for k := range r.Fidelity.Figures {
			r.Fidelity.Figures[k].Values = nil
		}
	}
	return r, nil
}

// A tally counts what a scheme, the k-th, sends.
type tally struct {
	*ChipMeter
	k                   int
	chips               [2]*econt.Baseline
	learned             learned
	result              *ChipResult // of which it sets MaxBits
	bits, longer, empty int
}

// send makes of images what is decoded of their frames; done images were before them.
func (t *tally) send(ctx context.Context, done int, images, decoded *wafer.Set) error {
	decoded.Charge = append(decoded.Charge[:0], images.Charge...)
	for i := range images.Len() {
		chip := t.chip(t.chips, done+i)
		bits, err := chip.Encode(images.Image(i), decoded.Image(i))
		if err != nil {
			return fmt.Errorf("image %d: %w", done+i+1, err)
		}
		t.learned.add(chip)
		t.bits += bits
		t.result.MaxBits = max(t.result.MaxBits, bits)
		if bits > t.result.LinkBits {
			t.longer++
		}
	}
	if err := t.learned.decode(ctx, t.conditionsOf(t.k, done, images.Len()), decoded.Charge); err != nil {
		return err
	}
	for i := range images.Len() {
		if wafer.Sum(decoded.Image(i)) == 0 {
			t.empty++
		}
	}
	return nil
}

// conditionsOf are scheme k's of some images.
func (c *ChipMeter) conditionsOf(k, from, n int) []float32 {
	each := len(c.conditions[k]) / c.images.n
	return c.conditions[k][from*each : (from+n)*each]
}

// chip is that of image i, of low or of high density.
func (c *ChipMeter) chip(chips [2]*econt.Baseline, i int) *econt.Baseline {
	if c.settings.Density == HighDensity || c.densities.high != nil && c.densities.high[i] {
		return chips[1]
	}
	return chips[0]
}

// Chip sends images through the chip by every scheme: a [ChipMeter] of one batch.
func Chip(ctx context.Context, m *emd.Metric, images *wafer.Set, schemes []Scheme, s ChipSettings) ([]ChipResult, error) {
	c, err := NewChipMeter(m, schemes, s)
	if err != nil {
		return nil, err
	}
	c.Add(images)
	return c.Measure(ctx)
}

// fillEmpty puts the same charge into all cells of an image without any: all
// that a receiver without charges knows of an image's shape.
func fillEmpty(image []float64) {
	for _, v := range image {
		if v > 0 {
			return
		}
	}
	for c := range image {
		image[c] = 1
	}
}

// Reach is the fewest links on which an algorithm, with any decoding, leaves
// no more than the mean EMD, or 0 if it leaves more on all.
func Reach(list []ChipResult, name string, emd float64) (links int) {
	for _, b := range list {
		if b.Name == name && b.Fidelity.Of(EMD).Mean <= emd && (links == 0 || b.Links < links) {
			links = b.Links
		}
	}
	return links
}
