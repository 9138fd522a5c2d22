package emd

import (
	"math"
)

// A coarser ground gives a bound by the solution of a smaller problem. Its nodes are either
// those of a coarser grid in the norm L1, or some of the cells.
//
// On a coarser grid a cell's mass goes to the corners around it, in proportion to how near
// they are. A function on the corners whose differences between neighbours are at most their
// distance becomes one on the cells, by linear interpolation along each axis, whose
// differences are so, too: so potentials there are potentials here, of the same value,
// and the distance of the coarse images is a bound. (The slope along an axis of the
// interpolation is a mean of slopes along the edges; in the norm L1 that is all that counts.)
//
// Where the nodes are some of the cells, mass goes to the nearest, and the potentials found
// there are extended to all cells by c-transforms: the middle of the least and the largest
// extension, feasible by construction.
type coarser struct {
	ground  Ground
	set     Settings
	spacing float64 // what distances on it are multiplied by
	cells   int

	to    []int32   // where the mass of each cell goes, corners for each
	share []float64 // and how much of it
	each  int       // corners

	reach []float64 // distance of each cell to each node; nil on a grid
}

// coarseNodes is up to how many nodes problems are solved in microseconds.
const coarseNodes = 64

// coarsers are what there is for a ground, the smallest first.
func coarsers(x *Index) []coarser {
	nodes := coarseNodes
	set := Settings{Unequal: UnequalNormalise, NonMetric: NonMetricAssume, Kernel: x.set.Kernel}
	if x.set.Unequal == UnequalPenalty {
		nodes--
		set.Unequal, set.Penalty = UnequalPenalty, x.set.Penalty
	}
	if x.n < 2*coarseNodes {
		return nil
	}
	if g := x.view.grid; g != nil && g.norm == L1 && len(g.shape) <= 4 {
		return g.coarsers(nodes, set)
	}
	return []coarser{landmarks(x, nodes, set)}
}

// coarsers are grids of fewer nodes: at most so many, and then more.
func (g *Grid) coarsers(nodes int, set Settings) []coarser {
	var out []coarser
	longest := 0
	for _, k := range g.shape {
		longest = max(longest, k)
	}
	last := 0
	for s := 2; s <= longest; s++ {
		if shape, cells := g.coarse(s); shape != nil && cells <= nodes {
			out, last = append(out, g.coarser(s, shape, set)), cells
			for s /= 2; s >= 2; s-- {
				if shape, cells := g.coarse(s); shape != nil && cells >= 3*last {
					out, last = append(out, g.coarser(s, shape, set)), cells
				}
			}
			break
		}
	}
	return out
}

// coarse is the shape of a grid with nodes that are so far apart, nil where they do not go into a
// period.
func (g *Grid) coarse(spacing int) (shape []int, cells int) {
	cells = 1
	for a, k := range g.shape {
		switch {
		case !g.periodic[a]:
			k = (k-2+spacing)/spacing + 1 // both ends lie within
		case k == 1 || k%spacing == 0:
			k = max(1, k/spacing)
		default:
			return nil, 0
		}
		shape = append(shape, k)
		cells *= k
	}
	return shape, cells
}

func (g *Grid) coarser(spacing int, shape []int, set Settings) coarser {
	ground, err := NewGrid(shape, g.norm, g.periodic)
	if err != nil {
		panic("emd: a grid, but none that is coarser: " + err.Error())
	}
	c := coarser{ground: ground, set: set, spacing: float64(spacing), cells: 1, each: 1 << len(shape)}
	c.set.Penalty /= c.spacing
	for _, k := range shape {
		c.cells *= k
	}
	n, _ := g.Dims()
	at := make([]int, len(shape))
	for range n {
		for corner := range c.each {
			node, share := 0, 1.0
			for a, k := range at {
				low, part := k/spacing, float64(k%spacing)/c.spacing
				if corner>>a&1 == 0 {
					part = 1 - part
				} else {
					low++
				}
				if low >= shape[a] { // around a ring, or of share 0
					low = 0
				}
				node, share = node*shape[a]+low, share*part
			}
			c.to, c.share = append(c.to, int32(node)), append(c.share, share)
		}
		advance(at, g.shape)
	}
	return c
}

// landmarks chooses cells that are far from each other, one after the other.
func landmarks(x *Index, nodes int, set Settings) coarser {
	n := x.n
	c := coarser{set: set, spacing: 1, cells: nodes, each: 1, to: make([]int32, n), share: make([]float64, n), reach: make([]float64, n*nodes)}
	far := make([]float64, n)
	fill(far, math.Inf(1))
	m := &Metric{n: nodes, d: make([]float64, nodes*nodes)}
	m.once.Do(func() {}) // as much a metric as the whole
	chosen, next := make([]int, 0, nodes), 0
	for k := range nodes {
		chosen = append(chosen, next)
		at := next
		for i := range n {
			d := x.ground.At(i, at)
			c.reach[i*nodes+k] = d
			if d < far[i] {
				far[i], c.to[i] = d, int32(k)
			}
			if far[i] > far[next] {
				next = i
			}
		}
	}
	for k, i := range chosen {
		copy(m.d[k*nodes:][:nodes], c.reach[i*nodes:][:nodes])
		for _, d := range m.d[k*nodes:][:nodes] {
			m.max = max(m.max, d)
		}
	}
	fill(c.share, 1)
	c.ground = m
	return c
}

// deposit sets coarse to the masses v on the nodes.
func (c *coarser) deposit(coarse, v []float64) {
	clear(coarse)
	for i, m := range v {
		if m == 0 {
			continue
		}
		to, share := c.to[i*c.each:][:c.each], c.share[i*c.each:][:c.each]
		for k, at := range to {
			coarse[at] += m * share[k]
		}
	}
}

// bound is that of two images, for masses as they are compared: p and q of totals of inverses
// wp and wq, and coarse images of them. f has room for the potentials of the nodes.
func (c *coarser) bound(v *Solver, coarseP, coarseQ, p, q []float64, wp, wq float64, f []float64) float64 {
	if c.reach == nil {
		e, err := v.Distance(coarseP, coarseQ)
		if err != nil {
			return math.Inf(-1)
		}
		return e * c.spacing
	}
	if _, err := v.Potentials(coarseP, coarseQ, f, nil); err != nil {
		return math.Inf(-1)
	}
	total := 0.0
	for i, x := range p {
		y := q[i]
		if x == 0 && y == 0 {
			continue
		}
		lo, hi := math.Inf(-1), math.Inf(1)
		d := c.reach[i*c.cells:][:c.cells]
		for k, pot := range f {
			lo, hi = max(lo, pot-d[k]), min(hi, pot+d[k])
		}
		pot := lo/2 + hi/2
		if c.set.Unequal == UnequalPenalty {
			pot = max(-c.set.Penalty, min(c.set.Penalty, pot))
		}
		total += (x*wp - y*wq) * pot
	}
	return total
}
