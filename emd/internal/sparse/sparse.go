// Package sparse solves uncapacitated minimum-cost flow problems on a list of arcs by a
// primal network simplex: the arcs may be those of a grid's neighbours, or those that
// column generation has found so far.
//
// Supplies and flows are float64 numbers of integer value, at most 2⁵² in all, so that sums
// and differences are exact. Trees are kept strongly feasible (W. H. Cunningham, Math.
// Prog. 11 (1976) 105), so that degenerate pivots cannot cycle. The tree is a preorder
// list with the size and the last node of every subtree, as in V. Chvátal, Linear
// Programming (1983), chapter 19, so that a pivot costs the length of its cycle and the
// smaller of the two parts whose potentials move against each other. While many arcs are
// violated potentials are not moved at all, but computed anew for some hundred pivots. Then
// pricing goes around the arcs block by block and takes the most violated one of the first
// block that has any: Z. Király and P. Kovács, "Efficient implementations of
// minimum-cost flow algorithms", Acta Univ. Sapientiae Inform. 4 (2012) 67.
package sparse

import (
	"math"
	"sync/atomic"
)

// An Arc takes mass from a node to another one at a cost for each unit.
type Arc struct {
	From, To int32
	Cost     float64
}

// A Network is a problem, its tree and the work space, owned by one goroutine.
//
// The order of calls is Reset, Supply for every node, Plant, Solve. After Solve
// arcs may be offered, and Solve goes on from the tree that it left.
type Network struct {
	arcs []Arc
	both int // so many of the arcs, from the first, may be used either way

	supply []float64
	root   int32

	// The tree. An arc's flow is counted towards the root, and belongs to the node below:
	// where it is negative, the arc points away from the root. An arc without flow
	// always points to the root, as strong feasibility asks.
	node   []node
	arc    []int32 // that to the parent
	thread []int32 // the next node in preorder, circular
	back   []int32 // the previous one
	last   []int32 // the last node of the subtree
	pot    []float64

	at     int // where pricing goes on
	block  int
	share  float64 // of the largest potential or cost, above which a violation counts
	tol    float64
	pivots int
	stop   *atomic.Bool

	head, other, order []int32 // for Plant
	found              []int32 // violated arcs, ^k where backwards
}

// A node is what walks towards the root read: the size of its subtree, and flow and
// cost of its arc.
type node struct {
	parent, size int32
	flow, cost   float64
}

// rise is how far the potential of the node lies above that of its parent.
func (x *node) rise() float64 {
	if x.flow < 0 {
		return -x.cost
	}
	return x.cost
}

const none = -1

// Reset begins a problem of so many nodes, without supplies. The arcs are kept, not
// copied; of the first both of them each may be used either way at the same cost,
// which must not be negative.
func (s *Network) Reset(nodes int, arcs []Arc, both int) {
	s.arcs, s.both = arcs, both
	s.supply = grow(s.supply, nodes)
	clear(s.supply)
	s.node = grow(s.node, nodes)
	s.arc, s.thread = grow(s.arc, nodes), grow(s.thread, nodes)
	s.back, s.last = grow(s.back, nodes), grow(s.last, nodes)
	s.pot = grow(s.pot, nodes)
	s.at, s.pivots = 0, 0
	s.share = tolerance * max(1, math.Sqrt(float64(nodes)/1000))
}

func grow[T any](v []T, n int) []T {
	if cap(v) < n {
		return make([]T, n)
	}
	return v[:n]
}

// Supply is the room for what each node gives, an integer, negative where it
// takes. The sum must be 0. It may be written until Plant.
func (s *Network) Supply() []float64 { return s.supply }

// Arcs is the list of arcs, those added included. It is not to be changed.
func (s *Network) Arcs() []Arc { return s.arcs }

// Pivots counts the pivots since Reset.
func (s *Network) Pivots() int { return s.pivots }

// Potentials has one potential for each node, up to a constant: after Solve pot[from] − pot[to] ≤
// cost for every arc, and equal where there is flow. It is not to be changed.
func (s *Network) Potentials() []float64 { return s.pot }

// Flows calls f with every arc that has flow, with its ends in the direction of the flow.
func (s *Network) Flows(f func(arc int, from, to int32, flow float64)) {
	for x := range s.node {
		switch p, y := s.node[x].parent, s.node[x].flow; {
		case p == none || y == 0:
		case y > 0:
			f(int(s.arc[x]), int32(x), p, y)
		default:
			f(int(s.arc[x]), p, int32(x), -y)
		}
	}
}

