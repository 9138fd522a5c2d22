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
	for x := range s.node {
		s.node[x] = node{parent: none}
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
			if y == root || s.node[y].parent != none {
				return false // a cycle
			}
			s.node[y].parent, s.node[y].cost, s.arc[y] = x, s.arcs[k].Cost, k
			stack = append(stack, y)
		}
	}
	s.order = order
	return len(order) == n && s.collect(order)
}

// collect fills in what follows from the parents and the preorder. It returns false
// where the flow is not feasible.
func (s *Network) collect(order []int32) bool {
	for x, y := range s.supply {
		s.node[x].flow = y
	}
	before := order[len(order)-1]
	for _, x := range order {
		s.thread[before], s.back[x] = x, before
		s.node[x].size, s.last[x] = 1, none
		before = x
	}
	for k := len(order) - 1; k > 0; k-- {
		x := order[k]
		n := &s.node[x]
		p := n.parent
		if s.last[x] == none {
			s.last[x] = x
		}
		if s.last[p] == none {
			s.last[p] = s.last[x]
		}
		s.node[p].size += n.size
		s.node[p].flow += n.flow
		if a := s.arc[x]; int(a) >= s.both && (n.flow < 0) != (s.arcs[a].To == x) {
			return false
		}
	}
	root := order[0]
	if s.last[root] == none {
		s.last[root] = root
	}
	ok := s.node[root].flow == 0
	s.node[root].flow = 0
	return ok
}

// replant computes the potentials from the root, and the tolerance that goes with them.
func (s *Network) replant() {
	s.pot[s.root] = 0
	largest := 0.0
	for x := s.thread[s.root]; x != s.root; x = s.thread[x] {
		n := &s.node[x]
		y := s.pot[n.parent] + n.rise()
		s.pot[x] = y
		largest = max(largest, math.Abs(y), math.Abs(n.cost))
	}
	s.tol = s.share * largest
}

// pivot brings an arc into the tree; delta is by how much it is violated, 0 where the
// potentials do not tell: then it is found out, nothing happens where it is not
// violated, and potentials stay as they are. Mass is sent around the cycle that the arc
// closes until the flow of an arc against it is gone. Of several such arcs, the one that
// leaves is the last one on the way from the top of the cycle along it.
func (s *Network) pivot(arc int, delta float64) {
	u, v := s.ends(arc)
	// From u the cycle comes down, and goes up from v.
	theta, leave, onU := math.Inf(1), int32(none), false
	nodes := s.node
	x, y, rise := u, v, 0.0
	for x != y {
		// The smaller subtree cannot hold the other node.
		if a, b := &nodes[x], &nodes[y]; a.size < b.size {
			if f := a.flow; f >= 0 && f < theta {
				theta, leave, onU = f, x, true
			}
			rise += a.rise()
			x = a.parent
		} else {
			if f := -b.flow; f > 0 && f <= theta {
				theta, leave, onU = f, y, false
			}
			rise -= b.rise()
			y = b.parent
		}
	}
	cost := s.arcs[max(arc, ^arc)].Cost
	if delta == 0 && rise-cost <= s.tol {
		return
	}
	s.pivots++
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
	size, below := nodes[leave].size, nodes[leave].parent
	for x := below; x != apex; {
		n := &nodes[x]
		n.flow += in
		n.size -= size
		x = n.parent
	}
	for x := outside; x != apex; {
		n := &nodes[x]
		n.flow += out
		n.size += size
		x = n.parent
	}
	end := s.turn(inside, outside, leave, below, in, node{flow: -in, cost: cost})
	s.arc[inside] = int32(max(arc, ^arc))
	if delta != 0 {
		s.shift(inside, end, size, delta)
		// Potentials that have grown are known less well, until they are computed anew.
		s.tol = max(s.tol, s.share*max(math.Abs(delta), math.Abs(cost)))
	}
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
// arc of flow and cost as in entry. in is what the flows on the way from inside to leave
// change by. It returns the last node of the subtree.
func (s *Network) turn(inside, outside, leave, below int32, in float64, entry node) (end int32) {
	nodes, thread, back, last := s.node, s.thread, s.back, s.last
	// Out of the list.
	oldLast := last[leave]
	before, after := back[leave], thread[oldLast]
	thread[before], back[after] = after, before
	for x := below; x != none && last[x] == oldLast; x = nodes[x].parent {
		last[x] = before
	}
	// The way from inside to leave turns round: each node takes what remains of its
	// subtree along, and the next one becomes its child.
	size := nodes[leave].size
	x, arc := inside, int32(none)
	end = last[x]
	childLast, childBefore, childAfter, childSize := end, back[x], thread[end], int32(0)
	entry.parent = outside
	for {
		old, oldArc := nodes[x], s.arc[x]
		entry.size = size - childSize
		nodes[x], s.arc[x] = entry, arc
		if x == leave {
			break
		}
		entry, arc = node{parent: x, flow: -(old.flow + in), cost: old.cost}, oldArc
		childSize = old.size
		x = old.parent
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
	for x := leave; ; x = nodes[x].parent {
		if last[x] = end; x == inside {
			break
		}
	}
	// Into the list, as the first child.
	after = thread[outside]
	thread[outside], back[inside] = inside, outside
	thread[end], back[after] = after, end
	for x := outside; x != none && last[x] == outside; x = nodes[x].parent {
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
