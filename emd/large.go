package emd

import (
	"math"
	"sync/atomic"

	"barrow/emd/internal/network"
)

// large is the path for metrics of more than 64 nodes.
type large struct {
	core core
	n    int // nodes: the cells, and one for unmatched mass
	mass []float64
	f    []float64 // potentials
	unit float64

	moved bool // by the last solve
}

// A core solves the problems of one ground. Its nodes are the cells and, with
// UnequalPenalty, one more for unmatched mass, at cost 0 from all.
type core interface {
	// solve finds a plan between masses that are integers of equal total, each node on
	// one side at most, and returns false after limit pivots, or when it is stopped. start are potentials f and
	// h of all nodes to start from, or nil.
	solve(up, down []float64, start [2][]float64, limit int) bool
	// primal is the cost of the plan.
	primal() float64
	// extend sets f to the middle of the least and the largest potentials of the cells
	// that those of sources and sinks allow, and returns that of unmatched mass.
	// lo and hi are work space for all nodes.
	extend(f, lo, hi []float64) (virtual float64)
	// flows calls add for every part of the plan.
	flows(add func(from, to int, units float64))
	// stopOn makes solve and extend return soon after stop is set, with nothing that counts.
	stopOn(stop *atomic.Bool)
}

// useLarge sets the path up for a core of so many nodes.
func (s *Solver) useLarge(c core, nodes int) {
	s.large = &large{core: c, n: nodes, mass: make([]float64, 2*nodes), f: make([]float64, s.cells)}
	if s.limit = s.set.MaxPivots; s.limit == 0 {
		s.limit = 500 * (nodes + 20)
	}
}

// useMatrix is useLarge for a matrix of distances.
func (s *Solver) useMatrix(v view) {
	n, d := v.rows, v.c
	if s.set.Unequal == UnequalPenalty {
		// Unmatched mass goes to a further node at cost 0; R is added to
		// the value afterwards, since the amount is fixed.
		n++
		d = v.fast.extended(&v)
	}
	s.useLarge(&matrixCore{net: network.New(n, d)}, n)
}

// solveLarge is solve for more than 64 nodes.
func (s *Solver) solveLarge(p, q []float64) (solution, error) {
	l := s.large
	var r solution
	r.p, r.q = sum(p), sum(q)
	if !(least(p) >= 0 && least(q) >= 0) || !inRange(r.p) || !inRange(r.q) {
		var err error
		if p, q, err = s.rescale(p, q, &r); err != nil {
			return r, err
		}
		r.p, r.q = sum(p), sum(q)
	}
	a, b, extra, err := s.weigh(&r)
	if err != nil {
		return r, err
	}
	up, down := l.mass[:l.n], l.mass[l.n:]
	if l.moved = l.split(p, q, a, b, extra, negligible*max(a*r.p, b*r.q)); !l.moved {
		r.equal = true
		s.close(&r, 0, 0, extra, 0)
		return r, r.check()
	}
	ok := l.core.solve(up, down, [2][]float64{s.guide(0), s.guide(1)}, s.limit)
	virtual := l.core.extend(l.f, up, down)
	if s.stopped() {
		return r, s.stopError()
	}
	s.close(&r, l.core.primal()*l.unit, sum(l.f)/float64(s.cells), extra, virtual)
	if !ok {
		return r, s.pivotError(&r, p, q)
	}
	return r, r.check()
}

// split scales p·a − q·b to integers.
func (l *large) split(p, q []float64, a, b, extra, below float64) bool {
	up, down := l.mass[:l.n], l.mass[l.n:]
	clear(l.mass)
	for k, x := range p {
		y := q[k] * b
		rest := math.FMA(-q[k], b, y)
		if d := math.FMA(x, a, -y) + rest; d > 0 {
			up[k] = d
		} else {
			down[k] = -d
		}
	}
	if extra > 0 {
		up[l.n-1] = extra
	} else if extra < 0 {
		down[l.n-1] = -extra
	}
	var ok bool
	l.unit, ok = toIntegers(up, down, below)
	return ok
}

// matrixCore solves problems on a matrix of distances.
type matrixCore struct {
	net  *network.Solver
	swap bool // the sources are the cells with less mass
}

func (c *matrixCore) solve(up, down []float64, start [2][]float64, limit int) bool {
	guide := start[1]
	if c.swap = count(up) > count(down); c.swap {
		up, down = down, up
		guide = start[0]
	}
	c.net.Reset()
	for k, x := range up {
		if x > 0 {
			c.net.Source(k, x)
		}
	}
	for k, x := range down {
		if x > 0 {
			c.net.Sink(k, x)
		}
	}
	c.net.Guide(guide)
	return c.net.Solve(limit)
}

func (c *matrixCore) stopOn(stop *atomic.Bool) { c.net.StopOn(stop) }

func (c *matrixCore) primal() float64 { return c.net.Primal() }

// extend does c-transforms.
func (c *matrixCore) extend(f, lo, hi []float64) (virtual float64) {
	for k := range lo {
		lo[k], hi[k] = math.Inf(-1), math.Inf(1)
	}
	for x := range c.net.Nodes() {
		cell, pot := c.net.Node(x)
		if cell == len(f) {
			virtual = pot
		}
		d := c.net.Costs(cell)
		if x < c.net.Sources() {
			for k, y := range d {
				lo[k] = max(lo[k], pot-y)
			}
			continue
		}
		for k, y := range d {
			hi[k] = min(hi[k], pot+y)
		}
	}
	sign := 1.0
	if c.swap {
		sign = -1
	}
	for k := range f {
		f[k] = sign * (lo[k]/2 + hi[k]/2)
	}
	return sign * virtual
}

func (c *matrixCore) flows(add func(from, to int, units float64)) {
	c.net.Arcs(func(from, to int, units float64) {
		if c.swap {
			from, to = to, from
		}
		add(from, to, units)
	})
}

func sum(v []float64) float64 {
	s := 0.0
	for _, x := range v {
		s += x
	}
	return s
}

// least is the smallest entry, NaN if any is NaN.
func least(v []float64) float64 {
	s := math.Inf(1)
	for _, x := range v {
		s = min(s, x)
	}
	return s
}
