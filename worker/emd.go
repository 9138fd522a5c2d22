package worker

import (
	"context"
	"errors"
	"fmt"
	"math"

	"barrow/emd"
	"barrow/hgcal"
)

// transport are grounds, objects of the kind "metric", and the solvers on one, of the kind
// "emd"; "emd.once" for pairs that come with their costs, and "emd.events" for sets of
// particles, where each pair has a ground of its own.
var transport = subject{
	functions: map[string]function{"emd.points": cellPoints},
	kinds: map[string]open{
		"metric":     openMetric,
		"emd":        openEMD,
		"emd.once":   openOnce,
		"emd.events": openEvents,
	},
}

// A groundRecipe says what the ground is. Points and matrices come as arrays.
type groundRecipe struct {
	// Ground is "hgcal", "points" (array "points", n×d), "grid" or "matrix" (array
	// "costs", n×m).
	Ground string `json:"ground"`
	// Name is that of a metric of the 48 cells, or a file with positions.
	Name string `json:"name"`
	// Periods of the points' coordinates, 0 where one does not repeat.
	Periods []float64 `json:"periods"`
	// Height, Width and Norm are a grid's: "l1", "l2" or "linf".
	Height int    `json:"height"`
	Width  int    `json:"width"`
	Norm   string `json:"norm"`
	// Quick leaves a matrix that is no obvious metric costs, whatever it is.
	Quick bool `json:"quick"`
	// DType is the type that a matrix had, whose rounding is no reason to take it for
	// costs: "float64" (or ""), "float32", "float16", "bfloat16".
	DType string `json:"dtype"`
}

// An emdRecipe are the settings of the solvers on a ground.
type emdRecipe struct {
	Unequal   string  `json:"unequal"` // "error" (or ""), "normalise", "penalty"
	Penalty   float64 `json:"penalty"`
	Empty     string  `json:"empty"` // "error" (or ""), "skip"
	Threads   int     `json:"threads"`
	MaxPivots int     `json:"max_pivots"`
}

func (r *emdRecipe) settings() (s emd.Settings, err error) {
	s = emd.Settings{NonMetric: emd.NonMetricAssume, Penalty: r.Penalty, Threads: r.Threads, MaxPivots: r.MaxPivots}
	switch r.Unequal {
	case "", "error":
	case "normalise":
		s.Unequal = emd.UnequalNormalise
	case "penalty":
		s.Unequal = emd.UnequalPenalty
	default:
		return s, fmt.Errorf("emd: unequal totals: %q is none of error, normalise, penalty", r.Unequal)
	}
	switch r.Empty {
	case "", "error":
	case "skip":
		s.Empty = emd.EmptySkip
	default:
		return s, fmt.Errorf("emd: images without mass: %q is none of error, skip", r.Empty)
	}
	return s, nil
}

// ground makes the ground of the recipe.
func (r *groundRecipe) ground(c *call) (emd.Ground, error) {
	switch r.Ground {
	case "hgcal":
		points, err := hgcal.Positions(r.Name)
		if err != nil {
			return nil, err
		}
		return ground(emd.Euclidean(points))
	case "points":
		x, err := in[float64](c, "points", -1, -1)
		if err != nil {
			return nil, err
		}
		return pointGround(x, c.shape("points")[1], r.Periods)
	case "grid":
		return gridGround(r.Height, r.Width, r.Norm)
	case "matrix":
		x, err := in[float64](c, "costs", -1, -1)
		if err != nil {
			return nil, err
		}
		ulp, err := choice("dtype", r.DType, map[string]float64{"float64": 0, "float32": 0x1p-23, "float16": 0x1p-10, "bfloat16": 0x1p-7})
		if err != nil {
			return nil, err
		}
		shape := c.shape("costs")
		if ulp > 0 && !r.Quick && shape[0] == shape[1] {
			if d := roundedMetric(shape[0], x, ulp); d != nil {
				return d, nil
			}
		}
		return matrixGround(shape[0], shape[1], x, r.Quick)
	}
	return nil, fmt.Errorf("emd: the ground %q is none of hgcal, points, grid, matrix", r.Ground)
}

// cellPoints is where the 48 cells lie in a metric of them.
func cellPoints(_ context.Context, c *call) error {
	var r struct{ Name string }
	if err := c.decode(&r); err != nil {
		return err
	}
	points, err := hgcal.Positions(r.Name)
	if err != nil {
		return err
	}
	x, err := out[float64](c, "points", len(points), 2)
	if err != nil {
		return err
	}
	for i, p := range points {
		copy(x[2*i:], p[:])
	}
	return nil
}

// ground keeps a nil pointer from becoming a Ground that is not nil.
func ground[G emd.Ground](g G, err error) (emd.Ground, error) {
	if err != nil {
		return nil, err
	}
	return g, nil
}

