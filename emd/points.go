package emd

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"barrow/emd/internal/columns"
	"barrow/emd/internal/simplex64"
	"barrow/internal/limit"
)

// A Space says what it costs to move a unit of mass from one point to another one.
type Space struct {
	// Norm measures the way, in the unit of the coordinates.
	Norm Norm
	// Periods, if not nil, are the lengths after which space repeats, one for each axis and
	// 0 for those that do not; the nearest copy counts.
	Periods []float64
	// Power, if not 0, is what the distance is raised to: 2 for squared distances, whose EMD
	// is the square of the second Wasserstein distance. Above 1 the cost is no metric.
	Power float64
	// Cost, if not nil, is asked for the cost instead, of any sign, in any order, by any
	// number of goroutines. The coordinates are not to be changed. The others must not be
	// set then. For moves that must not happen see [NewCost]: a cost far above the others
	// takes digits from them here.
	Cost func(x, y []float64) float64
}

// Points are the points of one or of two sets, in a space of any dimension. Their costs are
// computed where they are needed: there is no matrix, and memory, for the Solver as well, is
// in proportion to the points. docs/emd.md has the method: column generation.
//
// For points of one set with a Power of at most 1 the cost is a metric, and what is said
// of a [Metric] holds. Otherwise it is as for a [Cost]: all mass is moved, and each side
// has potentials of its own.
//
// It is immutable and may be shared by any number of Solvers and goroutines.
type Points struct {
	space  columns.Space
	n, m   int
	x, y   []float64 // rows of coordinates, over a power of 2; the same where there is one set
	unit   float64   // what costs computed of these are to be multiplied by
	max    float64
	least  float64 // the most negative cost, or 0
	metric bool
	order  []int32

	once  sync.Once
	small *Metric
	fast  fastTable
}

// NewPoints is a ground of points of one set: both p and q are masses on them. Coordinates
// are dim for each point, one point after the other, at most [MaxDistance].
func NewPoints(dim int, coordinates []float64, s Space) (*Points, error) {
	return newPoints(dim, coordinates, coordinates, false, s)
}

// NewPointsBetween is a ground of points of two sets: p are masses on the first, q on the
// second.
func NewPointsBetween(dim int, p, q []float64, s Space) (*Points, error) {
	return newPoints(dim, p, q, true, s)
}

func newPoints(dim int, x, y []float64, two bool, s Space) (*Points, error) {
	if dim < 1 {
		return nil, fmt.Errorf("emd: points of %d coordinates: must have at least one", dim)
	}
	for _, v := range [][]float64{x, y} {
		if len(v) == 0 || len(v)%dim != 0 {
			return nil, fmt.Errorf("emd: %d coordinates for points of %d each: must be one point or more", len(v), dim)
		}
		for k, c := range v {
			if !(math.Abs(c) <= MaxDistance) {
				return nil, fmt.Errorf("emd: point %d: coordinate %d is %g: must be finite, at most %g", k/dim, k%dim, c, MaxDistance)
			}
		}
	}
	if err := s.check(dim); err != nil {
		return nil, err
	}
	// What the places take, the order, the levels, and a Solver with its arcs.
	if err := limit.Fits("points of so many coordinates:", len(x)+len(y), 100+1000/float64(dim)); err != nil {
		return nil, fmt.Errorf("emd: %w", err)
	}
	g := &Points{n: len(x) / dim, m: len(y) / dim, x: slices.Clone(x)}
	g.metric = !two && s.Cost == nil && s.Power <= 1
	g.space = columns.Space{Dim: dim, Power: s.Power, Func: s.Cost}
	switch s.Norm {
	case L1:
		g.space.Norm = columns.L1
	case LInf:
		g.space.Norm = columns.LInf
	default:
		if g.space.Norm = columns.L2; s.Power == 2 {
			g.space.Norm, g.space.Power = columns.Square, 0
		}
	}
	if g.y = g.x; two {
		g.y = slices.Clone(y)
	}
	if err := g.scale(s); err != nil {
		return nil, err
	}
	all := g.x
	if two {
		all = slices.Concat(g.x, g.y)
	}
	g.order = columns.Order(dim, all)
	return g, nil
}

func (s *Space) check(dim int) error {
	if s.Norm < L1 || s.Norm > L2 {
		return fmt.Errorf("emd: Space.Norm %d is unknown", s.Norm)
	}
	if s.Periods != nil && len(s.Periods) != dim {
		return fmt.Errorf("emd: Space.Periods has %d entries for %d axes", len(s.Periods), dim)
	}
	for axis, p := range s.Periods {
		if !(p >= 0 && p <= MaxDistance) {
			return fmt.Errorf("emd: Space.Periods[%d] = %v: must not be negative, at most %g, 0 for an axis that does not repeat", axis, p, MaxDistance)
		}
	}
	if s.Power != 0 && !(s.Power >= 1e-3 && s.Power <= 1e3) {
		return fmt.Errorf("emd: Space.Power %v: must be from 0.001 to 1000, or 0 for the distance itself", s.Power)
	}
	if s.Cost != nil && (s.Norm != 0 || s.Periods != nil || s.Power != 0) {
		return errors.New("emd: Space.Cost is what a unit costs: Norm, Periods and Power have no meaning beside it")
	}
	return nil
}

