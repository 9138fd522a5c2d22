package emd_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"barrow/emd"
)

func TestNewMetricErrors(t *testing.T) {
	for _, c := range []struct {
		n    int
		d    []float64
		want string
	}{
		{0, nil, "at least one point"},
		{2, []float64{0, 1, 1}, "needs 2×2 distances"},
		{1 << (strconv.IntSize / 2), nil, "not 0"}, // whose square is 0 in an int
		{2, []float64{0, math.NaN(), 1, 0}, "[0][1] = NaN"},
		{2, []float64{0, 1, math.Inf(1), 0}, "[1][0] = +Inf"},
		{2, []float64{0, -1, -1, 0}, "[0][1] = -1"},
		{2, []float64{0, 1, 1, 2}, "[1][1] = 2"},
		{2, []float64{0, 1, 2, 0}, "differ"},
		{3, make([]float64, 9), "all distances between the 3 points are 0"},
		{2, []float64{0, 1e300, 1e300, 0}, "choose another unit"},
		{2, []float64{0, 1e-300, 1e-300, 0}, "choose another unit"},
	} {
		if _, err := emd.NewMetric(c.n, c.d); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %q", c.d, err, c.want)
		}
	}
	for _, p := range [][][2]float64{nil, {{math.NaN(), 0}}, {{0, math.Inf(1)}}, {{-math.MaxFloat64, 0}, {math.MaxFloat64, 0}},
		{{1e300, 0}, {2e300, 1}}, {{1e300, 0}, {1e300, 1}}, {{1, 2}, {1, 2}}, make([][2]float64, 48), {{1e17, 1}, {1e17 + 1, 1}}} {
		if _, err := emd.Euclidean(p); err == nil {
			t.Errorf("points %v were accepted", p)
		}
	}
	if _, err := emd.Euclidean(make([][2]float64, 10_000_000)); err == nil || !strings.Contains(err.Error(), "memory") {
		t.Errorf("10⁷ points: %v", err)
	}
	for _, period := range []float64{-1, math.NaN(), math.Inf(1)} {
		if _, err := emd.Periodic([][2]float64{{0, 0}}, period, 1); err == nil {
			t.Errorf("period %v was accepted", period)
		}
	}
}

// Two computed values of one distance become exactly one.
func TestSymmetrised(t *testing.T) {
	m, err := emd.NewMetric(2, []float64{0, 1 + 4e-16, 1, 0})
	if err != nil {
		t.Fatal(err)
	}
	if m.At(0, 1) != m.At(1, 0) {
		t.Error(m.At(0, 1), m.At(1, 0))
	}
}

func TestDistances(t *testing.T) {
	points := [][2]float64{{0, 0}, {3, 4}, {9.5, 0}, {1e-200, 0}, {0, 1e200}}
	e, err := emd.Euclidean(points)
	if err != nil {
		t.Fatal(err)
	}
	p, err := emd.Periodic(points, 10, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ got, want float64 }{
		{e.At(0, 1), 5}, {e.At(0, 2), 9.5}, {e.At(0, 3), 1e-200}, {e.At(4, 0), 1e200},
		{p.At(0, 2), 0.5}, {p.At(1, 2), math.Hypot(3.5, 4)}, {e.Max(), 1e200},
	} {
		if math.Abs(c.got-c.want) > 1e-15*c.want {
			t.Errorf("%v, want %v", c.got, c.want)
		}
	}
	if err := e.Check(); err != nil || e.Len() != 5 {
		t.Error(err)
	}
}

