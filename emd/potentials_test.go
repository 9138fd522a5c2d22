package emd_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"barrow/emd"
)

// duals are those of a pair, checked: feasible, and of the distance's value on the
// masses compared.
func checkPotentials(t *testing.T, g emd.Ground, p, q, f, h []float64, value float64) {
	t.Helper()
	n, m := g.Dims()
	tolerance := 1e-13 * g.Max()
	for i := range n {
		for j := range m {
			if over := f[i] + h[j] - g.At(i, j); over > tolerance {
				t.Fatalf("f[%d] + h[%d] exceeds the cost by %g", i, j, over)
			}
		}
	}
	dual, total := 0.0, 0.0
	for i, x := range p {
		dual += x * f[i]
		total += x
	}
	for j, x := range q {
		dual += x * h[j]
	}
	if math.Abs(dual-value) > 1e-12*total*g.Max() {
		t.Fatalf("the potentials are worth %v, the distance is %v", dual, value)
	}
}

// somePairs are images of n and m cells, a third of them empty, of total 1.
func somePairs(rng *rand.Rand, rows, n, m int) (p, q []float64) {
	image := func(n int) []float64 {
		x, total := make([]float64, n), 0.0
		for k := range x {
			if k == 0 || rng.IntN(3) > 0 {
				x[k] = rng.ExpFloat64()
				total += x[k]
			}
		}
		for k := range x {
			x[k] /= total
		}
		return x
	}
	for range rows {
		p, q = append(p, image(n)...), append(q, image(m)...)
	}
	return p, q
}

// TestPotentials holds the potentials of both sides, of one pair and of a batch, to what
// they promise, on grounds of every path.
func TestPotentials(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 1))
	for _, size := range [][2]int{{5, 5}, {48, 48}, {80, 80}, {7, 4}, {60, 50}} {
		n, m := size[0], size[1]
		var g emd.Ground
		if n == m {
			points := make([][2]float64, n)
			for i := range points {
				points[i] = [2]float64{rng.Float64(), rng.Float64()}
			}
			d, err := emd.Euclidean(points)
			if err != nil {
				t.Fatal(err)
			}
			g = d
		} else {
			c := make([]float64, n*m)
			for k := range c {
				c[k] = rng.NormFloat64()
			}
			g = newCost(t, n, m, c)
		}
		for _, set := range []emd.Settings{{}, {Unequal: emd.UnequalNormalise}} {
			const rows = 20
			p, q := somePairs(rng, rows, n, m)
			batch, err := emd.NewBatch(g, set)
			if err != nil {
				t.Fatal(err)
			}
			e, f, h := make([]float64, rows), make([]float64, rows*n), make([]float64, rows*m)
			if err := batch.Potentials(context.Background(), p, q, e, f, h); err != nil {
				t.Fatal(err)
			}
			one, err := emd.NewSolver(g, set)
			if err != nil {
				t.Fatal(err)
			}
			for i := range rows {
				a, b := p[i*n:(i+1)*n], q[i*m:(i+1)*m]
				checkPotentials(t, g, a, b, f[i*n:(i+1)*n], h[i*m:(i+1)*m], e[i])
				u, v := make([]float64, n), make([]float64, m)
				plan, value, err := one.Solve(a, b, nil, u, v)
				if err != nil {
					t.Fatal(err)
				}
				if value != e[i] || u[0] != f[i*n] || v[m-1] != h[(i+1)*m-1] {
					t.Fatalf("row %d: one pair has other duals than the batch", i)
				}
				c, err := emd.Certify(g, a, b, plan, u, v)
				if err != nil {
					t.Fatal(err)
				}
				if err := c.Check(1e-12); err != nil {
					t.Fatalf("%v, row %d: %v", size, i, err)
				}
			}
			if _, err := one.Potentials(p[:n], q[:m], make([]float64, n+1), nil); err == nil {
				t.Fatal("no error for room of another length")
			}
		}
	}
}

// TestPivotErrorPlan demands that a solve cut short hands over what it had.
func TestPivotErrorPlan(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 2))
	for _, n := range []int{40, 90} {
		c := make([]float64, n*n)
		for k := range c {
			c[k] = rng.Float64()
		}
		g := newCost(t, n, n, c)
		s, err := emd.NewSolver(g, emd.Settings{MaxPivots: 2})
		if err != nil {
			t.Fatal(err)
		}
		p, q := somePairs(rng, 1, n, n)
		_, _, err = s.Solve(p, q, nil, make([]float64, n), make([]float64, n))
		var bound *emd.PivotError
		if !errors.As(err, &bound) {
			t.Fatalf("%d cells: no error after 2 pivots: %v", n, err)
		}
		x, err := emd.Certify(g, p, q, bound.Plan, bound.F, bound.H)
		if err != nil {
			t.Fatal(err)
		}
		if x != bound.Certificate || !(x.Gap() > 0) || x.Imbalance > 1e-13 || x.Violation > 1e-13 {
			t.Fatalf("%d cells: the plan has the certificate %v, the error says %v", n, x, bound.Certificate)
		}
	}
}

// TestPivotErrorOnMetric demands the potentials of both sides there, too.
func TestPivotErrorOnMetric(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 3))
	for _, n := range []int{40, 90} {
		points := make([][2]float64, n)
		for i := range points {
			points[i] = [2]float64{rng.Float64(), rng.Float64()}
		}
		m, err := emd.Euclidean(points)
		if err != nil {
			t.Fatal(err)
		}
		p, q := somePairs(rng, 1, n, n)
		var bound *emd.PivotError
		if _, err := newSolver(t, m, emd.Settings{MaxPivots: 2}).Distance(p, q); !errors.As(err, &bound) {
			t.Fatalf("%d cells: no error after 2 pivots: %v", n, err)
		}
		x, err := emd.Certify(m, p, q, bound.Plan, bound.F, bound.H)
		if err != nil || !(x.Gap() > 0) || x.Imbalance > 1e-13 || x.Violation > 1e-13 || math.Abs(x.Dual-bound.Certificate.Dual) > 1e-13 {
			t.Fatalf("%d cells: the plan has the certificate %v, the error says %v; %v", n, x, bound.Certificate, err)
		}
	}
}
