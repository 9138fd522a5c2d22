package sparse

// A Candidate is an arc to a node that would lower the cost, by its violation for each unit.
type Candidate struct {
	To              int32
	Cost, Violation float64
}

// Candidates are the arcs from one node that are violated most, the worst first. Most is
// how many are kept.
type Candidates struct {
	Most int
	// Above is what the violation of another one has to exceed to be kept.
	Above float64
	list  []Candidate
}

// Reset forgets them.
func (c *Candidates) Reset() { c.list, c.Above = c.list[:0], 0 }

// List is those that are kept.
func (c *Candidates) List() []Candidate { return c.list }

// Keep takes another one, if it is among the worst.
func (c *Candidates) Keep(x Candidate) {
	if !(x.Violation > c.Above) {
		return
	}
	k := len(c.list)
	if k < c.Most {
		c.list = append(c.list, x)
	} else {
		k--
	}
	for ; k > 0 && c.list[k-1].Violation < x.Violation; k-- {
		c.list[k] = c.list[k-1]
	}
	c.list[k] = x
	if len(c.list) == c.Most {
		c.Above = c.list[c.Most-1].Violation
	}
}

// Offer adds an arc that may be used one way if it is violated as Solve sees it, with the potentials
// and the tolerance that there are, and says whether it was. That an arc is violated may not
// be concluded in any other way: where roundings differ, one would be added that Solve
// does not use, again and again.
func (s *Network) Offer(a Arc) bool {
	if !(s.pot[a.From]-s.pot[a.To]-a.Cost > s.tol) {
		return false
	}
	s.arcs = append(s.arcs, a)
	return true
}

// Generate solves a problem whose arcs are too many to list: price offers those that are
// violated after each Solve, until it returns false for there are none. It returns false after
// limit pivots, or when it is stopped.
func (s *Network) Generate(limit int, price func() bool) bool {
	most := s.pivots + limit
	for first := true; ; first = false {
		before := s.pivots
		if !s.Solve(most - s.pivots) {
			return false
		}
		// A round without a pivot would be followed by itself.
		if !first && s.pivots == before || !price() {
			return !s.Stopped()
		}
	}
}
