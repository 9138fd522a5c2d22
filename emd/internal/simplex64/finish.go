package simplex64

import "math"

// finish sets F, on every lane, to the middle of the two extreme potentials
// that agree with the rows' and with the columns',
//
//	lo(x) = max over rows i of φ_i − D_ix,  hi(x) = min over columns j of φ_j + D_xj,
//
// with the sign for which the gradient with respect to p is F. It sets Mean and
// the primal sum.
func (t *State) finish(m *Problem) {
	sign := 0.5
	if t.Swapped {
		sign = -0.5
	}
	var mean, primal [8]float64
	for x := range 8 * m.Words {
		x &= 63
		d := &m.D[x]
		lo, hi := math.Inf(-1), math.Inf(1)
		for s := t.Rows; s != 0; s &= s - 1 {
			i := lowest(s)
			if y := t.Pot[i] - d[i]; y > lo {
				lo = y
			}
		}
		for s := t.Cols; s != 0; s &= s - 1 {
			j := lowest(s)
			if y := t.Pot[j] + d[j]; y < hi {
				hi = y
			}
		}
		t.F[x] = (lo + hi) * sign
		mean[x&7] = math.FMA(t.F[x], m.Weight[x], mean[x&7])
		if has(t.Rows|t.Cols, x) {
			primal[x&7] = math.FMA(t.Flow[x], t.Cost[x], primal[x&7])
		}
	}
	t.Mean, t.Primal = laneSum(&mean), laneSum(&primal)
}
