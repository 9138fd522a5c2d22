package emd

import (
	"fmt"
	"math"
)

// Gradient is Distance, and sets dp and dq, of n entries each, to the gradient
// with respect to the raw inputs p and q, as they were passed. Either may be
// nil. With f the potentials, p̂ = p/Σp and q̂ = q/Σq it is
//
//	UnequalNormalise  dE/dp_k = (f_k − Σ p̂_j f_j)/Σp, dE/dq_k = −(f_k − Σ q̂_j f_j)/Σq
//	UnequalPenalty    dE/dp = f, dE/dq = −f, the constant in f being determined
//	UnequalError      dE/dp = f, dE/dq = −f with f of mean zero
//
// With UnequalError p and q can only change together, and the gradient is the
// shortest vector that gives the right change for all permitted ones.
//
// The EMD is convex and piecewise linear in (p, q) of fixed totals. At a kink
// the result is one subgradient, for the potentials described at
// [Solver.Potentials]; in particular it is exactly zero at p = q (normalised), and
// on a cell that is empty in both images it lies between the slope for mass
// added to p and that for mass added to q.
func (s *Solver) Gradient(p, q, dp, dq []float64) (float64, error) {
	if dp != nil && len(dp) != s.cells || dq != nil && len(dq) != s.cells {
		return 0, fmt.Errorf("emd: room for %d and %d derivatives on %d cells", len(dp), len(dq), s.cells)
	}
	r, err := s.solve(p, q)
	if err != nil {
		return 0, err
	}
	twoSided := s.large != nil && s.large.twoSided()
	if dp != nil {
		s.potentials(&r, dp, 1)
		if s.set.Unequal == UnequalNormalise {
			s.project(dp, p, s.p, r.expP)
		}
	}
	if dq != nil {
		if twoSided {
			s.sinkPotentials(&r, dq)
		} else {
			s.potentials(&r, dq, -1)
		}
		if s.set.Unequal == UnequalNormalise {
			s.project(dq, q, s.q, r.expQ)
		}
	}
	return r.value, nil
}

// project is project for masses that solve may have rescaled by 2^−exp.
func (s *Solver) project(g, p, scaled []float64, exp int) {
	if exp == 0 {
		project(g, p)
		return
	}
	project(g, scaled[:len(g)])
	for k, x := range g {
		g[k] = math.Ldexp(x, -exp)
	}
}

// project turns the derivative g with respect to p/Σp into that with respect
// to p: (g_k − Σ p̂_j g_j)/Σp.
func project(g, p []float64) {
	// Four sums run side by side: one would wait for each addition.
	var dot, total [4]float64
	g = g[:len(p)]
	k := 0
	for ; k+4 <= len(p); k += 4 {
		for l := range 4 {
			x := p[k+l]
			dot[l] += g[k+l] * x
			total[l] += x
		}
	}
	for ; k < len(p); k++ {
		dot[0] += g[k] * p[k]
		total[0] += p[k]
	}
	sum := (total[0] + total[1]) + (total[2] + total[3])
	mean := ((dot[0] + dot[1]) + (dot[2] + dot[3])) / sum
	scale := 1 / sum
	for k := range g {
		g[k] = (g[k] - mean) * scale
	}
}
