package emd_test

import (
	"context"
	"fmt"
	"log"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"barrow/emd"
)

func newCost(t testing.TB, n, m int, c []float64) *emd.Cost {
	t.Helper()
	k, err := emd.NewCost(n, m, c)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// Two mines serve three works.
func ExampleNewCost() {
	cost, err := emd.NewCost(2, 3, []float64{
		2, 7, 1,
		3, 4, 5,
	})
	if err != nil {
		log.Fatal(err)
	}
	solver, err := emd.NewSolver(cost, emd.Settings{})
	if err != nil {
		log.Fatal(err)
	}
	plan, value, err := solver.Flow([]float64{10, 20}, []float64{12, 10, 8}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.12g\n", value)
	for _, a := range plan {
		fmt.Printf("%.12g from %d to %d\n", a.Mass, a.From, a.To)
	}
	// Unordered output:
	// 82
	// 2 from 0 to 0
	// 8 from 0 to 2
	// 10 from 1 to 0
	// 10 from 1 to 1
}

func TestNewCostErrors(t *testing.T) {
	for _, c := range []struct {
		n, m int
		c    []float64
		want string
	}{
		{0, 2, nil, "at least one"},
		{2, -1, nil, "at least one"},
		{2, 3, make([]float64, 5), "5 costs between 2 and 3"},
		{math.MaxInt / 2, 4, make([]float64, 4), "4 costs"},
		{1, 2, []float64{1, math.NaN()}, "[0][1] = NaN"},
		{2, 1, []float64{1, math.Inf(1)}, "[1][0] = +Inf"},
		{1, 1, []float64{-1e300}, "at most 1e+200"},
	} {
		if _, err := emd.NewCost(c.n, c.m, c.c); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d×%d of %v: error %v, want %q", c.n, c.m, c.c, err, c.want)
		}
	}
	if _, err := emd.NewSolver((*emd.Cost)(nil), emd.Settings{}); err == nil {
		t.Error("no cost was accepted")
	}
	if _, err := emd.NewSolver((*emd.Metric)(nil), emd.Settings{}); err == nil {
		t.Error("no metric was accepted")
	}
	s := newSolver(t, newCost(t, 2, 3, make([]float64, 6)), emd.Settings{})
	if _, err := s.Distance(make([]float64, 3), make([]float64, 2)); err == nil || !strings.Contains(err.Error(), "between 2 and 3") {
		t.Errorf("wrong lengths: %v", err)
	}
	if _, err := s.Distance([]float64{1, 1}, []float64{1, 1, -1}); err == nil || !strings.Contains(err.Error(), "q[2] = -1") {
		t.Errorf("a negative mass: %v", err)
	}
	if _, err := s.Distance([]float64{1, 1}, []float64{1, 1, 1}); err == nil {
		t.Error("unequal totals were accepted")
	}
}

// What public reports ask of ot.emd(a, b, M), with values of HiGHS.
func TestCostValues(t *testing.T) {
	for _, x := range []struct {
		n, m int
		c    []float64
		p, q []float64
		want float64
	}{
		{2, 3, []float64{2.2, 7, 1, 3, 4, 5}, []float64{.5, .5}, []float64{.25, .25, .5}, .5*1 + .25*3 + .25*4},
		{2, 2, []float64{.5, 0, 0, .5}, []float64{4, 6}, []float64{5, 5}, .5},
		{2, 2, []float64{0, -1, -1, 0}, []float64{1, 1}, []float64{1, 1}, -2},
		{1, 4, []float64{3, -1, 2, 0}, []float64{10}, []float64{1, 2, 3, 4}, 3 - 2 + 6},
		{4, 1, []float64{3, -1, 2, 0}, []float64{1, 2, 3, 4}, []float64{10}, 3 - 2 + 6},
		{1, 1, []float64{-7}, []float64{3}, []float64{3}, -21},
		{2, 2, make([]float64, 4), []float64{1, 0}, []float64{0, 1}, 0},
		// A cost for moves that must not happen, far above the others.
		{2, 2, []float64{1e-3, 1e32, 1e32, 2e-3}, []float64{1, 1}, []float64{1, 1}, 3e-3},
		{3, 3, []float64{1e-3, 2e-3, 1e32, 5e-3, 1e-3, 1e32, 1e32, 1e32, 4e-3}, []float64{1, 1, 1}, []float64{1, 1, 1}, 6e-3},
		{2, 3, []float64{1e32, 1e-3, 3, 1e32, 1e32, 2}, []float64{1, 2}, []float64{0, 1, 2}, 4 + 1e-3},
		// Masses far below the others, and one that must pay.
		{2, 2, []float64{0, 1, 1, 0}, []float64{1, 1e-12}, []float64{1e-12, 1}, 1 - 1e-12},
		{2, 2, []float64{1, 1e32, 1e32, 1e32}, []float64{1, 1}, []float64{1, 1}, 1e32},
	} {
		c := newCost(t, x.n, x.m, x.c)
		for _, k := range emd.Kernels() {
			s := newSolver(t, c, emd.Settings{Kernel: k})
			got := certified(t, s, x.p, x.q)
			if math.Abs(got-x.want) > 1e-13*math.Abs(x.want) {
				t.Errorf("%v, %v to %v: %.17g, want %.17g", x.c, x.p, x.q, got, x.want)
			}
			dp, dq := make([]float64, x.n), make([]float64, x.m)
			if _, err := s.Gradient(x.p, x.q, dp, dq); err != nil {
				t.Fatal(err)
			}
			if v := dot(dp, x.p) + dot(dq, x.q); math.Abs(v-x.want) > 1e-12*math.Abs(x.want) {
				t.Errorf("%v, %v to %v: the potentials give %.17g, want %.17g", x.c, x.p, x.q, v, x.want)
			}
		}
	}
}

// drawCost draws costs of any sign, with ties, of sizes for either solver.
func drawCost(t *rapid.T) (n, m int, c []float64) {
	size := rapid.OneOf(rapid.IntRange(1, 6), rapid.IntRange(1, 31), rapid.IntRange(20, 90))
	n, m = size.Draw(t, "n"), size.Draw(t, "m")
	r := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "seed"), 1))
	kind := rapid.IntRange(0, 3).Draw(t, "kind")
	for range n * m {
		x := r.NormFloat64()
		switch kind {
		case 1:
			x = math.Round(2 * x)
		case 2:
			x = math.Abs(x)
		case 3:
			if x = math.Abs(x); r.IntN(4) == 0 {
				x = 1e9
			}
		}
		c = append(c, x)
	}
	return n, m, c
}

func TestCostProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m, c := drawCost(t)
		p, q := masses(t, n, "p"), masses(t, m, "q")
		set := emd.Settings{Unequal: emd.UnequalNormalise}
		solve := func(n, m int, c, p, q []float64) (e float64, dp, dq []float64) {
			s := must(emd.NewSolver(must(emd.NewCost(n, m, c))(t), set))(t)
			cert := must(s.Certificate(p, q))(t)
			if err := cert.Check(0); err != nil {
				t.Fatal(err)
			}
			dp, dq = make([]float64, n), make([]float64, m)
			return must(s.Gradient(p, q, dp, dq))(t), dp, dq
		}
		scale := 1.0
		for _, x := range c {
			scale = max(scale, math.Abs(x))
		}
		e, dp, dq := solve(n, m, c, p, q)
		// The other way round: the same value.
		turned := make([]float64, n*m)
		for i := range n {
			for j := range m {
				turned[j*n+i] = c[i*m+j]
			}
		}
		back, _, _ := solve(m, n, turned, q, p)
		agree(t, "turned round", back, e, scale)
		// A constant on all costs is paid by every unit and changes nothing else.
		raised := slices.Clone(c)
		for k := range raised {
			raised[k] += 3
		}
		more, _, _ := solve(n, m, raised, p, q)
		agree(t, "raised by 3", more-3, e, 10*scale)
		// Any scaling of the masses changes nothing; gradients are orthogonal to them.
		scaled := slices.Clone(p)
		for k := range scaled {
			scaled[k] *= 4
		}
		same, _, _ := solve(n, m, c, scaled, q)
		agree(t, "p four times", same, e, scale)
		agree(t, "gradient along p", dot(dp, p), 0, scale)
		agree(t, "gradient along q", dot(dq, q), 0, scale)
	})
}

