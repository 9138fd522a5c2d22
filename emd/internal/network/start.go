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

// A candidate is an arc that would lower the cost.
type candidate struct {
	sink            int32
	cost, violation float64
}

// perSource is how many arcs are added for one source at a time.
const perSource = 3

// price looks at all pairs and adds arcs; it returns false where none is violated.
func (s *Solver) price() bool {
	pot, tol := s.net.Potentials(), s.net.Tolerance()
	cells := s.cell[s.rows:]
	pots := pot[s.rows:][:len(cells)]
	found := false
	for i := range s.rows {
		d := s.Costs(int(s.cell[i]))
		u := pot[i] - tol
		s.best = s.best[:0]
		least := 0.0
		for k, c := range cells {
			if x := u - d[c] - pots[k]; x > least {
				least = s.keep(candidate{int32(s.rows + k), d[c], x})
			}
		}
		for _, b := range s.best {
			s.net.Add(sparse.Arc{From: int32(i), To: b.sink, Cost: b.cost})
			found = true
		}
	}
	return found
}

// keep puts a violated arc among the best ones, and returns what others have to exceed.
func (s *Solver) keep(c candidate) float64 {
	k := len(s.best)
	if k < perSource {
		s.best = append(s.best, c)
	} else {
		k--
	}
	for ; k > 0 && s.best[k-1].violation < c.violation; k-- {
		s.best[k] = s.best[k-1]
	}
	s.best[k] = c
	if len(s.best) < perSource {
		return 0
	}
	return s.best[perSource-1].violation
}
