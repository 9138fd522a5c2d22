package emd

import (
	"math"
	"sync/atomic"

	"barrow/emd/internal/sparse"
)

// gridCore solves problems on a Grid, from a single cell that stands for all to the cells
// themselves: the tree of each level becomes one of the next, with the same flow between
// the cells that it has, and is not far from the best.
type gridCore struct {
	grid   *Grid
	net    sparse.Network
	arcs   [][]sparse.Arc // of each level, with those of unmatched mass
	supply [][]float64    // of each level, with that of unmatched mass
	into   bool           // the node of unmatched mass takes
	extra  bool           // there is one
	tree   [2][]int32
	start  []int32 // a tree of the cells to start from, or none

	// For the plan.
	first, last, open      []int32
	heads, next, to, ready []int32
	flow                   []float64
	parts                  []part
}

func newGridCore(g *Grid, penalty bool) *gridCore {
	c := &gridCore{grid: g}
	for k := range g.levels {
		l := &g.levels[k]
		arcs := l.arcs
		if penalty {
			arcs = append(make([]sparse.Arc, 0, len(l.arcs)+l.cells), l.arcs...)
			for x := range l.cells {
				arcs = append(arcs, sparse.Arc{From: int32(l.cells), To: int32(x)})
			}
		}
		c.arcs = append(c.arcs, arcs)
		c.supply = append(c.supply, make([]float64, l.cells+1))
	}
	return c
}

// solve takes the masses of sources and sinks, the last of which is the unmatched mass
// where there may be any.
func (c *gridCore) solve(up, down []float64, _ [2][]float64, limit int) bool {
	c.place(up, down)
	if c.plant() {
		return c.net.Solve(limit)
	}
	have := limit
	ok := true
	tree, spare := c.tree[0][:0], c.tree[1]
	for k := len(c.grid.levels) - 1; k >= 0; k-- {
		l := &c.grid.levels[k]
		nodes, arcs := l.cells, c.arcs[k][:len(l.arcs)]
		if c.extra {
			nodes, arcs = nodes+1, c.arcs[k]
		}
		if k < len(c.grid.levels)-1 {
			tree, spare = c.refine(l, len(c.grid.levels[k+1].arcs), tree, spare[:0]), tree
		} else if c.extra {
			tree = append(tree, int32(len(l.arcs)))
		}
		c.net.Reset(nodes, arcs, len(l.arcs))
		copy(c.net.Supply(), c.supply[k][:nodes])
		if !c.net.Plant(tree, 0) {
			panic("emd: the tree of a coarser grid does not fit a grid")
		}
		ok = c.net.Solve(have)
		have -= c.net.Pivots()
		if k > 0 {
			tree = c.net.Tree(tree[:0])
		}
	}
	c.tree = [2][]int32{tree, spare}
	return ok
}

// muchViolated is the share of the arcs that are violated by the tree to start from above which
// coarser grids are the better start.
const muchViolated = 0.2

// plant plants the tree to start from, if there is one that is of use.
func (c *gridCore) plant() bool {
	l := &c.grid.levels[0]
	nodes, arcs := l.cells, c.arcs[0][:len(l.arcs)]
	if c.extra {
		nodes, arcs = nodes+1, c.arcs[0]
	}
	if len(c.start) != nodes-1 {
		return false
	}
	c.net.Reset(nodes, arcs, len(l.arcs))
	copy(c.net.Supply(), c.supply[0][:nodes])
	return c.net.Plant(c.start, 0) && float64(c.net.Violated()) < muchViolated*float64(len(arcs))
}

func (c *gridCore) save(at *Start) { at.arcs = c.net.Tree(at.arcs) }

func (c *gridCore) resume(at *Start) {
	c.start = c.start[:0]
	if at != nil {
		c.start = append(c.start, at.arcs...)
	}
}

// refine turns the tree of the next level into one of this level.
func (c *gridCore) refine(l *level, both int, coarse, tree []int32) []int32 {
	tree = append(tree, l.within...)
	for _, a := range coarse {
		if int(a) < both {
			tree = append(tree, l.cross[a])
		} else {
			tree = append(tree, int32(len(l.arcs))+l.corner[int(a)-both])
		}
	}
	return tree
}

// place adds the masses up, level by level.
func (c *gridCore) place(up, down []float64) {
	levels := c.grid.levels
	n := levels[0].cells
	fine := c.supply[0][:n]
	for x := range fine {
		fine[x] = up[x] - down[x]
	}
	extra := 0.0
	if len(up) > n {
		extra = up[n] - down[n]
	}
	c.extra = extra != 0
	if c.extra && (extra < 0) != c.into {
		c.into = !c.into
		for k, arcs := range c.arcs {
			for x := range levels[k].cells {
				a := &arcs[len(levels[k].arcs)+x]
				a.From, a.To = a.To, a.From
			}
		}
	}
	c.supply[0][n] = extra
	for k := 1; k < len(levels); k++ {
		coarse := c.supply[k]
		clear(coarse)
		above := levels[k-1].above
		for x, y := range c.supply[k-1][:len(above)] {
			coarse[above[x]] += y
		}
		coarse[levels[k].cells] = extra
	}
}

