package columns

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"barrow/internal/images"
)

var norms = []Norm{L1, LInf, L2, Square}

// drawSpace is one of every kind.
func drawSpace(r *rand.Rand) *Space {
	s := &Space{Dim: 1 + r.IntN(4), Norm: norms[r.IntN(4)], Kernel: Kernel(r.IntN(int(Best()) + 1))}
	if r.IntN(3) == 0 {
		s.Periods = make([]float64, s.Dim)
		for a := range s.Periods {
			if s.Periods[a] = 1; r.IntN(2) == 0 {
				s.Periods[a] = math.Inf(1)
			}
		}
	}
	switch r.IntN(6) {
	case 0:
		s.Power = 0.5 + 2.5*r.Float64()
	case 1:
		// Not the same there and back.
		s.Func = func(x, y []float64) float64 { return math.Exp(x[0]-y[0]) + x[len(x)-1]*y[0] }
	}
	return s
}

// drawPlaces are random ones, or some of a grid, where many distances are the same.
func drawPlaces(r *rand.Rand, dim, n int, coarse bool) []float64 {
	x := make([]float64, n*dim)
	for k := range x {
		if x[k] = r.Float64(); coarse {
			x[k] = float64(r.IntN(6)) / 8
		}
	}
	return x
}

// All kernels return the same bits.
func TestKernels(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 3000 {
		s := drawSpace(r)
		if s.general() {
			continue
		}
		n := r.IntN(300)
		var b Side
		b.Pack(s.Dim, n)
		x := drawPlaces(r, s.Dim, n+1, r.IntN(2) == 0)
		for j := range n {
			b.Put(j, x[(j+1)*s.Dim:][:s.Dim], r.NormFloat64())
		}
		x = x[:s.Dim]
		want, got := make([]uint64, b.stride/block), make([]uint64, b.stride/block)
		u := r.NormFloat64()
		s.Kernel = Portable
		s.Scan(want, x, &b, u)
		least := s.Least(x, &b)
		for k := AVX2; k <= Best(); k++ {
			s.Kernel = k
			s.Scan(got, x, &b, u)
			if !slices.Equal(got, want) {
				t.Fatalf("kernel %d, %+v, %d places: %x, not %x", k, s, n, got, want)
			}
			if y := s.Least(x, &b); y != least {
				t.Fatalf("kernel %d, %+v, %d places: %v, not %v", k, s, n, y, least)
			}
		}
	}
}

// A Scan finds what the costs say, but for those within rounding.
func TestScan(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 2000 {
		s := drawSpace(r)
		n := 1 + r.IntN(200)
		var b Side
		b.Pack(s.Dim, n)
		x, y := drawPlaces(r, s.Dim, n+1, false), make([]float64, s.Dim)
		for j := range n {
			b.Put(j, x[(j+1)*s.Dim:][:s.Dim], r.NormFloat64())
		}
		x = x[:s.Dim]
		mask := make([]uint64, b.stride/block)
		u := r.NormFloat64()
		s.Scan(mask, x, &b, u)
		least := math.Inf(1)
		for j := range b.stride {
			found := mask[j/block]>>(j%block)&1 == 1
			if j >= n {
				if found {
					t.Fatal("found a place that is none")
				}
				continue
			}
			c := s.Cost(x, b.place(j, y))
			least = min(least, c+b.w[j])
			if gain := u - b.w[j] - c; found != (gain > 0) && math.Abs(gain) > 1e-14 {
				t.Fatalf("%+v: found %v what gains %v", s, found, gain)
			}
		}
		if got := s.Least(x, &b); got != least {
			t.Fatalf("%+v: least %v, not %v", s, got, least)
		}
	}
}