// matrixGround is a metric if the costs are one, so that the common mass may stay, and
// otherwise costs between two sets. With quick it is one only if it obviously is.
func matrixGround(n, m int, costs []float64, quick bool) (emd.Ground, error) {
	if n == m && zeroDiagonal(n, costs) {
		if d, err := emd.NewMetric(n, costs); err == nil && (d.Obvious() || !quick && d.Check() == nil) {
			return d, nil
		}
	}
	k, err := emd.NewCost(n, m, costs)
	if err != nil {
		return nil, err
	}
	return k, nil
}

// zeroDiagonal spares most costs that are no distances the whole check.
func zeroDiagonal(n int, costs []float64) bool {
	for i := range n {
		if costs[i*n+i] != 0 {
			return false
		}
	}
	return true
}

// A metric is a ground that solvers are opened on, whatever their settings.
type metric struct{ emd.Ground }

func openMetric(_ context.Context, c *call) (object, error) {
	var r groundRecipe
	if err := c.decode(&r); err != nil {
		return object{}, err
	}
	g, err := r.ground(c)
	if err != nil {
		return object{}, err
	}
	m := metric{g}
	n, k := g.Dims()
	return object{self: m, methods: map[string]function{"costs": m.costs}},
		c.answer(map[string]any{"n": n, "m": k, "metric": m.is()})
}

// is says whether it is a metric, rather than any costs.
func (m metric) is() bool {
	_, costs := m.Ground.(*emd.Cost)
	return !costs
}

// costs is the ground as a matrix.
func (m metric) costs(_ context.Context, c *call) error {
	if err := c.decode(&struct{}{}); err != nil {
		return err
	}
	rows, cols := m.Dims()
	d, err := out[float64](c, "costs", rows, cols)
	if err != nil {
		return err
	}
	for i := range rows {
		for j := range cols {
			d[i*cols+j] = m.At(i, j)
		}
	}
	return c.answer(map[string]any{"metric": m.is()})
}

// An emdObject has the solvers on one ground.
type emdObject struct {
	ground emd.Ground
	set    emd.Settings
	n, m   int
	batch  *emd.Batch
	single *emd.Solver // for what a Batch does not do; nil until then
	arcs   []emd.Arc
}

func openEMD(_ context.Context, c *call) (object, error) {
	on, ok := c.of.(metric)
	if !ok {
		return object{}, errors.New("worker: an emd is opened on a metric, by whose handle the request goes")
	}
	var r emdRecipe
	if err := c.decode(&r); err != nil {
		return object{}, err
	}
	set, err := r.settings()
	if err != nil {
		return object{}, err
	}
	o := &emdObject{ground: on.Ground, set: set}
	o.n, o.m = o.ground.Dims()
	if o.batch, err = emd.NewBatch(o.ground, set); err != nil {
		return object{}, err
	}
	return object{methods: map[string]function{
		"gradient":    o.gradient,
		"potentials":  o.potentials,
		"flow":        o.flow,
		"certificate": o.certificate,
		"solve":       o.whole,
	}}, nil
}

// pairs are the images of a call, N×n and N×m.
func (o *emdObject) pairs(c *call) (rows int, p, q []float64, err error) {
	if p, err = in[float64](c, "p", -1, o.n); err != nil {
		return 0, nil, nil, err
	}
	rows = c.shape("p")[0]
	q, err = in[float64](c, "q", rows, o.m)
	return rows, p, q, err
}

// side is room for a result of each pair on one side, nil where nobody wants it.
func side(c *call, name string, rows, cells int) ([]float64, error) {
	if !c.wants(name) {
		return nil, nil
	}
	return out[float64](c, name, rows, cells)
}

// gradient sets value, and dp and dq where they are wanted.
func (o *emdObject) gradient(ctx context.Context, c *call) error {
	return o.solve(ctx, c, o.batch.Gradient, "dp", "dq")
}

// potentials sets value, and the potentials f and h where they are wanted.
func (o *emdObject) potentials(ctx context.Context, c *call) error {
	return o.solve(ctx, c, o.batch.Potentials, "f", "h")
}

func (o *emdObject) solve(ctx context.Context, c *call, batch func(ctx context.Context, p, q, e, dp, dq []float64) error, first, second string) error {
	rows, p, q, err := o.pairs(c)
	if err != nil {
		return err
	}
	e, err := out[float64](c, "value", rows)
	if err != nil {
		return err
	}
	dp, err := side(c, first, rows, o.n)
	if err != nil {
		return err
	}
	dq, err := side(c, second, rows, o.m)
	if err != nil || rows == 0 {
		return err
	}
	return batch(ctx, p, q, e, dp, dq)
}

