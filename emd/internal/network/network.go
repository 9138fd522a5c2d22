// Package network solves transportation problems of any size on a matrix of costs, for problems
// too large for masks of 64 bits and for costs that are not a metric: by column generation
// (P. C. Gilmore, R. E. Gomory, Oper. Res. 9 (1961) 849), with package sparse's network
// simplex on the arcs found so far.
//
// The start places one source after another on the sinks nearest to it, which makes a strongly
// feasible tree. Then each look at all of the matrix adds the arcs of every source that would
// lower the cost most, and the simplex goes on from the tree that it has, until there
// is none: F. Glover, D. Karney, D. Klingman, A. Napier, Management Science 20 (1974) 793.
package network

import (
	"sync/atomic"

	"barrow/emd/internal/sparse"
)

// A Solver holds the work space for problems on one cost matrix and is owned by
// one goroutine.
type Solver struct {
	cols int
	cost []float64 // rows of cols

	// The problem: nodes are sources first, then sinks. cell gives the row or
	// column of the cost matrix, mass what is to be placed.
	cell []int32
	mass []float64
	rows int

	net   sparse.Network
	arcs  []sparse.Arc
	tree  []int32
	guide []float64
	open  []int32
	left  []float64 // mass that is not yet placed
	best  sparse.Candidates

	// Pivots counts the pivots of the last Solve.
	Pivots int
}

// New takes a cost matrix with rows for the sources' cells and cols columns for the sinks',
// of any sign, which is kept. An arc counts as violated above a share (sparse.Network) of the largest potential at
// the time, so that costs far larger than those of the solution do not cost it digits.
func New(cols int, cost []float64) *Solver {
	return &Solver{cols: cols, cost: cost, best: sparse.Candidates{Most: perSource}}
}

// Reset begins a problem.
func (s *Solver) Reset() { s.cell, s.mass, s.rows = s.cell[:0], s.mass[:0], 0 }

// Source adds a source; all come before the sinks.
func (s *Solver) Source(cell int, mass float64) {
	s.cell, s.mass = append(s.cell, int32(cell)), append(s.mass, mass)
	s.rows++
}

// Sink adds a sink.
func (s *Solver) Sink(cell int, mass float64) {
	s.cell, s.mass = append(s.cell, int32(cell)), append(s.mass, mass)
}

// Guide makes Solve start from what is known of the optimum: potentials h of the sinks'
// cells, as in f + h ≤ cost. The nearer they are to optimal ones, the fewer pivots are
// left. They are kept; nil forgets them.
func (s *Solver) Guide(h []float64) { s.guide = h }

// Sources and Nodes count the nodes of the problem.
func (s *Solver) Sources() int { return s.rows }

// Nodes is the number of sources and sinks.
func (s *Solver) Nodes() int { return len(s.cell) }

// Node is the cell and the potential of node x.
func (s *Solver) Node(x int) (cell int, pot float64) { return int(s.cell[x]), s.net.Potentials()[x] }

// Arcs calls f with every arc that has flow, given by cells.
func (s *Solver) Arcs(f func(source, sink int, flow float64)) {
	s.net.Flows(func(_ int, from, to int32, flow float64) { f(int(s.cell[from]), int(s.cell[to]), flow) })
}

// Primal is Σ flow·cost.
func (s *Solver) Primal() float64 { return s.net.Primal() }

// StopOn makes Solve return false soon after another goroutine has set stop; nil is none.
func (s *Solver) StopOn(stop *atomic.Bool) { s.net.StopOn(stop) }

// Solve finds an optimal flow. The sources' and the sinks' masses must be
// positive integers of equal total. It returns false after limit pivots, or when it is stopped.
func (s *Solver) Solve(limit int) bool {
	s.start()
	s.net.Reset(len(s.cell), s.arcs, 0)
	supply := s.net.Supply()
	for x, y := range s.mass {
		if x >= s.rows {
			y = -y
		}
		supply[x] = y
	}
	s.tree = grow(s.tree, len(s.cell)-1)
	for k := range s.tree {
		s.tree[k] = int32(k)
	}
	if !s.net.Plant(s.tree, int32(s.rows-1)) {
		panic("network: the start is no tree")
	}
	ok := s.net.Generate(limit, s.price)
	s.Pivots = s.net.Pivots()
	s.arcs = s.net.Arcs() // the room for those added
	return ok
}

func grow[T any](v []T, n int) []T {
	if cap(v) < n {
		return make([]T, n)
	}
	return v[:n]
}

// between is the cost from source i to sink j.
func (s *Solver) between(i, j int32) float64 {
	return s.cost[int(s.cell[i])*s.cols+int(s.cell[j])]
}

// Costs is a row of the cost matrix.
func (s *Solver) Costs(cell int) []float64 { return s.cost[cell*s.cols:][:s.cols] }
