package emd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"barrow/internal/images"
)

// indexGrounds are grounds of all kinds, small and large.
func indexGrounds(t testing.TB, r *rand.Rand) map[string]Ground {
	t.Helper()
	grounds := map[string]Ground{}
	put := func(name string, g Ground, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		grounds[name] = g
	}
	coordinates := func(n, dim int) []float64 {
		x := make([]float64, n*dim)
		for k := range x {
			x[k] = 10 * r.Float64()
		}
		return x
	}
	for norm, name := range map[Norm]string{L1: "L1", LInf: "LInf", L2: "L2"} {
		for _, c := range []struct {
			shape    []int
			periodic []bool
		}{{[]int{5, 7}, nil}, {[]int{14, 12}, nil}, {[]int{12, 15}, []bool{true, false}}, {[]int{5, 6, 7}, nil}, {[]int{150}, nil}, {[]int{130}, []bool{true}}} {
			g, err := NewGrid(c.shape, norm, c.periodic)
			put(fmt.Sprintf("grid %v %s %v", c.shape, name, c.periodic), g, err)
		}
		g, err := NewPoints(2, coordinates(140, 2), Space{Norm: norm})
		put("points "+name, g, err)
		g, err = NewPoints(3, coordinates(140, 3), Space{Norm: norm, Periods: []float64{0, 7, 11}})
		put("periodic points "+name, g, err)
	}
	far := coordinates(131, 3)
	for k := range far {
		far[k] *= 1e180
	}
	g, err := NewPoints(3, far, Space{Norm: L2})
	put("far points", g, err)
	g, err = NewPoints(2, coordinates(135, 2), Space{Norm: L2, Power: 0.5})
	put("points, root", g, err)
	g, err = NewPoints(2, coordinates(70, 2), Space{Norm: L2, Power: 2})
	put("points, squares", g, err)
	g, err = NewPointsBetween(2, coordinates(60, 2), coordinates(50, 2), Space{Norm: L1})
	put("two sets", g, err)
	d := make([]float64, 30*25)
	for k := range d {
		d[k] = 10*r.Float64() - 3
	}
	c, err := NewCost(30, 25, d)
	put("costs", c, err)
	d = make([]float64, 60*50)
	for k := range d {
		if d[k] = 10 * r.Float64(); r.IntN(20) == 0 {
			d[k] = 1e30
		}
	}
	c, err = NewCost(60, 50, d)
	put("costs that forbid", c, err)
	square := make([]float64, 40*40)
	for k := range square {
		x := float64(k/40 - k%40)
		square[k] = x * x
	}
	m, err := NewMetric(40, square)
	put("no metric", m, err)
	return grounds
}

// someImages are of few cells or many, of a few whole numbers or any, some the same.
func someImages(r *rand.Rand, rows, cells int, total float64) []float64 {
	var v []float64
	for j := range rows {
		if j > 0 && r.IntN(6) == 0 {
			at := r.IntN(j)
			v = append(v, v[at*cells:][:cells]...)
			continue
		}
		row := make([]float64, cells)
		for range 1 + r.IntN(2+cells/3) {
			if r.IntN(2) == 0 {
				row[r.IntN(cells)] += float64(1 + r.IntN(3))
			} else {
				row[r.IntN(cells)] += r.ExpFloat64()
			}
		}
		if total > 0 {
			t := sum(row)
			for k := range row {
				row[k] *= total / t
			}
		}
		v = append(v, row...)
	}
	return v
}

// bruteForce solves all pairs.
func bruteForce(t testing.TB, g Ground, s Settings, p, q []float64, k int) []Neighbour {
	t.Helper()
	v, err := NewSolver(g, s)
	if err != nil {
		t.Fatal(err)
	}
	n, m := g.Dims()
	var near []Neighbour
	for ; len(p) > 0; p = p[n:] {
		all := make([]Neighbour, 0, len(q)/m+k)
		for j := range len(q) / m {
			e, err := v.Distance(p[:n], q[j*m:][:m])
			if errors.Is(err, ErrEmpty) && s.Empty == EmptySkip {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, Neighbour{j, e})
		}
		slices.SortFunc(all, func(a, b Neighbour) int {
			return cmp.Or(cmp.Compare(a.Distance, b.Distance), cmp.Compare(a.Row, b.Row))
		})
		for len(all) < k {
			all = append(all, Neighbour{-1, math.NaN()})
		}
		near = append(near, all[:k]...)
	}
	return near
}