// scale divides the coordinates by a power of 2, so that no square leaves float64, and finds the
// scale of the costs: a bound for norms, the largest for a function.
func (g *Points) scale(s Space) error {
	dim := g.space.Dim
	if g.space.Func != nil {
		g.unit = 1
		return g.scaleFunc()
	}
	wide, diagonal := g.extents(s.Periods)
	_, exp := math.Frexp(wide)
	for k := range g.x {
		g.x[k] = math.Ldexp(g.x[k], -exp)
	}
	if &g.y[0] != &g.x[0] {
		for k := range g.y {
			g.y[k] = math.Ldexp(g.y[k], -exp)
		}
	}
	if s.Periods != nil {
		g.space.Periods = make([]float64, dim)
		for a, p := range s.Periods {
			if g.space.Periods[a] = math.Ldexp(p, -exp); p == 0 {
				g.space.Periods[a] = math.Inf(1)
			}
		}
	}
	power := s.Power
	if power == 0 {
		power = 1
	}
	g.unit = math.Exp2(float64(exp) * power)
	g.max = math.Pow(diagonal(exp, g.space.Norm), power) * g.unit
	switch {
	case wide == 0 && g.metric && g.n > 1:
		return fmt.Errorf("emd: all distances between the %d points are 0, so every EMD would be 0: are the points all the same?", g.n)
	case wide > 0 && !(g.max >= leastDistance && g.max <= MaxDistance):
		return fmt.Errorf("emd: the largest cost, %g, is outside %g to %g: choose another unit", g.max, leastDistance, MaxDistance)
	}
	return nil
}

// extents brings coordinates into their periods and near 0, and returns the largest extent of all points
// along an axis, and the way to find the largest distance there may be.
func (g *Points) extents(periods []float64) (wide float64, diagonal func(exp int, n columns.Norm) float64) {
	dim := g.space.Dim
	sets := [][]float64{g.x}
	if &g.y[0] != &g.x[0] {
		sets = append(sets, g.y)
	}
	extent := make([]float64, dim)
	for a := range dim {
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, v := range sets {
			for k := a; k < len(v); k += dim {
				if periods != nil && periods[a] > 0 {
					v[k] = wrap(v[k], periods[a])
				}
				lo, hi = min(lo, v[k]), max(hi, v[k])
			}
		}
		for _, v := range sets {
			moveOrigin(v[a:], dim, lo, hi)
		}
		extent[a] = hi - lo
		if periods != nil && periods[a] > 0 {
			extent[a] = min(extent[a], periods[a]/2)
		}
		wide = max(wide, extent[a])
	}
	return wide, func(exp int, n columns.Norm) float64 {
		var l1, squares, largest float64
		for _, e := range extent {
			e = math.Ldexp(e, -exp)
			l1, squares, largest = l1+e, squares+e*e, max(largest, e)
		}
		switch n {
		case columns.L1:
			return l1
		case columns.LInf:
			return largest
		}
		return math.Sqrt(squares)
	}
}

// moveOrigin brings coordinates in [lo, hi], every dim-th of v, near 0 where they are far from it
// compared with each other, so that what is computed of them, potentials and turned axes,
// is rounded as distances are. Up to twice the least one, differences are exact (P. H.
// Sterbenz, Floating-Point Computation (1974)), and so all costs are as they were.
func moveOrigin(v []float64, dim int, lo, hi float64) {
	origin := 0.0
	switch {
	case lo > 0 && hi/2 <= lo:
		origin = lo
	case hi < 0 && lo/2 >= hi:
		origin = hi
	default:
		return
	}
	for k := 0; k < len(v); k += dim {
		v[k] -= origin
	}
}

// wrap is x in [0, period).
func wrap(x, period float64) float64 {
	if x = math.Mod(x, period); x < 0 {
		x += period
	}
	if x >= period { // rounded up
		x = 0
	}
	return x
}

// scaleFunc asks for all costs.
func (g *Points) scaleFunc() error {
	for i := range g.n {
		for j := range g.m {
			c := g.At(i, j)
			if !(math.Abs(c) <= MaxDistance) {
				return fmt.Errorf("emd: Space.Cost of points %d and %d is %v: must be finite, at most %g", i, j, c, MaxDistance)
			}
			g.max, g.least = max(g.max, math.Abs(c)), min(g.least, c)
		}
	}
	return nil
}

// Dims is the number of points of p and of q.
func (g *Points) Dims() (p, q int) { return g.n, g.m }

// At is the cost from point i of p to point j of q.
func (g *Points) At(i, j int) float64 { return g.unit * g.space.Cost(g.place(i), g.placeQ(j)) }

