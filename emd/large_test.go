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
				large := &Solver{ground: m, set: set, cells: n, cellsQ: n}
				if v, err := m.view(); err != nil {
					t.Fatal(err)
				} else if !full {
					large.useMatrix(v)
				} else if err := large.useRect(newView(n, n, m.d, &m.full)); err != nil {
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
			t.Logf("%d points: %d pivots", n, s.large.core.(*matrixCore).net.Pivots)
		}
		if e[1] > e[0] {
			t.Errorf("%d points: the torus, %v, is longer around than the plane, %v", n, e[1], e[0])
		}
	}
}

// Equal masses on many points, where integers cannot be in their ratio: what
// rounding leaves must not make one entry wrong.
func TestManyEqualMasses(t *testing.T) {
	sizes := []int{65, 300, 700, 1000}
	if !testing.Short() {
		sizes = append(sizes, 2000)
	}
	for _, n := range sizes {
		r := rand.New(rand.NewPCG(53, uint64(n)))
		points := make([][2]float64, n)
		for i := range points {
			points[i] = [2]float64{r.Float64(), r.Float64()}
		}
		m, err := Euclidean(points)
		if err != nil {
			t.Fatal(err)
		}
		cost := make([]float64, 0, n*(n/3))
		for i := range n {
			cost = append(cost, m.row(i)[:n/3]...)
		}
		c, err := NewCost(n, n/3, cost)
		if err != nil {
			t.Fatal(err)
		}
		p, q := make([]float64, n), make([]float64, n)
		for k, i := range r.Perm(n) {
			switch {
			case k < n/2+3:
				p[i] = 1 / float64(n/2+3)
			default:
				q[i] = 1 / float64(n-n/2-3)
			}
		}
		all, third := make([]float64, n), make([]float64, n/3)
		for i := range all {
			all[i] = 1 / float64(n)
		}
		for i := range third {
			third[i] = 1 / float64(n/3)
		}
		for _, x := range []struct {
			g    Ground
			p, q []float64
		}{{m, p, q}, {m, all, p}, {m, q, all}, {c, all, third}} {
			for _, set := range []Settings{{}, {Unequal: UnequalNormalise}} {
				s, err := NewSolver(x.g, set)
				if err != nil {
					t.Fatal(err)
				}
				got, err := s.Certificate(x.p, x.q)
				if err != nil {
					t.Fatal(err)
				}
				if err := got.Check(0); err != nil {
					t.Errorf("%d points: %v", n, err)
				}
				if got.Imbalance > 4e-15 {
					t.Errorf("%d points: an entry is off by %g", n, got.Imbalance)
				}
			}
		}
	}
}

// Integers of both sides have equal totals, equal masses equal integers, and no
// entry is off by more than a few units.
func TestToIntegers(t *testing.T) {
	r := rand.New(rand.NewPCG(63, 64))
	for trial := range 400 {
		draw := func() []float64 {
			v := make([]float64, 1+r.IntN(3000))
			for k := range v {
				switch trial % 4 {
				case 0:
					v[k] = 1.0 / 3
				case 1:
					v[k] = r.ExpFloat64()
				case 2:
					v[k] = math.Exp(60 * r.Float64())
				default:
					v[k] = float64(r.IntN(3))
				}
			}
			v[r.IntN(len(v))] = 1
			return v
		}
		up, down := draw(), draw()
		u, d := append([]float64(nil), up...), append([]float64(nil), down...)
		unit, ok := toIntegers(u, d, 0)
		if !ok || sum(u) != sum(d) || sum(u) > 1<<53 {
			t.Fatalf("totals %v and %v, %v", sum(u), sum(d), ok)
		}
		_ = unit
		for _, side := range [][2][]float64{{up, u}, {down, d}} {
			total := sum(side[0])
			for k, x := range side[0] {
				want := x / total * integerTotal
				if y := side[1][k]; y < 0 || y != math.Trunc(y) || math.Abs(y-want) > 3+1e-15*float64(len(up))*want {
					t.Fatalf("trial %d, %d and %d entries: entry %d is %v, want %v", trial, len(up), len(down), k, y, want)
				}
			}
		}
	}
}

// Both ways to solve costs give the same, and neither has potentials above them.
func TestRectFastAgainstNetwork(t *testing.T) {
	r := rand.New(rand.NewPCG(73, 74))
	for trial := range 400 {
		n, m := 1+r.IntN(31), 1+r.IntN(31)
		c := make([]float64, n*m)
		for k := range c {
			if c[k] = r.NormFloat64(); trial%2 == 0 {
				c[k] = math.Round(c[k])
			}
		}
		k, err := NewCost(n, m, c)
		if err != nil {
			t.Fatal(err)
		}
		for _, set := range []Settings{{Unequal: UnequalNormalise}, {Unequal: UnequalPenalty, Penalty: 2}} {
			var value [2]float64
			p, q := make([]float64, n), make([]float64, m)
			for i := range p {
				p[i] = math.Floor(3 * r.ExpFloat64())
			}
			for j := range q {
				q[j] = math.Floor(3 * r.ExpFloat64())
			}
			p[0]++
			q[0]++
			for way := range value {
				s, err := NewSolver(k, set)
				if err != nil {
					t.Fatal(err)
				}
				if way == 1 {
					s.rect.problem = nil
				}
				cert, err := s.Certificate(p, q)
				if err != nil {
					t.Fatal(err)
				}
				if err := cert.Check(0); err != nil {
					t.Fatalf("way %d: %v", way, err)
				}
				if value[way], err = s.Distance(p, q); err != nil {
					t.Fatal(err)
				}
			}
			if math.Abs(value[0]-value[1]) > 1e-12*(1+math.Abs(value[0])) {
				t.Fatalf("%d×%d, %+v: %.17g and %.17g", n, m, set, value[0], value[1])
			}
		}
	}
}
