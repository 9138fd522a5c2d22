package emd_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"barrow/emd"
)

func batchPairs(n int) (p, q []float64) {
	r := rand.New(rand.NewPCG(21, 22))
	for range n {
		p = append(p, cellsOf(r, 48, 1+r.IntN(48), r.ExpFloat64)...)
		q = append(q, cellsOf(r, 48, 1+r.IntN(48), r.ExpFloat64)...)
	}
	return p, q
}

// A batch returns the bits that a Solver does, whatever the number of threads.
func TestBatchThreads(t *testing.T) {
	m := benchmarkMetric(t)
	const n = 1000
	p, q := batchPairs(n)
	set := emd.Settings{Unequal: emd.UnequalNormalise}
	s := newSolver(t, m, set)
	e, dp, dq := make([]float64, n), make([]float64, 48*n), make([]float64, 48*n)
	for i := range n {
		a, b := 48*i, 48*(i+1)
		var err error
		if e[i], err = s.Gradient(p[a:b], q[a:b], dp[a:b], dq[a:b]); err != nil {
			t.Fatal(err)
		}
	}
	for _, threads := range []int{1, 2, 7, 0} {
		last := 0.0
		set.Progress = func(share float64, note string) {
			if want := fmt.Sprintf("%.0f of %d pairs", share*n, n); share <= last || note != want {
				t.Errorf("progress %v, %q after %v", share, note, last)
			}
			last = share
		}
		set.Threads = threads
		b, err := emd.NewBatch(m, set)
		if err != nil {
			t.Fatal(err)
		}
		x, xp, xq := make([]float64, n), make([]float64, 48*n), make([]float64, 48*n)
		if err := b.Gradient(context.Background(), p, q, x, xp, xq); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(x, e) || !slices.Equal(xp, dp) || !slices.Equal(xq, dq) {
			t.Errorf("%d threads give other results", threads)
		}
		if last != 1 {
			t.Errorf("progress ended at %v", last)
		}
		clear(x)
		last = 0
		if err := b.Distance(context.Background(), p, q, x); err != nil || !slices.Equal(x, e) {
			t.Errorf("distances alone differ, error %v", err)
		}
		last = 0
		if err := b.Distance(context.Background(), nil, nil, nil); err != nil {
			t.Errorf("no pairs: %v", err)
		}
	}
}

// The error is that of the lowest row, whatever the number of threads.
func TestBatchErrors(t *testing.T) {
	m := benchmarkMetric(t)
	const n = 500
	p, q := batchPairs(n)
	q[48*333+7] = -1
	p[48*471] = math.NaN()
	e := make([]float64, n)
	for _, threads := range []int{1, 2, 5} {
		b, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Threads: threads})
		if err != nil {
			t.Fatal(err)
		}
		for range 20 {
			err := b.Distance(context.Background(), p, q, e)
			var row *emd.RowError
			var mass *emd.MassError
			if !errors.As(err, &row) || row.Row != 333 || !errors.As(err, &mass) || mass.Cell != 7 {
				t.Fatalf("%d threads: %v", threads, err)
			}
			if want := "emd: row 333: q[7] = -1: a mass"; !strings.HasPrefix(err.Error(), want) {
				t.Fatalf("%q does not begin with %q", err, want)
			}
		}
		if err := b.Distance(context.Background(), p[1:], q, e); err == nil || !strings.Contains(err.Error(), "p has 23999 entries") {
			t.Errorf("wrong length: %v", err)
		}
		if err := b.Gradient(context.Background(), p, q, e, nil, make([]float64, 5)); err == nil {
			t.Error("a short gradient was accepted")
		}
	}
}

// Pairs without mass are an error naming the row, or skipped, as Settings say.
func TestBatchEmpty(t *testing.T) {
	m := benchmarkMetric(t)
	p, q := batchPairs(100)
	clear(p[48*60 : 48*61])
	e, dq := make([]float64, 100), make([]float64, 4800)
	dq[48*60] = 3
	strict, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	var row *emd.RowError
	if err := strict.Distance(context.Background(), p, q, e); !errors.As(err, &row) || row.Row != 60 || !errors.Is(err, emd.ErrEmpty) {
		t.Fatalf("error %v", err)
	}
	skip, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Empty: emd.EmptySkip, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := skip.Gradient(context.Background(), p, q, e, nil, dq); err != nil {
		t.Fatal(err)
	}
	for i, x := range e {
		if math.IsNaN(x) != (i == 60) {
			t.Errorf("row %d: %v", i, x)
		}
	}
	if dq[48*60] != 0 {
		t.Error("the skipped row has a gradient")
	}
}

func TestBatchCancelled(t *testing.T) {
	m := benchmarkMetric(t)
	p, q := batchPairs(2000)
	ctx, cancel := context.WithCancel(context.Background())
	b, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Threads: 2, Progress: func(share float64, _ string) {
		if share > 0.25 {
			cancel()
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	err = b.Distance(ctx, p, q, make([]float64, 2000))
	if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "of 2000 pairs") {
		t.Errorf("error %v", err)
	}
}

// Solving allocates nothing, on either path and with any kernel.
func TestAllocations(t *testing.T) {
	points := make([][2]float64, 80)
	r := rand.New(rand.NewPCG(4, 4))
	for i := range points {
		points[i] = [2]float64{r.Float64(), r.Float64()}
	}
	large, err := emd.Euclidean(points)
	if err != nil {
		t.Fatal(err)
	}
	small, err := emd.Euclidean(points[:48])
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range []*emd.Metric{small, large} {
		for _, k := range emd.Kernels() {
			for name, set := range settingsOf {
				n := m.Len()
				p, q := normalised(cellsOf(r, n, n, r.Float64)), normalised(cellsOf(r, n, n/2, r.Float64))
				set.Kernel = k
				s := newSolver(t, m, set)
				f, dp, dq := make([]float64, n), make([]float64, n), make([]float64, n)
				got := testing.AllocsPerRun(50, func() {
					if _, err := s.Gradient(p, q, dp, dq); err != nil {
						t.Fatal(err)
					}
					if _, err := s.Potentials(q, p, f, dq); err != nil {
						t.Fatal(err)
					}
				})
				if got != 0 {
					t.Errorf("%d cells, %s, %s: %v allocations a call", n, k, name, got)
				}
			}
		}
	}
}
