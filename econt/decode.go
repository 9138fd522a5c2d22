package econt

import (
	"fmt"
	"math/bits"
)

// A Point says which value of a code's interval a decoder takes.
type Point uint8

const (
	Middle Point = iota // halfway: unbiased where charges are spread evenly
	Lowest              // the interval's lower end: what truncation kept
)

// A Share says where a decoder puts the sum of a super trigger cell.
type Share uint8

const (
	// ShareLargest puts it where the address says; coarse cells, which send no
	// address, are shared equally.
	ShareLargest Share = iota
	// ShareEqual shares it equally among the cells.
	ShareEqual
)

// DecoderSettings are the choices the chip's receiver has. Charges of the
// image are in CALQ counts.
type DecoderSettings struct {
	Point Point
	Share Share
	// ZeroCode reads a charge or sum whose code is 0 like any other, as the
	// Point of its interval: with dropped bits its middle is above zero. By
	// default it reads as exactly 0.
	ZeroCode bool
	// Pedestal takes away what an empty input adds inside the chip: input code
	// 0 is calibrated to 1 (low density) or 4 (high), times the calibration. It
	// is subtracted from every charge sent, once a cell in sums, not below 0.
	Pedestal bool
	// Rest spreads the module sum that TS and BC send evenly over the cells
	// whose charges were not sent; with UseSum, after taking away those that
	// were. By default it is left out of the image.
	Rest bool
}

// Decoded is one frame, read back.
type Decoded struct {
	Header    uint8             // of the bunch crossing: 31 or 15 at the orbit's start
	Truncated bool              // a TS frame that the buffer refused: only Sum counts
	Bits      int               // of information: the frame without padding
	SumCode   uint32            // the module sum's code; 0 for RPT and STC
	Sum       float64           // the module sum in CALQ counts; 0 for RPT and STC
	Sent      uint64            // channels that were sent: with their own charge or, by STC, as a group's Carrier
	Image     [Channels]float64 // empty for AE, whose outputs a network decodes
	Latent    [16]uint16        // AE: the outputs, with zeros for bits not kept

	groups [maxGroups]Group
	n      int
}

// A Group is channels of which a frame gives the sum alone: what a rule, by hand or
// learned, has to share among them.
type Group struct {
	Cells   uint64  // its channels
	Carrier int     // the one with the largest charge, where the frame says which; else −1
	Sum     float64 // of their charges in CALQ counts, less their pedestals if those are taken away; never below 0
	// Limit is what no channel of the group is above, in CALQ counts, or 0 where
	// nothing says so: TS leaves out what is below threshold, BC what is not above the
	// smallest charge sent.
	Limit float64
}

// maxGroups are those of STC's types with four cells each.
const maxGroups = Channels / 4

// Groups are the channels without a charge of their own, as far as their sums arrive:
// all that TS and BC leave out, the super trigger cells sent, all 48 for AE, none for
// RPT. No two share a channel. They are the frame's as long as that is not written
// over. Channels in no group and not [Decoded.Known] have neither charge nor sum: of
// super trigger cells that the links do not carry, and RPT's beyond them.
func (d *Decoded) Groups() []Group { return d.groups[:d.n] }

// Known are the channels whose own charge was sent, which is that of Image.
func (d *Decoded) Known() uint64 {
	known := d.Sent
	for _, g := range d.Groups() {
		known &^= g.Cells
	}
	return known
}

// add is a further group.
func (d *Decoded) add(g Group) {
	d.groups[d.n] = g
	d.n++
}

// spread shares a group's sum equally.
func (d *Decoded) spread(g *Group) {
	each := g.Sum / float64(bits.OnesCount64(g.Cells))
	for m := g.Cells; m != 0; m &= m - 1 {
		d.Image[bits.TrailingZeros64(m)] = each
	}
}

// allChannels is the set of all.
const allChannels = 1<<Channels - 1