// Random problems of every kind are solved: the plan is one, and the potentials prove it
// optimal against all pairs.
func TestSolve(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	stopped := 0
	for range 1500 {
		space := drawSpace(r)
		n, m := 1+r.IntN(120), 1+r.IntN(120)
		coarse := r.IntN(2) == 0
		x := drawPlaces(r, space.Dim, n, coarse)
		y, all := x, x
		two := r.IntN(2) == 0
		if two {
			y = drawPlaces(r, space.Dim, m, coarse)
			all = append(slices.Clone(x), y...)
		} else {
			m = n
		}
		up, down := make([]float64, n), make([]float64, m)
		if !drawMasses(r, &up, &down, !two) {
			continue
		}
		sinks := y
		if !two {
			sinks = nil
		}
		s := New(space, x, sinks, Order(space.Dim, all))
		for range 2 { // again in the same room
			if !s.Solve(up, down, 100000) {
				t.Fatal("too many pivots")
			}
			prove(t, s, x, y, up, down)
		}
		if s.Solve(up, down, r.IntN(s.Pivots()+1)) {
			prove(t, s, x, y, up, down)
		} else {
			stopped++
			conserved(t, s, up, down)
		}
	}
	if stopped < 100 {
		t.Errorf("only %d problems had too few pivots", stopped)
	}
}

// drawMasses are whole numbers of equal sums, of which some are 0 and many may be equal;
// with extra mass on one side now and then.
func drawMasses(r *rand.Rand, up, down *[]float64, apart bool) bool {
	unit := math.Exp2(float64(r.IntN(40)))
	fill := func(v []float64) (sum float64) {
		for k := range v {
			if v[k] = unit; r.IntN(2) == 0 {
				v[k] = math.Floor(unit * r.Float64())
			}
			if r.IntN(4) == 0 {
				v[k] = 0
			}
			sum += v[k]
		}
		return sum
	}
	a, b := fill(*up), fill(*down)
	if apart {
		a, b = 0, 0
		for k := range *up {
			if r.IntN(2) == 0 {
				(*up)[k] = 0
			} else {
				(*down)[k] = 0
			}
			a, b = a+(*up)[k], b+(*down)[k]
		}
	}
	if a == 0 || b == 0 {
		return false
	}
	more := max(a, b)
	if r.IntN(2) == 0 {
		*up, *down = append(*up, more-a), append(*down, more-b)
		return true
	}
	for k := range *up {
		if (*up)[k] > 0 {
			(*up)[k] += more - a
			break
		}
	}
	for k := range *down {
		if (*down)[k] > 0 {
			(*down)[k] += more - b
			break
		}
	}
	return true
}

func conserved(t *testing.T, s *Solver, up, down []float64) {
	t.Helper()
	a, b := slices.Clone(up), slices.Clone(down)
	s.Flows(func(from, to int, units float64) {
		if units <= 0 {
			t.Fatalf("%v units from %d to %d", units, from, to)
		}
		a[from] -= units
		b[to] -= units
	})
	for _, v := range [][]float64{a, b} {
		for k, x := range v {
			if x != 0 {
				t.Fatalf("cell %d has %v left", k, x)
			}
		}
	}
}

func prove(t *testing.T, s *Solver, x, y, up, down []float64) {
	t.Helper()
	conserved(t, s, up, down)
	dim := s.space.Dim
	n, m := len(x)/dim, len(y)/dim
	cost := func(i, j int) float64 {
		if i == n || j == m {
			return 0
		}
		return s.space.Cost(x[i*dim:][:dim], y[j*dim:][:dim])
	}
	f, h := map[int]float64{}, map[int]float64{}
	s.Potentials(func(sink bool, cell int, pot float64) {
		if sink {
			h[cell] = pot
		} else {
			f[cell] = pot
		}
	})
	scale := 1.0
	for i, u := range f {
		for j, w := range h {
			scale = max(scale, math.Abs(u), math.Abs(w))
			if u-w > cost(i, j)+1e-12*scale {
				t.Fatalf("%+v: %d to %d is violated by %v", s.space, i, j, u-w-cost(i, j))
			}
		}
	}
	if len(s.places[1]) == len(s.places[0]) && &s.places[0][0] == &s.places[1][0] {
		e := make([]float64, n)
		s.Extend(e, make([]float64, n))
		for i := range e {
			for j := range e {
				if s.space.Norm != Square && !s.space.general() && e[i]-e[j] > cost(i, j)+1e-12*scale {
					t.Fatalf("%+v: the potentials of %d and %d differ by %v, %v too much", s.space, i, j, e[i]-e[j], e[i]-e[j]-cost(i, j))
				}
			}
			if u, ok := f[i]; ok && s.space.Norm != Square && !s.space.general() && math.Abs(u-e[i]) > 1e-12*scale {
				t.Fatalf("%+v: source %d has %v, then %v", s.space, i, u, e[i])
			}
		}
	}
	primal := 0.0
	s.Flows(func(from, to int, units float64) {
		primal += units * cost(from, to)
		if gap := f[from] - h[to] - cost(from, to); math.Abs(gap) > 1e-12*scale {
			t.Fatalf("%+v: mass moves where the potentials are off by %v", s.space, gap)
		}
	})
	if math.Abs(primal-s.Primal()) > 1e-12*math.Abs(primal) {
		t.Fatalf("the plan costs %v, not %v", primal, s.Primal())
	}
}