// A matrix without triangle inequality is refused by name of a triple, and solved when asked: then a unit does not pass through other cells, and the
// result is the linear programme's for the costs as they are.
func TestNonMetric(t *testing.T) {
	d := []float64{0, 1, 5, 1, 0, 1, 5, 1, 0}
	m, err := emd.NewMetric(3, d)
	if err != nil {
		t.Fatal(err)
	}
	var triangle *emd.TriangleError
	if _, err := emd.NewSolver(m, emd.Settings{}); !errors.As(err, &triangle) {
		t.Fatalf("error %v", err)
	}
	if *triangle != (emd.TriangleError{I: 0, J: 2, K: 1, Excess: 3}) {
		t.Errorf("%+v", triangle)
	}
	s := newSolver(t, m, emd.Settings{NonMetric: emd.NonMetricSolve})
	// The unit in cell 1 makes way: 0→1 and 1→2 cost 2, less than 0→2.
	p, q := []float64{1, 1, 0}, []float64{0, 1, 1}
	dp, dq := make([]float64, 3), make([]float64, 3)
	e, err := s.Gradient(p, q, dp, dq)
	if err != nil || math.Abs(e-2) > 1e-14 {
		t.Fatalf("distance %v, error %v, want 2", e, err)
	}
	if x, err := s.Potentials(p, q, dp, dq); err != nil || x != e || math.Abs(dp[0]+dp[1]+dq[1]+dq[2]-2) > 1e-14 {
		t.Errorf("potentials %v and %v of %v, error %v", dp, dq, x, err)
	}
	if e, err := newSolver(t, m, emd.Settings{NonMetric: emd.NonMetricAssume}).Distance(p, q); err != nil || math.Abs(e-5) > 1e-14 {
		t.Errorf("with the common mass left in place: %v, %v, want 5", e, err)
	}
}

// Of n points a violation anywhere is found, whichever it is and on any number of
// processors, and none where there is none: points of a plane, of spaces of more
// dimensions, distances along axes, and points that nearly lie on a line.
func TestTriangles(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for _, n := range []int{3, 50, 150} {
		for name, distance := range map[string]func(a, b []float64) float64{
			"plane": func(a, b []float64) float64 { return math.Hypot(a[0]-b[0], a[1]-b[1]) },
			"space": func(a, b []float64) float64 {
				s := 0.0
				for k, x := range a {
					s += (x - b[k]) * (x - b[k])
				}
				return math.Sqrt(s)
			},
			"grid": func(a, b []float64) float64 {
				return math.Abs(math.Round(9*a[0])-math.Round(9*b[0])) + math.Abs(math.Round(9*a[1])-math.Round(9*b[1]))
			},
			"farthest axis": func(a, b []float64) float64 { return max(math.Abs(a[0]-b[0]), math.Abs(a[1]-b[1])) },
			"axes":          func(a, b []float64) float64 { return math.Abs(a[0]-b[0]) + math.Abs(a[1]-b[1]) },
			"line":          func(a, b []float64) float64 { return math.Hypot(a[0]-b[0], 1e-5*(a[1]-b[1])) },
			"random":        func(a, b []float64) float64 { return 1 + math.Mod(a[0]+b[0], 1) },
		} {
			points := make([][]float64, n)
			for i := range points {
				points[i] = make([]float64, 5)
				for k := range points[i] {
					points[i][k] = r.Float64()
				}
			}
			d := make([]float64, n*n)
			for i := range n {
				for j := range i {
					d[i*n+j] = distance(points[i], points[j])
					d[j*n+i] = d[i*n+j]
				}
			}
			m, err := emd.NewMetric(n, d)
			if err != nil {
				t.Fatal(err)
			}
			if obvious := n < 100 || name == "plane" || name == "space" || name == "line"; m.Obvious() != obvious {
				t.Errorf("%d points, %s: obviously a metric: %v", n, name, !obvious)
			}
			if err := m.Check(); err != nil {
				t.Errorf("%d points, %s: %v", n, name, err)
			}
			// One distance made too long by little.
			i, j := r.IntN(n), r.IntN(n-1)
			if j >= i {
				j++
			}
			i, j = min(i, j), max(i, j)
			way := math.Inf(1)
			for k := range n {
				if k != i && k != j {
					way = min(way, d[i*n+k]+d[k*n+j])
				}
			}
			d[i*n+j], d[j*n+i] = way+1e-9, way+1e-9
			if m, err = emd.NewMetric(n, d); err != nil {
				t.Fatal(err)
			}
			var e *emd.TriangleError
			if m.Obvious() {
				t.Errorf("%d points, %s: with a violation obviously a metric", n, name)
			}
			if !errors.As(m.Check(), &e) {
				t.Errorf("%d points, %s: a violation was not found", n, name)
			} else if x := m.At(e.I, e.J) - m.At(e.I, e.K) - m.At(e.K, e.J); !(x > 0) || math.Abs(x-e.Excess) > 1e-15 {
				t.Errorf("%d points, %s: %v, the excess is %g", n, name, e, x)
			}
		}
	}
}

