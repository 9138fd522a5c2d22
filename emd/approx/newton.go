package approx

import "math"

// Between clusters that are further apart than some ε, the iterations stand still:
// what one of them corrects in the mass that crosses is in proportion to that
// mass, e^(−distance/ε). Newton's method on the dual does not know distances. In the
// potentials g of q, f being their soft transform, the gradient is r = q − column sums
// and the Hessian −L/ε, with L the Laplacian of the graph whose edge between
// columns j and k has the weight Σ_i P_ij·P_ik/p_i: how much of their mass comes
// from the same rows.

const (
	// newtonAfter is the number of iterations at the final ε after which Newton
	// steps come in: as many as take the time of a few of them.
	newtonAfter = 500
	// newtonSteps bounds their number in one problem.
	newtonSteps = 300
	// newtonPoints bounds the memory and the time of the Laplacian.
	newtonPoints = 2048
)

// newton moves g by a step of Newton's method with a line search. It may leave g
// as it is.
func (s *Sinkhorn) newton() {
	cols := s.cols[:0]
	for j, m := range s.q {
		if m > 0 {
			cols = append(cols, j)
		}
	}
	s.cols = cols
	m := len(cols)
	if m < 2 || m > newtonPoints {
		return
	}
	if len(s.laplace) < m*m {
		s.laplace, s.column = make([]float64, m*m), make([]float64, m)
		s.step, s.rest, s.start = make([]float64, s.n), make([]float64, s.n), make([]float64, s.n)
	}
	copy(s.start, s.g)
	s.residual()
	s.eliminate(s.weights(cols), cols)
	s.search(cols)
}

// residual computes f for the present g, and r = q − column sums.
func (s *Sinkhorn) residual() {
	s.soften(s.f, s.g, s.logQ, s.set.Epsilon)
	s.soften(s.next, s.f, s.logP, s.set.Epsilon)
	for j, m := range s.q {
		s.rest[j] = 0
		if m > 0 {
			s.rest[j] = -m * math.Expm1((s.g[j]-s.next[j])/s.set.Epsilon)
		}
	}
}

// weights are those of the edges.
func (s *Sinkhorn) weights(cols []int) []float64 {
	m := len(cols)
	a, w := s.laplace[:m*m], s.column[:m]
	clear(a)
	for i, mass := range s.p {
		if mass == 0 {
			continue
		}
		// P_ij/√p_i, and no subtraction anywhere: small weights are as exact as
		// large ones.
		for k, j := range cols {
			w[k] = math.Exp(s.logP[i]/2 + s.logQ[j] + (s.f[i]+s.g[j]-s.d[i*s.n+j])/s.set.Epsilon)
		}
		for k, x := range w {
			if x == 0 {
				continue
			}
			row := a[k*m:][:k]
			for l := range row {
				row[l] += x * w[l]
			}
		}
	}
	return a
}

// eliminate solves L·step = ε·rest, with 0 for the first column. Elimination of a
// node of a graph adds weights to the edges between its neighbours; done like
// this, without subtractions, no digit is lost however weakly clusters hang
// together (W. K. Grassmann, M. I. Taksar, D. P. Heyman, Oper. Res. 33 (1985) 1107).
func (s *Sinkhorn) eliminate(a []float64, cols []int) {
	m := len(cols)
	// What is far below the tolerance is rounding, and no reason to move a cluster.
	noise := 1e-3 * s.set.Tolerance / float64(m)
	for k := m - 1; k > 0; k-- {
		row := a[k*m:][:k]
		sum := math.SmallestNonzeroFloat64 * (1 << 60)
		for _, x := range row {
			sum += x
		}
		for l := range row {
			share := row[l] / sum
			if share == 0 {
				continue
			}
			s.rest[cols[l]] += share * s.rest[cols[k]]
			for i, x := range row[:l] {
				a[l*m+i] += share * x
			}
		}
		for l := range row {
			row[l] /= sum
		}
		if r := s.rest[cols[k]]; math.Abs(r) > noise {
			s.rest[cols[k]] = s.set.Epsilon * r / sum
		} else {
			s.rest[cols[k]] = 0
		}
	}
	s.step[cols[0]] = 0
	for k := 1; k < m; k++ {
		x := s.rest[cols[k]]
		for l, share := range a[k*m:][:k] {
			x += share * s.step[cols[l]]
		}
		s.step[cols[k]] = x
	}
}

// search goes along the step until the slope of the dual, which is concave, has
// fallen to half or less of what it was. Far from the optimum the masses depend
// exponentially on the potentials, so it begins with ε and doubles.
func (s *Sinkhorn) search(cols []int) {
	longest := 0.0
	for _, j := range cols {
		longest = max(longest, math.Abs(s.step[j]))
	}
	if !(longest > 0) || math.IsInf(longest, 1) {
		return
	}
	slope := func(t float64) float64 {
		for _, j := range cols {
			s.g[j] = s.start[j] + t*s.step[j]
		}
		s.residual()
		sum := 0.0
		for _, j := range cols {
			sum += s.rest[j] * (s.step[j] / longest)
		}
		return sum
	}
	most := min(1, (s.largest+s.set.Epsilon)/longest)
	first, lo, hi := slope(0), 0.0, math.Inf(1)
	t := min(most, s.set.Epsilon/longest)
	for range 60 {
		switch now := slope(t); {
		case math.Abs(now) <= first/2:
			return
		case now > 0:
			if lo = t; t == most {
				return
			}
		default:
			hi = t
		}
		if t = min(most, 2*t); !math.IsInf(hi, 1) {
			t = lo/2 + hi/2
		}
	}
	slope(lo)
}
