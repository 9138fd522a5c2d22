package columns

import (
	"math"
	"math/bits"
	"sync/atomic"

	"barrow/emd/internal/sparse"
)

// A Solver solves problems between the places of two lists, or of one, and is owned by one
// goroutine.
type Solver struct {
	space  *Space
	places [2][]float64 // of sources and sinks, rows
	rank   [2][]int32   // the cells in order, −1 for those of the other list

	levels []*level
	net    sparse.Network
	arcs   []sparse.Arc
	pivots int

	// Work space.
	weight                 []float64
	coarse, between, parts []share
	start                  []int32
	have, want             []amount
	mask                   []uint64
	x, y                   []float64
	best                   sparse.Candidates

	// Potentials to start from, and work space for that.
	guide              []float64
	guideTree          []Pair
	node               [2][]int32 // of each cell
	f, h               []float64
	tight              []slackArc
	near               []sparse.Arc
	rest               Side
	left               []amount
	root, degree       []int32
	head, next, leaves []int32
	ends               [2][]int32
}

// A level has the problem's groups.
type level struct {
	src, snk       side
	coarser, finer *level
}

// cost is that of an arc between nodes.
func (l *level) cost(s *Solver, i, j int) float64 {
	if l.src.extra && i == l.src.n || l.snk.extra && j == l.snk.n {
		return 0
	}
	return s.space.Cost(l.src.place(i, s.x), l.snk.place(j, s.y))
}

// New takes the places of sources and of sinks, rows of Dim numbers, and the order of the
// sources' and then the sinks' places; where sinks is nil both are the same, and the order
// is of one list.
func New(space *Space, sources, sinks []float64, order []int32) *Solver {
	s := &Solver{space: space, places: [2][]float64{sources, sinks}, x: make([]float64, space.Dim), y: make([]float64, space.Dim), best: sparse.Candidates{Most: perSource}}
	if sinks == nil {
		s.places[1] = sources
		s.rank = [2][]int32{order, order}
		return s
	}
	n := int32(len(sources) / space.Dim)
	for side := range s.rank {
		s.rank[side] = make([]int32, len(order))
		for r, k := range order {
			s.rank[side][r] = -1
			if (k >= n) == (side == 1) {
				s.rank[side][r] = k - int32(side)*n
			}
		}
	}
	return s
}

// StopOn makes Solve return false, and Extend return with nothing that counts, soon after another
// goroutine has set stop; nil is none.
func (s *Solver) StopOn(stop *atomic.Bool) { s.net.StopOn(stop) }

// Solve finds an optimal plan between masses that are integers of equal total, one for each
// cell and perhaps one more on one side for what stays unmatched. Both must have some. It
// returns false after limit pivots, or when it is stopped, with a plan that is one.
func (s *Solver) Solve(up, down []float64, limit int) bool {
	top := s.build(up, down)
	s.pivots = 0
	ok := true
	guided := s.guide != nil && s.begin(s.levels[0])
	if guided {
		top = 0
	}
	for k := top; k >= 0; k-- {
		l := s.levels[k]
		if guided {
			// The arcs are there.
		} else if k == top {
			s.plantTop(l)
		} else {
			s.refine(l, s.tree(s.levels[k+1]))
			s.neighbours(l)
		}
		sources := l.src.nodes()
		s.net.Reset(sources+l.snk.nodes(), s.arcs, 0)
		supply := s.net.Supply()
		copy(supply, l.src.mass)
		for j, x := range l.snk.mass {
			supply[sources+j] = -x
		}
		if !s.net.Plant(s.treeArcs(len(supply)-1), int32(sources)) {
			panic("columns: the tree of a coarser level does not fit a level")
		}
		ok = s.generate(l, limit)
		s.arcs = s.net.Arcs() // the room for those added
	}
	s.number()
	return ok
}

// treeArcs are the first ones.
func (s *Solver) treeArcs(n int) []int32 {
	s.start = grow(s.start, n)
	for k := range s.start {
		s.start[k] = int32(k)
	}
	return s.start
}

// build makes the levels and returns the index of the coarsest.
func (s *Solver) build(up, down []float64) int {
	for k := 0; ; k++ {
		if k == len(s.levels) {
			s.levels = append(s.levels, new(level))
		}
		l := s.levels[k]
		l.finer, l.coarser = nil, nil
		if k == 0 {
			l.src.load(s.space.Dim, s.places[0], s.rank[0], up)
			l.snk.load(s.space.Dim, s.places[1], s.rank[1], down)
		} else {
			finer := s.levels[k-1]
			finer.src.group(s.space.Dim, &l.src)
			finer.snk.group(s.space.Dim, &l.snk)
			l.finer, finer.coarser = finer, l
		}
		if l.src.n <= 1 && l.snk.n <= 1 {
			return k
		}
	}
}

// plantTop makes the tree of the coarsest level: one side has a single node.
func (s *Solver) plantTop(l *level) {
	s.arcs = s.arcs[:0]
	for i := range l.src.nodes() {
		for j := range l.snk.nodes() {
			s.arcs = append(s.arcs, sparse.Arc{From: int32(i), To: int32(l.src.nodes() + j), Cost: l.cost(s, i, j)})
		}
	}
}

// neighbours adds the arcs between the members of groups that the level above joins.
func (s *Solver) neighbours(l *level) {
	sources := l.src.nodes()
	for _, x := range s.coarse {
		for i := l.src.first[x.from]; i < l.src.first[x.from+1]; i++ {
			for j := l.snk.first[x.to]; j < l.snk.first[x.to+1]; j++ {
				s.arcs = append(s.arcs, sparse.Arc{From: i, To: int32(sources) + j, Cost: l.cost(s, int(i), int(j))})
			}
		}
	}
}

