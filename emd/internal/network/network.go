// Package network solves transportation problems of any size by a primal
// network simplex on the bipartite graph of sources and sinks, for problems too
// large for masks of 64 bits and for costs that are not a metric.
//
// Masses and flows are float64 numbers of integer value, at most 2⁵² in all, so
// that sums and differences are exact. Trees are kept strongly feasible
// (W. H. Cunningham, Math. Prog. 11 (1976) 105). Pricing goes around the
// sources, one at a time, and takes the best arc of the first that has one: the
// block search of Z. Király and P. Kovács, "Efficient implementations of minimum-
// cost flow algorithms", Acta Univ. Sapientiae Inform. 4 (2012) 67, with a row as
// the block.
package network

// A Solver holds the work space for problems on one cost matrix and is owned by
// one goroutine.
type Solver struct {
	cols  int
	cost  []float64 // rows of cols
	tol   float64
	scale bool // tol follows the potentials

	// The problem: nodes are sources first, then sinks. cell gives the row or
	// column of the cost matrix, mass what is to be placed.
	cell []int32
	mass []float64
	rows int

	// The tree: flow and arc are those between a node and its parent.
	parent, depth     []int32
	child, next, prev []int32
	flow, arc, pot    []float64
	order, open       []int32
	colPot            []float64 // of the sinks, packed for pricing
	root              int32
	guide             []float64

	// Pivots counts the pivots of the last Solve.
	Pivots int
}

// New takes a cost matrix with rows for the sources' cells and cols columns for
// the sinks', which is kept. An arc counts as violated above 10⁻¹³ of the largest
// cost.
func New(cols int, cost []float64) *Solver {
	largest := 0.0
	for _, x := range cost {
		largest = max(largest, x)
	}
	return &Solver{cols: cols, cost: cost, tol: tolerance * largest}
}

// NewScaled is New for costs of any sign and size: an arc counts as violated above
// 10⁻¹³ of the largest potential at the time, so that costs far larger than those
// of the solution do not cost it digits.
func NewScaled(cols int, cost []float64) *Solver {
	return &Solver{cols: cols, cost: cost, scale: true}
}

const tolerance = 1e-13

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
func (s *Solver) Node(x int) (cell int, pot float64) { return int(s.cell[x]), s.pot[x] }

// Arcs calls f with every arc of the tree, given by cells.
func (s *Solver) Arcs(f func(source, sink int, flow float64)) {
	for x := range s.cell {
		if int32(x) == s.root {
			continue
		}
		a, b := s.cell[x], s.cell[s.parent[x]]
		if x >= s.rows {
			a, b = b, a
		}
		f(int(a), int(b), s.flow[x])
	}
}

// Primal is Σ flow·cost.
func (s *Solver) Primal() float64 {
	sum := 0.0
	for x := range s.cell {
		if int32(x) != s.root {
			sum += s.flow[x] * s.arc[x]
		}
	}
	return sum
}

// Solve finds an optimal flow. The sources' and the sinks' masses must be
// positive integers of equal total. It returns false after limit pivots.
func (s *Solver) Solve(limit int) bool {
	s.start()
	s.plant()
	s.Pivots = 0
	fresh, idle, row := true, 0, 0
	for {
		i, j, delta := s.price(row)
		if row++; row == s.rows {
			row = 0
		}
		if delta > s.tol {
			if s.Pivots >= limit {
				s.plant()
				return false
			}
			s.pivot(i, j, delta)
			fresh, idle = false, 0
			continue
		}
		if idle++; idle < s.rows {
			continue
		}
		if fresh {
			return true
		}
		// Potentials have been shifted many times: compute them anew from the
		// tree and make sure that nothing was hidden by rounding.
		s.plant()
		fresh, idle = true, 0
	}
}

func grow[T any](v []T, n int) []T {
	if cap(v) < n {
		return make([]T, n)
	}
	return v[:n]
}

func (s *Solver) allocate() {
	n := len(s.cell)
	s.parent, s.depth = grow(s.parent, n), grow(s.depth, n)
	s.child, s.next, s.prev = grow(s.child, n), grow(s.next, n), grow(s.prev, n)
	s.flow, s.arc, s.pot = grow(s.flow, n), grow(s.arc, n), grow(s.pot, n)
	s.order = grow(s.order, n)[:0]
	s.colPot = grow(s.colPot, n-s.rows)
}

// between is the cost from source i to sink j.
func (s *Solver) between(i, j int32) float64 {
	return s.cost[int(s.cell[i])*s.cols+int(s.cell[j])]
}

// Costs is a row of the cost matrix.
func (s *Solver) Costs(cell int) []float64 { return s.cost[cell*s.cols:][:s.cols] }
