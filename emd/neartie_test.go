package emd_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"barrow/emd"
)

// TestNearTies: distances that differ by less than rounding shows, or by a hair above that, beside
// others that are far larger. What is found must pass the check that it is held to by default.
func TestNearTies(t *testing.T) {
	r := rand.New(rand.NewPCG(19, 9))
	kinds := []func() float64{
		func() float64 { return math.Pow(10, -12*r.Float64()) },
		func() float64 { return float64(r.IntN(3)) + float64(r.IntN(5))*1e-7 },
		func() float64 { return math.Exp(30 * r.NormFloat64()) },
		func() float64 { return 1 + float64(r.IntN(5))*math.Ldexp(r.Float64(), -21) },
		func() float64 { return float64(r.IntN(4)) + 3e-13*r.NormFloat64() },
	}
	for k := range size(8000) {
		n := 2 + r.IntN(62)
		if k%20 == 0 {
			n = 65 + r.IntN(40)
		}
		m, err := emd.NewMetric(n, closeDistances(r, n, kinds[r.IntN(len(kinds))]))
		if err != nil { // all points in one place
			continue
		}
		for _, kernel := range emd.Kernels() {
			for _, set := range []emd.Settings{{Unequal: emd.UnequalNormalise}, {Unequal: emd.UnequalPenalty, Penalty: m.Max() * (0.5 + r.Float64())}} {
				set.Kernel, set.NonMetric = kernel, emd.NonMetricAssume
				s := newSolver(t, m, set)
				p, q := make([]float64, n), make([]float64, n)
				for x := range n {
					p[x], q[x] = max(0, math.Floor(5*r.NormFloat64())), max(0, math.Floor(5*r.NormFloat64()))
				}
				p[r.IntN(n)]++
				q[r.IntN(n)]++
				c, err := s.Certificate(p, q)
				if err == nil {
					err = c.Check(0)
				}
				if err != nil {
					t.Fatalf("%d points, %s: %v", n, kernel, err)
				}
			}
		}
	}
}

// closeDistances are those of points whose coordinates are drawn, the first of which is sometimes far off.
func closeDistances(r *rand.Rand, n int, draw func() float64) []float64 {
	dim := 1 + r.IntN(3)
	at := make([]float64, n*dim)
	for k := range at {
		at[k] = draw()
	}
	if r.IntN(2) == 0 {
		at[0] += 1e7
	}
	d := make([]float64, n*n)
	for i := range n {
		for j := range n {
			for c := range dim {
				d[i*n+j] = math.Hypot(d[i*n+j], at[i*dim+c]-at[j*dim+c])
			}
		}
	}
	return d
}