// generate solves the level by adding arcs until none is missing.
func (s *Solver) generate(l *level, limit int) bool {
	ok := s.net.Generate(limit-s.pivots, func() bool { return s.price(l) })
	s.pivots += s.net.Pivots()
	return ok
}

// perSource is how many arcs are added for one source at a time.
const perSource = 6

// price looks at all pairs and adds arcs; it returns false where none is violated.
func (s *Solver) price(l *level) bool {
	pot := s.net.Potentials()
	sources := l.src.nodes()
	tol := s.net.Tolerance()
	for j := range l.snk.n {
		l.snk.w[j] = pot[sources+j]
	}
	s.mask = grow(s.mask, l.snk.stride/block)
	found := false
	for i := range l.src.n {
		if s.net.Stopped() {
			return false
		}
		u := pot[i] - tol
		x := l.src.place(i, s.x)
		s.space.Scan(s.mask, x, &l.snk.Side, u)
		s.best.Reset()
		for m, word := range s.mask {
			for ; word != 0; word &= word - 1 {
				j := m*block + bits.TrailingZeros64(word)
				c := s.space.Cost(x, l.snk.place(j, s.y))
				s.best.Keep(sparse.Candidate{To: int32(j), Cost: c, Violation: u - l.snk.w[j] - c})
			}
		}
		if l.snk.extra {
			s.best.Keep(sparse.Candidate{To: int32(l.snk.n), Violation: u - pot[sources+l.snk.n]})
		}
		for _, b := range s.best.List() {
			found = s.net.Offer(sparse.Arc{From: int32(i), To: int32(sources) + b.To, Cost: b.Cost}) || found
		}
	}
	if l.src.extra {
		for j := range l.snk.n {
			found = s.net.Offer(sparse.Arc{From: int32(l.src.n), To: int32(sources + j)}) || found
		}
	}
	return found
}

// Primal is the cost of the plan.
func (s *Solver) Primal() float64 { return s.net.Primal() }

// Pivots counts those of the last Solve, at all levels.
func (s *Solver) Pivots() int { return s.pivots }

// Flows calls f with every part of the plan. The cell after the last is unmatched mass.
func (s *Solver) Flows(f func(from, to int, units float64)) {
	l := s.levels[0]
	s.net.Flows(func(_ int, from, to int32, units float64) {
		f(s.cell(&l.src, 0, int(from)), s.cell(&l.snk, 1, int(to)-l.src.nodes()), units)
	})
}

// cell is that of a node of the finest level.
func (s *Solver) cell(b *side, which, node int) int {
	if key := b.key[node]; key >= 0 {
		return int(s.rank[which][key])
	}
	return len(s.places[which]) / s.space.Dim
}

// number makes the potentials the numbers of the finest level's places.
func (s *Solver) number() {
	l, pot := s.levels[0], s.net.Potentials()
	for i := range l.src.n {
		l.src.w[i] = -pot[i]
	}
	for j := range l.snk.n {
		l.snk.w[j] = pot[l.src.nodes()+j]
	}
}

// Potentials calls f with every cell that has mass, of sources or of sinks, and its
// potential; those of sources exceed those of sinks by the costs at most.
func (s *Solver) Potentials(f func(sink bool, cell int, pot float64)) {
	l, pot := s.levels[0], s.net.Potentials()
	for i := range l.src.nodes() {
		f(false, s.cell(&l.src, 0, i), pot[i])
	}
	for j := range l.snk.nodes() {
		f(true, s.cell(&l.snk, 1, j), pot[l.src.nodes()+j])
	}
}

// Extra is the potential of what stays unmatched, 0 where there is none.
func (s *Solver) Extra() float64 {
	l, pot := s.levels[0], s.net.Potentials()
	switch {
	case l.src.extra:
		return pot[l.src.n]
	case l.snk.extra:
		return pot[len(pot)-1]
	}
	return 0
}

// Extend sets f to the middle of the least and the largest potentials that the cells may have
// beside those of sources and sinks, where both are the same cells. known is room for as many.
func (s *Solver) Extend(f, known []float64) {
	l, pot := s.levels[0], s.net.Potentials()
	sources := l.src.nodes()
	// A cell with mass has its potential, but for what was let be.
	for k := range known {
		known[k] = math.NaN()
	}
	largest := 0.0
	for x, y := range pot {
		largest = max(largest, math.Abs(y))
		switch {
		case x < l.src.n:
			known[s.cell(&l.src, 0, x)] = y
		case x >= sources && x-sources < l.snk.n:
			known[s.cell(&l.snk, 1, x-sources)] = y
		}
	}
	slack := 4*s.net.Tolerance() + 1e-14*largest
	below, above := math.Inf(-1), math.Inf(1)
	if l.src.extra {
		below = pot[l.src.n]
	}
	if l.snk.extra {
		above = pot[sources+l.snk.n]
	}
	s.mask = grow(s.mask, max(l.src.Words(), l.snk.Words()))
	for k := range f {
		if s.net.Stopped() {
			return
		}
		x := s.places[0][k*s.space.Dim:][:s.space.Dim]
		most, fewest := math.Inf(1), math.Inf(1)
		if y := known[k]; y == y {
			most, fewest = y+slack, slack-y
		}
		most = s.space.LeastBelow(x, &l.snk.Side, most, s.mask, s.y)
		fewest = -s.space.LeastBelow(x, &l.src.Side, fewest, s.mask, s.y)
		f[k] = min(most, above)/2 + max(fewest, below)/2
	}
}
