package emd

import (
	"errors"
	"fmt"
	"math"

	"barrow/emd/internal/columns"
)

// WarmStart makes the solves to come start from potentials as [Solver.Potentials] returns
// them, such as those of a similar pair: f of n and h of m entries. They need not be
// feasible; the result is optimal whatever they are, and no sooner found if they are
// far off. Both nil is the usual start again. They are copied, into room that the first
// call makes. Problems of up to 64 nodes take no notice: they are solved in microseconds.
// Nor does a [Grid] with L1 or LInf, on which potentials of neighbours differ by 1 nearly
// everywhere, whatever flows: for these, and for any other ground, there is [Solver.Resume].
func (s *Solver) WarmStart(f, h []float64) error {
	s.forget()
	if f == nil && h == nil {
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
		s.start[side] = append(append(s.start[side][:0], x...), 0)
	}
	s.warm = true
	return nil
}

// guide is the potentials of a side to start from, nil where there are none.
func (s *Solver) guide(side int) []float64 {
	if !s.warm {
		return nil
	}
	return s.start[side]
}

// A Start is where a solve ended, for solves of similar pairs to start from. The zero value is
// the usual start.
type Start struct {
	ground Ground
	f, h   []float64
	tree   []columns.Pair
}

// A resumer starts from the tree that another solve ended with.
type resumer interface {
	save(tree []columns.Pair) []columns.Pair
	resume(tree []columns.Pair)
}

// resumer is the Solver's, nil where potentials are all it starts from.
func (s *Solver) resumer() resumer {
	switch {
	case s.large != nil:
		r, _ := s.large.core.(resumer)
		return r
	case s.rect != nil && s.rect.cloud != nil:
		return s.rect.cloud
	}
	return nil
}

// Save keeps in at where the last solve of s ended, whatever was there before: its potentials,
// and on a [Grid] or on [Points] the tree of its flow. Room is allocated where there is too
// little.
func (s *Solver) Save(at *Start) {
	at.ground, at.f, at.h, at.tree = s.ground, at.f[:0], at.h[:0], at.tree[:0]
	switch {
	case s.large != nil && s.large.moved:
		at.f = append(at.f, s.large.f...)
		for _, x := range at.f {
			at.h = append(at.h, -x)
		}
	case s.rect != nil && len(s.rect.flows) > 0:
		at.f, at.h = append(at.f, s.rect.f[:s.cells]...), append(at.h, s.rect.h[:s.cellsQ]...)
	default:
		return
	}
	if r := s.resumer(); r != nil {
		at.tree = r.save(at.tree)
	}
}

// Resume makes the solves to come start from where another one ended, of this Solver or one of
// the same ground: after a training's step, say, where the same pair did before it. Results
// are optimal wherever they start, and are found sooner the less differs; where much does,
// that is noticed, and the start is the usual one. Nil and the zero Start are that, too. at is
// copied. On a Grid with totals that differ, with UnequalPenalty, a start is of use only where
// mass stays unmatched in the same cells.
func (s *Solver) Resume(at *Start) error {
	if at == nil || len(at.f) == 0 {
		s.forget()
		return nil
	}
	if at.ground != s.ground {
		return errors.New("emd: a Start of another ground: Save one of a Solver on the same ground")
	}
	if err := s.WarmStart(at.f, at.h); err != nil {
		return err
	}
	if r := s.resumer(); r != nil {
		r.resume(at.tree)
	}
	return nil
}

// forget is the usual start again.
func (s *Solver) forget() {
	s.warm = false
	if r := s.resumer(); r != nil {
		r.resume(nil)
	}
}