// On a metric, the full problem has the distance's value.
func TestCostOfMetric(t *testing.T) {
	m := benchmarkMetric(t)
	var c []float64
	for i := range 48 {
		for j := range 48 {
			c = append(c, m.At(i, j))
		}
	}
	r := rand.New(rand.NewPCG(8, 9))
	for _, set := range settingsOf {
		metric, cost := newSolver(t, m, set), newSolver(t, newCost(t, 48, 48, c), set)
		for range 50 {
			p, q := normalised(cellsOf(r, 48, 1+r.IntN(48), r.ExpFloat64)), normalised(cellsOf(r, 48, 1+r.IntN(48), r.ExpFloat64))
			if a, b := certified(t, metric, p, q), certified(t, cost, p, q); math.Abs(a-b) > 1e-12 {
				t.Fatalf("%+v: %.17g on the metric, %.17g as costs", set, a, b)
			}
		}
	}
}

// What is left over is as good as a cell more, at cost R.
func TestCostPenalty(t *testing.T) {
	r := rand.New(rand.NewPCG(18, 19))
	for range 300 {
		n, m := 1+r.IntN(40), 1+r.IntN(40)
		const R = 2.5
		c, wide := make([]float64, 0, n*m), make([]float64, 0, n*(m+1))
		for range n {
			for range m {
				c, wide = append(c, r.NormFloat64()), append(wide, 0)
				wide[len(wide)-1] = c[len(c)-1]
			}
			wide = append(wide, R)
		}
		p, q := cellsOf(r, n, n, r.ExpFloat64), cellsOf(r, m, max(1, m/2), r.ExpFloat64)
		if sum(p) <= 1.01*sum(q) {
			up := 2 * sum(q) / sum(p)
			for k := range p {
				p[k] *= up
			}
		}
		dp, dq := make([]float64, n), make([]float64, m)
		s := newSolver(t, newCost(t, n, m, c), emd.Settings{Unequal: emd.UnequalPenalty, Penalty: R})
		e, err := s.Gradient(p, q, dp, dq)
		if err != nil {
			t.Fatal(err)
		}
		want := certified(t, newSolver(t, newCost(t, n, m+1, wide), emd.Settings{}), p, append(slices.Clone(q), sum(p)-sum(q)))
		scale := sum(p) * 5
		if math.Abs(e-want) > 1e-13*scale {
			t.Fatalf("%d×%d: %.17g, want %.17g", n, m, e, want)
		}
		certified(t, s, p, q)
		if v := dot(dp, p) + dot(dq, q); math.Abs(v-e) > 1e-13*scale {
			t.Fatalf("%d×%d: the gradient gives %.17g of %.17g", n, m, v, e)
		}
		// And the other way round.
		turned := make([]float64, n*m)
		for i := range n {
			for j := range m {
				turned[j*n+i] = c[i*m+j]
			}
		}
		back := certified(t, newSolver(t, newCost(t, m, n, turned), emd.Settings{Unequal: emd.UnequalPenalty, Penalty: R}), q, p)
		if math.Abs(back-e) > 1e-13*scale {
			t.Fatalf("%d×%d turned round: %.17g, want %.17g", n, m, back, e)
		}
	}
	// No mass at all, and some on one side only.
	s := newSolver(t, newCost(t, 2, 3, []float64{1, -2, 3, 4, 5, 6}), emd.Settings{Unequal: emd.UnequalPenalty, Penalty: 7})
	for _, x := range []struct {
		p, q []float64
		want float64
	}{{[]float64{0, 0}, []float64{0, 0, 0}, 0}, {[]float64{0, 0}, []float64{0, 2, 1}, 21}, {[]float64{1, 1}, []float64{0, 0, 0}, 14}} {
		if e := certified(t, s, x.p, x.q); e != x.want {
			t.Errorf("%v to %v: %v, want %v", x.p, x.q, e, x.want)
		}
	}
}

