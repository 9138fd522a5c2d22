package emd_test

import (
	"math"
	"testing"

	"barrow/emd"
	"barrow/hgcal"
)

// benchmarkMetric is the metric of the reference values.
func benchmarkMetric(t testing.TB) *emd.Metric {
	t.Helper()
	m, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func newSolver(t testing.TB, m emd.Ground, s emd.Settings) *emd.Solver {
	t.Helper()
	v, err := emd.NewSolver(m, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// spread is an image of 48 cells made of f, normalised.
func spread(f func(i int) float64) []float64 {
	p := make([]float64, 48)
	total := 0.0
	for i := range p {
		p[i] = f(i)
		total += p[i]
	}
	for i := range p {
		p[i] /= total
	}
	return p
}

func only(from, to int) []float64 {
	return spread(func(i int) float64 {
		if i >= from && i < to {
			return 1
		}
		return 0
	})
}

func cell(k int) []float64 { return only(k, k+1) }

func parity(odd int) []float64 {
	return spread(func(i int) float64 { return float64(1 - (i^odd)&1) })
}

// The values on which an LP solver, POT's network simplex and another
// implementation agree to 3e-14 for the benchmark metric, one of them given to 13 decimals.
func TestReferenceValues(t *testing.T) {
	m := benchmarkMetric(t)
	if math.Abs(m.Max()-13.756812026164626) > 4e-15 {
		t.Errorf("the largest distance is %v, want 13.756812026164626", m.Max())
	}
	uniform := only(0, 48)
	cases := []struct {
		name string
		p, q []float64
		want float64
	}{
		{"all in cell 0 to uniform", cell(0), uniform, 7.4408672070214},
		{"block 0 to block 2", only(0, 16), only(32, 48), 6.950072643011548},
		{"block 0 to block 1", only(0, 16), only(16, 32), 6.950073546320448},
		{"rising to falling", spread(func(i int) float64 { return float64(i + 1) }),
			spread(func(i int) float64 { return float64(48 - i) }), 3.115634854766914},
		{"squares to uniform", spread(func(i int) float64 { return float64((i + 1) * (i + 1)) }), uniform, 2.461471425814364},
		{"even to odd", parity(0), parity(1), 1.950692541024879},
		{"cell 3 to cell 40", cell(3), cell(40), 6.264970282930191},
		{"cell 5 to cell 9", cell(5), cell(9), 2.000000521663293},
		{"equal", only(3, 17), only(3, 17), 0},
	}
	for _, e := range []float64{0.5, 1e-3, 1e-9, 1e-15} {
		q := make([]float64, 48)
		q[5], q[9] = 1-e, e
		cases = append(cases, struct {
			name string
			p, q []float64
			want float64
		}{"a part of cell 5 to cell 9", cell(5), q, e * m.At(5, 9)})
	}
	for _, k := range emd.Kernels() {
		for _, u := range []emd.Settings{{}, {Unequal: emd.UnequalNormalise}, {Unequal: emd.UnequalPenalty, Penalty: 7}} {
			u.Kernel = k
			s := newSolver(t, m, u)
			for _, c := range cases {
				for range 2 {
					got, err := s.Distance(c.p, c.q)
					if err != nil {
						t.Fatalf("%v %v %s: %v", k, u.Unequal, c.name, err)
					}
					if math.Abs(got-c.want) > 5e-14 {
						t.Errorf("%v %v %s: %.16g, want %.16g", k, u.Unequal, c.name, got, c.want)
					}
					cert, err := s.Certificate(c.p, c.q)
					if err != nil {
						t.Fatal(err)
					}
					if err := cert.Check(0); err != nil {
						t.Errorf("%v %v %s: %v", k, u.Unequal, c.name, err)
					}
					c.p, c.q = c.q, c.p
				}
			}
		}
	}
}
