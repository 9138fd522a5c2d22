package emd

import (
	"math"

	"barrow/emd/internal/network"
)

// large is the path for more than 64 nodes and for costs that are no metric.
type large struct {
	net  *network.Solver
	n    int // nodes: the cells, and one for unmatched mass
	full bool
	mass []float64
	f, h []float64 // potentials of p and, where they differ from −f, of q
	unit float64
	swap bool
}

// twoSided says that p and q have separate potentials.
func (l *large) twoSided() bool { return l.full }

// useLarge sets the general solver up. With full the common mass is moved
// through the costs like any other.
func (s *Solver) useLarge(full bool) error {
	n, d := s.cells, s.metric.d
	if s.set.Unequal == UnequalPenalty {
		// Unmatched mass goes to a further node at cost 0; R is added to
		// the value afterwards, since the amount is fixed.
		n++
		d = make([]float64, n*n)
		for i := range s.cells {
			copy(d[i*n:], s.metric.row(i))
		}
	}
	s.large = &large{
		net: network.New(n, d), n: n, full: full,
		mass: make([]float64, 2*n), f: make([]float64, s.cells),
	}
	if full {
		s.large.h = make([]float64, s.cells)
	}
	if s.limit = s.set.MaxPivots; s.limit == 0 {
		s.limit = 500 * (n + 20)
	}
	return nil
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
		return r, nil
	}
	ok := l.net.Solve(s.limit)
	mean, virtual := l.finish(s.cells)
	s.close(&r, l.net.Primal()*l.unit, mean, extra, virtual)
	if !ok {
		return r, s.pivotError(&r, p, q)
	}
	return r, nil
}

// split scales p·a − q·b, or both of them, to integers and hands them to the
// network as sources and sinks.
func (l *large) split(p, q []float64, a, b, extra, below float64) bool {
	up, down := l.mass[:l.n], l.mass[l.n:]
	clear(l.mass)
	for k, x := range p {
		if l.full {
			up[k], down[k] = x*a, q[k]*b
			continue
		}
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
	totalUp, totalDown := sum(up), sum(down)
	if !(totalUp > below && totalDown > below) {
		return false
	}
	l.unit = (totalUp/2 + totalDown/2) / integerTotal
	ups, downs := toIntegers(up, totalUp), toIntegers(down, totalDown)
	l.swap = ups > downs
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

// integerTotal is what the masses of each side add up to as integers.
const integerTotal = 1 << 52

// toIntegers scales the entries, gives what rounding left over to the largest,
// and counts those above zero.
func toIntegers(v []float64, total float64) int {
	have, largest, count := 0.0, 0, 0
	factor := integerTotal / total
	for k, x := range v {
		if x == 0 {
			continue
		}
		if v[k] = math.RoundToEven(x * factor); v[k] > 0 {
			count++
		}
		have += v[k]
		if v[k] > v[largest] {
			largest = k
		}
	}
	v[largest] += integerTotal - have
	return count
}

// finish extends the potentials to all cells by c-transforms, in the sign for p,
// and returns their mean and the potential of unmatched mass.
func (l *large) finish(cells int) (mean, virtual float64) {
	lo, hi := l.mass[:l.n], l.mass[l.n:]
	bound := math.Inf(1)
	for k := range lo {
		lo[k], hi[k] = math.Inf(-1), math.Inf(1)
	}
	for x := range l.net.Nodes() {
		c, pot := l.net.Node(x)
		if c == cells {
			virtual = pot
			if x < l.net.Sources() {
				bound = -pot
			}
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
	if l.full {
		l.separate(hi, bound)
		return (sum(l.f) - sum(l.h)) / float64(2*cells), sign * virtual
	}
	for k := range cells {
		l.f[k] = sign * (lo[k]/2 + hi[k]/2)
	}
	return sum(l.f) / float64(cells), sign * virtual
}

// separate finds a feasible pair f_i + h_j ≤ D_ij: the sources' side by a
// c-transform from the sinks, and the sinks' side by one from all of that. bound
// is what unmatched mass on the sources' side sets to the sinks' potentials.
func (l *large) separate(hi []float64, bound float64) {
	source, sink := l.f, l.h
	if l.swap {
		source, sink = sink, source
	}
	copy(source, hi)
	for j := range sink {
		d := l.net.Costs(j)
		x := bound
		for i, y := range source {
			x = min(x, d[i]-y)
		}
		sink[j] = x
	}
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

// sinkPotentials writes the derivative with respect to q where it is not −f.
func (s *Solver) sinkPotentials(r *solution, g []float64) {
	for k := range g {
		g[k] = r.shift
		if !r.equal {
			g[k] += s.large.h[k]
		}
	}
}