// each calls f with every pair and names the row of its error. Pairs without mass are
// left out where that is allowed.
func (o *emdObject) each(ctx context.Context, c *call, f func(s *emd.Solver, row int, p, q []float64) error) error {
	rows, p, q, err := o.pairs(c)
	if err != nil {
		return err
	}
	if o.single == nil {
		if o.single, err = emd.NewSolver(o.ground, o.set); err != nil {
			return err
		}
	}
	defer o.single.Watch(ctx)()
	for i := range rows {
		if err := ctx.Err(); err != nil {
			return err
		}
		err := f(o.single, i, p[i*o.n:(i+1)*o.n], q[i*o.m:(i+1)*o.m])
		if stopped := ctx.Err(); stopped != nil && errors.Is(err, stopped) {
			return err
		}
		if err != nil && !(o.set.Empty == emd.EmptySkip && errors.Is(err, emd.ErrEmpty)) {
			return &emd.RowError{Row: i, Err: err}
		}
	}
	return nil
}

// flow sets the arcs of all plans, one after another: pair, source, target, mass.
func (o *emdObject) flow(ctx context.Context, c *call) error {
	o.arcs = o.arcs[:0]
	var pair []int64
	err := o.each(ctx, c, func(s *emd.Solver, row int, p, q []float64) (err error) {
		o.arcs, _, err = s.Flow(p, q, o.arcs)
		for len(pair) < len(o.arcs) {
			pair = append(pair, int64(row+c.row))
		}
		return err
	})
	if err != nil {
		return err
	}
	to, err := out[int64](c, "pair", len(pair))
	if err != nil {
		return err
	}
	copy(to, pair)
	return writeArcs(c, o.arcs)
}

// writeArcs sets source, target and mass.
func writeArcs(c *call, arcs []emd.Arc) error {
	source, err := out[int64](c, "source", len(arcs))
	if err != nil {
		return err
	}
	target, err := out[int64](c, "target", len(arcs))
	if err != nil {
		return err
	}
	mass, err := out[float64](c, "mass", len(arcs))
	if err != nil {
		return err
	}
	for k, a := range arcs {
		source[k], target[k], mass[k] = int64(a.From), int64(a.To), a.Mass
	}
	return nil
}

// certificate sets, for each pair, the figures of its certificate: primal, dual,
// violation, imbalance, negative, mass, distance. Those of a pair left out are NaN.
func (o *emdObject) certificate(ctx context.Context, c *call) error {
	rows, _, _, err := o.pairs(c)
	if err != nil {
		return err
	}
	const figures = 7
	to, err := out[float64](c, "certificate", rows, figures)
	if err != nil {
		return err
	}
	for k := range to {
		to[k] = math.NaN()
	}
	return o.each(ctx, c, func(s *emd.Solver, row int, p, q []float64) error {
		x, err := s.Certificate(p, q)
		if err == nil {
			copy(to[row*figures:], []float64{x.Primal, x.Dual, x.Violation, x.Imbalance, x.Negative, x.Mass, x.Distance})
		}
		return err
	})
}

// whole solves one pair, p of n and q of m entries, and sets all that is found: value,
// f, h and the plan. The params of the reply say whether it is optimal: where the
// bound on pivots was reached, it is the best so far. Potentials f0 and h0 are where to
// start, if they are there.
func (o *emdObject) whole(ctx context.Context, c *call) (err error) {
	var p, q, f, h, e []float64
	if p, err = in[float64](c, "p", o.n); err != nil {
		return err
	}
	if q, err = in[float64](c, "q", o.m); err != nil {
		return err
	}
	if f, err = out[float64](c, "f", o.n); err != nil {
		return err
	}
	if h, err = out[float64](c, "h", o.m); err != nil {
		return err
	}
	if e, err = out[float64](c, "value", 1); err != nil {
		return err
	}
	if o.single == nil {
		if o.single, err = emd.NewSolver(o.ground, o.set); err != nil {
			return err
		}
	}
	var at *emd.Start
	if c.has("f0") {
		var f0, h0 []float64
		if f0, err = in[float64](c, "f0", o.n); err != nil {
			return err
		}
		if h0, err = in[float64](c, "h0", o.m); err != nil {
			return err
		}
		if at, err = emd.NewStart(o.ground, f0, h0); err != nil {
			return err
		}
	}
	if err := o.single.Resume(at); err != nil {
		return err
	}
	defer o.single.Resume(nil)
	defer o.single.Watch(ctx)()
	o.arcs, e[0], err = o.single.Solve(p, q, o.arcs[:0], f, h)
	var bound *emd.PivotError
	if errors.As(err, &bound) {
		o.arcs, e[0] = bound.Plan, bound.Certificate.Primal
		copy(f, bound.F)
		copy(h, bound.H)
	} else if err != nil {
		return err
	}
	if err := writeArcs(c, o.arcs); err != nil {
		return err
	}
	return c.answer(map[string]any{"optimal": bound == nil})
}
