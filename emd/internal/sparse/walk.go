package sparse

// Walk calls f with every node but the root, those below a node before it: its parent, the
// arc between the two, and the flow towards the root, negative where the arc points away.
func (s *Network) Walk(f func(x, parent, arc int32, flow float64)) {
	for x := s.back[s.root]; x != s.root; x = s.back[x] {
		f(x, s.node[x].parent, s.arc[x], s.node[x].flow)
	}
}

// Tolerance is how much an arc was violated by, at the last Solve, and yet let be.
func (s *Network) Tolerance() float64 { return s.tol }

// Violated counts the arcs that Solve would find violated.
func (s *Network) Violated() int {
	s.replant()
	s.search()
	return len(s.found)
}
