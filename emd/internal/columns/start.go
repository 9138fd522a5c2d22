package columns

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"barrow/emd/internal/sparse"
)

// A Pair is an arc between cells of both sides, of which the one after the last is unmatched mass.
type Pair struct{ From, To int32 }

// Guide makes Solve start from what is known of the optimum: potentials of the sources' cells, and
// one more for unmatched mass, as Potentials has them, such as those of a similar problem,
// and perhaps the arcs of its tree. They are kept; nil forgets them.
func (s *Solver) Guide(sources []float64, tree []Pair) { s.guide, s.guideTree = sources, tree }

// Tree appends the arcs of the tree that Solve ended with.
func (s *Solver) Tree(tree []Pair) []Pair {
	l, arcs := s.levels[0], s.net.Arcs()
	s.net.Walk(func(_, _, arc int32, _ float64) {
		a := arcs[arc]
		tree = append(tree, Pair{int32(s.cell(&l.src, 0, int(a.From))), int32(s.cell(&l.snk, 1, int(a.To)-l.src.nodes()))})
	})
	return tree
}

const (
	// hopeless is the share of the nodes that have mass left after the first round, above which
	// coarser levels are the better start.
	hopeless = 0.3
	// fewEnds is below how many nodes further rounds are no gain.
	fewEnds = 16
)

// begin makes the arcs of the finest level of the guide, those of a tree first, and says whether
// the guide is of use. From the nodes with mass left the nearly tight arcs are found, from
// these a forest, and what it leaves over is the next round's.
func (s *Solver) begin(l *level) bool {
	s.tighten(l)
	sources, n := l.src.nodes(), l.src.nodes()+l.snk.nodes()
	s.left = grow(s.left, n)
	s.degree = grow(s.degree, n)
	for x := range s.left {
		s.degree[x] = 0
		if x < sources {
			s.left[x] = amount{l.src.mass[x], 1}
		} else {
			s.left[x] = amount{l.snk.mass[x-sources], -1}
		}
	}
	s.left[sources].little = float64(n - 1) // the root
	s.arcs, s.near = s.arcs[:0], s.near[:0]
	open := s.collect(sources)
	for first := true; open > fewEnds; first = false {
		if first && len(s.guideTree) > 0 {
			s.knownArcs(l)
		} else {
			s.tightArcs(l, first)
		}
		s.peel(l)
		before := open
		open = s.collect(sources)
		if first && open > int(hopeless*float64(n)) {
			return false
		}
		if 4*open > 3*before {
			break
		}
	}
	s.join(l)
	s.arcs = append(s.arcs, s.near...)
	return true
}

// collect lists the nodes with mass left, and counts them.
func (s *Solver) collect(sources int) int {
	s.ends[0], s.ends[1] = s.ends[0][:0], s.ends[1][:0]
	for x, d := range s.degree {
		switch {
		case d < 0:
		case x < sources:
			s.ends[0] = append(s.ends[0], int32(x))
		default:
			s.ends[1] = append(s.ends[1], int32(x-sources))
		}
	}
	return len(s.ends[0]) + len(s.ends[1])
}

// join brings what is left of the masses together in order.
func (s *Solver) join(l *level) {
	ends, sources := s.ends, l.src.nodes()
	if len(ends[0]) == 0 || len(ends[1]) == 0 {
		return // the last node
	}
	s.have, s.want = s.have[:0], s.want[:0]
	for _, i := range ends[0] {
		s.have = append(s.have, s.left[i])
	}
	for _, j := range ends[1] {
		s.want = append(s.want, s.left[sources+int(j)])
	}
	northWest(s.have, s.want, func(i, j int, _ amount) {
		from, to := ends[0][i], ends[1][j]
		s.arcs = append(s.arcs, sparse.Arc{From: from, To: int32(sources) + to, Cost: l.cost(s, int(from), int(to))})
	})
}

