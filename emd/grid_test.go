package emd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// gridCases are shapes of one to four dimensions, with axes of one, two and three cells,
// which are periodic or not.
func gridCases(r *rand.Rand) (shape []int, norm Norm, periodic []bool) {
	for cells := 1; len(shape) == 0 || len(shape) < 4 && r.IntN(3) > 0; {
		k := 1 + r.IntN(max(1, min(40, 700/cells)))
		if r.IntN(4) == 0 {
			k = min(k, 1+r.IntN(4))
		}
		shape = append(shape, k)
		periodic = append(periodic, r.IntN(2) == 0)
		cells *= k
	}
	return shape, Norm(r.IntN(3)), periodic
}

// matrixOf is the metric of a grid.
func matrixOf(t testing.TB, g *Grid) *Metric {
	n, _ := g.Dims()
	d := make([]float64, n*n)
	for k := range d {
		d[k] = g.At(k/n, k%n)
	}
	m, err := NewMetric(n, d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The grid agrees with the matrix of its distances, with all Settings; its results carry a
// certificate that the matrix confirms, too.
func TestGridAgainstMatrix(t *testing.T) {
	r := rand.New(rand.NewPCG(51, 52))
	for trial := range 50 {
		shape, norm, periodic := gridCases(r)
		g, err := NewGrid(shape, norm, periodic)
		if err != nil {
			t.Fatal(err)
		}
		n, _ := g.Dims()
		if n == 1 {
			continue
		}
		m := matrixOf(t, g)
		if g.Max() != m.Max() {
			t.Fatalf("grid %v, periodic %v: the largest distance is %v, not %v", shape, periodic, m.Max(), g.Max())
		}
		for _, set := range []Settings{{Unequal: UnequalNormalise, NonMetric: NonMetricAssume}, {Unequal: UnequalPenalty, Penalty: g.Max() * (0.1 + r.Float64()), NonMetric: NonMetricAssume}} {
			a, err := NewSolver(g, set)
			if err != nil {
				t.Fatal(err)
			}
			b, err := NewSolver(m, set)
			if err != nil {
				t.Fatal(err)
			}
			for pair := range 3 {
				p, q := gridPair(r, n, trial+pair)
				name := fmt.Sprintf("trial %d: grid %v, norm %d, periodic %v, pair %d, %v", trial, shape, norm, periodic, pair, set.Unequal)
				agree(t, name, a, b, m, p, q)
			}
		}
	}
}

// gridPair draws two images of one of several kinds.
func gridPair(r *rand.Rand, n, kind int) (p, q []float64) {
	p, q = make([]float64, n), make([]float64, n)
	for k := range p {
		switch kind % 5 {
		case 0:
			p[k], q[k] = r.Float64(), r.Float64()
		case 1:
			p[k], q[k] = math.Floor(3*r.Float64()), math.Floor(3*r.Float64())
		case 2:
			p[k], q[k] = math.Exp(20*r.NormFloat64()), math.Exp(5*r.NormFloat64())
		case 3:
			p[k] = r.Float64()
			q[k] = p[k] * (1 + 1e-9*r.Float64())
		case 4:
			p[k] = 1
		}
	}
	p[r.IntN(n)]++
	q[r.IntN(n)] += 2
	return p, q
}

// agree compares a grid with its matrix on a pair, in all that a Solver has.
func agree(t *testing.T, name string, a, b *Solver, m *Metric, p, q []float64) {
	t.Helper()
	n := len(p)
	f, h := make([]float64, n), make([]float64, n)
	plan, x, err := a.Solve(p, q, nil, f, h)
	if err != nil {
		t.Fatal(name, err)
	}
	y, err := b.Distance(p, q)
	if err != nil {
		t.Fatal(name, err)
	}
	if math.Abs(x-y) > 1e-12*(math.Abs(y)+1e-3*sum(p)) {
		t.Fatalf("%s: %.17g, the matrix gives %.17g", name, x, y)
	}
	if len(plan) > 2*n {
		t.Fatalf("%s: a plan of %d arcs on %d cells", name, len(plan), n)
	}
	c, err := a.Certificate(p, q)
	if err != nil {
		t.Fatal(name, err)
	}
	if err := c.Check(0); err != nil {
		t.Fatal(name, err)
	}
	if a.set.Unequal == UnequalNormalise {
		c, err := Certify(m, normalised(p), normalised(q), plan, f, nil)
		if err != nil {
			t.Fatal(name, err)
		}
		if err := c.Check(0); err != nil {
			t.Fatal(name, "matrix:", err)
		}
	}
}

func normalised(p []float64) []float64 {
	total := sum(p)
	v := make([]float64, len(p))
	for k, x := range p {
		v[k] = x / total
	}
	return v
}

// Translations of an image, along the axes, cost their way for all of the mass.
func TestGridTranslation(t *testing.T) {
	r := rand.New(rand.NewPCG(53, 54))
	for _, norm := range []Norm{L1, LInf} {
		g, err := NewGrid([]int{40, 30}, norm, nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSolver(g, Settings{})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			dy, dx := r.IntN(12), r.IntN(12)
			p, q := make([]float64, 1200), make([]float64, 1200)
			total := 0.0
			for y := range 40 - dy {
				for x := range 30 - dx {
					m := math.Floor(100 * r.Float64())
					p[y*30+x], q[(y+dy)*30+x+dx] = m, m
					total += m
				}
			}
			want := float64(dy + dx)
			if norm == LInf {
				want = float64(max(dy, dx))
			}
			e, err := s.Distance(p, q)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(e-want*total) > 1e-13*want*total {
				t.Fatalf("norm %d: moved by %d, %d: %v a unit, not %v", norm, dy, dx, e/total, want)
			}
		}
	}
}

// On a line the distance is the sum of the differences of the cumulated masses, and on a
// circle that of their distances from the median.
func TestGridLine(t *testing.T) {
	r := rand.New(rand.NewPCG(55, 56))
	for _, n := range []int{65, 100, 777} {
		for _, periodic := range []bool{false, true} {
			for _, shape := range [][]int{{n}, {1, n}, {n, 1, 1}} {
				around := []bool{periodic, periodic, periodic}[:len(shape)]
				g, err := NewGrid(shape, Norm(r.IntN(3)), around)
				if err != nil {
					t.Fatal(err)
				}
				s, err := NewSolver(g, Settings{})
				if err != nil {
					t.Fatal(err)
				}
				p, q := make([]float64, n), make([]float64, n)
				for k := range p {
					x := float64(r.IntN(1000))
					p[k] += x
					q[r.IntN(n)] += x
				}
				e, err := s.Distance(p, q)
				if err != nil {
					t.Fatal(err)
				}
				want := math.Inf(1)
				along, at := make([]float64, n), 0.0
				for k := range p {
					at += p[k] - q[k]
					along[k] = at
				}
				for k := range along {
					middle, total := along[k], 0.0
					if !periodic {
						middle = 0
					}
					for _, x := range along {
						total += math.Abs(x - middle)
					}
					want = min(want, total)
				}
				if math.Abs(e-want) > 1e-13*want {
					t.Fatalf("%v, periodic %v: %v, not %v", shape, periodic, e, want)
				}
			}
		}
	}
}

// From one cell to all, and a permutation of unit masses.
func TestGridSimple(t *testing.T) {
	g, err := NewGrid([]int{20, 20}, L1, []bool{true, false})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSolver(g, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	p, q := make([]float64, 400), make([]float64, 400)
	want := 0.0
	p[130] = 400
	for k := range q {
		q[k] = 1
		want += g.At(130, k)
	}
	if e, err := s.Distance(p, q); err != nil || math.Abs(e-want) > 1e-12*want {
		t.Errorf("from one cell: %v, %v; not %v", e, err, want)
	}
	clear(p)
	clear(q)
	p[3], q[217] = 2.5, 2.5
	if e, err := s.Distance(p, q); err != nil || e != 2.5*g.At(3, 217) {
		t.Errorf("between two cells: %v, %v; not %v", e, err, 2.5*g.At(3, 217))
	}
	if e, err := s.Distance(q, q); err != nil || e != 0 {
		t.Errorf("from an image to itself: %v, %v", e, err)
	}
	for k := range p {
		p[k], q[k] = 1, 1
	}
	p[7], q[7], p[100], q[100] = 2, 1, 1, 2
	if e, err := s.Distance(p, q); err != nil || math.Abs(e-g.At(7, 100)) > 1e-12 {
		t.Errorf("all but one stay: %v, %v; not %v", e, err, g.At(7, 100))
	}
}

// The gradient is that of finite differences on images without ties.
func TestGridGradient(t *testing.T) {
	r := rand.New(rand.NewPCG(57, 58))
	for _, set := range []Settings{{Unequal: UnequalNormalise}, {Unequal: UnequalPenalty, Penalty: 9}} {
		g, err := NewGrid([]int{9, 12}, Norm(r.IntN(2)), nil)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSolver(g, set)
		if err != nil {
			t.Fatal(err)
		}
		p, q := make([]float64, 108), make([]float64, 108)
		dp, dq, way := make([]float64, 108), make([]float64, 108), make([]float64, 108)
		for range 30 {
			slope := 0.0
			for k := range p {
				p[k], q[k], way[k] = 1+r.Float64(), 0.5+r.Float64(), r.NormFloat64()
			}
			if _, err := s.Gradient(p, q, dp, dq); err != nil {
				t.Fatal(err)
			}
			for k, x := range way {
				slope += x * (dp[k] - 2*dq[k])
			}
			at := func(h float64) float64 {
				a, b := make([]float64, 108), make([]float64, 108)
				for k, x := range way {
					a[k], b[k] = p[k]+h*x, q[k]-2*h*x
				}
				e, err := s.Distance(a, b)
				if err != nil {
					t.Fatal(err)
				}
				return e
			}
			const h = 1e-8
			if d := (at(h) - at(-h)) / (2 * h); math.Abs(d-slope) > 1e-5*(1+math.Abs(d)) {
				t.Errorf("slope %v, gradient %v", d, slope)
			}
		}
	}
}

// After the first call nothing is allocated, whatever the masses, and a Batch
// gives the same as a Solver.
func TestGridAllocations(t *testing.T) {
	r := rand.New(rand.NewPCG(59, 60))
	g, err := NewGrid([]int{12, 10}, L1, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := Settings{Unequal: UnequalPenalty, Penalty: 5}
	s, err := NewSolver(g, set)
	if err != nil {
		t.Fatal(err)
	}
	const pairs = 20
	p, q := make([]float64, pairs*120), make([]float64, pairs*120)
	for k := range p {
		p[k], q[k] = r.Float64(), r.Float64()
	}
	dp := make([]float64, 120)
	e, want := make([]float64, pairs), make([]float64, pairs)
	k := 0
	solve := func() {
		e, err := s.Gradient(p[k*120:][:120], q[k*120:][:120], dp, nil)
		if err != nil {
			t.Fatal(err)
		}
		want[k] = e
		k = (k + 1) % pairs
	}
	solve()
	if n := testing.AllocsPerRun(2*pairs, solve); n > 0 {
		t.Errorf("%v allocations a call", n)
	}
	b, err := NewBatch(g, set)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Distance(context.Background(), p, q, e); err != nil {
		t.Fatal(err)
	}
	for k, x := range e {
		if x != want[k] {
			t.Errorf("pair %d: %v in a batch, %v alone", k, x, want[k])
		}
	}
}

// A solve that is stopped says between what the distance lies.
func TestGridPivots(t *testing.T) {
	r := rand.New(rand.NewPCG(61, 62))
	g, err := NewGrid([]int{16, 16}, L1, nil)
	if err != nil {
		t.Fatal(err)
	}
	p, q := gridPair(r, 256, 0)
	full, err := NewSolver(g, Settings{Unequal: UnequalNormalise})
	if err != nil {
		t.Fatal(err)
	}
	want, err := full.Distance(p, q)
	if err != nil {
		t.Fatal(err)
	}
	for _, most := range []int{1, 10, 50} {
		s, err := NewSolver(g, Settings{Unequal: UnequalNormalise, MaxPivots: most})
		if err != nil {
			t.Fatal(err)
		}
		var stopped *PivotError
		if _, err := s.Distance(p, q); !errors.As(err, &stopped) {
			t.Fatalf("after %d pivots: %v", most, err)
		}
		c := stopped.Certificate
		if c.Violation > 1e-13 || c.Imbalance > 1e-15 || !(c.Dual < want && want < c.Primal) {
			t.Errorf("after %d pivots: %v, around %v", most, c, want)
		}
	}
}

func TestGridRefuses(t *testing.T) {
	for _, c := range []struct {
		shape    []int
		norm     Norm
		periodic []bool
	}{
		{nil, L1, nil}, {[]int{3, 0}, L1, nil}, {[]int{3, 3}, 7, nil}, {[]int{3, 3}, L1, []bool{true}},
		{[]int{1 << 20, 1 << 20}, L1, nil}, {[]int{-3, -3}, L1, nil},
	} {
		if _, err := NewGrid(c.shape, c.norm, c.periodic); err == nil {
			t.Errorf("a grid of %v, norm %d, periodic %v", c.shape, c.norm, c.periodic)
		}
	}
	g, err := NewGrid([]int{9, 9}, L1, nil)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSolver(g, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	p, q := make([]float64, 81), make([]float64, 81)
	var mass *MassError
	p[80], q[3] = 1, math.NaN()
	if _, err := s.Distance(p, q); !errors.As(err, &mass) || mass.Cell != 3 {
		t.Errorf("NaN: %v", err)
	}
	if _, err := s.Distance(p, q[1:]); err == nil {
		t.Error("80 masses on 81 cells")
	}
	if _, err := s.Distance(p, make([]float64, 81)); !errors.Is(err, ErrEmpty) {
		t.Errorf("an empty image: %v", err)
	}
	if _, err := NewSolver((*Grid)(nil), Settings{}); err == nil {
		t.Error("no grid")
	}
}