// Max is the largest absolute value of a cost, or for a norm a bound for it: the diagonal of
// the box that holds all points.
func (g *Points) Max() float64 { return g.max }

func (g *Points) place(i int) []float64 { return g.x[i*g.space.Dim:][:g.space.Dim] }

func (g *Points) placeQ(j int) []float64 { return g.y[j*g.space.Dim:][:g.space.Dim] }

func (g *Points) view() (view, error) {
	if g == nil {
		return view{}, errors.New("emd: no points")
	}
	return view{rows: g.n, cols: g.m, max: g.max, least: g.least, fast: &g.fast, points: g}, nil
}

// matrix is all costs, for few points.
func (g *Points) matrix() []float64 {
	c := make([]float64, 0, g.n*g.m)
	for i := range g.n {
		for j := range g.m {
			c = append(c, g.At(i, j))
		}
	}
	return c
}

// asMetric is the matrix of a metric of few points.
func (g *Points) asMetric() *Metric {
	g.once.Do(func() {
		m := &Metric{n: g.n, d: g.matrix(), max: g.max}
		m.once.Do(func() {}) // a metric by construction
		g.small = m
	})
	return g.small
}

// pack puts points beside numbers, of which those of cells without one are infinite.
func (g *Points) pack(b *columns.Side, places, w []float64, sign float64) {
	dim := g.space.Dim
	b.Pack(dim, len(places)/dim)
	for k := range len(places) / dim {
		b.Put(k, places[k*dim:][:dim], sign*w[k]/g.unit)
	}
}

// violation is that of a view.
func (g *Points) violation(f, h []float64) float64 {
	sign := -1.0
	if h == nil {
		h, sign = f, 1
	}
	space := g.space
	space.Kernel = columns.Best()
	var b columns.Side
	g.pack(&b, g.y, h, sign)
	worst := 0.0
	for i := range g.n {
		worst = max(worst, f[i]-g.unit*space.Least(g.place(i), &b))
	}
	return worst
}

// usePoints sets the path up for points: with a matrix where they are few.
func (s *Solver) usePoints(v view, nodes int) error {
	g := v.points
	kernel, err := chooseKernel(s.set.Kernel)
	if err != nil {
		return err
	}
	if !g.metric {
		if nodes+g.m <= simplex64.Max {
			v = newView(g.n, g.m, g.matrix(), &g.fast)
		}
		return s.useRect(v)
	}
	if nodes <= simplex64.Max {
		return s.useFast(g.asMetric(), nodes)
	}
	c := &pointsCore{points: g}
	_, c.net = g.solver(kernelName(kernel))
	s.useLarge(c, nodes)
	return nil
}

// pointsCore solves problems on points whose costs are a metric.
type pointsCore struct {
	points *Points
	net    *columns.Solver
	guided
}

// solver is one of column generation with the given kernel.
func (g *Points) solver(kernel string) (*columns.Space, *columns.Solver) {
	space := g.space
	for space.Kernel = columns.Best(); columnsKernel(space.Kernel) != kernel && space.Kernel > columns.Portable; {
		space.Kernel--
	}
	if &g.y[0] == &g.x[0] {
		return &space, columns.New(&space, g.x, nil, g.order)
	}
	return &space, columns.New(&space, g.x, g.y, g.order)
}

func (c *pointsCore) solve(up, down []float64, start [2][]float64, limit int) bool {
	c.guide(c.points, c.net, start[0])
	return c.net.Solve(up, down, limit)
}

// guided is what a solver of column generation starts from.
type guided struct {
	pot  []float64
	tree []columns.Pair
}

func (c *guided) resume(at *Start) {
	c.tree = c.tree[:0]
	if at != nil {
		c.tree = append(c.tree, at.pairs...)
	}
}

// guide makes the solver start from potentials of p, in the unit of the points' coordinates,
// and from the tree. Those that are far from all costs are no use.
func (c *guided) guide(g *Points, net *columns.Solver, start []float64) {
	const far = 1e12
	c.pot = c.pot[:0]
	for _, x := range start {
		if !(math.Abs(x) <= far*g.max) {
			c.pot = c.pot[:0]
			break
		}
		c.pot = append(c.pot, x/g.unit)
	}
	if len(c.pot) == 0 {
		net.Guide(nil, nil)
		return
	}
	net.Guide(c.pot, c.tree)
}

func (c *pointsCore) stopOn(stop *atomic.Bool) { c.net.StopOn(stop) }

func (c *pointsCore) primal() float64 { return c.points.unit * c.net.Primal() }

func (c *pointsCore) extend(f, lo, _ []float64) (virtual float64) {
	unit := c.points.unit
	c.net.Extend(f, lo[:len(f)])
	for k := range f {
		f[k] *= unit
	}
	return unit * c.net.Extra()
}

func (c *pointsCore) flows(add func(from, to int, units float64)) { c.net.Flows(add) }

func (c *pointsCore) save(at *Start) { at.pairs = c.net.Tree(at.pairs) }
