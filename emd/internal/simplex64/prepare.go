package simplex64

import "math"

// totals sums p and q, and reports whether every entry is a finite number not
// below zero and the sums are finite.
func (t *State) totals(p, q []float64) bool {
	var sp, sq [8]float64
	bad := false
	q = q[:len(p)]
	for ; len(p) >= 8; p, q = p[8:], q[8:] {
		for l := range 8 {
			x, y := p[l], q[l]
			sp[l] += x
			sq[l] += y
			bad = bad || !(x >= 0) || !(y >= 0)
		}
	}
	t.TotalP, t.TotalQ = laneSum(&sp), laneSum(&sq)
	return !bad && t.TotalP <= math.MaxFloat64 && t.TotalQ <= math.MaxFloat64
}

// prepare computes p·a − q·b and scales the positive and the negative entries
// each to integers of total 2⁵². The products' rounding errors are taken along
// (W. Kahan's difference of products), so that proportional images of integer
// counts differ by exactly zero. extra is the entry of the last node, which
// stands for unmatched mass, where unmatched is its mask. It returns false where
// nothing is left to move: the masses are equal up to below.
func (t *State) prepare(p, q []float64, a, b, extra float64, unmatched uint64, below float64) bool {
	var sum [2][8]float64
	s := &t.Mass
	width := min(len(p), len(q), Max)
	for at := range width {
		y := q[at] * b
		rest := math.FMA(-q[at], b, y)
		x := math.FMA(p[at], a, -y) + rest
		if unmatched>>at&1 != 0 {
			x = extra
		}
		s[at] = x
		if x > 0 {
			sum[0][at&7] += x
		} else {
			sum[1][at&7] -= x
		}
	}
	pos, neg := laneSum(&sum[0]), laneSum(&sum[1])
	if !(pos > below && neg > below) {
		return false
	}
	up, down := scale/pos, scale/neg
	t.Pos, t.Neg = 0, 0
	var have [2]float64
	for k := range width {
		k &= 63
		switch x := s[k]; {
		case x > 0:
			v := math.RoundToEven(x * up)
			if s[k] = v; v > 0 {
				t.Pos |= 1 << k
				have[0] += v
			}
		default:
			v := math.RoundToEven(-x * down)
			if s[k] = v; v > 0 {
				t.Neg |= 1 << k
				have[1] += v
			}
		}
	}
	t.settle(pos, neg, have[0], have[1])
	return true
}

// settle gives what rounding left over to a heavy entry of each side and calls
// the smaller side rows.
func (t *State) settle(pos, neg, havePos, haveNeg float64) {
	for _, side := range [2]struct {
		set  uint64
		have float64
	}{{t.Pos, havePos}, {t.Neg, haveNeg}} {
		for set := side.set; set != 0; set &= set - 1 {
			if x := lowest(set); t.Mass[x] >= heavy {
				t.Mass[x] += scale - side.have
				break
			}
		}
	}
	t.Unit = (pos + neg) * (0.5 / scale)
	t.orient()
}
