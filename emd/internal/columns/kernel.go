package columns

//go:generate go run -tags purego ./gen -out kernel_amd64.s -stubs stubs_amd64.go -pkg columns

import (
	"math"
	"math/bits"
)

// A Kernel is an implementation of Scan and Least. All return the same bits.
type Kernel int

const (
	Portable Kernel = iota
	AVX2
	AVX512
)

// Best is the fastest Kernel that this processor and build have.
func Best() Kernel { return best }

// Scan sets bit j of mask where a unit from x to place j costs less than u − w_j.
// mask has a bit for each place, and for those that fill up the last block.
func (s *Space) Scan(mask []uint64, x []float64, b *Side, u float64) {
	mask = mask[:b.stride/block]
	switch {
	case s.general():
		s.scanGeneral(mask, x, b, u)
	case s.Kernel == Portable || len(mask) == 0:
		s.scanPortable(mask, x, b, u)
	default:
		s.scan(mask, x, b, u)
	}
}

// Least is the least cost + w_j from x to any place.
func (s *Space) Least(x []float64, b *Side) float64 {
	switch {
	case s.general():
		return s.leastGeneral(x, b, false)
	case s.Kernel == Portable || b.n == 0:
		return s.leastPortable(x, b)
	}
	return s.least(x, b)
}

// LeastTo is the least cost + w_j to y from any place.
func (s *Space) LeastTo(y []float64, b *Side) float64 {
	if s.Func != nil {
		return s.leastGeneral(y, b, true)
	}
	return s.Least(y, b)
}

// LeastBelow is Least where it is expected to be a little below bound: the few places that
// cost less than that are found first, which takes a third of the time. mask is room for
// Scan, y for a place.
func (s *Space) LeastBelow(x []float64, b *Side, bound float64, mask []uint64, y []float64) float64 {
	if s.general() || math.IsInf(bound, 0) {
		return s.Least(x, b)
	}
	s.Scan(mask, x, b, bound)
	least := math.Inf(1)
	for m, word := range mask[:b.stride/block] {
		for ; word != 0; word &= word - 1 {
			j := m*block + bits.TrailingZeros64(word)
			least = min(least, s.Cost(x, b.place(j, y))+b.w[j])
		}
	}
	if least < bound {
		return least
	}
	return s.Least(x, b)
}

// Words is how many words Scan's mask of a Side has.
func (b *Side) Words() int { return b.stride / block }

// scanPortable compares before the root is taken.
func (s *Space) scanPortable(mask []uint64, x []float64, b *Side, u float64) {
	squared := s.Norm == L2
	for m := range mask {
		bits := uint64(0)
		for k := range block {
			j := m*block + k
			t := u - b.w[j]
			if squared {
				t = max(t, 0)
				t *= t
			}
			if s.distance(x, b, j) < t {
				bits |= 1 << k
			}
		}
		mask[m] = bits
	}
}

func (s *Space) leastPortable(x []float64, b *Side) float64 {
	least := math.Inf(1)
	for j, w := range b.w[:b.n] {
		least = min(least, s.Norm.finish(s.distance(x, b, j))+w)
	}
	return least
}

// distance is the norm before finish.
func (s *Space) distance(x []float64, b *Side, j int) float64 {
	sum := 0.0
	for a, xa := range x[:s.Dim] {
		d := math.Abs(xa - b.at[a*b.stride+j])
		if s.Periods != nil {
			d = min(d, s.Periods[a]-d)
		}
		sum = s.Norm.add(sum, d)
	}
	return sum
}

func (s *Space) scanGeneral(mask []uint64, x []float64, b *Side, u float64) {
	clear(mask)
	var room [8]float64
	y := append(room[:0], x...)
	for j, w := range b.w[:b.n] {
		if s.Cost(x, b.place(j, y)) < u-w {
			mask[j/block] |= 1 << (j % block)
		}
	}
}

func (s *Space) leastGeneral(x []float64, b *Side, to bool) float64 {
	least := math.Inf(1)
	var room [8]float64
	y := append(room[:0], x...)
	for j, w := range b.w[:b.n] {
		b.place(j, y)
		c := 0.0
		if to {
			c = s.Cost(y, x)
		} else {
			c = s.Cost(x, y)
		}
		least = min(least, c+w)
	}
	return least
}
