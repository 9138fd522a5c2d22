package emd_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"barrow/emd"
	"barrow/internal/images"
)

// drawPoints are a Ground of random points of any kind, few or many, or nil.
func drawPoints(t *testing.T, r *rand.Rand) *emd.Points {
	t.Helper()
	dim := 1 + r.IntN(4)
	s := emd.Space{Norm: []emd.Norm{emd.L1, emd.LInf, emd.L2}[r.IntN(3)]}
	size := math.Exp(4 * r.NormFloat64())
	if r.IntN(3) == 0 {
		s.Periods = make([]float64, dim)
		s.Periods[r.IntN(dim)] = size * (0.5 + r.Float64())
	}
	switch r.IntN(5) {
	case 0:
		s.Power = 2
	case 1:
		s.Power = 0.5 + 2*r.Float64()
	case 2:
		s = emd.Space{Cost: func(x, y []float64) float64 { return math.Sin(x[0]/size) - y[0]*y[0]/(size*size) + x[dim-1]/size }}
	}
	draw := func() []float64 {
		v := make([]float64, dim*(1+r.IntN(100)))
		for k := range v {
			if v[k] = size * r.NormFloat64(); r.IntN(2) == 0 {
				v[k] = size * float64(r.IntN(5))
			}
		}
		return v
	}
	var g *emd.Points
	var err error
	if r.IntN(2) == 0 {
		g, err = emd.NewPoints(dim, append(draw(), make([]float64, dim)...), s)
	} else {
		g, err = emd.NewPointsBetween(dim, draw(), draw(), s)
	}
	if err != nil && !strings.Contains(err.Error(), "all the same") {
		t.Fatal(err)
	}
	return g
}

// On points of all kinds every result is proven optimal, and is the one on the matrix of
// the same costs.
func TestPoints(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for range 600 {
		g := drawPoints(t, r)
		if g == nil {
			continue
		}
		n, m := g.Dims()
		p, q := make([]float64, n), make([]float64, m)
		for _, v := range [][]float64{p, q} {
			for k := range v {
				v[k] = float64(r.IntN(4)) * (1 + float64(r.IntN(2))*r.Float64())
			}
			v[0]++
		}
		set := emd.Settings{Unequal: emd.UnequalNormalise}
		if r.IntN(2) == 0 {
			set = emd.Settings{Unequal: emd.UnequalPenalty, Penalty: max(g.Max(), 0.1)}
		}
		solver, err := emd.NewSolver(g, set)
		if err != nil {
			t.Fatal(err)
		}
		c, err := solver.Certificate(p, q)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Check(0); err != nil {
			t.Fatalf("%d and %d points, %+v: %v", n, m, set, err)
		}
		got, err := solver.Distance(p, q)
		if err != nil {
			t.Fatal(err)
		}
		if want := onMatrix(t, g, set, p, q); math.Abs(got-want) > 1e-12*max(g.Max(), math.Abs(want)) {
			t.Fatalf("%d and %d points, %+v: %v, not %v", n, m, set, got, want)
		}
	}
}