// Tree appends the arcs of the tree, as Plant takes them.
func (s *Network) Tree(tree []int32) []int32 {
	for _, k := range s.arc {
		if k != none {
			tree = append(tree, k)
		}
	}
	return tree
}

// Primal is Σ flow·cost.
func (s *Network) Primal() float64 {
	sum := 0.0
	for x := range s.node {
		sum += math.Abs(s.node[x].flow) * s.node[x].cost
	}
	return sum
}

// StopOn makes Solve and Generate return false soon after another goroutine has set stop; nil is
// none.
func (s *Network) StopOn(stop *atomic.Bool) { s.stop = stop }

// Stopped says that they are to return.
func (s *Network) Stopped() bool { return s.stop != nil && s.stop.Load() }

// Solve finds an optimal flow from the tree that there is. It returns false after limit
// pivots, or when it is stopped, with a flow that is feasible.
func (s *Network) Solve(limit int) bool {
	most := s.pivots + limit
	return s.rounds(most) && s.finish(most)
}

// rounds does pivots without keeping the potentials up: those at the start of a round name
// the arcs that may be violated, and whether one still is follows from the way around its
// cycle, which a pivot goes anyway. It ends where a round has few pivots, fewer than
// pay for computing potentials anew. It returns false where the pivots reach most.
func (s *Network) rounds(most int) bool {
	few := max(leastRound, len(s.node)/roundShare)
	for done := false; ; {
		s.replant()
		if done {
			return true
		}
		s.search()
		if len(s.found) < few {
			return true
		}
		before := s.pivots
		for _, k := range s.found {
			if s.pivots == most || s.Stopped() {
				s.replant()
				return false
			}
			s.pivot(int(k), 0)
		}
		done = s.pivots-before < few
	}
}

// search finds all violated arcs.
func (s *Network) search() {
	pot, found := s.pot, s.found[:0]
	for k := range s.arcs[:s.both] {
		a := &s.arcs[k]
		d := pot[a.From] - pot[a.To]
		if math.Abs(d)-a.Cost > s.tol {
			if d < 0 {
				k = ^k
			}
			found = append(found, int32(k))
		}
	}
	for k := s.both; k < len(s.arcs); k++ {
		a := &s.arcs[k]
		if pot[a.From]-pot[a.To]-a.Cost > s.tol {
			found = append(found, int32(k))
		}
	}
	s.found = found
}

// finish does pivots block by block until no arc is violated.
func (s *Network) finish(most int) bool {
	fresh := true
	m := len(s.arcs)
	s.block = max(minBlock, int(blockFactor*math.Sqrt(float64(m))))
	if s.at >= m {
		s.at = 0
	}
	for idle := 0; ; {
		at := s.at
		k, delta := s.price()
		if delta > s.tol {
			if s.pivots == most || s.Stopped() {
				return false
			}
			s.pivot(k, delta)
			fresh, idle = false, 0
			continue
		}
		if s.at > at {
			idle += s.at - at
		} else {
			idle += m - at + s.at
		}
		if idle < m {
			continue
		}
		if fresh {
			return true
		}
		// Potentials have been shifted many times: compute them anew from the tree and make
		// sure that nothing was hidden by rounding.
		s.replant()
		fresh, idle = true, 0
	}
}

const (
	blockFactor = 1
	minBlock    = 16
	leastRound  = 64
	roundShare  = 32 // of the nodes
	// tolerance is above how much of the largest potential or cost a violation counts, in a network of
	// a thousand nodes. Potentials are sums along the tree, whose roundings add up as its root does.
	tolerance = 2e-14
)

// price looks at the next block of arcs and returns the most violated one, as k where it
// is to be used forwards and ^k where backwards.
func (s *Network) price() (arc int, delta float64) {
	pot, arcs := s.pot, s.arcs
	from := s.at
	to := min(from+s.block, len(arcs))
	if s.at = to; to == len(arcs) {
		s.at = 0
	}
	best, at := 0.0, 0
	if from < s.both {
		end := min(to, s.both)
		for k, a := range arcs[from:end] {
			d := math.Abs(pot[a.From]-pot[a.To]) - a.Cost
			if d > best {
				best, at = d, from+k
			}
		}
		from = end
	}
	for k := range arcs[from:to] {
		a := &arcs[from+k]
		if d := pot[a.From] - pot[a.To] - a.Cost; d > best {
			best, at = d, from+k
		}
	}
	if best > 0 && at < s.both && pot[arcs[at].From] < pot[arcs[at].To] {
		at = ^at
	}
	return at, best
}
