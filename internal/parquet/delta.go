package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// delta reads whole numbers of DELTA_BINARY_PACKED: a first one, then blocks of
// differences, in miniblocks of packed bits.
type delta struct {
	b      []byte
	minis  int    // miniblocks of a block
	per    int    // numbers of a miniblock
	left   uint64 // numbers to come
	last   int64
	first  bool
	narrow bool // 32 bits, beyond which numbers wrap

	least  int64  // difference of the block
	widths []byte // of the miniblocks to come
	mini   []byte // the one under way
	width  uint
	at     int // number in it
}

func newDelta(b []byte, narrow bool) (*delta, error) {
	d := &delta{b: b, narrow: narrow, first: true}
	var head [3]uint64
	for i := range head {
		v, n := binary.Uvarint(d.b)
		if n <= 0 {
			return nil, errValues
		}
		head[i], d.b = v, d.b[n:]
	}
	size, minis := head[0], head[1]
	if size == 0 || size > 1<<20 || minis == 0 || minis > size || size%minis != 0 || size/minis%8 != 0 {
		return nil, fmt.Errorf("differences in blocks of %d and %d", size, minis)
	}
	d.minis, d.per, d.left = int(minis), int(size/minis), head[2]
	v, n := binary.Varint(d.b)
	if n <= 0 {
		return nil, errValues
	}
	d.last, d.b = v, d.b[n:]
	d.at = d.per
	return d, nil
}

// fill reads numbers into all of dst.
func (d *delta) fill(dst []int64) error {
	if uint64(len(dst)) > d.left {
		return errValues
	}
	d.left -= uint64(len(dst))
	if d.first && len(dst) > 0 {
		dst[0], dst, d.first = d.last, dst[1:], false
	}
	for i := range dst {
		if d.at == d.per {
			if err := d.next(); err != nil {
				return err
			}
		}
		difference := d.least
		if d.width > 0 {
			bit := uint64(d.at) * uint64(d.width)
			difference += int64(bitsAt(d.mini, bit, d.width))
		}
		d.at++
		d.last += difference
		if d.narrow {
			d.last = int64(int32(d.last))
		}
		dst[i] = d.last
	}
	return nil
}

// next takes the next miniblock, and the head of a block if one begins.
func (d *delta) next() error {
	if len(d.widths) == 0 {
		v, n := binary.Varint(d.b)
		if n <= 0 || len(d.b)-n < d.minis {
			return errValues
		}
		d.least = v
		d.widths, d.b = d.b[n:n+d.minis], d.b[n+d.minis:]
	}
	d.width = uint(d.widths[0])
	d.widths = d.widths[1:]
	if d.width > 64 {
		return fmt.Errorf("differences of %d bits", d.width)
	}
	size := d.per / 8 * int(d.width)
	if size > len(d.b) {
		// The last miniblock may be cut short; bitsAt reads what is not there as 0.
		size = len(d.b)
		if uint64(size)*8 < min(d.left+1, uint64(d.per))*uint64(d.width) {
			return errValues
		}
	}
	d.mini, d.b = d.b[:size], d.b[size:]
	d.at = 0
	return nil
}

// bitsAt is the number of width bits, 64 at most, that begins at a bit of b.
func bitsAt(b []byte, bit uint64, width uint) uint64 {
	at, shift := bit>>3, uint(bit&7)
	var v uint64
	if at+9 <= uint64(len(b)) {
		v = binary.LittleEndian.Uint64(b[at:])>>shift | uint64(b[at+8])<<(64-shift)
	} else {
		v = tail(b, at)>>shift | tail(b, at+8)<<(64-shift)
	}
	if width < 64 {
		v &= 1<<width - 1
	}
	return v
}

// rest passes over all numbers and gives what is behind them.
func (d *delta) rest() (total int64, rest []byte, err error) {
	var part [256]int64
	for d.left > 0 {
		some := part[:min(d.left, uint64(len(part)))]
		if err := d.fill(some); err != nil {
			return 0, nil, err
		}
		for _, v := range some {
			if v < 0 || v > maxText || total > 1<<40 {
				return 0, nil, fmt.Errorf("a text of %d bytes", v)
			}
			total += v
		}
	}
	return total, d.b, nil
}

// lengths reads texts of DELTA_LENGTH_BYTE_ARRAY: their lengths, then all of them
// end to end.
type lengths struct {
	lengths *delta
	text    []byte
	part    []int64
}

func newLengths(b []byte, n int) (*lengths, error) {
	d, err := newDelta(b, true)
	if err != nil {
		return nil, err
	}
	if d.left != uint64(n) {
		return nil, fmt.Errorf("%d lengths for %d texts", d.left, n)
	}
	behind := *d
	total, text, err := behind.rest()
	if err != nil {
		return nil, err
	}
	if total > int64(len(text)) {
		return nil, errValues
	}
	return &lengths{lengths: d, text: text}, nil
}

func (l *lengths) read(v *Values, n int) error {
	l.part = grown(l.part, n)
	if err := l.lengths.fill(l.part); err != nil {
		return err
	}
	total := int64(0)
	for _, k := range l.part {
		total += k
	}
	all := string(l.text[:total])
	l.text = l.text[total:]
	at := int64(0)
	for _, k := range l.part {
		v.Text = append(v.Text, all[at:at+k])
		at += k
	}
	return nil
}

// prefixed reads texts of DELTA_BYTE_ARRAY: how much of the text before each begins
// with, and what follows.
type prefixed struct {
	prefix *delta
	suffix *lengths
	last   string
	budget int // of bytes to be made
	part   []int64
	rest   Values
}

var errTexts = errors.New("texts that are far longer than the page that they are in")

func newPrefixed(b []byte, n int) (*prefixed, error) {
	d, err := newDelta(b, true)
	if err != nil {
		return nil, err
	}
	if d.left != uint64(n) {
		return nil, fmt.Errorf("%d prefixes for %d texts", d.left, n)
	}
	behind := *d
	_, rest, err := behind.rest()
	if err != nil {
		return nil, err
	}
	suffix, err := newLengths(rest, n)
	return &prefixed{prefix: d, suffix: suffix, budget: maxPage/2 + ratio*len(b)}, err
}

func (p *prefixed) read(v *Values, n int) error {
	p.part = grown(p.part, n)
	if err := p.prefix.fill(p.part); err != nil {
		return err
	}
	p.rest.Text = p.rest.Text[:0]
	if err := p.suffix.read(&p.rest, n); err != nil {
		return err
	}
	for i, suffix := range p.rest.Text {
		k := p.part[i]
		if k < 0 || k > int64(len(p.last)) {
			return fmt.Errorf("a text begins with %d bytes of one of %d", k, len(p.last))
		}
		if k > 0 {
			suffix = p.last[:k] + suffix
			if p.budget -= len(suffix); p.budget < 0 || len(suffix) > maxText {
				return errTexts
			}
		}
		p.last = suffix
		v.Text = append(v.Text, suffix)
	}
	return nil
}

// grown is s with n values, which are old ones. There is some room behind new ones,
// since pages differ a little.
func grown[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// longer is s with n values more, which are old ones.
func longer[T any](s []T, n int) []T { return slices.Grow(s, n)[:len(s)+n] }
