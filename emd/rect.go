package emd

import (
	"math"
	"sync/atomic"

	"barrow/emd/internal/network"
	"barrow/emd/internal/simplex64"
)

// rect is the path for costs that are no metric: all mass is moved, from the
// cells of p to those of q, and each side has its own potentials. The nodes are the
// rows and the columns, and one more of either where unmatched mass has a price.
type rect struct {
	view
	stride int       // columns of costs
	costs  []float64 // with the row and the column of unmatched mass, at cost 0

	problem *simplex64.Problem // nil above 64 nodes
	state   *simplex64.State
	shift   float64 // added to all costs there, so that none is negative

	cloud *cloud // on points: there are no costs above

	net    *network.Solver
	capped []float64       // costs, none above a cap
	below  *network.Solver // on these

	stop  *atomic.Bool
	guide [2][]float64 // potentials to start from, or nil
	mass  []float64
	unit  float64
	flows []move
	extra float64 // mass of the node for unmatched mass: of q where negative

	f, h   []float64 // potentials, of the extra nodes as well
	g, k   []float64 // the other extreme of the same
	fs, hs []float64 // what the simplex found, −Inf where a cell is empty
}

// stopOn is that of a core.
func (l *rect) stopOn(stop *atomic.Bool) {
	l.stop = stop
	for _, net := range []*network.Solver{l.net, l.below} {
		if net != nil {
			net.StopOn(stop)
		}
	}
	if l.cloud != nil {
		l.cloud.stop = stop
		l.cloud.net.StopOn(stop)
	}
}

// A move is an arc of a plan, in integer units.
type move struct {
	from, to int
	units    float64
}

// useRect sets the path up for costs of either kind.
func (s *Solver) useRect(v view) error {
	l := &rect{view: v, stride: v.cols, costs: v.c}
	nodes := v.rows + v.cols
	if s.set.Unequal == UnequalPenalty {
		nodes++
		l.stride++
		if v.c != nil {
			l.costs = v.fast.extended(&v)
		}
	}
	l.mass = make([]float64, v.rows+v.cols+2)
	l.flows = make([]move, 0, nodes)
	for _, x := range []*[]float64{&l.f, &l.g, &l.fs} {
		*x = make([]float64, v.rows+1)
	}
	for _, x := range []*[]float64{&l.h, &l.k, &l.hs} {
		*x = make([]float64, v.cols+1)
	}
	s.rect = l
	if s.limit = s.set.MaxPivots; s.limit == 0 {
		s.limit = 500 * (nodes + 20)
	}
	kernel, err := chooseKernel(s.set.Kernel)
	switch {
	case err != nil:
		return err
	case v.c == nil:
		l.cloud = newCloud(v.points, kernelName(kernel))
		return nil
	case nodes > simplex64.Max:
		l.net = network.New(l.stride, l.costs)
		return nil
	}
	l.shift = -v.least
	l.problem = v.fast.between(&v, nodes, kernel)
	l.state = simplex64.NewState()
	return nil
}

// solveRect is solve for costs.
func (s *Solver) solveRect(p, q []float64) (solution, error) {
	l := s.rect
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
	l.extra = extra
	below := negligible * max(a*r.p, b*r.q)
	ok, moving := true, false
	if l.problem != nil {
		ok, moving = l.solveFast(p, q, a, b, below, s.limit)
	}
	if l.problem == nil || moving && !l.exact() {
		l.guide = [2][]float64{s.guide(0), s.guide(1)}
		ok, moving = l.solveNetwork(p, q, a, b, below, s.limit)
	}
	if r.equal = !moving; r.equal {
		l.flows = l.flows[:0]
		for j := range l.hs {
			l.hs[j] = 0
		}
	}
	l.extend(moving)
	if s.stopped() {
		return r, s.stopError()
	}
	s.closeRect(&r)
	if !ok {
		return r, s.pivotError(&r, p, q)
	}
	return r, r.check()
}

