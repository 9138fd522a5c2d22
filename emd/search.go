package emd

import (
	"fmt"
	"math"
	"sync/atomic"
)

// A candidate is an image of the index with the best bound so far: its distance is no less.
type candidate struct {
	bound float64
	row   int32
	stage uint16 // how many of the bounds it went through
	seen  uint16 // how many potentials of this search it was held against
}

func (c candidate) before(o candidate) bool {
	return c.bound < o.bound || c.bound == o.bound && c.row < o.row
}

// A searcher is the work space of one search at a time: the nearest by the bounds so far is
// held against the next, dearer bound, and where there is none is solved, until no bound is below
// the distance of the last neighbour (T. Seidl, H.-P. Kriegel, SIGMOD 1998).
type searcher struct {
	x      *Index
	solver *Solver
	heap   []candidate
	query  query
	known  []knownPotential // of the pairs that were solved in this search
	pots   []float64
	stop   *atomic.Bool // set where the search is to end
}

// A knownPotential is optimal for one pair, and so feasible for all.
type knownPotential struct {
	f, h   []float64
	ofP    float64 // the part of p in their value
	extent extent
}

// knownRoom bounds the numbers of potentials that are kept in a search, and mostKnown their
// number.
const (
	knownRoom = 1 << 20
	mostKnown = 64
)

func newSearcher(x *Index, v *Solver) (*searcher, error) {
	s := &searcher{x: x, solver: v, heap: make([]candidate, 0, x.Len())}
	keep := x.knownMost()
	s.pots = make([]float64, keep*(x.n+x.m))
	s.known = make([]knownPotential, 0, keep)
	return s, s.query.prepare(x)
}

// stopOn ends searches when stop is set.
func (s *searcher) stopOn(stop *atomic.Bool) {
	s.stop = stop
	s.solver.stopOn(stop)
	for _, v := range s.query.solvers {
		v.stopOn(stop)
	}
}

// nearest fills in the neighbours of p.
func (s *searcher) nearest(p []float64, near []Neighbour) (count Search, err error) {
	x := s.x
	for k := range near {
		near[k] = Neighbour{-1, math.NaN()}
	}
	if err := firstBad("p", p); err != nil {
		return count, err
	}
	total := sum(p)
	count.Pairs = int64(x.Len())
	if total == 0 && x.set.Unequal != UnequalPenalty {
		if x.set.Empty == EmptySkip {
			return count, nil
		}
		return count, fmt.Errorf("emd: p: %w", ErrEmpty)
	}
	if err := s.gather(p, total); err != nil {
		return count, err
	}
	found := 0
	for len(s.heap) > 0 {
		if s.stop.Load() {
			return count, errStopped
		}
		c := s.heap[0]
		if found == len(near) && c.bound > near[found-1].Distance {
			break
		}
		// Those that are neighbours whatever their bounds are need none.
		if len(s.heap) > len(near)-found && s.raise(&c, &count) {
			s.heap[0] = c
			s.down(0)
			continue
		}
		last := len(s.heap) - 1
		s.heap[0] = s.heap[last]
		s.heap = s.heap[:last]
		s.down(0)
		e, err := s.solve(p, int(c.row))
		if err != nil {
			return count, &ImageError{Row: int(c.row), Err: err}
		}
		count.Solved++
		found = insert(near, found, Neighbour{int(c.row), e})
	}
	return count, nil
}

// gather puts all images into the queue, by the first bound.
func (s *searcher) gather(p []float64, total float64) error {
	x := s.x
	s.heap, s.known = s.heap[:0], s.known[:0]
	s.query.set(x, p, total)
	for j, t := range x.total {
		if t == 0 && x.set.Unequal != UnequalPenalty {
			continue
		}
		if x.set.Unequal == UnequalError && inRange(total) && inRange(t) && math.Abs(total-t) > totalTolerance*max(total, t) {
			return &ImageError{Row: j, Err: &TotalError{P: total, Q: t}}
		}
		s.heap = append(s.heap, candidate{bound: s.query.first(x, j), row: int32(j)})
	}
	for k := len(s.heap)/2 - 1; k >= 0; k-- {
		s.down(k)
	}
	return nil
}

// raise holds a candidate against the next bound, and returns false where there is none.
func (s *searcher) raise(c *candidate, count *Search) bool {
	q := &s.query
	if j := int(c.row); q.bounded(s.x, j) {
		if int(c.stage) < q.stages() {
			bound, coarse := q.next(s.x, j, int(c.stage))
			c.stage++
			c.bound = max(c.bound, bound)
			if coarse {
				count.Coarse++
			}
			return true
		}
		if int(c.seen) < len(s.known) {
			for k := range s.known[c.seen:] {
				c.bound = max(c.bound, q.against(s.x, j, &s.known[int(c.seen)+k]))
			}
			c.seen = uint16(len(s.known))
			return true
		}
	}
	return false
}

// solve computes a distance, and keeps the potentials while there is room.
func (s *searcher) solve(p []float64, j int) (float64, error) {
	x := s.x
	k := len(s.known)
	if k == cap(s.known) || !s.query.bounded(x, j) {
		return s.solver.Distance(p, x.row(j))
	}
	room := s.pots[k*(x.n+x.m):]
	pot := knownPotential{f: room[:x.n], h: room[x.n:][:x.m]}
	e, err := s.solver.Potentials(p, x.row(j), pot.f, pot.h)
	if err != nil {
		return 0, err
	}
	s.query.learn(x, &pot)
	s.known = append(s.known, pot)
	return e, nil
}

// down restores the order of the heap below k.
func (s *searcher) down(k int) {
	h := s.heap
	for {
		child := 2*k + 1
		if child >= len(h) {
			return
		}
		if child+1 < len(h) && h[child+1].before(h[child]) {
			child++
		}
		if !h[child].before(h[k]) {
			return
		}
		h[k], h[child] = h[child], h[k]
		k = child
	}
}

// insert puts a neighbour in its place among so many, and returns how many there are.
func insert(near []Neighbour, found int, c Neighbour) int {
	k := found
	if found == len(near) {
		k--
		if last := near[k]; c.Distance > last.Distance || c.Distance == last.Distance && c.Row > last.Row {
			return found
		}
	} else {
		found++
	}
	for ; k > 0; k-- {
		if b := near[k-1]; b.Distance < c.Distance || b.Distance == c.Distance && b.Row < c.Row {
			break
		}
		near[k] = near[k-1]
	}
	near[k] = c
	return found
}
