package simplex64

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// plane is a problem on n random points of a plane, with equal distances now and
// then, and with a node at distance 0 from all others where extra. Now and then its distances are
// high powers, so that most are nothing beside the largest, or random, 0 or 1, as costs may be.
func plane(r *rand.Rand, n int, extra bool, k Kernel) *Problem {
	points := make([][2]float64, n)
	for i := range points {
		points[i] = [2]float64{math.Round(9 * r.Float64()), 9 * r.Float64()}
		if r.IntN(2) == 0 {
			points[i][1] = math.Round(points[i][1])
		}
	}
	cells := n
	if extra {
		cells--
	}
	power, coins := 1.0, [Max]uint64{}
	switch r.IntN(6) {
	case 0:
		power = 12
	case 1:
		for i := range coins {
			coins[i] = r.Uint64()
		}
	}
	return NewProblem(n, cells, func(i, j int) float64 {
		if extra && (i == n-1 || j == n-1) {
			return 0
		}
		if coins != [Max]uint64{} {
			return float64(coins[max(i, j)] >> min(i, j) & 1)
		}
		return math.Pow(math.Hypot(points[i][0]-points[j][0], points[i][1]-points[j][1]), power)
	}, k)
}

// histogram draws masses of one of many kinds.
func histogram(r *rand.Rand, n int) []float64 {
	p := make([]float64, 8*((n+15)/16)*2)
	kind := r.IntN(6)
	fill := r.Float64()
	for i := range n {
		if r.Float64() < fill {
			continue
		}
		switch kind {
		case 0:
			p[i] = r.Float64()
		case 1:
			p[i] = 1
		case 2:
			p[i] = float64(r.IntN(4))
		case 3:
			p[i] = math.Exp(60 * (r.Float64() - 0.5))
		case 4:
			p[i] = float64(4 * r.IntN(300))
		case 5:
			p[i] = r.ExpFloat64()
		}
	}
	p[r.IntN(n)] += 1
	return p
}

// same compares one field of two states lane by lane.
func same[T comparable](t *testing.T, what string, a, b []T, set uint64) {
	t.Helper()
	for i := range a {
		if has(set, i) && a[i] != b[i] {
			t.Fatalf("%s of node %d: %v, portable %v", what, i, b[i], a[i])
		}
	}
}

// compare fails unless both states hold the same solution so far.
func compare(t *testing.T, a, b *State) {
	t.Helper()
	nodes := a.Rows | a.Cols
	same(t, "root", []int64{a.Root}, []int64{b.Root}, 1)
	arcs := nodes &^ (1 << uint(a.Root))
	same(t, "row", a.Row[:], b.Row[:], arcs)
	same(t, "column", a.Col[:], b.Col[:], arcs)
	same(t, "down", []uint64{a.Down & arcs}, []uint64{b.Down & arcs}, 1)
	same(t, "path", a.Path[:], b.Path[:], nodes)
	same(t, "rough potential", a.Rough[:], b.Rough[:], nodes)
	same(t, "flow", a.Flow[:], b.Flow[:], nodes)
	same(t, "cost", a.Cost[:], b.Cost[:], nodes)
	same(t, "potential", a.Pot[:], b.Pot[:], nodes)
	same(t, "subtree", a.Below[:], b.Below[:], arcs)
}

// Every kernel must return the bits of the portable one, after every step.
func TestKernelsAgree(t *testing.T) {
	if best == Portable {
		t.Skip("this processor or build has the portable kernel only")
	}
	for kernel := AVX2; kernel <= best; kernel++ {
		t.Run(fmt.Sprint(kernel), func(t *testing.T) {
			r := rand.New(rand.NewPCG(3, uint64(kernel)))
			for range 400 {
				n := 1 + r.IntN(Max)
				extra := n > 1 && r.IntN(3) == 0
				m := plane(r, n, extra, kernel)
				for range 20 {
					agree(t, r, m, extra)
				}
			}
		})
	}
}