// solveFast uses the simplex for up to 64 nodes: first those of p, then those
// of q, then the one for unmatched mass. moving is false where there is no mass.
func (l *rect) solveFast(p, q []float64, a, b, below float64, limit int) (ok, moving bool) {
	t, m := l.state, l.problem
	clear(t.P[:])
	clear(t.Q[:])
	copy(t.P[:], p)
	copy(t.Q[l.rows:], q)
	last := l.rows + l.cols
	var unmatched uint64
	if l.extra != 0 {
		unmatched = 1 << (last & 63)
	}
	if !t.Prepare(m, t.P[:8*m.Words], t.Q[:8*m.Words], a, b, l.extra, unmatched, below) {
		return true, false
	}
	ok = t.Solve(m, limit)
	l.unit = t.Unit
	l.empty()
	sign := 1.0
	if t.Swapped {
		sign = -1
	}
	nodes := t.Rows | t.Cols
	for x := range last + 1 {
		switch pot := sign * t.Pot[x&63]; {
		case nodes>>(x&63)&1 == 0:
		case x < l.rows:
			l.fs[x] = pot
		case x < last:
			l.hs[x-l.rows] = -pot - l.shift
		case l.extra > 0:
			l.fs[l.rows] = pot + l.shift // its own costs are not raised
		default:
			l.hs[l.cols] = -pot
		}
	}
	t.Arcs(func(from, to int, units float64) {
		if t.Swapped {
			from, to = to, from
		}
		l.flows = append(l.flows, move{min(from, l.rows), min(to-l.rows, l.cols), units})
	})
	return ok, true
}

// empty forgets the last solution.
func (l *rect) empty() {
	l.flows = l.flows[:0]
	for i := range l.fs {
		l.fs[i] = math.Inf(-1)
	}
	for j := range l.hs {
		l.hs[j] = math.Inf(-1)
	}
}

// Costs far above those of the solution, such as one for a move that must not
// happen, would cost it digits: potentials are computed through the cells that they
// separate. Where they are, the problem is solved again with all costs cut to a cap
// that no optimal plan pays. Let a plan pay at most U for any unit, and
// let another one pay more than (n+m)·U for some: along the cycle of both
// that holds this unit, the first one is cheaper. So the optimum for costs cut
// to 4·(n+m)·U is one for the costs as they are, and so are its potentials.
const (
	capFactor = 4
	// exactRange is how far the largest cost may lie above the solution's.
	exactRange = 1e4
)

// used is the largest cost that the solution pays, for more than what rounding to
// integers can cause.
func (l *rect) used() float64 {
	u := -l.least
	for _, m := range l.flows {
		if m.units > float64(len(l.mass)) {
			u = max(u, math.Abs(l.cost(m)))
		}
	}
	if u == 0 {
		u = l.tiny
	}
	return u
}

func (l *rect) cost(m move) float64 {
	if l.cloud == nil {
		return l.costs[m.from*l.stride+m.to]
	}
	if m.from == l.rows || m.to == l.cols {
		return 0
	}
	return l.cloud.points.At(m.from, m.to)
}

// exact says that no cost is so large that it has to be cut.
func (l *rect) exact() bool { return l.max <= exactRange*l.used() }

// solveNetwork uses the general simplex, again with lower caps while these help.
func (l *rect) solveNetwork(p, q []float64, a, b, below float64, limit int) (ok, moving bool) {
	if l.cloud != nil {
		return l.solveCloud(p, q, a, b, below, limit)
	}
	if l.net == nil {
		l.net = network.New(l.stride, l.costs)
		l.net.StopOn(l.stop)
	}
	if ok, moving = l.place(l.net, p, q, a, b, below, limit); !ok || !moving {
		return ok, moving
	}
	for top := l.max; ; {
		u := l.used()
		next := capFactor * float64(len(l.mass)) * u
		if top <= exactRange*u || next >= top/2 || math.IsInf(next, 1) {
			return ok, moving
		}
		top = next
		l.cut(top)
		ok, _ = l.place(l.below, p, q, a, b, below, limit)
		l.dropForbidden(top)
		if !ok {
			return ok, moving
		}
	}
}

// cut copies the costs with none above top.
func (l *rect) cut(top float64) {
	if l.capped == nil {
		l.capped = make([]float64, len(l.costs))
		l.below = network.New(l.stride, l.capped)
		l.below.StopOn(l.stop)
	}
	for k, x := range l.costs {
		l.capped[k] = min(x, top)
	}
}

// dropForbidden leaves out what only the rounding of masses to integers has brought
// over costs above the cap.
func (l *rect) dropForbidden(top float64) {
	kept := l.flows[:0]
	for _, m := range l.flows {
		if l.cost(m) <= top || m.units > float64(len(l.mass)) {
			kept = append(kept, m)
		}
	}
	l.flows = kept
}

// weigh makes the masses integers of equal total, those of the extra nodes last, and
// returns false where there is nothing to move.
func (l *rect) weigh(p, q []float64, a, b, below float64) (up, down []float64, load bool) {
	up, down = l.mass[:l.rows+1], l.mass[l.rows+1:]
	clear(l.mass)
	for i, x := range p {
		up[i] = x * a
	}
	for j, x := range q {
		down[j] = x * b
	}
	if l.extra > 0 {
		up[l.rows] = l.extra
	} else {
		down[l.cols] = -l.extra
	}
	l.unit, load = toIntegers(up, down, below)
	return up, down, load
}