// tighten makes the guide a pair of potentials in which every node with mass has a tight arc:
// h the transform of the sources' and f that of h.
func (s *Solver) tighten(l *level) {
	n, m := l.src.nodes(), l.snk.nodes()
	s.f, s.h = grow(s.f, n), grow(s.h, m)
	free := math.Inf(1) // what unmatched mass on the other side allows
	for i := range n {
		s.f[i] = s.guide[s.cell(&l.src, 0, i)]
		if i < l.src.n {
			l.src.w[i] = -s.f[i]
		} else {
			free = -s.f[i]
		}
	}
	for j := range m {
		if j == l.snk.n {
			s.h[j] = -slices.Max(s.f)
			continue
		}
		s.h[j] = min(free, s.space.LeastTo(l.snk.place(j, s.y), &l.src.Side))
		l.snk.w[j] = -s.h[j]
	}
	free = math.Inf(1)
	if l.snk.extra {
		free = -s.h[m-1]
	}
	for i := range n {
		if i == l.src.n {
			s.f[i] = -slices.Max(s.h)
			continue
		}
		s.f[i] = min(free, s.space.Least(l.src.place(i, s.x), &l.snk.Side))
	}
}

const (
	// fewArcs and manyArcs are between how many nearly tight arcs a source should have.
	fewArcs, manyArcs = 3, 8
)

// A slackArc is a nearly tight arc between nodes of both sides, and how far it is from being so.
type slackArc struct {
	from, to    int32
	cost, slack float64
}

// knownArcs lists the arcs of the tree that is known between cells that have mass now.
func (s *Solver) knownArcs(l *level) {
	for which, b := range [2]*side{&l.src, &l.snk} {
		s.node[which] = grow(s.node[which], len(s.places[which])/s.space.Dim+1)
		for k := range s.node[which] {
			s.node[which][k] = -1
		}
		for x := range b.nodes() {
			s.node[which][s.cell(b, which, x)] = int32(x)
		}
	}
	s.tight = s.tight[:0]
	for _, a := range s.guideTree {
		if i, j := s.node[0][a.From], s.node[1][a.To]; i >= 0 && j >= 0 {
			s.tight = append(s.tight, slackArc{i, j, l.cost(s, int(i), int(j)), 0})
		}
	}
}

// tightArcs lists the arcs between nodes with mass left that are nearly tight, or as nearly as
// any of a source's are, the tightest first.
func (s *Solver) tightArcs(l *level, all bool) {
	sources := int32(l.src.nodes())
	b := &l.snk.Side
	places := s.ends[1]
	if l.snk.extra && len(places) > 0 && int(places[len(places)-1]) == l.snk.n {
		places = places[:len(places)-1]
	}
	if !all {
		b = &s.rest
		b.Pack(s.space.Dim, len(places))
		for k, j := range places {
			b.Put(k, l.snk.place(int(j), s.y), -s.h[j])
		}
	}
	s.mask = grow(s.mask, b.Words())
	s.tight = s.tight[:0]
	width := 0.0
	for _, y := range s.f {
		width = max(width, math.Abs(y))
	}
	width *= 1e-3
	for _, i := range s.ends[0] {
		if int(i) == l.src.n {
			for _, j := range places {
				s.tight = append(s.tight, slackArc{i, j, 0, -s.f[i] - s.h[j]})
			}
			continue
		}
		x := l.src.place(int(i), s.x)
		bound := s.f[i] + width
		if !all {
			bound = s.space.Least(x, b) + width
		}
		found := s.below(x, b, places, bound)
		if len(places) < len(s.ends[1]) {
			s.best.Keep(sparse.Candidate{To: int32(l.snk.n), Violation: bound + s.h[l.snk.n]})
		}
		for _, c := range s.best.List() {
			s.tight = append(s.tight, slackArc{i, c.To, c.Cost, c.Cost - s.f[i] - s.h[c.To]})
			s.near = append(s.near, sparse.Arc{From: i, To: sources + c.To, Cost: c.Cost})
		}
		if found > manyArcs {
			width *= 0.75
		} else if found < fewArcs {
			width *= 1.5
		}
	}
	slices.SortFunc(s.tight, func(a, b slackArc) int {
		return cmp.Or(cmp.Compare(a.slack, b.slack), cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to))
	})
}