// A Decoder reads the frames of one configuration. It is not safe for
// concurrent use and allocates nothing after NewDecoder but for [Decoder.Stream].
type Decoder struct {
	config   Config
	set      DecoderSettings
	drop     uint
	pedestal [Channels]float64
}

// NewDecoder checks the configuration. It needs no weights.
func NewDecoder(c Config, s DecoderSettings) (*Decoder, error) {
	check := c
	if check.Algorithm == Autoencoder && check.Weights == nil {
		check.Weights = new(Weights)
	}
	if err := check.Validate(); err != nil {
		return nil, err
	}
	if s.Point > Lowest || s.Share > ShareEqual {
		return nil, fmt.Errorf("econt: decoder: point %d, share %d: no such choice", s.Point, s.Share)
	}
	d := &Decoder{config: c, set: s, drop: c.drop()}
	for ch := range d.pedestal {
		if s.Pedestal {
			empty := uint64(decodeTC(0, densityShift(c.HighDensity)))
			d.pedestal[ch] = float64(empty * uint64(c.Cal[ch]) >> 11)
		}
	}
	return d, nil
}

// bitReader reads a frame from its first bit on.
type bitReader struct {
	words []uint16
	pos   int
}

func (r *bitReader) left() int { return 16*len(r.words) - r.pos }

// take reads n ≤ 48 bits; what is not there reads as zero.
func (r *bitReader) take(n int) (v uint64) {
	for ; n > 0; n-- {
		v <<= 1
		if r.left() > 0 {
			v |= uint64(r.words[r.pos>>4]>>(15-r.pos&15)) & 1
		}
		r.pos++
	}
	return v
}

// value decodes a code of a number that lost drop bits before.
func (d *Decoder) value(f Format, code uint32, drop uint) float64 {
	if code == 0 && !d.set.ZeroCode {
		return 0
	}
	lo, hi := f.Interval(code)
	low := float64(lo << drop)
	if d.set.Point == Lowest {
		return low
	}
	return (low + float64((hi+1)<<drop-1)) / 2
}

// charge decodes one cell's 4E3M code.
func (d *Decoder) charge(ch int, code uint32) float64 {
	return max(d.value(F4E3M, code, d.drop)-d.pedestal[ch], 0)
}

// Frame decodes the words that one frame occupies.
func (d *Decoder) Frame(words []uint16, out *Decoded) error {
	*out = Decoded{}
	r := &bitReader{words: words}
	if len(words) == 0 {
		return fmt.Errorf("econt: decoder: no words")
	}
	switch d.config.Algorithm {
	case ThresholdSum:
		return d.thresholdSum(r, out)
	case SuperTriggerCell:
		return d.superTriggerCell(r, out)
	case BestChoice:
		return d.bestChoice(r, out)
	case Repeater:
		return d.repeater(r, out)
	}
	return d.autoencoder(r, out)
}

func (d *Decoder) repeater(r *bitReader, out *Decoded) error {
	out.Header = uint8(r.take(5))
	for ch := 0; ch < Channels && r.left() >= 7; ch++ {
		out.Image[ch] = d.charge(ch, uint32(r.take(7)))
		out.Sent |= 1 << ch
	}
	out.Bits = r.pos
	return nil
}

func (d *Decoder) thresholdSum(r *bitReader, out *Decoded) error {
	out.Header = uint8(r.take(5))
	kind := r.take(3)
	out.SumCode = uint32(r.take(8))
	out.Sum = d.value(F5E3M, out.SumCode, 0)
	switch kind {
	case 0b000:
	case 0b010:
		n := int(r.take(3))
		if err := d.addresses(r, out, n); err != nil {
			return err
		}
	case 0b100:
		if d.bitmap(r, out) < 8 {
			return fmt.Errorf("econt: decoder: TS frame of type 100 with fewer than 8 cells")
		}
	case 0b110, 0b111:
		out.Truncated = true
	default:
		return fmt.Errorf("econt: decoder: TS frame of type %03b", kind)
	}
	return d.charges(r, out)
}

