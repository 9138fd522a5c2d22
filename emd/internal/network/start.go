package network

import (
	"math"

	"barrow/emd/internal/sparse"
)

// start places the mass of one source after another on the nearest sink that
// still has room. Whatever is exhausted leaves as a child of its partner. Where
// both are, the sink leaves, and the source hangs on the nearest remaining sink by
// an arc without flow, which then points to the root as strong feasibility asks.
func (s *Solver) start() {
	s.arcs = s.arcs[:0]
	s.left = append(s.left[:0], s.mass...)
	open := s.open[:0]
	for j := s.rows; j < len(s.cell); j++ {
		open = append(open, int32(j))
	}
	last := int32(s.rows - 1)
	for i := range last {
		for len(open) > 0 {
			k := s.nearest(i, open)
			j := open[k]
			s.add(i, j)
			if s.left[j] > s.left[i] || s.left[i] == 0 {
				s.left[j] -= s.left[i]
				break
			}
			s.left[i] -= s.left[j]
			open[k] = open[len(open)-1]
			open = open[:len(open)-1]
		}
	}
	s.open = open
	for _, j := range open {
		s.add(last, j)
	}
}

func (s *Solver) add(i, j int32) {
	s.arcs = append(s.arcs, sparse.Arc{From: i, To: j, Cost: s.between(i, j)})
}

// nearest is the position in open of the sink closest to source i, or, with a guide, of
// the one whose arc has the least reduced cost.
func (s *Solver) nearest(i int32, open []int32) int {
	row := s.Costs(int(s.cell[i]))
	best, at := math.Inf(1), 0
	if s.guide != nil {
		for k, j := range open {
			if c := s.cell[j]; row[c]-s.guide[c] < best {
				best, at = row[c]-s.guide[c], k
			}
		}
		return at
	}
	for k, j := range open {
		if x := row[s.cell[j]]; x < best {
			best, at = x, k
		}
	}
	return at
}

// perSource is how many arcs are added for one source at a time.
const perSource = 3

// price looks at all pairs and adds arcs; it returns false where none is violated.
func (s *Solver) price() bool {
	pot, tol := s.net.Potentials(), s.net.Tolerance()
	cells := s.cell[s.rows:]
	pots := pot[s.rows:][:len(cells)]
	best := &s.best
	found := false
	for i := range s.rows {
		if s.net.Stopped() {
			return false
		}
		d := s.Costs(int(s.cell[i]))
		u := pot[i] - tol
		best.Reset()
		for k, c := range cells {
			if x := u - d[c] - pots[k]; x > best.Above {
				best.Keep(sparse.Candidate{To: int32(s.rows + k), Cost: d[c], Violation: x})
			}
		}
		for _, b := range best.List() {
			found = s.net.Offer(sparse.Arc{From: int32(i), To: b.To, Cost: b.Cost}) || found
		}
	}
	return found
}
