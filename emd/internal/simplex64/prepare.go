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
	var up, down [8]float64
	var s [Max]float64
	width := min(len(p), len(q), Max)
	for at := range width {
		y := q[at] * b
		rest := math.FMA(-q[at], b, y)
		x := math.FMA(p[at], a, -y) + rest
		if unmatched>>at&1 != 0 {
			x = extra
		}
		s[at] = x
		// Which sign is next cannot be predicted, so there are no branches on it.
		low := min(x, 0)
		up[at&7] += x - low
		down[at&7] -= low
	}
	pos, neg := laneSum(&up), laneSum(&down)
	if !(pos > below && neg > below) {
		return false
	}
	factor := [2]float64{scale / pos, scale / neg}
	var set [2]uint64
	var have [2]int64
	for k := range width {
		k &= 63
		side := math.Float64bits(s[k]) >> 63
		v := int64(math.RoundToEven(math.Abs(s[k]) * factor[side]))
		t.Mass[k] = v
		have[side] += v
		var some uint64
		if v > 0 {
			some = 1
		}
		set[side] |= some << k
	}
	t.Pos, t.Neg = set[0], set[1]
	t.settle(pos, neg, have[0], have[1])
	return true
}

// settle gives what rounding left over to a heavy entry of each side and calls
// the smaller side rows.
func (t *State) settle(pos, neg float64, havePos, haveNeg int64) {
	for _, side := range [2]struct {
		set  uint64
		have int64
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
