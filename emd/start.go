package emd

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"barrow/emd/internal/columns"
)

// guide is the potentials of a side to start from, nil where there are none.
func (s *Solver) guide(side int) []float64 {
	if !s.warm {
		return nil
	}
	return s.start[side]
}

// A Start is where a solve ended, or potentials that are known, for solves of similar pairs to
// start from. The zero value is the usual start.
type Start struct {
	ground Ground
	f, h   []float64
	arcs   []int32        // of the tree of a Grid, by their numbers
	pairs  []columns.Pair // of the tree on Points
}

// NewStart is to start from potentials as [Solver.Potentials] returns them, such as those of a
// similar pair: f of n and h of m entries. They need not be feasible. They are copied. On a
// [Grid] with L1 or LInf they have no effect: potentials of neighbours differ by 1 nearly
// everywhere there, whatever flows; [Solver.Save] knows more.
func NewStart(g Ground, f, h []float64) (*Start, error) {
	if g == nil {
		return nil, errors.New("emd: no metric")
	}
	n, m := g.Dims()
	if len(f) != n || len(h) != m {
		return nil, fmt.Errorf("emd: %d and %d potentials to start from on %d and %d cells", len(f), len(h), n, m)
	}
	for _, x := range [2][]float64{f, h} {
		for k, y := range x {
			if !(math.Abs(y) <= MaxDistance) {
				return nil, fmt.Errorf("emd: potential %d to start from is %v: must be finite, at most %g", k, y, MaxDistance)
			}
		}
	}
	return &Start{ground: g, f: slices.Clone(f), h: slices.Clone(h)}, nil
}

// A resumer starts from the tree that another solve ended with.
type resumer interface {
	save(at *Start)
	resume(at *Start) // or from none
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
// little. Of problems of up to 64 nodes, which are solved in microseconds, nothing is kept.
func (s *Solver) Save(at *Start) {
	*at = Start{ground: s.ground, f: at.f[:0], h: at.h[:0], arcs: at.arcs[:0], pairs: at.pairs[:0]}
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
		r.save(at)
	}
}

// Resume makes the solves to come start from there, of this Solver or another one of
// the same ground: after a training's step, say, where the same pair did before it. Results
// are optimal wherever they start, and are found sooner the less differs; where much does,
// that is noticed, and the start is the usual one. Nil and the zero Start are that, too. at is
// copied. On a Grid with totals that differ, with UnequalPenalty, a start is of use only where
// mass stays unmatched in the same cells.
func (s *Solver) Resume(at *Start) error {
	s.warm = false
	r := s.resumer()
	if r != nil {
		r.resume(nil)
	}
	if at == nil || len(at.f) == 0 {
		return nil
	}
	if at.ground != s.ground {
		return errors.New("emd: a Start of another ground: Save one of a Solver on the same ground")
	}
	for side, x := range [2][]float64{at.f, at.h} {
		// One more for unmatched mass, which costs nothing.
		s.start[side] = append(append(s.start[side][:0], x...), 0)
	}
	s.warm = true
	if r != nil {
		r.resume(at)
	}
	return nil
}