func (d *Decoder) bestChoice(r *bitReader, out *Decoded) error {
	out.Header = uint8(r.take(4))
	out.SumCode = uint32(r.take(8))
	out.Sum = d.value(F5E3M, out.SumCode, d.drop)
	n := bestChoiceCells[d.config.ETx()]
	if n < 8 {
		if err := d.addresses(r, out, n); err != nil {
			return err
		}
	} else if got := d.bitmap(r, out); got != n {
		return fmt.Errorf("econt: decoder: BC map with %d cells; want %d", got, n)
	}
	return d.charges(r, out)
}

// addresses reads n channel numbers, ascending.
func (d *Decoder) addresses(r *bitReader, out *Decoded, n int) error {
	last := -1
	for range n {
		a := int(r.take(6))
		if a >= Channels || a <= last {
			return fmt.Errorf("econt: decoder: address %d after %d", a, last)
		}
		out.Sent |= 1 << a
		last = a
	}
	return nil
}

// bitmap reads one bit a channel and counts them.
func (d *Decoder) bitmap(r *bitReader, out *Decoded) int {
	out.Sent = bits.Reverse64(r.take(Channels)) >> (64 - Channels)
	return bits.OnesCount64(out.Sent)
}

// charges reads those of the channels sent, and places the rest.
func (d *Decoder) charges(r *bitReader, out *Decoded) error {
	n := bits.OnesCount64(out.Sent)
	if r.left() < 7*n {
		return fmt.Errorf("econt: decoder: %d bits left for %d charges", r.left(), n)
	}
	g := Group{Cells: allChannels &^ out.Sent, Carrier: -1, Sum: out.Sum}
	least := uint32(1<<F4E3M.Bits() - 1)
	for ch := range Channels {
		if out.Sent>>ch&1 == 0 {
			g.Sum -= d.pedestal[ch]
			continue
		}
		code := uint32(r.take(7))
		least = min(least, code)
		out.Image[ch] = d.charge(ch, code)
		if d.config.UseSum || out.Truncated {
			g.Sum -= d.value(F4E3M, code, d.drop)
		}
	}
	out.Bits = r.pos
	if g.Cells == 0 {
		return nil
	}
	g.Sum, g.Limit = max(g.Sum, 0), d.limit(out, least)
	out.add(g)
	if d.set.Rest {
		out.spread(&g)
	}
	return nil
}

// limit is what no channel left out is above; least is the smallest code sent.
func (d *Decoder) limit(out *Decoded, least uint32) float64 {
	switch {
	case out.Truncated:
		return 0
	case d.config.Algorithm == BestChoice:
		if least == 1<<F4E3M.Bits()-1 { // which stands for everything above, too
			return 0
		}
		_, hi := F4E3M.Interval(least)
		return float64((hi+1)<<d.drop - 1)
	}
	most := uint32(0)
	for ch, v := range d.config.Threshold {
		if out.Sent>>ch&1 == 0 && v > 0 {
			most = max(most, v-1)
		}
	}
	return float64(most)
}

func (d *Decoder) superTriggerCell(r *bitReader, out *Decoded) error {
	shape := &stcShapes[d.config.STCType]
	n := shape.onLinks[d.config.ETx()]
	if n == 0 {
		return fmt.Errorf("econt: decoder: STC type %d sends nothing on %d links", d.config.STCType, d.config.ETx())
	}
	out.Header = uint8(r.take(4))
	var best [12]int
	for i := range n {
		best[i] = int(r.take(shape.address))
	}
	drop := uint(0)
	if shape.drop {
		drop = d.drop
	}
	for i := range n {
		first := i * shape.cells
		g := Group{Cells: (1<<shape.cells - 1) << first, Carrier: -1}
		g.Sum = d.value(shape.format, uint32(r.take(shape.format.Bits())), drop)
		for ch := first; ch < first+shape.cells; ch++ {
			g.Sum -= d.pedestal[ch]
		}
		g.Sum = max(g.Sum, 0)
		if shape.address > 0 {
			g.Carrier = first + best[i]
			out.Sent |= 1 << g.Carrier
		}
		out.add(g)
		if g.Carrier >= 0 && d.set.Share == ShareLargest {
			out.Image[g.Carrier] = g.Sum
			continue
		}
		out.spread(&g)
	}
	out.Bits = r.pos
	return nil
}