// same compares to the bit, NaN with NaN as well.
func same(a, b []Neighbour) bool {
	return slices.EqualFunc(a, b, func(a, b Neighbour) bool {
		return a.Row == b.Row && math.Float64bits(a.Distance) == math.Float64bits(b.Distance)
	})
}

// The neighbours are those of comparing all pairs, to the bit, on every ground and with all
// Settings, whatever the number of threads and the number of neighbours.
func TestIndexAgainstAllPairs(t *testing.T) {
	r := rand.New(rand.NewPCG(61, 62))
	for name, g := range indexGrounds(t, r) {
		n, m := g.Dims()
		var pairs, solved int64
		for _, s := range []Settings{
			{Unequal: UnequalNormalise, NonMetric: NonMetricSolve, Empty: EmptySkip},
			{Unequal: UnequalError, NonMetric: NonMetricSolve},
			{Unequal: UnequalPenalty, NonMetric: NonMetricSolve, Penalty: 5},
			{Unequal: UnequalPenalty, NonMetric: NonMetricSolve, Penalty: 0.7},
		} {
			total := 0.0
			if s.Unequal == UnequalError {
				total = 3
			}
			const rows, queries = 30, 2
			q, p := someImages(r, rows, m, total), someImages(r, queries, n, total)
			if n == m {
				copy(p, q[5*m:6*m]) // distance 0
			}
			most := 4
			if s.Empty == EmptySkip {
				clear(q[7*m : 8*m])
				clear(p[n : 2*n])
				most = rows
			} else if s.Unequal == UnequalPenalty {
				clear(q[7*m : 8*m])
				clear(p[n : 2*n])
			}
			want := bruteForce(t, g, s, p, q, most)
			for _, k := range []int{1, most} {
				s.Threads = 1 + k%3
				x, err := NewIndex(context.Background(), g, q, s)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				near := make([]Neighbour, queries*k)
				for range 2 {
					count, err := x.Nearest(context.Background(), p, k, near)
					if err != nil {
						t.Fatalf("%s: %v", name, err)
					}
					for i := range queries {
						if got, want := near[i*k:][:k], want[i*most:][:k]; !same(got, want) {
							t.Errorf("%s, settings %+v, %d neighbours of %d:\n%v, all pairs say\n%v", name, s, k, i, got, want)
						}
					}
					if count.Solved < int64(k) && s.Empty == EmptyError {
						t.Errorf("%s: %d neighbours, %+v", name, k, count)
					}
					if k == 1 {
						pairs, solved = pairs+count.Pairs, solved+count.Solved
					}
				}
			}
		}
		if solved >= pairs {
			t.Errorf("%s: all %d pairs were solved", name, pairs)
		}
		t.Logf("%s: %d of %d pairs", name, solved, pairs)
	}
}

// No bound is above a distance: each of them, also for pairs that are near and the same.
func TestIndexBounds(t *testing.T) {
	r := rand.New(rand.NewPCG(63, 64))
	for name, g := range indexGrounds(t, r) {
		n, m := g.Dims()
		for _, s := range []Settings{
			{Unequal: UnequalNormalise, NonMetric: NonMetricSolve},
			{Unequal: UnequalPenalty, NonMetric: NonMetricSolve, Penalty: 4},
			{Unequal: UnequalPenalty, NonMetric: NonMetricSolve, Penalty: 1},
		} {
			q, p := someImages(r, 30, m, 0), someImages(r, 3, n, 0)
			if n == m {
				copy(p, q[5*m:6*m])
				p[r.IntN(n)] += 1e-6
			}
			x, err := NewIndex(context.Background(), g, q, s)
			if err != nil {
				t.Fatal(err)
			}
			v := x.free[0]
			for i := range 3 {
				row := p[i*n:][:n]
				if err := v.gather(row, sum(row)); err != nil {
					t.Fatal(err)
				}
				var pots []knownPotential
				for j := range x.Len() {
					f, h := make([]float64, n), make([]float64, m)
					if _, err := v.solver.Potentials(row, x.row(j), f, h); err != nil {
						t.Fatal(err)
					}
					pots = append(pots, knownPotential{f: f, h: h})
					v.query.learn(x, &pots[j])
				}
				for j := range x.Len() {
					e, err := v.solver.Distance(row, x.row(j))
					if err != nil {
						t.Fatal(err)
					}
					check := func(what string, bound float64) {
						if !(bound <= e) {
							t.Errorf("%s, settings %+v, %s: a bound of %v for a distance of %v", name, s, what, bound, e)
						}
					}
					check("potentials of all", v.query.first(x, j))
					for k := range v.query.stages() {
						bound, _ := v.query.next(x, j, k)
						check(fmt.Sprint("stage ", k), bound)
					}
					for k := range pots {
						check("potentials of another pair", v.query.against(x, j, &pots[k]))
					}
				}
			}
		}
	}
}