// below makes the best of the sinks at places, packed in b, those of which arcs from x have a slack
// below bound, and counts these.
func (s *Solver) below(x []float64, b *Side, places []int32, bound float64) (found int) {
	s.best.Reset()
	s.space.Scan(s.mask, x, b, bound)
	for m, word := range s.mask {
		for ; word != 0; word &= word - 1 {
			k := m*block + bits.TrailingZeros64(word)
			c := s.space.Cost(x, b.place(k, s.y))
			s.best.Keep(sparse.Candidate{To: places[k], Cost: c, Violation: bound + s.h[places[k]] - c})
			found++
		}
	}
	return found
}

// peel adds arcs of a tree. Of the nearly tight arcs, a spanning forest of the tightest is taken
// apart from its leaves: a leaf gives its mass to its only neighbour, or takes all that this
// has, and whichever is exhausted hangs on the other.
func (s *Solver) peel(l *level) {
	sources := l.src.nodes()
	s.forest(sources)
	for len(s.leaves) > 0 {
		x := s.leaves[len(s.leaves)-1]
		s.leaves = s.leaves[:len(s.leaves)-1]
		if s.degree[x] == 1 {
			s.serve(x, int32(sources))
		}
	}
}

// forest marks a spanning forest of the tightest arcs (J. B. Kruskal, Proc. AMS 7 (1956) 48) in
// lists of each node's, and the leaves.
func (s *Solver) forest(sources int) {
	n := len(s.left)
	s.root, s.head = grow(s.root, n), grow(s.head, n)
	for x := range n {
		s.root[x], s.head[x] = int32(x), -1
	}
	s.next = grow(s.next, 2*len(s.tight))
	for k, a := range s.tight {
		x, y := a.from, int32(sources)+a.to
		p, q := s.top(x), s.top(y)
		if p == q {
			continue
		}
		s.root[p] = q
		s.degree[x]++
		s.degree[y]++
		s.next[2*k], s.head[x] = s.head[x], int32(2*k)
		s.next[2*k+1], s.head[y] = s.head[y], int32(2*k+1)
	}
	s.leaves = s.leaves[:0]
	for x, d := range s.degree {
		if d == 1 {
			s.leaves = append(s.leaves, int32(x))
		}
	}
}

// top is the node that stands for the tree that x is in.
func (s *Solver) top(x int32) int32 {
	for s.root[x] != x {
		s.root[x] = s.root[s.root[x]]
		x = s.root[x]
	}
	return x
}

// other is the node at the other end of half an arc of the forest, −1 where that is exhausted.
func (s *Solver) other(e, sources int32) int32 {
	a := &s.tight[e/2]
	y := a.from
	if e%2 == 0 {
		y = sources + a.to
	}
	if s.degree[y] < 0 {
		return -1
	}
	return y
}

// serve lets a leaf and its neighbour exchange what they can. The degree of an exhausted node is −1.
func (s *Solver) serve(x, sources int32) {
	e := s.head[x]
	for s.other(e, sources) < 0 {
		e = s.next[e]
	}
	y := s.other(e, sources)
	a := &s.tight[e/2]
	s.arcs = append(s.arcs, sparse.Arc{From: a.from, To: sources + a.to, Cost: a.cost})
	if s.left[x].less(s.left[y]) || s.left[x] == s.left[y] {
		s.left[y] = s.left[y].minus(s.left[x])
		s.degree[x] = -1
		s.less(y)
		return
	}
	s.left[x] = s.left[x].minus(s.left[y])
	s.degree[x] = 0
	s.degree[y] = -1
	for e := s.head[y]; e >= 0; e = s.next[e] {
		if z := s.other(e, sources); z >= 0 && z != x {
			s.less(z)
		}
	}
}

// less takes a neighbour from a node.
func (s *Solver) less(x int32) {
	if s.degree[x]--; s.degree[x] == 1 {
		s.leaves = append(s.leaves, x)
	}
}
