package emd

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The network simplex agrees with the small solver where both can be used.
func TestLargeAgainstSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 42))
	for range 60 {
		n := 2 + r.IntN(62)
		points := make([][2]float64, n)
		for i := range points {
			points[i] = [2]float64{math.Round(9 * r.Float64()), 9 * r.Float64()}
		}
		m, err := Euclidean(points)
		if err != nil {
			t.Fatal(err)
		}
		for _, set := range []Settings{{Unequal: UnequalNormalise}, {Unequal: UnequalPenalty, Penalty: 3}} {
			small, err := NewSolver(m, set)
			if err != nil {
				t.Fatal(err)
			}
			for _, full := range []bool{false, true} {
				large := &Solver{metric: m, set: set, cells: n}
				if err := large.useLarge(full); err != nil {
					t.Fatal(err)
				}
				for range 20 {
					p, q := make([]float64, n), make([]float64, n)
					for i := range p {
						p[i], q[i] = math.Floor(4*r.Float64()), math.Floor(3*r.ExpFloat64())
					}
					p[0]++
					q[0]++
					a, errA := small.Distance(p, q)
					b, errB := large.Distance(p, q)
					if errA != nil || errB != nil {
						t.Fatal(errA, errB)
					}
					if math.Abs(a-b) > 1e-13*(1+a)*10 {
						t.Fatalf("small %.17g, large %.17g (full %v)", a, b, full)
					}
					c, err := large.Certificate(p, q)
					if err != nil {
						t.Fatal(err)
					}
					if err := c.Check(0); err != nil {
						t.Fatalf("full %v: %v", full, err)
					}
				}
			}
		}
	}
}

// Some hundred and some thousand points, on a plane and on a torus.
func TestThousandPoints(t *testing.T) {
	for _, n := range []int{300, 1500} {
		if n > 1000 && testing.Short() {
			continue
		}
		r := rand.New(rand.NewPCG(43, uint64(n)))
		points := make([][2]float64, n)
		for i := range points {
			points[i] = [2]float64{r.Float64(), r.Float64()}
		}
		plane, err := Euclidean(points)
		if err != nil {
			t.Fatal(err)
		}
		torus, err := Periodic(points, 1, 1)
		if err != nil {
			t.Fatal(err)
		}
		p, q := make([]float64, n), make([]float64, n)
		for i := range p {
			p[i], q[i] = r.ExpFloat64(), r.ExpFloat64()
		}
		var e [2]float64
		for k, m := range []*Metric{plane, torus} {
			s, err := NewSolver(m, Settings{Unequal: UnequalNormalise})
			if err != nil {
				t.Fatal(err)
			}
			c, err := s.Certificate(p, q)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Check(1e-13); err != nil {
				t.Fatal(err)
			}
			e[k] = c.Primal
			t.Logf("%d points: %d pivots", n, s.large.net.Pivots)
		}
		if e[1] > e[0] {
			t.Errorf("%d points: the torus, %v, is longer around than the plane, %v", n, e[1], e[0])
		}
	}
}
