package emd

import (
	"context"
	"fmt"
)

// Potentials is Distance, and sets f and h, of n and m entries, to optimal Kantorovich
// potentials of p and of q: f_i + h_j ≤ D_ij for all cells, and the distance is
// Σ p_i·f_i + Σ q_j·h_j, where with UnequalNormalise p and q stand for the masses
// compared, p/Σp and q/Σq. Either may be nil.
//
// On a [Metric] h = −f, so that f_i − f_j ≤ D_ij. For UnequalError and UnequalNormalise f
// is fixed up to a constant only and returned with mean zero, and on masses of equal total
// dE/dp = f and dE/dq = −f, up to a constant. For UnequalPenalty the constant is
// determined: dE/dp = f and dE/dq = −f, and |f| does not exceed R on the side that has
// unmatched mass. At p = q both value and f are exactly 0. For a [Cost] the potentials are
// those of [Solver.Gradient] with UnequalError.
//
// Where E has a kink they are some of those possible: on each cell the middle of the two
// extreme extensions of the potentials that the simplex found on the cells with p ≠ q.
func (s *Solver) Potentials(p, q, f, h []float64) (float64, error) {
	if err := s.roomForPotentials(f, h); err != nil {
		return 0, err
	}
	r, err := s.solve(p, q)
	if err != nil {
		return 0, err
	}
	s.bothPotentials(&r, f, h)
	return r.value, nil
}

// Solve is [Solver.Flow] and [Solver.Potentials] at once. It allocates what the plan needs
// beyond the room in arcs.
func (s *Solver) Solve(p, q []float64, arcs []Arc, f, h []float64) ([]Arc, float64, error) {
	if err := s.roomForPotentials(f, h); err != nil {
		return arcs, 0, err
	}
	r, err := s.solve(p, q)
	if err != nil {
		return arcs, 0, err
	}
	s.bothPotentials(&r, f, h)
	return s.appendFlow(&r, p, q, arcs), r.value, nil
}

func (s *Solver) roomForPotentials(f, h []float64) error {
	if f != nil && len(f) != s.cells || h != nil && len(h) != s.cellsQ {
		return fmt.Errorf("emd: room for %d and %d potentials on %d and %d cells", len(f), len(h), s.cells, s.cellsQ)
	}
	return nil
}

// bothPotentials writes f and h, where they are not nil.
func (s *Solver) bothPotentials(r *solution, f, h []float64) {
	if s.rect != nil {
		copy(f, s.rect.f)
		copy(h, s.rect.h)
		return
	}
	if f != nil {
		s.potentials(r, f, 1)
	}
	if h != nil {
		s.potentials(r, h, -1)
	}
}

// Potentials is Gradient with the potentials of [Solver.Potentials] for the derivatives:
// row i of f and h, N×n and N×m, are those of row i of p and q. With [EmptySkip] those of
// a pair without mass are 0.
func (b *Batch) Potentials(ctx context.Context, p, q []float64, e, f, h []float64) error {
	return b.solve(ctx, (*Solver).Potentials, p, q, e, f, h)
}