// Gradients of raw masses against central differences, both ways of comparing
// totals, for both solvers.
func TestCostGradientAgainstDifferences(t *testing.T) {
	r := rand.New(rand.NewPCG(28, 29))
	for trial := range 60 {
		n, m := 2+r.IntN(12), 2+r.IntN(12)
		if trial%3 == 0 {
			n, m = 40+r.IntN(30), 30+r.IntN(30)
		}
		c := make([]float64, n*m)
		for k := range c {
			c[k] = r.NormFloat64()
		}
		cost := newCost(t, n, m, c)
		p, q := cellsOf(r, n, n, func() float64 { return 0.5 + r.Float64() }), cellsOf(r, m, m, func() float64 { return 0.5 + r.Float64() })
		for _, set := range []emd.Settings{{Unequal: emd.UnequalNormalise}, {Unequal: emd.UnequalPenalty, Penalty: 3}} {
			s := newSolver(t, cost, set)
			dp, dq := make([]float64, n), make([]float64, m)
			if _, err := s.Gradient(p, q, dp, dq); err != nil {
				t.Fatal(err)
			}
			for _, side := range []struct{ v, g []float64 }{{p, dp}, {q, dq}} {
				k := r.IntN(len(side.v))
				const h = 1e-6
				at := side.v[k]
				value := func(x float64) float64 {
					side.v[k] = x
					e, err := s.Distance(p, q)
					if err != nil {
						t.Fatal(err)
					}
					return e
				}
				difference := (value(at+h) - value(at-h)) / (2 * h)
				side.v[k] = at
				if math.Abs(difference-side.g[k]) > 1e-7 {
					t.Errorf("%d×%d, %+v: derivative %v, by differences %v", n, m, set, side.g[k], difference)
				}
			}
		}
	}
}

// Potentials never exceed the costs, wherever costs for forbidden moves are, and
// the value is that of the allowed ones.
func TestForbiddenMoves(t *testing.T) {
	r := rand.New(rand.NewPCG(38, 39))
	for trial := range 200 {
		n := 2 + r.IntN(20)
		if trial%5 == 0 {
			n = 40 + r.IntN(40)
		}
		forbidden := []float64{1e9, 1e15, 1e32, 1e150}[r.IntN(4)]
		// Two groups that exchange nothing: each has the value it has alone.
		half := n / 2
		c := make([]float64, n*n)
		var parts [2][]float64
		for i := range n {
			for j := range n {
				c[i*n+j] = forbidden
				if (i < half) == (j < half) {
					c[i*n+j] = 1e-3 * (1 + r.Float64())
					g := 0
					if i >= half {
						g = 1
					}
					parts[g] = append(parts[g], c[i*n+j])
				}
			}
		}
		p, q := make([]float64, n), make([]float64, n)
		for _, group := range [][2]int{{0, half}, {half, n}} {
			for range 3 * (group[1] - group[0]) {
				p[group[0]+r.IntN(group[1]-group[0])]++
				q[group[0]+r.IntN(group[1]-group[0])]++
			}
		}
		want := 0.0
		for g, size := range []int{half, n - half} {
			from := g * half
			want += certified(t, newSolver(t, newCost(t, size, size, parts[g]), emd.Settings{}), p[from:from+size], q[from:from+size])
		}
		s := newSolver(t, newCost(t, n, n, c), emd.Settings{})
		dp, dq := make([]float64, n), make([]float64, n)
		got, err := s.Gradient(p, q, dp, dq)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got-want) > 1e-10*want {
			t.Fatalf("n = %d, forbidden %g: %.17g, want %.17g", n, forbidden, got, want)
		}
		for i := range n {
			for j := range n {
				if dp[i]+dq[j] > c[i*n+j]+1e-10 {
					t.Fatalf("n = %d, forbidden %g: potentials %g and %g exceed %g", n, forbidden, dp[i], dq[j], c[i*n+j])
				}
			}
		}
		if v := dot(dp, p) + dot(dq, q); math.Abs(v-want) > 1e-10*want {
			t.Fatalf("n = %d, forbidden %g: the potentials give %.17g, want %.17g", n, forbidden, v, want)
		}
	}
}

// POT's network simplex agrees on costs between sets of different sizes.
func TestCostAgainstPOT(t *testing.T) {
	r := rand.New(rand.NewPCG(48, 49))
	for _, dims := range [][2]int{{3, 5}, {20, 40}, {1, 9}, {5, 300}, {200, 150}} {
		n, m := dims[0], dims[1]
		c := make([]float64, n*m)
		for k := range c {
			c[k] = 4 * r.Float64()
		}
		cost := newCost(t, n, m, c)
		s := newSolver(t, cost, emd.Settings{Unequal: emd.UnequalNormalise})
		var ps, qs []float64
		const pairs = 20
		for k := range pairs {
			f := r.ExpFloat64
			if k%2 == 0 {
				f = one
			}
			ps, qs = append(ps, normalised(cellsOf(r, n, 1+r.IntN(n), f))...), append(qs, normalised(cellsOf(r, m, 1+r.IntN(m), f))...)
		}
		for k, want := range pot(t, cost, ps, qs) {
			if got := certified(t, s, ps[k*n:(k+1)*n], qs[k*m:(k+1)*m]); !near(got, want) {
				t.Errorf("%d×%d: %.17g, POT %.17g", n, m, got, want)
			}
		}
	}
}

