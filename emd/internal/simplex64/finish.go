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
	var under, hi [Max]float64 // under is −lo: the smaller of two is found faster
	for x := range hi {
		under[x], hi[x] = math.Inf(1), math.Inf(1)
	}
	width := min(8*m.Words, Max)
	for s := t.Rows; s != 0; s &= s - 1 {
		i := lowest(s)
		d, pot := m.D[i][:width], t.Pot[i]
		for x, y := range under[:len(d)] {
			under[x] = min(y, d[x]-pot)
		}
	}
	for s := t.Cols; s != 0; s &= s - 1 {
		j := lowest(s)
		d, pot := m.D[j][:width], t.Pot[j]
		for x, y := range hi[:len(d)] {
			hi[x] = min(y, pot+d[x])
		}
	}
	var mean, primal [8]float64
	for x := range width {
		x &= 63
		t.F[x] = (hi[x] - under[x]) * sign
		mean[x&7] = math.FMA(t.F[x], m.Weight[x], mean[x&7])
		if has(t.Rows|t.Cols, x) {
			primal[x&7] = math.FMA(float64(t.Flow[x]), t.Cost[x], primal[x&7])
		}
	}
	t.Mean, t.Primal = laneSum(&mean), laneSum(&primal)
}

// dot is Σ F·p over the lanes.
func (t *State) dot(p []float64) float64 {
	var sum [8]float64
	for x, y := range p[:min(len(p), Max)] {
		sum[x&7] = math.FMA(t.F[x&63], y, sum[x&7])
	}
	return laneSum(&sum)
}

// export sets out to (F − shift)·factor.
func (t *State) export(out []float64, shift, factor float64) {
	for x := range out[:min(len(out), Max)] {
		out[x] = (t.F[x&63] - shift) * factor
	}
}
