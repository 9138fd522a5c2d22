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
// For a [Cost], p of n and q of m cells have potentials f and h of their own, with
// f_i + h_j ≤ C_ij everywhere and the value Σ p f + Σ q h on the masses compared;
// h then takes the place of −f. One constant may go from f to h:
// with UnequalError the sums of f and of h over the cells with mass are the same.
//
// A derivative beyond the range of float64, as for normalised masses near 10⁻³⁰⁸, is
// ±Inf.
//
// The EMD is convex and piecewise linear in (p, q) of fixed totals. At a kink
// the result is one subgradient, for the potentials described at
// [Solver.Potentials]; in particular it is exactly zero at p = q (normalised), and
// on a cell that is empty in both images it lies between the slope for mass
// added to p and that for mass added to q.
func (s *Solver) Gradient(p, q, dp, dq []float64) (float64, error) {
	if dp != nil && len(dp) != s.cells || dq != nil && len(dq) != s.cellsQ {
		return 0, fmt.Errorf("emd: room for %d and %d derivatives on %d and %d cells", len(dp), len(dq), s.cells, s.cellsQ)
	}
	r, err := s.solve(p, q)
	if err != nil {
		return 0, err
	}
	if dp != nil {
		s.derivative(&r, p, r.p, r.expP, s.p, dp, 1)
	}
	if dq != nil {
		s.derivative(&r, q, r.q, r.expQ, s.q, dq, -1)
	}
	return r.value, nil
}

// derivative writes the gradient with respect to one image, of the given sign in
// f, total and scale.
func (s *Solver) derivative(r *solution, p []float64, total float64, exp int, scaled, g []float64, sign float64) {
	switch {
	case s.rect != nil:
		if copy(g, s.rect.f); sign < 0 {
			copy(g, s.rect.h)
		}
		if s.set.Unequal == UnequalNormalise {
			s.project(g, p, scaled, exp)
		}
	case s.set.Unequal != UnequalNormalise:
		s.potentials(r, g, sign)
	case r.equal:
		clear(g)
	case s.large != nil:
		s.potentials(r, g, sign)
		s.project(g, p, scaled, exp)
	default:
		t, m := s.state, s.fast
		switch {
		case exp != 0 || r.expP != 0 || r.expQ != 0:
			p = scaled
		case s.pad && sign > 0:
			p = t.P[:8*m.Words]
		case s.pad:
			p = t.Q[:8*m.Words]
		}
		t.Export(m, g, t.Dot(m, p)/total, sign/total)
		if exp != 0 {
			for k, x := range g {
				g[k] = math.Ldexp(x, -exp)
			}
		}
	}
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
