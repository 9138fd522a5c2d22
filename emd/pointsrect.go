package emd

import (
	"math"

	"barrow/emd/internal/columns"
)

// A cloud is what the path for costs uses on points: column generation, and kernels that look
// at all pairs.
type cloud struct {
	points *Points
	space  *columns.Space
	net    *columns.Solver
	p, q   columns.Side // the points beside potentials
}

func newCloud(g *Points, kernel string) *cloud {
	c := &cloud{points: g}
	c.space, c.net = g.solver(kernel)
	return c
}

// solveCloud is solveNetwork on points.
func (l *rect) solveCloud(p, q []float64, a, b, below float64, limit int) (ok, moving bool) {
	up, down, load := l.weigh(p, q, a, b, below)
	if !load {
		return true, false
	}
	c := l.cloud
	ok = c.net.Solve(up, down, limit)
	l.empty()
	unit := c.points.unit
	c.net.Potentials(func(sink bool, cell int, pot float64) {
		if sink {
			l.hs[cell] = -unit * pot
		} else {
			l.fs[cell] = unit * pot
		}
	})
	c.net.Flows(func(from, to int, units float64) { l.flows = append(l.flows, move{from, to, units}) })
	return ok, true
}

// toP sets f_i to the least C_ij − h_j of all j: the transform of q's potentials. f and
// h may have one more, of unmatched mass, which costs nothing.
func (c *cloud) toP(f, h []float64) {
	g := c.points
	g.pack(&c.q, g.y, h, -1)
	free := math.Inf(1)
	if len(h) > g.m {
		free = -h[g.m]
	}
	for i := range g.n {
		f[i] = min(free, g.unit*c.space.Least(g.place(i), &c.q))
	}
	if len(f) > g.n {
		f[g.n] = leastOf(h)
	}
}

// toQ is toP the other way.
func (c *cloud) toQ(h, f []float64) {
	g := c.points
	g.pack(&c.p, g.x, f, -1)
	free := math.Inf(1)
	if len(f) > g.n {
		free = -f[g.n]
	}
	for j := range g.m {
		h[j] = min(free, g.unit*c.space.LeastTo(g.placeQ(j), &c.p))
	}
	if len(h) > g.m {
		h[g.m] = leastOf(f)
	}
}

// leastOf is the least −x.
func leastOf(v []float64) float64 {
	least := math.Inf(1)
	for _, x := range v {
		least = min(least, -x)
	}
	return least
}
