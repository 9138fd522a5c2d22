package emd_test

import (
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"barrow/emd"
)

// long says whether the checks run at full size, minutes instead of seconds.
var long = os.Getenv("BARROW_LONG") != ""

// size is n with BARROW_LONG set and a small part of it otherwise.
func size(n int) int {
	if long {
		return n
	}
	return max(n/40, 1)
}

// A pairSet draws pairs of images of n cells.
type pairSet struct {
	name string
	draw func(r *rand.Rand, n int) (p, q []float64)
}

// cellsOf picks k of n cells and gives each the mass f.
func cellsOf(r *rand.Rand, n, k int, f func() float64) []float64 {
	p := make([]float64, n)
	for _, i := range r.Perm(n)[:k] {
		p[i] = f()
	}
	return p
}

func one() float64 { return 1 }

// degenerateSets are those on which simplex codes fail: many ties, zero flows,
// exact fits, and masses of very different sizes.
var degenerateSets = []pairSet{
	{"equal unit masses", func(r *rand.Rand, n int) (p, q []float64) {
		k := 1 + r.IntN(n)
		return cellsOf(r, n, k, one), cellsOf(r, n, k, one)
	}},
	{"permutations", func(r *rand.Rand, n int) (p, q []float64) {
		p = cellsOf(r, n, n, r.ExpFloat64)
		q = slices.Clone(p)
		r.Shuffle(n, func(i, j int) { q[i], q[j] = q[j], q[i] })
		return p, q
	}},
	{"one cell against many", func(r *rand.Rand, n int) (p, q []float64) {
		return cellsOf(r, n, 1, one), cellsOf(r, n, n, r.ExpFloat64)
	}},
	{"half against half", func(r *rand.Rand, n int) (p, q []float64) {
		p, q = make([]float64, n), make([]float64, n)
		for k, i := range r.Perm(n) {
			if k%2 == 0 {
				p[i] = 1
			} else {
				q[i] = 1
			}
		}
		return p, q
	}},
	{"twelve decades", func(r *rand.Rand, n int) (p, q []float64) {
		f := func() float64 { return math.Pow(10, -12*r.Float64()) }
		return cellsOf(r, n, n, f), cellsOf(r, n, n, f)
	}},
	{"nearly equal", func(r *rand.Rand, n int) (p, q []float64) {
		p = cellsOf(r, n, n, r.ExpFloat64)
		q = slices.Clone(p)
		for i := range q {
			q[i] *= 1 + 1e-10*r.NormFloat64()
		}
		return p, q
	}},
	{"ties", func(r *rand.Rand, n int) (p, q []float64) {
		p = cellsOf(r, n, n, r.ExpFloat64)
		q = cellsOf(r, n, n, r.ExpFloat64)
		for i := range q {
			if r.IntN(2) == 0 {
				q[i] = p[i]
			}
		}
		return p, q
	}},
	{"identical", func(r *rand.Rand, n int) (p, q []float64) {
		p = cellsOf(r, n, 1+r.IntN(n), r.ExpFloat64)
		return p, slices.Clone(p)
	}},
	{"integer counts", func(r *rand.Rand, n int) (p, q []float64) {
		f := func() float64 { return float64(4 * (1 + r.IntN(200))) }
		return cellsOf(r, n, 1+r.IntN(n), f), cellsOf(r, n, 1+r.IntN(n), f)
	}},
	{"integer counts, dense", func(r *rand.Rand, n int) (p, q []float64) {
		f := func() float64 { return float64(1 + r.IntN(3)) }
		return cellsOf(r, n, n, f), cellsOf(r, n, n, f)
	}},
}

// certified solves a pair and fails unless the result is proved optimal.
func certified(t testing.TB, s *emd.Solver, p, q []float64) float64 {
	t.Helper()
	c, err := s.Certificate(p, q)
	if err != nil {
		t.Fatalf("%v\np = %v\nq = %v", err, p, q)
	}
	if err := c.Check(0); err != nil {
		t.Fatalf("%v\np = %v\nq = %v", err, p, q)
	}
	e, err := s.Distance(p, q)
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(e-c.Primal) > 1e-13*c.Mass*c.Distance {
		t.Fatalf("the distance is %.17g, the cost of the plan %.17g", e, c.Primal)
	}
	return e
}

func TestDegenerateSets(t *testing.T) {
	m := benchmarkMetric(t)
	for _, set := range degenerateSets {
		t.Run(set.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			var solvers []*emd.Solver
			for _, k := range emd.Kernels() {
				solvers = append(solvers, newSolver(t, m, emd.Settings{Unequal: emd.UnequalNormalise, Kernel: k}))
			}
			penalty := newSolver(t, m, emd.Settings{Unequal: emd.UnequalPenalty, Penalty: 1 + 10*r.Float64()})
			f, g := make([]float64, 48), make([]float64, 48)
			for i := range size(20000) {
				p, q := set.draw(r, 48)
				e := certified(t, solvers[i%len(solvers)], p, q)
				// All kernels return the same bits.
				for k, s := range solvers {
					x, err := s.Potentials(p, q, g, nil)
					if err != nil || x != e {
						t.Fatalf("kernel %d: %v and %v, error %v", k, x, e, err)
					}
					if k > 0 && !slices.Equal(f, g) {
						t.Fatalf("kernel %d returns other potentials", k)
					}
					f, g = g, f
				}
				if back, _ := solvers[0].Distance(q, p); math.Abs(back-e) > 1e-13 {
					t.Fatalf("there %v, back %v", e, back)
				}
				certified(t, penalty, p, q)
			}
		})
	}
}

// At p = q value and potentials are exactly zero, and scaling an image of counts
// does not disturb that.
func TestEqualImages(t *testing.T) {
	m := benchmarkMetric(t)
	r := rand.New(rand.NewPCG(5, 6))
	for _, k := range emd.Kernels() {
		s := newSolver(t, m, emd.Settings{Unequal: emd.UnequalNormalise, Kernel: k})
		f := make([]float64, 48)
		for i := range 200 {
			p := cellsOf(r, 48, 1+r.IntN(48), func() float64 { return float64(r.IntN(1000)) + 1 })
			q := slices.Clone(p)
			for j := range q {
				q[j] *= float64(1 + i)
			}
			f[3] = 1
			e, err := s.Potentials(p, q, f, nil)
			if err != nil || e != 0 || slices.ContainsFunc(f, func(x float64) bool { return x != 0 }) {
				t.Fatalf("%v: distance %v, potentials %v, error %v", k, e, f, err)
			}
		}
	}
}
