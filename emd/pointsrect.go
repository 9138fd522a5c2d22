package emd

import (
	"math"
	"sync/atomic"

	"barrow/emd/internal/columns"
)

// A cloud is what the path for costs uses on points: column generation, and kernels that look
// at all pairs.
type cloud struct {
	points *Points
	space  *columns.Space
	net    *columns.Solver
	stop   *atomic.Bool
	guided
	p, q columns.Side // the points beside potentials
	mask []uint64
	y    []float64
}

func newCloud(g *Points, kernel string) *cloud {
	c := &cloud{points: g, y: make([]float64, g.space.Dim)}
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
	c.guide(c.points, c.net, l.guide[0])
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

func (c *cloud) stopped() bool { return c.stop != nil && c.stop.Load() }

func (c *cloud) save(at *Start) { at.pairs = c.net.Tree(at.pairs) }

// toP sets f_i to the least C_ij − h_j of all j: the transform of q's potentials. f and
// h may have one more, of unmatched mass, which costs nothing. about is what f is expected
// to be nearly, −Inf where nothing is known.
func (c *cloud) toP(f, h, about []float64) {
	g := c.points
	g.pack(&c.q, g.y, h, -1)
	free := math.Inf(1)
	if len(h) > g.m {
		free = -h[g.m]
	}
	for i := range g.n {
		if c.stopped() {
			return
		}
		f[i] = min(free, g.unit*c.space.LeastBelow(g.place(i), &c.q, c.bound(about[i]), c.room(&c.q), c.y))
	}
	if len(f) > g.n {
		f[g.n] = leastOf(h)
	}
}

// toQ is toP the other way.
func (c *cloud) toQ(h, f, about []float64) {
	g := c.points
	g.pack(&c.p, g.x, f, -1)
	free := math.Inf(1)
	if len(f) > g.n {
		free = -f[g.n]
	}
	for j := range g.m {
		if c.stopped() {
			return
		}
		y := g.placeQ(j)
		if c.space.Func != nil {
			h[j] = min(free, g.unit*c.space.LeastTo(y, &c.p))
		} else {
			h[j] = min(free, g.unit*c.space.LeastBelow(y, &c.p, c.bound(about[j]), c.room(&c.p), c.y))
		}
	}
	if len(h) > g.m {
		h[g.m] = leastOf(f)
	}
}

// bound is a little above what a potential is about, in the unit of costs as they are computed.
func (c *cloud) bound(about float64) float64 {
	const slack = 1e-12
	if math.IsInf(about, 0) {
		return math.Inf(1)
	}
	x := about / c.points.unit
	return x + slack*(math.Abs(x)+1)
}

func (c *cloud) room(b *columns.Side) []uint64 {
	if n := b.Words(); len(c.mask) < n {
		c.mask = make([]uint64, n)
	}
	return c.mask[:b.Words()]
}

// leastOf is the least −x.
func leastOf(v []float64) float64 {
	least := math.Inf(1)
	for _, x := range v {
		least = min(least, -x)
	}
	return least
}