// Of images that have something in common few pairs are solved, and nothing is allocated.
func TestIndexSaves(t *testing.T) {
	const side, rows, queries, k = 28, 100, 2, 3
	var q, p []float64
	for j := range rows + queries {
		v, err := images.Digit(j%10, side, uint64(j))
		if err != nil {
			t.Fatal(err)
		}
		if j < rows {
			q = append(q, v...)
		} else {
			p = append(p, v...)
		}
	}
	for norm, most := range map[Norm]int64{L1: 3 * queries * k, L2: 5 * queries * k} {
		g, err := NewGrid([]int{side, side}, norm, nil)
		if err != nil {
			t.Fatal(err)
		}
		x, err := NewIndex(context.Background(), g, q, Settings{Unequal: UnequalNormalise, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		near := make([]Neighbour, queries*k)
		count, err := x.Nearest(context.Background(), p, k, near)
		if err != nil {
			t.Fatal(err)
		}
		if count.Pairs != rows*queries || count.Solved > most {
			t.Errorf("norm %d: %+v, and no more than %d should be solved", norm, count, most)
		}
		logBounds(t, x, p)
		if norm == L1 {
			allocs := testing.AllocsPerRun(2, func() {
				if _, err := x.Nearest(context.Background(), p, k, near); err != nil {
					t.Fatal(err)
				}
			})
			if allocs > 5 {
				t.Errorf("%v allocations in a search", allocs)
			}
		}
	}
}

// logBounds says what part of the distances the bounds reach, in the mean of all pairs.
func logBounds(t *testing.T, x *Index, p []float64) {
	v := x.free[0]
	mean := make([]float64, v.query.stages()+1)
	pairs := 0.0
	for ; len(p) > 0; p = p[x.n:] {
		row := p[:x.n]
		if err := v.gather(row, sum(row)); err != nil {
			t.Fatal(err)
		}
		for j := range x.Len() {
			e, err := v.solver.Distance(row, x.row(j))
			if err != nil {
				t.Fatal(err)
			}
			mean[0] += v.query.first(x, j) / e
			for k := range v.query.stages() {
				bound, _ := v.query.next(x, j, k)
				mean[k+1] += bound / e
			}
			pairs++
		}
	}
	for k := range mean {
		mean[k] /= pairs
	}
	t.Logf("potentials, marginals and coarser grounds reach %.3f of the distances", mean)
	if mean[0] < 0.7 || mean[1] < 0.8 || mean[2] < 0.75 {
		t.Errorf("bounds reach only %.3f of the distances", mean)
	}
}

// Any number of goroutines may search at the same time.
func TestIndexConcurrent(t *testing.T) {
	r := rand.New(rand.NewPCG(65, 66))
	g, err := NewGrid([]int{12, 12}, L1, nil)
	if err != nil {
		t.Fatal(err)
	}
	q, p := someImages(r, 40, 144, 0), someImages(r, 4, 144, 0)
	s := Settings{Unequal: UnequalNormalise, Threads: 2}
	want := bruteForce(t, g, s, p, q, 3)
	x, err := NewIndex(context.Background(), g, q, s)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			near := make([]Neighbour, 12)
			if _, err := x.Nearest(context.Background(), p, 3, near); err != nil || !same(near, want) {
				t.Errorf("%v: %v, not %v", err, near, want)
			}
		})
	}
	wg.Wait()
}