func (d *Decoder) autoencoder(r *bitReader, out *Decoded) error {
	out.Header = uint8(r.take(5))
	out.SumCode = uint32(r.take(9))
	out.Sum = d.value(F5E4M, out.SumCode, 0)
	g := Group{Cells: allChannels, Carrier: -1, Sum: out.Sum}
	for _, p := range d.pedestal {
		g.Sum -= p
	}
	g.Sum = max(g.Sum, 0)
	out.add(g)
	room, kept := payloadBits(d.config.ETx()), d.config.Keep.Count()
	padding := max(room-kept, 0)
	for range padding {
		if r.take(1) != 0 {
			return fmt.Errorf("econt: decoder: AE padding is not zero")
		}
	}
	skip := max(kept-room, 0)
	for i := MaskBits - 1; i >= 0; i-- {
		switch {
		case !d.config.Keep.Bit(i):
		case skip > 0:
			skip--
		default:
			out.Latent[i/outputBits] |= uint16(r.take(1)) << (i % outputBits)
		}
	}
	out.Bits = r.pos - padding
	return nil
}

// Stream decodes all frames of consecutive output rows. For TS, whose frames
// are not tied to rows, frames are told from idle words by the bunch crossing
// that is due; one that the rows do not hold whole is left out.
func (d *Decoder) Stream(rows []Output) ([]Decoded, error) {
	words := make([]uint16, 0, frameWords*len(rows))
	for i := range rows {
		for l, w := range rows[i] {
			if d.config.Links>>l&1 != 0 {
				words = append(words, uint16(w>>16), uint16(w))
			}
		}
	}
	if d.config.Algorithm != ThresholdSum {
		list := make([]Decoded, len(rows))
		n := 2 * d.config.ETx()
		for i := range list {
			if err := d.Frame(words[i*n:(i+1)*n], &list[i]); err != nil {
				return nil, fmt.Errorf("%w (row %d)", err, i+1)
			}
		}
		return list, nil
	}
	return d.thresholdStream(words)
}

func (d *Decoder) thresholdStream(words []uint16) ([]Decoded, error) {
	var list []Decoded
	last := -1
	for at := 0; at < len(words); {
		head := int(words[at] >> 11)
		if head == last {
			at++ // idle
			continue
		}
		due := (last + 1) & 15
		if last == 31 {
			due = 1
		}
		if last >= 0 && head != 31 && head != due {
			return nil, fmt.Errorf("econt: decoder: TS word %d: bunch crossing %d after %d", at, head, last)
		}
		n := thresholdWords(words[at:])
		if n > len(words)-at {
			break
		}
		var out Decoded
		if err := d.Frame(words[at:at+n], &out); err != nil {
			return nil, fmt.Errorf("%w (TS word %d)", err, at)
		}
		list = append(list, out)
		last, at = head, at+n
	}
	return list, nil
}

// thresholdWords is the length of the TS frame that begins here, at least as
// far as the words tell.
func thresholdWords(words []uint16) int {
	switch kind := words[0] >> 8 & 7; {
	case kind == 0b010 && len(words) > 1:
		n := int(words[1] >> 13)
		return (16 + 3 + 13*n + 15) / 16
	case kind == 0b100 && len(words) > 3:
		n := bits.OnesCount16(words[1]) + bits.OnesCount16(words[2]) + bits.OnesCount16(words[3])
		return (16 + Channels + 7*n + 15) / 16
	case kind == 0b010 || kind == 0b100:
		return len(words) + 1
	}
	return 1
}