// Near points whose distance has an error above rounding, as where squares were subtracted,
// are looked at one by one: the others' triangles are still a space's.
func TestNearPoints(t *testing.T) {
	const n = 200
	r := rand.New(rand.NewPCG(7, 8))
	x := make([][2]float64, n)
	for i := range x {
		x[i] = [2]float64{r.Float64(), r.Float64()}
		if i > 0 && i%40 == 0 {
			x[i] = [2]float64{x[i-1][0] + 1e-6, x[i-1][1]}
		}
	}
	for _, c := range []struct {
		off    float64
		metric bool
	}{{0, true}, {8e-13, true}, {-1e-10, false}} {
		d := make([]float64, n*n)
		for i, a := range x {
			for j, b := range x[:i] {
				y := math.Hypot(a[0]-b[0], a[1]-b[1])
				if y < 1.1e-6 {
					y += c.off
				}
				d[i*n+j], d[j*n+i] = y, y
			}
		}
		m, err := emd.NewMetric(n, d)
		if err != nil {
			t.Fatal(err)
		}
		if m.Obvious() != c.metric || (m.Check() == nil) != c.metric {
			t.Errorf("off by %g: obviously a metric: %v; %v", c.off, m.Obvious(), m.Check())
		}
	}
}

// Random costs against a solver that tries everything: the optimum of unit
// masses is a permutation.
func TestNonMetricAgainstPermutations(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 3))
	for range 200 {
		const n = 6
		d := make([]float64, n*n)
		for i := range n {
			for j := range i {
				x := r.Float64()
				d[i*n+j], d[j*n+i] = x, x
			}
		}
		m, err := emd.NewMetric(n, d)
		if err != nil {
			t.Fatal(err)
		}
		s := newSolver(t, m, emd.Settings{NonMetric: emd.NonMetricSolve})
		rows, cols := r.Perm(n)[:4], r.Perm(n)[:4]
		p, q := make([]float64, n), make([]float64, n)
		for k := range rows {
			p[rows[k]], q[cols[k]] = 1, 1
		}
		best := math.Inf(1)
		var try func(k int, cost float64)
		try = func(k int, cost float64) {
			if k == len(rows) {
				best = min(best, cost)
				return
			}
			for l := k; l < len(cols); l++ {
				cols[k], cols[l] = cols[l], cols[k]
				try(k+1, cost+m.At(rows[k], cols[k]))
				cols[k], cols[l] = cols[l], cols[k]
			}
		}
		try(0, 0)
		if e := certified(t, s, p, q); math.Abs(e-best) > 1e-14 {
			t.Fatalf("distance %.17g, best permutation %.17g", e, best)
		}
		// The gradient holds for both sides.
		dp, dq := make([]float64, n), make([]float64, n)
		if _, err := s.Gradient(p, q, dp, dq); err != nil {
			t.Fatal(err)
		}
		for i := range n {
			for j := range n {
				if dp[i]+dq[j] > m.At(i, j)+1e-14 {
					t.Fatalf("potentials %v and %v exceed the cost %v", dp[i], dq[j], m.At(i, j))
				}
			}
		}
		if v := dot(dp, p) + dot(dq, q); math.Abs(v-best) > 1e-13 {
			t.Fatalf("dual value %v, want %v", v, best)
		}
	}
}
