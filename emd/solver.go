package emd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"barrow/emd/internal/simplex64"
)

// ErrEmpty is wrapped by the error for an image without mass where Settings
// leave its distance undefined.
var ErrEmpty = errors.New("no mass")

// A Solver computes distances and gradients on one ground. It owns its work space and belongs to
// one goroutine. It allocates plans where there is no room, certificates, and room that grows
// with what problems need: the same problem again takes none.
type Solver struct {
	ground Ground
	set    Settings
	limit  int
	cells  int                // of p
	cellsQ int                // of q
	fast   *simplex64.Problem // one of these three is used
	state  *simplex64.State
	large  *large
	rect   *rect
	p, q   []float64 // rescaled inputs, where sums would leave the safe range
	pad    bool
	warm   bool
	start  [2][]float64 // potentials to start from where warm
	stop   *atomic.Bool

	watched context.Context // whose end sets stop, where Watch was called
}

// NewSolver prepares a Solver for a [*Metric], a [*Grid], [*Points] or a [*Cost]. For a metric that
// breaks the triangle inequality it returns the [*TriangleError] of [Metric.Check]
// unless Settings.NonMetric allows that.
func NewSolver(g Ground, s Settings) (*Solver, error) {
	if g == nil {
		return nil, errors.New("emd: no metric")
	}
	view, err := g.view()
	if err != nil {
		return nil, err
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	v := &Solver{ground: g, set: s, cells: view.rows, cellsQ: view.cols}
	nodes := view.rows
	if s.Unequal == UnequalPenalty {
		nodes++
	}
	m, ok := g.(*Metric)
	switch {
	case view.grid != nil && nodes > simplex64.Max:
		v.useLarge(newGridCore(view.grid, s.Unequal == UnequalPenalty), nodes)
		return v, nil
	case view.grid != nil:
		m = view.grid.metric()
	case view.points != nil:
		return v, v.usePoints(view, nodes)
	case !ok:
		return v, v.useRect(view)
	}
	if s.NonMetric != NonMetricAssume {
		if err := m.check(s.Threads); err != nil {
			if s.NonMetric == NonMetricRefuse {
				return nil, err
			}
			return v, v.useRect(newView(m.n, m.n, m.d, &m.full))
		}
	}
	if nodes > simplex64.Max {
		v.useMatrix(view)
		return v, nil
	}
	return v, v.useFast(m, nodes)
}

// stopOn makes solves of more than 64 nodes end with errStopped soon after stop is set; nil is
// none. Those of fewer take microseconds.
func (s *Solver) stopOn(stop *atomic.Bool) {
	s.stop = stop
	switch {
	case s.large != nil:
		s.large.core.stopOn(stop)
	case s.rect != nil:
		s.rect.stopOn(stop)
	}
}

func (s *Solver) stopped() bool { return s.stop != nil && s.stop.Load() }

// errStopped never leaves the package: a Batch and an Index know why they stopped a Solver.
var errStopped = errors.New("emd: stopped")

// Watch makes solves of more than 64 points end with the error of ctx, wrapped, soon after ctx
// is done, until end is called; those of fewer take microseconds. A [Batch] and an [Index]
// do so with the ctx of each call.
func (s *Solver) Watch(ctx context.Context) (end func()) {
	stop := new(atomic.Bool)
	off := stopWith(ctx, stop)
	s.watched = ctx
	s.stopOn(stop)
	return func() {
		off()
		s.watched = nil
		s.stopOn(nil)
	}
}

// stopError is the error of a solve that was stopped.
func (s *Solver) stopError() error {
	if s.watched == nil {
		return errStopped
	}
	return fmt.Errorf("emd: stopped in a solve: %w", s.watched.Err())
}

// useFast sets the path up for a metric of few nodes.
func (s *Solver) useFast(m *Metric, nodes int) error {
	kernel, err := chooseKernel(s.set.Kernel)
	if err != nil {
		return err
	}
	s.fast = m.fast.problem(m, nodes, kernel)
	s.state = simplex64.NewState()
	s.pad = m.n != 8*s.fast.Words
	if s.limit = s.set.MaxPivots; s.limit == 0 {
		s.limit = 50 * (nodes + 20)
	}
	return nil
}

// A solution is what solve finds, besides the potentials, which stay in the
// work space.
type solution struct {
	value float64
	p, q  float64 // totals, scaled by 2^−expP and 2^−expQ
	expP  int
	expQ  int
	shift float64 // the potential on cell k is F[k] − shift
	equal bool    // nothing moves, all potentials are −shift
}

// check refuses a value that float64 cannot hold: masses are scaled back last.
func (r *solution) check() error {
	if math.IsInf(r.value, 0) {
		r.value = 0
		return errRange
	}
	return nil
}

var errRange = errors.New("emd: the distance is beyond the range of float64: choose a larger unit of mass or of distance")

// Distance is the EMD of p and q, n masses each.
//
// It returns an error for a wrong length, for a mass that is negative, NaN or
// infinite, naming the cell, for totals that Settings do not allow, and for a
// distance beyond the range of float64.
func (s *Solver) Distance(p, q []float64) (float64, error) {
	r, err := s.solve(p, q)
	return r.value, err
}

// potentials writes sign·f.
func (s *Solver) potentials(r *solution, f []float64, sign float64) {
	if r.equal {
		for k := range f {
			f[k] = sign * (0 - r.shift)
		}
		return
	}
	if s.large != nil {
		for k, x := range s.large.f {
			f[k] = sign * (x - r.shift)
		}
		return
	}
	s.state.Export(s.fast, f, r.shift, sign)
}

// solve finds value and potentials.
func (s *Solver) solve(p, q []float64) (solution, error) {
	if len(p) != s.cells || len(q) != s.cellsQ {
		return solution{}, s.lengthError(p, q)
	}
	if s.fast == nil {
		if s.rect != nil {
			return s.solveRect(p, q)
		}
		return s.solveLarge(p, q)
	}
	t, m := s.state, s.fast
	var r solution
	if s.pad {
		copy(t.P[:], p)
		copy(t.Q[:], q)
		p, q = t.P[:8*m.Words], t.Q[:8*m.Words]
	}
	if !t.Totals(m, p, q) || !inRange(t.TotalP) || !inRange(t.TotalQ) {
		var err error
		if p, q, err = s.rescale(p, q, &r); err != nil {
			return r, err
		}
		t.Totals(m, p, q)
	}
	r.p, r.q = t.TotalP, t.TotalQ
	a, b, extra, err := s.weigh(&r)
	if err != nil {
		return r, err
	}
	var unmatched uint64
	if extra != 0 {
		unmatched = 1 << (s.cells & 63)
	}
	if !t.Prepare(m, p, q, a, b, extra, unmatched, negligible*max(a*r.p, b*r.q)) {
		r.equal = true
		s.close(&r, 0, 0, extra, 0)
		return r, r.check()
	}
	ok := t.Solve(m, s.limit)
	t.Finish(m)
	s.close(&r, t.Primal*t.Unit, t.Mean, extra, s.virtual())
	if !ok {
		return r, s.pivotError(&r, p, q)
	}
	return r, r.check()
}

// negligible is the part of the total below which nothing counts as moving:
// masses are not told apart below 10⁻²⁰⁰ of their total.
const negligible = 1e-200

// virtual is the potential of the node that stands for unmatched mass, in the
// sign of F.
func (s *Solver) virtual() float64 {
	v := s.state.Pot[s.cells&63]
	if s.state.Swapped {
		return -v
	}
	return v
}

// weigh returns what p and q are to be multiplied by so that their totals agree,
// and the mass of the node that stands for unmatched mass.
func (s *Solver) weigh(r *solution) (a, b, extra float64, err error) {
	if s.set.Unequal != UnequalPenalty {
		switch {
		case r.p == 0:
			return 0, 0, 0, fmt.Errorf("emd: p: %w", ErrEmpty)
		case r.q == 0:
			return 0, 0, 0, fmt.Errorf("emd: q: %w", ErrEmpty)
		}
	}
	switch s.set.Unequal {
	case UnequalNormalise:
		return r.q, r.p, 0, nil
	case UnequalPenalty:
		if math.Abs(r.p-r.q) > roundingTolerance*max(r.p, r.q) {
			extra = r.q - r.p
		}
	default:
		if math.Abs(r.p-r.q) > totalTolerance*max(r.p, r.q) {
			return 0, 0, 0, &TotalError{P: math.Ldexp(r.p, r.expP), Q: math.Ldexp(r.q, r.expQ)}
		}
	}
	return 1, 1, extra, nil
}

// Totals that agree to totalTolerance count as equal with UnequalError; a
// difference below roundingTolerance is not unmatched mass but rounding.
const (
	totalTolerance    = 1e-9
	roundingTolerance = 1e-14
)

// close turns the moved cost into the value, and fixes the constant in the
// potentials: mean zero, or what the penalty demands.
func (s *Solver) close(r *solution, moved, mean, extra, virtual float64) {
	r.shift = mean
	if s.set.Unequal == UnequalPenalty {
		switch {
		case extra < 0:
			r.shift = virtual - s.set.Penalty
		case extra > 0:
			r.shift = virtual + s.set.Penalty
		case !r.equal:
			r.shift = s.middle()
		}
	}
	s.setValue(r, moved)
}

// setValue turns the moved cost into the value.
func (s *Solver) setValue(r *solution, moved float64) {
	r.value = moved
	switch s.set.Unequal {
	case UnequalNormalise:
		r.value = moved / r.p / r.q
	case UnequalPenalty:
		r.value += s.set.Penalty * math.Abs(r.p-r.q)
	}
	if r.expP != 0 && s.set.Unequal != UnequalNormalise {
		r.value = math.Ldexp(r.value, r.expP)
	}
}

// middle is half way between the least and the largest potential.
func (s *Solver) middle() float64 {
	var f []float64
	if s.large != nil {
		f = s.large.f
	} else {
		f = s.state.F[:s.cells]
	}
	lo, hi := f[0], f[0]
	for _, x := range f {
		lo, hi = min(lo, x), max(hi, x)
	}
	return lo/2 + hi/2
}

// inRange says that products of two totals neither overflow nor vanish, not even
// when the negligible part of one is scaled up to an integer.
func inRange(total float64) bool {
	return total == 0 || total > 1e-40 && total < 1e40
}

// rescale finds the entry that is no mass, or brings the totals into the safe
// range by powers of two.
func (s *Solver) rescale(p, q []float64, r *solution) (sp, sq []float64, err error) {
	if err := firstBad("p", p); err != nil {
		return nil, nil, err
	}
	if err := firstBad("q", q); err != nil {
		return nil, nil, err
	}
	if s.p == nil {
		s.p, s.q = make([]float64, len(p)), make([]float64, len(q))
	}
	r.expP, r.expQ = exponent(p), exponent(q)
	if s.set.Unequal != UnequalNormalise {
		r.expP = max(r.expP, r.expQ)
		r.expQ = r.expP
	}
	for k := range p {
		s.p[k] = math.Ldexp(p[k], -r.expP)
	}
	for k := range q {
		s.q[k] = math.Ldexp(q[k], -r.expQ)
	}
	return s.p, s.q, nil
}

// exponent is that of the largest entry, a power of two; a number low enough to
// lose every maximum if there is no mass.
func exponent(p []float64) int {
	largest := 0.0
	for _, x := range p {
		largest = max(largest, x)
	}
	if largest == 0 {
		return -1100
	}
	_, e := math.Frexp(largest)
	return e
}

func firstBad(name string, p []float64) error {
	for k, x := range p {
		if !(x >= 0) || math.IsInf(x, 1) {
			return &MassError{Image: name, Cell: k, Mass: x}
		}
	}
	return nil
}

func (s *Solver) lengthError(p, q []float64) error {
	if s.cells != s.cellsQ {
		return fmt.Errorf("emd: p has %d and q %d cells; the costs are between %d and %d", len(p), len(q), s.cells, s.cellsQ)
	}
	return fmt.Errorf("emd: p has %d and q %d cells on a metric of %d points", len(p), len(q), s.cells)
}