// place solves the problem by a network.
func (l *rect) place(net *network.Solver, p, q []float64, a, b, below float64, limit int) (ok, moving bool) {
	up, down, load := l.weigh(p, q, a, b, below)
	if !load {
		return true, false
	}
	net.Reset()
	for i, x := range up {
		if x > 0 {
			net.Source(i, x)
		}
	}
	for j, x := range down {
		if x > 0 {
			net.Sink(j, x)
		}
	}
	net.Guide(l.guide[1])
	ok = net.Solve(limit)
	l.empty()
	for x := range net.Nodes() {
		if c, pot := net.Node(x); x < net.Sources() {
			l.fs[c] = pot
		} else {
			l.hs[c] = -pot
		}
	}
	net.Arcs(func(from, to int, units float64) { l.flows = append(l.flows, move{from, to, units}) })
	return ok, true
}

// extend finds potentials of all cells: the middle of two pairs that are both
// optimal, one from the sinks' potentials and one from the sources', so that
// neither side is preferred. Each is a c-transform of a c-transform, and so at most
// the cost everywhere by construction.
func (l *rect) extend(moving bool) {
	rows, cols := l.rows, l.cols
	if l.extra > 0 {
		rows++
	} else if l.extra < 0 {
		cols++
	}
	f, h, g, k, hs := l.f[:rows], l.h[:cols], l.g[:rows], l.k[:cols], l.hs[:cols]
	l.transform(f, h, g, k, hs)
	if !moving {
		return
	}
	// What the simplex found is feasible with its transform, too, and has not been
	// through costs of cells that its mass has nothing to do with.
	for i, x := range g {
		f[i] = f[i]/2 + max(x, l.fs[i])/2
	}
	for j, x := range k {
		h[j] = max(h[j], hs[j])/2 + x/2
	}
}

// transform finds f from the sinks' potentials hs and h from all of that f, and likewise k
// from the sources' and g from k.
func (l *rect) transform(f, h, g, k, hs []float64) {
	if c := l.cloud; c != nil {
		fs := l.fs[:len(f)]
		c.toP(f, hs, fs)
		c.toQ(h, f, hs)
		c.toQ(k, fs, hs)
		c.toP(g, k, fs)
		return
	}
	fill(h, math.Inf(1))
	fill(k, math.Inf(1))
	for i := range f {
		best, own := math.Inf(1), l.fs[i]
		for j, x := range l.costs[i*l.stride:][:len(h)] {
			best = min(best, x-hs[j])
			k[j] = min(k[j], x-own)
		}
		f[i] = best
	}
	for i, y := range f {
		best := math.Inf(1)
		for j, x := range l.costs[i*l.stride:][:len(h)] {
			h[j] = min(h[j], x-y)
			best = min(best, x-k[j])
		}
		g[i] = best
	}
}

func fill(v []float64, x float64) {
	for k := range v {
		v[k] = x
	}
}

// closeRect sets the value and fixes the constant that may go from one side's
// potentials to the other's.
func (s *Solver) closeRect(r *solution) {
	l := s.rect
	moved := 0.0
	for _, m := range l.flows {
		moved += m.units * l.cost(m)
	}
	s.setValue(r, moved*l.unit)
	f, h := l.f[:l.rows], l.h[:l.cols]
	// The potential of an empty cell may be as large as a cost that forbids.
	sumF, topF, countF := overMass(f, l.fs)
	sumH, topH, countH := overMass(h, l.hs)
	shift := 0.0
	switch {
	case s.set.Unequal != UnequalPenalty:
		shift = (sumH - sumF) / float64(countF+countH)
	case l.extra < 0:
		shift = l.h[l.cols] + s.set.Penalty
	case l.extra > 0:
		shift = -l.f[l.rows] - s.set.Penalty
	case !r.equal:
		shift = topH/2 - topF/2
	}
	for i := range f {
		f[i] += shift
	}
	for j := range h {
		h[j] -= shift
	}
}

// overMass is the sum, the largest and the number of potentials of cells with mass,
// where the simplex found one.
func overMass(pot, found []float64) (total, top float64, n int) {
	top = math.Inf(-1)
	for k, x := range pot {
		if found[k] > math.Inf(-1) {
			total, top, n = total+x, max(top, x), n+1
		}
	}
	return total, top, n
}
