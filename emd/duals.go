package emd

import (
	"context"
	"fmt"
	"math"
)

// Duals is Distance, and sets f and h, of n and m entries, to optimal potentials
// of both sides: f_i + h_j ≤ D_ij for all cells, and the distance is
// Σ p_i·f_i + Σ q_j·h_j. They are those of [Solver.Potentials] with h = −f for a
// [Metric], and those of [Solver.Gradient] with UnequalError for a [Cost]; with
// UnequalNormalise p and q stand for the masses compared, p/Σp and q/Σq. Either may
// be nil.
func (s *Solver) Duals(p, q, f, h []float64) (float64, error) {
	if err := s.roomForDuals(f, h); err != nil {
		return 0, err
	}
	r, err := s.solve(p, q)
	if err != nil {
		return 0, err
	}
	s.duals(&r, f, h)
	return r.value, nil
}

// Optimum is [Solver.Flow] and [Solver.Duals] of one solve.
func (s *Solver) Optimum(p, q []float64, arcs []Arc, f, h []float64) ([]Arc, float64, error) {
	if err := s.roomForDuals(f, h); err != nil {
		return arcs, 0, err
	}
	r, err := s.solve(p, q)
	if err != nil {
		return arcs, 0, err
	}
	s.duals(&r, f, h)
	return s.appendFlow(&r, p, q, arcs), r.value, nil
}

// WarmStart makes the solves to come start from potentials as [Solver.Duals] returns
// them, such as those of a similar pair: f of n and h of m entries. They need not be
// feasible; the result is optimal whatever they are, and no sooner found if they are
// far off. Both nil is the usual start again. They are copied. Problems of up to 64 nodes
// take no notice: they are solved in microseconds.
func (s *Solver) WarmStart(f, h []float64) error {
	if f == nil && h == nil {
		s.warm = [2][]float64{}
		return nil
	}
	if len(f) != s.cells || len(h) != s.cellsQ {
		return fmt.Errorf("emd: %d and %d potentials to start from on %d and %d cells", len(f), len(h), s.cells, s.cellsQ)
	}
	for side, x := range [2][]float64{f, h} {
		for k, y := range x {
			if !(math.Abs(y) <= MaxDistance) {
				return fmt.Errorf("emd: potential %d to start from is %v: must be finite, at most %g", k, y, MaxDistance)
			}
		}
		// One more for unmatched mass, which costs nothing.
		s.warm[side] = append(append(s.warm[side][:0], x...), 0)
	}
	return nil
}

func (s *Solver) roomForDuals(f, h []float64) error {
	if f != nil && len(f) != s.cells || h != nil && len(h) != s.cellsQ {
		return fmt.Errorf("emd: room for %d and %d potentials on %d and %d cells", len(f), len(h), s.cells, s.cellsQ)
	}
	return nil
}

func (s *Solver) duals(r *solution, f, h []float64) {
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

// Duals is Gradient with the potentials of [Solver.Duals] for the derivatives: row i
// of f and h, N×n and N×m, are those of row i of p and q. With [EmptySkip] those of a
// pair without mass are 0.
func (b *Batch) Duals(ctx context.Context, p, q []float64, e, f, h []float64) error {
	return b.solve(ctx, (*Solver).Duals, p, q, e, f, h)
}