// A batch of pairs between different sets, and no allocation in a solve.
func TestCostBatch(t *testing.T) {
	r := rand.New(rand.NewPCG(58, 59))
	for _, dims := range [][3]int{{7, 12}, {30, 60}, {7, 12, 1e9}, {30, 60, 1e9}} {
		n, m := dims[0], dims[1]
		c := make([]float64, n*m)
		for k := range c {
			if c[k] = r.NormFloat64(); r.IntN(4) == 0 {
				c[k] += float64(dims[2]) // a move that must not happen
			}
		}
		cost := newCost(t, n, m, c)
		set := emd.Settings{Unequal: emd.UnequalNormalise, Threads: 3}
		b, err := emd.NewBatch(cost, set)
		if err != nil {
			t.Fatal(err)
		}
		s := newSolver(t, cost, set)
		const pairs = 200
		var p, q []float64
		for range pairs {
			p, q = append(p, cellsOf(r, n, n, r.ExpFloat64)...), append(q, cellsOf(r, m, 1+r.IntN(m), r.ExpFloat64)...)
		}
		e, dp, dq := make([]float64, pairs), make([]float64, pairs*n), make([]float64, pairs*m)
		if err := b.Gradient(context.Background(), p, q, e, dp, dq); err != nil {
			t.Fatal(err)
		}
		xp, xq := make([]float64, n), make([]float64, m)
		solve := func(k int) float64 {
			x, err := s.Gradient(p[k*n:(k+1)*n], q[k*m:(k+1)*m], xp, xq)
			if err != nil {
				t.Fatal(err)
			}
			return x
		}
		for k := range pairs {
			if x := solve(k); x != e[k] || !slices.Equal(xp, dp[k*n:(k+1)*n]) || !slices.Equal(xq, dq[k*m:(k+1)*m]) {
				t.Fatalf("%d×%d: pair %d differs", n, m, k)
			}
		}
		if got := testing.AllocsPerRun(50, func() { solve(3) }); got != 0 {
			t.Errorf("%d×%d: %v allocations a call", n, m, got)
		}
	}
}

// Costs over many orders of magnitude, against all permutations: the value has
// its digits whatever the largest cost is.
func TestCostsOfAllSizes(t *testing.T) {
	r := rand.New(rand.NewPCG(68, 69))
	for trial := range 2000 {
		n := 2 + r.IntN(5)
		c := make([]float64, n*n)
		for k := range c {
			c[k] = math.Pow(10, -6+float64(10+trial%30)*r.Float64())
		}
		best := math.Inf(1)
		perm := make([]int, n)
		for k := range perm {
			perm[k] = k
		}
		var try func(k int, cost float64)
		try = func(k int, cost float64) {
			if k == n {
				best = min(best, cost)
				return
			}
			for l := k; l < n; l++ {
				perm[k], perm[l] = perm[l], perm[k]
				try(k+1, cost+c[k*n+perm[k]])
				perm[k], perm[l] = perm[l], perm[k]
			}
		}
		try(0, 0)
		ones := make([]float64, n)
		for k := range ones {
			ones[k] = 1
		}
		dp, dq := make([]float64, n), make([]float64, n)
		e, err := newSolver(t, newCost(t, n, n, c), emd.Settings{}).Gradient(ones, ones, dp, dq)
		if err != nil || math.Abs(e-best) > 1e-9*best {
			t.Errorf("trial %d: %.17g, want %.17g, %v\n%v", trial, e, best, err, c)
		}
		if v := sum(dp) + sum(dq); math.Abs(v-best) > 1e-9*best {
			t.Errorf("trial %d: the potentials give %.17g, want %.17g", trial, v, best)
		}
	}
}