func (c *gridCore) stopOn(stop *atomic.Bool) { c.net.StopOn(stop) }

func (c *gridCore) primal() float64 { return c.net.Primal() }

// extend finds the potentials of all cells: the middle of the extremes that those of
// sources and sinks allow.
func (c *gridCore) extend(f, lo, hi []float64) (virtual float64) {
	pot := c.net.Potentials()
	below, above := math.Inf(-1), math.Inf(1)
	if c.extra {
		virtual = pot[len(f)]
		if c.into {
			above = virtual
		} else {
			below = virtual
		}
	}
	lo, hi = lo[:len(f)], hi[:len(f)]
	for x, y := range c.supply[0][:len(f)] {
		lo[x], hi[x] = below, above
		if y > 0 {
			lo[x] = max(below, pot[x])
		} else if y < 0 {
			hi[x] = min(above, pot[x])
		}
	}
	c.grid.reach(lo, 1)
	c.grid.reach(hi, -1)
	for x := range f {
		f[x] = lo[x]/2 + hi[x]/2
	}
	return virtual
}

// reach raises v to max over y of v_y − D_xy, or with sign −1 lowers it to min over y of
// v_y + D_xy: in two sweeps, but where axes are periodic.
func (g *Grid) reach(v []float64, sign float64) {
	arcs := g.levels[0].arcs
	for changed := true; changed; {
		changed = false
		sweep := func(from, to int32, cost float64) {
			if x := v[from] - sign*cost; (x-v[to])*sign > 0 {
				v[to], changed = x, true
			}
		}
		for _, a := range arcs {
			sweep(a.From, a.To, a.Cost)
		}
		for k := range arcs {
			a := &arcs[len(arcs)-1-k]
			sweep(a.To, a.From, a.Cost)
		}
	}
}

// A part is mass on its way from a source, one in a list of those at a node.
type part struct {
	source, next int32
	units        float64
}

// flows takes the flow on the arcs apart into what each sink has from each source. As
// the arcs with flow are a forest, these are fewer than there are cells.
func (c *gridCore) flows(add func(from, to int, units float64)) {
	supply := c.net.Supply()
	n := len(supply)
	c.first, c.last, c.open = resize(c.first, n), resize(c.last, n), resize(c.open, n)
	c.parts = c.parts[:0]
	// open counts the arcs that still bring mass to a node; nodes without any are done
	// in turn. Arcs from a node are looked up in lists.
	for x := range n {
		c.first[x], c.last[x], c.open[x] = -1, -1, 0
	}
	c.heads = resize(c.heads, n)
	heads, next, ends, flows := c.heads, c.next[:0], c.to[:0], c.flow[:0]
	for x := range heads {
		heads[x] = -1
	}
	c.net.Flows(func(_ int, from, to int32, flow float64) {
		ends, flows, next = append(ends, to), append(flows, flow), append(next, heads[from])
		heads[from] = int32(len(ends) - 1)
		c.open[to]++
	})
	c.next, c.to, c.flow = next, ends, flows
	ready := c.ready[:0]
	for x := range n {
		if c.open[x] == 0 {
			ready = append(ready, int32(x))
		}
	}
	for len(ready) > 0 {
		x := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		if y := supply[x]; y > 0 {
			c.append(x, part{x, -1, y})
		} else if y < 0 {
			c.take(x, -y, func(p part) { add(int(p.source), int(x), p.units) })
		}
		for e := heads[x]; e >= 0; e = next[e] {
			to := ends[e]
			c.take(x, flows[e], func(p part) { c.append(to, p) })
			if c.open[to]--; c.open[to] == 0 {
				ready = append(ready, to)
			}
		}
	}
	c.ready = ready
}

func resize(v []int32, n int) []int32 {
	if cap(v) < n {
		return make([]int32, n)
	}
	return v[:n]
}

// append puts a part at the end of a node's list.
func (c *gridCore) append(x int32, p part) {
	p.next = -1
	k := int32(len(c.parts))
	c.parts = append(c.parts, p)
	if c.first[x] < 0 {
		c.first[x] = k
	} else {
		c.parts[c.last[x]].next = k
	}
	c.last[x] = k
}

// take hands out so much of what is at a node, from the start of its list.
func (c *gridCore) take(x int32, units float64, use func(part)) {
	for units > 0 {
		k := c.first[x]
		p := c.parts[k]
		if p.units > units {
			c.parts[k].units -= units
			p.units = units
		} else {
			c.first[x] = p.next
		}
		units -= p.units
		use(p)
	}
}