// Totals beyond what bounds can be computed with are solved.
func TestIndexScales(t *testing.T) {
	r := rand.New(rand.NewPCG(67, 68))
	g, err := NewGrid([]int{10, 13}, L1, nil)
	if err != nil {
		t.Fatal(err)
	}
	q, p := someImages(r, 20, 130, 0), someImages(r, 2, 130, 0)
	for k := range q {
		q[k] = math.Ldexp(q[k], []int{-900, 0, 300, -130}[k/130%4])
	}
	for k := range p {
		p[k] = math.Ldexp(p[k], []int{0, 500}[k/130])
	}
	s := Settings{Unequal: UnequalNormalise}
	x, err := NewIndex(context.Background(), g, q, s)
	if err != nil {
		t.Fatal(err)
	}
	near := make([]Neighbour, 10)
	if _, err := x.Nearest(context.Background(), p, 5, near); err != nil {
		t.Fatal(err)
	}
	if want := bruteForce(t, g, s, p, q, 5); !same(near, want) {
		t.Errorf("%v, not %v", near, want)
	}
}

// Errors are those of the lowest row, and say what is wrong.
func TestIndexErrors(t *testing.T) {
	ctx := context.Background()
	g, err := NewGrid([]int{3, 3}, L1, nil)
	if err != nil {
		t.Fatal(err)
	}
	q := make([]float64, 9*12)
	for j := range 12 {
		q[9*j+j%9] = 2
	}
	index := func(q []float64, s Settings) (*Index, error) { return NewIndex(ctx, g, q, s) }
	wrong := slices.Clone(q)
	wrong[9*4+2] = -1
	var row *RowError
	var mass *MassError
	if _, err := index(wrong, Settings{}); !errors.As(err, &row) || row.Row != 4 || !errors.As(err, &mass) || mass.Image != "q" || mass.Cell != 2 {
		t.Error(err)
	}
	clear(wrong[9*3 : 9*5])
	if _, err := index(wrong, Settings{}); !errors.As(err, &row) || row.Row != 3 || !errors.Is(err, ErrEmpty) {
		t.Error(err)
	}
	for _, length := range []int{0, 10} {
		if _, err := index(make([]float64, length), Settings{}); err == nil || !strings.Contains(err.Error(), "one image or more, 9 masses each") {
			t.Error(err)
		}
	}
	if _, err := NewIndex(ctx, nil, q, Settings{}); err == nil {
		t.Error("an index without a ground")
	}
	x, err := index(q, Settings{Threads: 3})
	if err != nil {
		t.Fatal(err)
	}
	p := slices.Concat(q, q, q)
	near := make([]Neighbour, 36)
	p[9*20+1], p[9*30+1] = 5, math.NaN()
	var total *TotalError
	for range 20 {
		if _, err := x.Nearest(ctx, p, 1, near); !errors.As(err, &row) || row.Row != 20 || !errors.As(err, &total) || !strings.Contains(err.Error(), "image 0 of the index") {
			t.Fatal(err)
		}
	}
	for _, k := range []int{0, 13} {
		if _, err := x.Nearest(ctx, q, k, make([]Neighbour, 12*k)); err == nil || !strings.Contains(err.Error(), "want 1 to 12") {
			t.Error(err)
		}
	}
	if _, err := x.Nearest(ctx, q, 2, near); err == nil || !strings.Contains(err.Error(), "room for 36 neighbours, 2 of each") {
		t.Error(err)
	}
	if count, err := x.Nearest(ctx, nil, 2, nil); err != nil || count != (Search{}) {
		t.Error(count, err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if _, err := x.Nearest(cancelled, q, 3, near); !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "after 0 of 12 images") {
		t.Error(err)
	}
}

// Progress counts every image.
func TestIndexProgress(t *testing.T) {
	g, err := NewGrid([]int{2, 2}, L1, nil)
	if err != nil {
		t.Fatal(err)
	}
	var notes []string
	s := Settings{Threads: 2, Progress: func(share float64, note string) { notes = append(notes, fmt.Sprintf("%.2f %s", share, note)) }}
	x, err := NewIndex(context.Background(), g, []float64{1, 0, 0, 0, 0, 0, 1, 0}, s)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Nearest(context.Background(), []float64{0, 1, 0, 0, 0, 0, 0, 1}, 1, make([]Neighbour, 2)); err != nil {
		t.Fatal(err)
	}
	if want := []string{"0.50 1 of 2 images", "1.00 2 of 2 images"}; !slices.Equal(notes, want) {
		t.Errorf("%q", notes)
	}
}

// TestIndexProgressOfSeveral: searches at the same time do not tell of their progress at the same time.
func TestIndexProgressOfSeveral(t *testing.T) {
	g, err := NewGrid([]int{2, 2}, L1, nil)
	if err != nil {
		t.Fatal(err)
	}
	var inside, overlaps atomic.Int64
	s := Settings{Threads: 1, Progress: func(float64, string) {
		if inside.Add(1) > 1 {
			overlaps.Add(1)
		}
		time.Sleep(time.Millisecond)
		inside.Add(-1)
	}}
	x, err := NewIndex(t.Context(), g, []float64{1, 0, 0, 0, 0, 0, 1, 0}, s)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if _, err := x.Nearest(context.Background(), slices.Repeat([]float64{0, 1, 0, 0}, 10), 1, make([]Neighbour, 10)); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n := overlaps.Load(); n > 0 {
		t.Errorf("%d calls of Progress while another one was going on", n)
	}
}

// TestIndexOfAll: where all are neighbours nothing is found out about which, and a search that is stopped
// solves no smaller problem either.
func TestIndexOfAll(t *testing.T) {
	g, err := NewGrid([]int{20, 20}, L1, nil)
	if err != nil {
		t.Fatal(err)
	}
	const rows = 6
	r := rand.New(rand.NewPCG(9, 9))
	q := make([]float64, rows*400)
	for k := range q {
		q[k] = r.Float64()
	}
	x, err := NewIndex(t.Context(), g, q, Settings{Unequal: UnequalNormalise, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	for k := 1; k <= rows; k++ {
		count, err := x.Nearest(t.Context(), q[:400], k, make([]Neighbour, k))
		if err != nil || count.Solved < int64(k) || (count.Coarse == 0) != (k == rows) {
			t.Errorf("%d of %d: %+v, %v", k, rows, count, err)
		}
	}
	var stop atomic.Bool
	stop.Store(true)
	s, err := x.take()
	if err != nil {
		t.Fatal(err)
	}
	s.stopOn(&stop)
	if count, err := s.nearest(q[:400], make([]Neighbour, 1)); !errors.Is(err, errStopped) || count.Solved+count.Coarse > 0 {
		t.Errorf("a search that is stopped: %+v, %v", count, err)
	}
}

// TestIndexMemory: what an index and a search take is what was counted before, or less, and not far less.
func TestIndexMemory(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 13))
	places := make([]float64, 2*1500)
	for k := range places {
		places[k] = r.Float64()
	}
	points, err := NewPoints(2, places, Space{Norm: L2})
	if err != nil {
		t.Fatal(err)
	}
	grid := func(norm Norm, shape ...int) Ground {
		g, err := NewGrid(shape, norm, nil)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	heap := func() float64 {
		var s runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&s)
		return float64(s.HeapAlloc)
	}
	for name, x := range map[string]struct {
		g    Ground
		rows int
	}{"l1": {grid(L1, 128, 128), 4}, "l1 many": {grid(L1, 10, 10), 5000}, "linf": {grid(LInf, 128, 128), 2}, "l2": {grid(L2, 64, 64), 3}, "points": {points, 30}, "small": {grid(L2, 6, 8), 20000}} {
		n, _ := x.g.Dims()
		q := make([]float64, x.rows*n)
		for k := range q {
			q[k] = r.Float64()
		}
		before := heap()
		index, err := NewIndex(t.Context(), x.g, q, Settings{Unequal: UnequalNormalise, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := index.Nearest(t.Context(), q[:n], 1, make([]Neighbour, 1)); err != nil {
			t.Fatal(err)
		}
		took, counted := heap()-before, index.bytes()
		runtime.KeepAlive(index)
		t.Logf("%s: %.3g bytes, counted %.3g", name, took, counted)
		if took > counted || counted-1e6 > 5*took {
			t.Errorf("%s: %.3g bytes, counted %.3g", name, took, counted)
		}
	}
}
