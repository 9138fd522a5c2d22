package emd

import (
	"math"

	"barrow/emd/internal/network"
)

// large is the path for metrics of more than 64 nodes.
type large struct {
	net  *network.Solver
	n    int // nodes: the cells, and one for unmatched mass
	mass []float64
	f    []float64 // potentials
	unit float64
	swap bool
}

// useLarge sets the general solver up.
func (s *Solver) useLarge(v view) {
	n, d := v.rows, v.c
	if s.set.Unequal == UnequalPenalty {
		// Unmatched mass goes to a further node at cost 0; R is added to
		// the value afterwards, since the amount is fixed.
		n++
		d = v.fast.extended(&v)
	}
	s.large = &large{
		net: network.New(n, d), n: n,
		mass: make([]float64, 2*n), f: make([]float64, v.rows),
	}
	if s.limit = s.set.MaxPivots; s.limit == 0 {
		s.limit = 500 * (n + 20)
	}
}

// solveLarge is solve for the general solver.
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
	if !l.split(p, q, a, b, extra, negligible*max(a*r.p, b*r.q)) {
		r.equal = true
		s.close(&r, 0, 0, extra, 0)
		return r, r.check()
	}
	sinks := 1
	if l.swap {
		sinks = 0
	}
	l.net.Guide(s.guide(sinks))
	ok := l.net.Solve(s.limit)
	mean, virtual := l.finish(s.cells)
	s.close(&r, l.net.Primal()*l.unit, mean, extra, virtual)
	if !ok {
		return r, s.pivotError(&r, p, q)
	}
	return r, r.check()
}

// split scales p·a − q·b to integers and hands them to the network as sources and
// sinks.
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
	if l.unit, ok = toIntegers(up, down, below); !ok {
		return false
	}
	l.swap = count(up) > count(down)
	if l.swap {
		up, down = down, up
	}
	l.net.Reset()
	for k, x := range up {
		if x > 0 {
			l.net.Source(k, x)
		}
	}
	for k, x := range down {
		if x > 0 {
			l.net.Sink(k, x)
		}
	}
	return true
}

// finish extends the potentials to all cells by c-transforms, in the sign for p,
// and returns their mean and the potential of unmatched mass.
func (l *large) finish(cells int) (mean, virtual float64) {
	lo, hi := l.mass[:l.n], l.mass[l.n:]
	for k := range lo {
		lo[k], hi[k] = math.Inf(-1), math.Inf(1)
	}
	for x := range l.net.Nodes() {
		c, pot := l.net.Node(x)
		if c == cells {
			virtual = pot
		}
		d := l.net.Costs(c)
		if x < l.net.Sources() {
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
	if l.swap {
		sign = -1
	}
	for k := range cells {
		l.f[k] = sign * (lo[k]/2 + hi[k]/2)
	}
	return sum(l.f) / float64(cells), sign * virtual
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