func agree(t *testing.T, r *rand.Rand, m *Problem, extra bool) {
	t.Helper()
	portable := *m // nothing but slower where it is not aligned
	portable.kernel = Portable
	p, q := histogram(r, m.N), histogram(r, m.N)
	if r.IntN(8) == 0 {
		copy(p, q)
		p[r.IntN(m.N)] *= 1 + 1e-10
	}
	var unmatched uint64
	if extra {
		p[m.N-1], q[m.N-1] = 0, 0
		unmatched = 1 << (m.N - 1)
	}
	var a, b State
	okA, okB := a.Totals(&portable, p, q), b.Totals(m, p, q)
	if !okA || !okB || a.TotalP != b.TotalP || a.TotalQ != b.TotalQ {
		t.Fatalf("totals %v %v %v, portable %v %v %v", okB, b.TotalP, b.TotalQ, okA, a.TotalP, a.TotalQ)
	}
	fp, fq, more := a.TotalQ, a.TotalP, 0.0
	if extra {
		fp, fq, more = 1, 1, a.TotalQ-a.TotalP
	}
	okA = a.Prepare(&portable, p, q, fp, fq, more, unmatched, 1e-200)
	okB = b.Prepare(m, p, q, fp, fq, more, unmatched, 1e-200)
	if okA != okB {
		t.Fatalf("prepare %v, portable %v", okB, okA)
	}
	if !okA {
		return
	}
	if a.Rows != b.Rows || a.Cols != b.Cols || a.Swapped != b.Swapped || a.Unit != b.Unit {
		t.Fatalf("prepare: %x %x %v %v, portable %x %x %v %v", b.Rows, b.Cols, b.Swapped, b.Unit, a.Rows, a.Cols, a.Swapped, a.Unit)
	}
	same(t, "mass", a.Mass[:], b.Mass[:], a.Rows|a.Cols)
	a.runStart(&portable)
	b.runStart(m)
	compare(t, &a, &b)
	if r.IntN(8) == 0 {
		// As if it had risen as far as it may, or nearly so.
		risen := drift - int32(r.IntN(3))*fineness<<5
		for x := range a.Rough {
			a.Rough[x] += risen
			b.Rough[x] += risen
		}
	}
	whole := b
	for limit := 0; ; limit++ {
		okA, okB = a.runOptimise(&portable, limit), b.runOptimise(m, limit)
		if okA != okB || a.Pivots != b.Pivots {
			t.Fatalf("optimal %v after %d pivots, portable %v after %d", okB, b.Pivots, okA, a.Pivots)
		}
		same(t, "rough lo", a.RoughLo[:], b.RoughLo[:], a.Cols)
		compare(t, &a, &b)
		if okA {
			same(t, "lo", a.Lo[:], b.Lo[:], a.Cols)
			break
		}
	}
	// In one go it must come to the same.
	if !whole.runOptimise(m, int(b.Pivots)) || whole.Pivots != b.Pivots {
		t.Fatalf("%d pivots in one go, %d one by one", whole.Pivots, b.Pivots)
	}
	compare(t, &a, &whole)
	a.Finish(&portable)
	b.Finish(m)
	same(t, "f", a.F[:], b.F[:], 1<<uint(m.N)-1)
	if x, y := a.Dot(&portable, p), b.Dot(m, p); x != y {
		t.Fatalf("dot %v, portable %v", y, x)
	}
	u, v := make([]float64, m.N), make([]float64, m.N)
	a.Export(&portable, u, 0.3, -1.7)
	b.Export(m, v, 0.3, -1.7)
	same(t, "exported", u, v, 1<<uint(m.N)-1)
	if a.Mean != b.Mean || a.Primal != b.Primal {
		t.Fatalf("mean %v, primal %v, portable %v, %v", b.Mean, b.Primal, a.Mean, a.Primal)
	}
}

// Every vector of the work space lies on cache lines of its own.
func TestAligned(t *testing.T) {
	for range 20 {
		s, m := NewState(), NewProblem(3, 3, func(i, j int) float64 { return float64((i - j) * (i - j)) }, Portable)
		for name, p := range map[string]unsafe.Pointer{
			"Pot": unsafe.Pointer(&s.Pot), "F": unsafe.Pointer(&s.F), "Below": unsafe.Pointer(&s.Below), "Rough": unsafe.Pointer(&s.Rough),
			"Parent": unsafe.Pointer(&s.Parent), "D": unsafe.Pointer(&m.D), "Coarse": unsafe.Pointer(&m.Coarse), "Weight": unsafe.Pointer(&m.Weight),
		} {
			if uintptr(p)%64 != 0 {
				t.Errorf("%s begins %d bytes behind a cache line", name, uintptr(p)%64)
			}
		}
	}
}
