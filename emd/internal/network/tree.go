package network

import "math"

const none = -1

// start places the mass of one source after another on the nearest sink that
// still has room. Whatever is exhausted leaves as a child of its partner. Where
// both are, the sink leaves, and the source hangs on the nearest remaining sink by
// an arc without flow, which then points to the root as strong feasibility asks.
func (s *Solver) start() {
	s.allocate()
	for x := range s.child {
		s.child[x] = none
	}
	open := s.open[:0]
	for j := s.rows; j < len(s.cell); j++ {
		open = append(open, int32(j))
	}
	last := int32(s.rows - 1)
	for i := range int32(s.rows) {
		for {
			if len(open) == 0 || i == last {
				break
			}
			k := s.nearest(i, open)
			j := open[k]
			if s.mass[j] <= s.mass[i] && s.mass[i] > 0 {
				s.hangFirst(j, i, s.mass[j])
				s.mass[i] -= s.mass[j]
				open[k] = open[len(open)-1]
				open = open[:len(open)-1]
				continue
			}
			s.hangFirst(i, j, s.mass[i])
			s.mass[j] -= s.mass[i]
			break
		}
	}
	s.open = open
	for _, j := range open {
		s.hangFirst(j, last, s.mass[j])
	}
	s.root = last
	s.parent[last], s.flow[last], s.arc[last] = none, 0, 0
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

func (s *Solver) hangFirst(x, parent int32, flow float64) {
	s.flow[x] = flow
	if int(x) < s.rows {
		s.arc[x] = s.between(x, parent)
	} else {
		s.arc[x] = s.between(parent, x)
	}
	s.link(x, parent)
}

func (s *Solver) link(x, parent int32) {
	s.parent[x] = parent
	head := s.child[parent]
	s.next[x], s.prev[x] = head, none
	if head != none {
		s.prev[head] = x
	}
	s.child[parent] = x
}

func (s *Solver) unlink(x int32) {
	if p := s.prev[x]; p != none {
		s.next[p] = s.next[x]
	} else {
		s.child[s.parent[x]] = s.next[x]
	}
	if n := s.next[x]; n != none {
		s.prev[n] = s.prev[x]
	}
}

// plant computes depths and potentials from the root.
func (s *Solver) plant() {
	s.spread()
	if !s.scale {
		return
	}
	largest := 0.0
	for x, y := range s.pot {
		largest = max(largest, math.Abs(y), math.Abs(s.arc[x]))
	}
	s.tol = tolerance * largest
}

// spread is plant without the tolerance.
func (s *Solver) spread() {
	s.depth[s.root], s.pot[s.root] = 0, 0
	s.order = append(s.order[:0], s.root)
	for k := 0; k < len(s.order); k++ {
		x := s.order[k]
		if int(x) >= s.rows {
			s.colPot[int(x)-s.rows] = s.pot[x]
		}
		for y := s.child[x]; y != none; y = s.next[y] {
			s.depth[y] = s.depth[x] + 1
			if int(y) < s.rows {
				s.pot[y] = s.pot[x] + s.arc[y]
			} else {
				s.pot[y] = s.pot[x] - s.arc[y]
			}
			s.order = append(s.order, y)
		}
	}
}

// price finds the arc of source i that is violated most.
func (s *Solver) price(i int) (row, col int32, delta float64) {
	d := s.Costs(int(s.cell[i]))
	cells := s.cell[s.rows:]
	pots := s.colPot[:len(cells)]
	best, at := math.Inf(-1), 0
	for k, c := range cells {
		if x := -(d[c] + pots[k]); x > best {
			best, at = x, k
		}
	}
	return int32(i), int32(at + s.rows), s.pot[i] + best
}

// pivot brings the arc i→j into the tree. The rule for the leaving arc is that of
// package simplex64.
func (s *Solver) pivot(i, j int32, delta float64) {
	s.Pivots++
	theta, leave, onRow := math.Inf(1), int32(none), false
	x, y := j, i
	// The flows that fall are those of sinks on the sink's way and of sources
	// on the source's way; the later one of equals counts on the sink's way, the
	// earlier one on the source's, and the sink's way wins.
	for x != y {
		if s.depth[x] >= s.depth[y] {
			if int(x) >= s.rows && (s.flow[x] <= theta) {
				theta, leave, onRow = s.flow[x], x, false
			}
			x = s.parent[x]
			continue
		}
		if int(y) < s.rows && s.flow[y] < theta {
			theta, leave, onRow = s.flow[y], y, true
		}
		y = s.parent[y]
	}
	apex := x
	s.push(j, apex, theta)
	s.push(i, apex, theta)
	inside, outside, shift := j, i, delta
	if onRow {
		inside, outside, shift = i, j, -delta
	}
	cost := s.between(i, j)
	s.turn(inside, outside, leave, theta, cost)
	s.shift(inside, shift)
	if s.scale {
		// Potentials that have grown are known less well, until they are computed anew.
		s.tol = max(s.tol, tolerance*max(delta, math.Abs(cost)))
	}
}

func (s *Solver) push(x, apex int32, theta float64) {
	for sign := -theta; x != apex; sign = -sign {
		s.flow[x] += sign
		x = s.parent[x]
	}
}

// turn cuts the tree above leave, makes inside the top of the part cut off, and
// hangs it on outside.
func (s *Solver) turn(inside, outside, leave int32, flow, arc float64) {
	x, above := inside, outside
	for {
		next, f, a := s.parent[x], s.flow[x], s.arc[x]
		s.unlink(x)
		s.link(x, above)
		s.flow[x], s.arc[x] = flow, arc
		if x == leave {
			return
		}
		x, above, flow, arc = next, x, f, a
	}
}

// shift adds delta to the potentials below top and renews the depths.
func (s *Solver) shift(top int32, delta float64) {
	s.order = append(s.order[:0], top)
	for k := 0; k < len(s.order); k++ {
		x := s.order[k]
		s.depth[x] = s.depth[s.parent[x]] + 1
		s.pot[x] += delta
		if int(x) >= s.rows {
			s.colPot[int(x)-s.rows] = s.pot[x]
		}
		for y := s.child[x]; y != none; y = s.next[y] {
			s.order = append(s.order, y)
		}
	}
}