// A solve of room that is there allocates nothing.
func TestAllocations(t *testing.T) {
	space := &Space{Dim: 2, Norm: L2, Kernel: Best()}
	x := drawPlaces(rand.New(rand.NewPCG(7, 8)), 2, 400, false)
	s := New(space, x, nil, Order(2, x))
	up, down := make([]float64, 400), make([]float64, 400)
	for k := range up {
		if up[k] = float64(k * k % 17); k%2 == 0 {
			up[k], down[k] = 0, up[k]
		}
	}
	balance := func(v []float64) (s float64) {
		for _, x := range v {
			s += x
		}
		return s
	}
	if d := balance(up) - balance(down); d > 0 {
		down[2] += d
	} else {
		up[1] -= d
	}
	s.Solve(up, down, 1e6)
	if n := testing.AllocsPerRun(5, func() { s.Solve(up, down, 1e6) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// The first half of an order is before the other along the longest axis, and so on.
func TestOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 300 {
		n := 1 + r.IntN(200)
		x := drawPlaces(r, 2, n, r.IntN(2) == 0)
		order := Order(2, x)
		seen := slices.Clone(order)
		slices.Sort(seen)
		for k, id := range seen {
			if int(id) != k {
				t.Fatalf("place %d is in the order %v", k, seen)
			}
		}
		if n < 3 {
			continue
		}
		half := 1
		for 2*half < n {
			half *= 2
		}
		apart := func(axis int) bool {
			most := math.Inf(-1)
			for _, k := range order[:half] {
				most = max(most, x[2*int(k)+axis])
			}
			for _, k := range order[half:] {
				if x[2*int(k)+axis] < most {
					return false
				}
			}
			return true
		}
		if !apart(0) && !apart(1) {
			t.Fatal("the halves are not apart")
		}
	}
}

func ExampleSolver() {
	space := &Space{Dim: 1, Norm: L1}
	x := []float64{0, 1, 4}
	s := New(space, x, nil, Order(1, x))
	s.Solve([]float64{3, 0, 0}, []float64{0, 2, 1}, 100)
	fmt.Println(s.Primal())
	// Output: 6
}

// BenchmarkSolve solves images of a class, 64² pixels, straight-line distances.
func BenchmarkSolve(b *testing.B) {
	const side = 64
	var x []float64
	for k := range side * side {
		x = append(x, float64(k%side)/side, float64(k/side)/side)
	}
	s := New(&Space{Dim: 2, Norm: L2, Kernel: Best()}, x, nil, Order(2, x))
	for _, class := range images.Classes() {
		p, _ := images.Draw(class, side, 2)
		q, _ := images.Draw(class, side, 3)
		for k := range p {
			p[k], q[k] = max(p[k]-q[k], 0), max(q[k]-p[k], 0)
		}
		b.Run(class, func(b *testing.B) {
			for b.Loop() {
				s.Solve(p, q, 1e9)
			}
			b.ReportMetric(float64(s.pivots), "pivots")
		})
	}
}