// onMatrix is the value for costs that are a matrix.
func onMatrix(t *testing.T, g *emd.Points, set emd.Settings, p, q []float64) float64 {
	t.Helper()
	n, m := g.Dims()
	c := make([]float64, 0, n*m)
	for i := range n {
		for j := range m {
			c = append(c, g.At(i, j))
		}
	}
	cost, err := emd.NewCost(n, m, c)
	if err != nil {
		t.Fatal(err)
	}
	solver, err := emd.NewSolver(cost, set)
	if err != nil {
		t.Fatal(err)
	}
	e, err := solver.Distance(p, q)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// Images of all classes are certified, and agree with POT, with straight-line distances and
// with squared ones.
func TestPointsOfImages(t *testing.T) {
	side, pairs := 20, 2
	if long {
		side, pairs = 12, 1000
	}
	places := make([]float64, 0, 2*side*side)
	for k := range side * side {
		places = append(places, float64(k%side), float64(k/side))
	}
	var p, q []float64
	for _, class := range images.Classes() {
		for seed := range uint64(2 * pairs) {
			v, err := images.Draw(class, side, seed)
			if err != nil {
				t.Fatal(err)
			}
			for k := range v {
				v[k] /= images.Total
			}
			if seed%2 == 0 {
				p = append(p, v...)
			} else {
				q = append(q, v...)
			}
		}
	}
	for _, power := range []float64{1, 2} {
		g, err := emd.NewPoints(2, places, emd.Space{Norm: emd.L2, Power: power})
		if err != nil {
			t.Fatal(err)
		}
		set := emd.Settings{Unequal: emd.UnequalNormalise}
		solver, err := emd.NewSolver(g, set)
		if err != nil {
			t.Fatal(err)
		}
		e := make([]float64, len(p)/(side*side))
		for k := range e {
			c, err := solver.Certificate(p[k*side*side:][:side*side], q[k*side*side:][:side*side])
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Check(0); err != nil {
				t.Errorf("power %v, pair %d: %v", power, k, err)
			}
		}
		batch, err := emd.NewBatch(g, set)
		if err != nil {
			t.Fatal(err)
		}
		if err := batch.Distance(context.Background(), p, q, e); err != nil {
			t.Fatal(err)
		}
		for k, want := range pot(t, g, p, q) {
			if !near(e[k], want) {
				t.Errorf("power %v, pair %d: %.17g, POT %.17g", power, k, e[k], want)
			}
		}
	}
}

// Moving all of a cloud moves all its mass that far, squared distances to the square.
func TestPointsTranslated(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	const n = 300
	x, y, p := make([]float64, 3*n), make([]float64, 3*n), make([]float64, n)
	shift := []float64{0.3, -1.25, 0.5}
	for k := range x {
		x[k] = r.NormFloat64()
		y[k] = x[k] + shift[k%3]
	}
	for k := range p {
		p[k] = r.ExpFloat64()
	}
	squared := 0.3*0.3 + 1.25*1.25 + 0.5*0.5
	for power, want := range map[float64]float64{1: math.Sqrt(squared), 2: squared} {
		g, err := emd.NewPointsBetween(3, x, y, emd.Space{Norm: emd.L2, Power: power})
		if err != nil {
			t.Fatal(err)
		}
		solver, err := emd.NewSolver(g, emd.Settings{Unequal: emd.UnequalNormalise})
		if err != nil {
			t.Fatal(err)
		}
		if e, err := solver.Distance(p, p); err != nil || math.Abs(e-want) > 1e-12 {
			t.Errorf("power %v: %v, %v, not %v", power, e, err, want)
		}
	}
}

// Gradients on points are what differences say.
func TestPointsGradient(t *testing.T) {
	r := rand.New(rand.NewPCG(15, 16))
	for _, power := range []float64{1, 2} {
		const n = 150
		x := make([]float64, 2*n)
		for k := range x {
			x[k] = r.Float64()
		}
		g, err := emd.NewPoints(2, x, emd.Space{Norm: emd.L2, Power: power})
		if err != nil {
			t.Fatal(err)
		}
		solver, err := emd.NewSolver(g, emd.Settings{Unequal: emd.UnequalNormalise})
		if err != nil {
			t.Fatal(err)
		}
		p, q, dp, dq := make([]float64, n), make([]float64, n), make([]float64, n), make([]float64, n)
		for k := range p {
			p[k], q[k] = r.ExpFloat64(), r.ExpFloat64()
		}
		if _, err := solver.Gradient(p, q, dp, dq); err != nil {
			t.Fatal(err)
		}
		for range 20 {
			k := r.IntN(n)
			for _, side := range []struct{ v, d []float64 }{{p, dp}, {q, dq}} {
				const step = 1e-6
				old := side.v[k]
				var e [2]float64
				for s := range e {
					side.v[k] = old + step*float64(2*s-1)
					if e[s], err = solver.Distance(p, q); err != nil {
						t.Fatal(err)
					}
				}
				side.v[k] = old
				if slope := (e[1] - e[0]) / (2 * step); math.Abs(slope-side.d[k]) > 1e-7 {
					t.Errorf("power %v, cell %d: gradient %v, difference %v", power, k, side.d[k], slope)
				}
			}
		}
	}
}

// All kernels return the same bits, and solves allocate nothing.
func TestPointsKernels(t *testing.T) {
	r := rand.New(rand.NewPCG(17, 18))
	x := make([]float64, 600)
	for k := range x {
		x[k] = r.NormFloat64()
	}
	for _, power := range []float64{1, 2} {
		g, err := emd.NewPoints(3, x, emd.Space{Norm: emd.L2, Power: power})
		if err != nil {
			t.Fatal(err)
		}
		p, q, dq := make([]float64, 200), make([]float64, 200), make([]float64, 200)
		for k := range p {
			p[k], q[k] = r.ExpFloat64(), r.ExpFloat64()
		}
		var first []float64
		for _, kernel := range emd.Kernels() {
			solver, err := emd.NewSolver(g, emd.Settings{Unequal: emd.UnequalNormalise, Kernel: kernel})
			if err != nil {
				t.Fatal(err)
			}
			e, err := solver.Gradient(p, q, nil, dq)
			if err != nil {
				t.Fatal(err)
			}
			all := append([]float64{e}, dq...)
			if first == nil {
				first = all
			}
			if !slices.Equal(all, first) {
				t.Errorf("power %v, kernel %s: another result", power, kernel)
			}
			if n := testing.AllocsPerRun(3, func() { _, _ = solver.Gradient(p, q, nil, dq) }); n > 0 {
				t.Errorf("power %v, kernel %s: %v allocations", power, kernel, n)
			}
		}
	}
}

// Coordinates of any size are points, and what is none is named.
func TestNewPoints(t *testing.T) {
	for _, size := range []float64{1e-190, 1, 1e190} {
		var x []float64
		for k := range 100 {
			x = append(x, size*float64(k))
		}
		g, err := emd.NewPoints(1, x, emd.Space{})
		if err != nil {
			t.Fatal(err)
		}
		solver, err := emd.NewSolver(g, emd.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		p, q := make([]float64, 100), make([]float64, 100)
		p[0], q[99] = 2, 2
		if e, err := solver.Distance(p, q); err != nil || math.Abs(e-198*size) > 1e-12*e {
			t.Errorf("size %g: %v, %v", size, e, err)
		}
	}
	cost := func(x, y []float64) float64 { return math.NaN() }
	for _, c := range []struct {
		dim  int
		x    []float64
		s    emd.Space
		want string
	}{
		{0, []float64{1}, emd.Space{}, "0 coordinates"},
		{2, []float64{1, 2, 3}, emd.Space{}, "3 coordinates for points of 2"},
		{2, nil, emd.Space{}, "one point or more"},
		{2, []float64{1, 2, 3, math.NaN()}, emd.Space{}, "point 1: coordinate 1 is NaN"},
		{1, []float64{1, 1, 1}, emd.Space{}, "all the same"},
		{1, []float64{1, 2}, emd.Space{Norm: 7}, "Norm 7"},
		{1, []float64{1, 2}, emd.Space{Periods: []float64{1, 2}}, "2 entries for 1"},
		{1, []float64{1, 2}, emd.Space{Periods: []float64{-1}}, "Periods[0] = -1"},
		{1, []float64{1, 2}, emd.Space{Power: -1}, "Power -1"},
		{1, []float64{1, 2}, emd.Space{Cost: cost}, "points 0 and 0 is NaN"},
		{1, []float64{1, 2}, emd.Space{Cost: cost, Power: 2}, "no meaning"},
		{1, []float64{1e150, 0}, emd.Space{Power: 2}, "largest cost"},
	} {
		if _, err := emd.NewPoints(c.dim, c.x, c.s); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, not of %q", c.x, err, c.want)
		}
	}
	if _, err := emd.NewPointsBetween(1, []float64{1}, nil, emd.Space{}); err == nil {
		t.Error("no points of q: no error")
	}
	if _, err := emd.NewSolver((*emd.Points)(nil), emd.Settings{}); err == nil {
		t.Error("no points: no error")
	}
}

func ExampleNewPointsBetween() {
	// Three buildings are heated from two plants, and a unit costs its way.
	plants := []float64{0, 0, 10, 0}
	buildings := []float64{3, 4, 10, 5, 0, 1}
	g, _ := emd.NewPointsBetween(2, plants, buildings, emd.Space{Norm: emd.L2})
	solver, _ := emd.NewSolver(g, emd.Settings{})
	e, _ := solver.Distance([]float64{4, 6}, []float64{2, 6, 2})
	fmt.Println(e)
	// Output: 42
}
