package sparse

import "math"

// Plant makes a spanning tree of the given arcs, one fewer than there are nodes, and finds
// its flow. It returns false where they are no spanning tree, or where an arc that may
// only be used one way would have to be used the other way, or would have no flow and point
// away from the root.
func (s *Network) Plant(tree []int32, root int32) bool {
	n := len(s.supply)
	if len(tree) != n-1 {
		return false
	}
	// The tree's arcs at each node, in a list: 2k is arc k seen from its start.
	head, next := grow(s.head, n), grow(s.other, 2*len(tree))
	s.head, s.other = head, next
	for x := range head {
		head[x] = none
	}
	for k, a := range tree {
		arc := &s.arcs[a]
		next[2*k], head[arc.From] = head[arc.From], int32(2*k)
		next[2*k+1], head[arc.To] = head[arc.To], int32(2*k+1)
	}
	// Depth first: order is preorder, and back the stack.
	order := grow(s.order, n)[:0]
	for x := range s.link {
		s.link[x] = link{none, 0}
	}
	s.root = root
	s.arc[root] = none
	stack := s.back[:1]
	stack[0] = root
	for len(stack) > 0 {
		x := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		order = append(order, x)
		for e := head[x]; e != none; e = next[e] {
			k := tree[e>>1]
			y := s.arcs[k].From + s.arcs[k].To - x
			if k == s.arc[x] {
				continue
			}
			if y == root || s.link[y].parent != none {
				return false // a cycle
			}
			s.link[y].parent, s.arc[y] = x, k
			stack = append(stack, y)
		}
	}
	s.order = order
	return len(order) == n && s.collect(order)
}

// collect fills in what follows from the parents and the preorder. It returns false
// where the flow is not feasible.
func (s *Network) collect(order []int32) bool {
	copy(s.flow, s.supply)
	before := order[len(order)-1]
	for _, x := range order {
		s.thread[before], s.back[x] = x, before
		s.link[x].size, s.last[x] = 1, none
		before = x
	}
	for k := len(order) - 1; k > 0; k-- {
		x := order[k]
		p := s.link[x].parent
		if s.last[x] == none {
			s.last[x] = x
		}
		if s.last[p] == none {
			s.last[p] = s.last[x]
		}
		s.link[p].size += s.link[x].size
		y := s.flow[x]
		s.flow[p] += y
		if a := s.arc[x]; int(a) >= s.both && (y < 0) != (s.arcs[a].To == x) {
			return false
		}
	}
	root := order[0]
	if s.last[root] == none {
		s.last[root] = root
	}
	ok := s.flow[root] == 0
	s.flow[root] = 0
	return ok
}

// replant computes the potentials from the root, and the tolerance that goes with them.
func (s *Network) replant() {
	s.pot[s.root] = 0
	largest := 0.0
	for x := s.thread[s.root]; x != s.root; x = s.thread[x] {
		c := s.arcs[s.arc[x]].Cost
		largest = max(largest, math.Abs(c))
		if s.flow[x] < 0 {
			c = -c
		}
		y := s.pot[s.link[x].parent] + c
		s.pot[x] = y
		largest = max(largest, math.Abs(y))
	}
	s.tol = tolerance * largest
}

// pivot brings an arc into the tree; delta is by how much it is violated. Mass is
// sent around the cycle that it closes until the flow of an arc against it is gone. Of
// several such arcs, the one that leaves is the last one on the way from the top of the
// cycle along it.
func (s *Network) pivot(arc int, delta float64) {
	s.pivots++
	u, v := s.ends(arc)
	// From u the cycle comes down, and goes up from v.
	theta, leave, onU := math.Inf(1), int32(none), false
	lk, flow := s.link, s.flow
	x, y := u, v
	for x != y {
		// The smaller subtree cannot hold the other node.
		if a, b := lk[x], lk[y]; a.size < b.size {
			if f := flow[x]; f >= 0 && f < theta {
				theta, leave, onU = f, x, true
			}
			x = a.parent
		} else {
			if f := -flow[y]; f > 0 && f <= theta {
				theta, leave, onU = f, y, false
			}
			y = b.parent
		}
	}
	apex := x
	inside, outside := v, u
	if onU {
		inside, outside = u, v
		delta = -delta
	}
	in, out := theta, -theta // what the flow towards the root changes by
	if onU {
		in, out = -theta, theta
	}
	size := lk[leave].size
	below := lk[leave].parent
	for x := below; x != apex; x = lk[x].parent {
		flow[x] += in
		lk[x].size -= size
	}
	for x := outside; x != apex; x = lk[x].parent {
		flow[x] += out
		lk[x].size += size
	}
	end := s.turn(inside, outside, leave, below, in, -in)
	s.arc[inside] = int32(max(arc, ^arc))
	s.shift(inside, end, size, delta)
}

// ends are the nodes that an arc goes from and to.
func (s *Network) ends(arc int) (u, v int32) {
	if arc < 0 {
		a := &s.arcs[^arc]
		return a.To, a.From
	}
	a := &s.arcs[arc]
	return a.From, a.To
}

// turn cuts the subtree of leave off, makes inside its top and hangs it on outside, by an
// arc of the given flow. in is what the flows on the way from inside to leave change by.
// It returns the last node of the subtree.
func (s *Network) turn(inside, outside, leave, below int32, in, flow float64) (end int32) {
	lk, thread, back, last := s.link, s.thread, s.back, s.last
	// Out of the list.
	oldLast := last[leave]
	before, after := back[leave], thread[oldLast]
	thread[before], back[after] = after, before
	for x := below; x != none && last[x] == oldLast; x = lk[x].parent {
		last[x] = before
	}
	// The way from inside to leave turns round: each node takes what remains of its
	// subtree along, and the next one becomes its child.
	size := lk[leave].size
	x, above, arc := inside, outside, int32(none)
	end = last[x]
	childLast, childBefore, childAfter, childSize := end, back[x], thread[end], int32(0)
	for {
		next, nextFlow, nextArc := lk[x].parent, -(s.flow[x] + in), s.arc[x]
		own := lk[x].size
		lk[x] = link{above, size - childSize}
		s.flow[x], s.arc[x] = flow, arc
		childSize = own
		if x == leave {
			break
		}
		above, flow, arc = x, nextFlow, nextArc
		x = next
		xLast, xBefore := last[x], back[x]
		xAfter := childAfter
		if xLast != childLast {
			xAfter = thread[xLast]
		}
		thread[end], back[x] = x, end
		if end = childBefore; xLast != childLast {
			thread[childBefore], back[childAfter] = childAfter, childBefore
			end = xLast
		}
		childLast, childBefore, childAfter = xLast, xBefore, xAfter
	}
	for x := leave; ; x = lk[x].parent {
		if last[x] = end; x == inside {
			break
		}
	}
	// Into the list, as the first child.
	after = thread[outside]
	thread[outside], back[inside] = inside, outside
	thread[end], back[after] = after, end
	for x := outside; x != none && last[x] == outside; x = lk[x].parent {
		last[x] = end
	}
	return end
}

// shift raises the potentials from inside to end by delta, or lowers all others.
func (s *Network) shift(inside, end, size int32, delta float64) {
	x, stop := inside, s.thread[end]
	if 2*int(size) > len(s.pot) {
		x, stop, delta = stop, inside, -delta
	}
	thread, pot := s.thread, s.pot
	for x != stop {
		pot[x] += delta
		x = thread[x]
	}
}
