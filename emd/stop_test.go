package emd_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"barrow/emd"
)

// stopGround is a ground whose costs are asked for in a solve, at which the solve is interrupted.
type stopGround struct {
	*emd.Points
	cancel context.CancelFunc // at the next cost, or nil
	n      int
}

func newStopGround(t *testing.T, n int) *stopGround {
	t.Helper()
	g := &stopGround{n: n}
	r := rand.New(rand.NewPCG(4, 4))
	places := make([]float64, 2*n)
	for k := range places {
		places[k] = r.Float64()
	}
	var err error
	g.Points, err = emd.NewPoints(2, places, emd.Space{Cost: func(x, y []float64) float64 {
		if g.cancel != nil {
			g.cancel()
			g.cancel = nil
			time.Sleep(50 * time.Millisecond) // in which the solver is told
		}
		return (x[0]-y[0])*(x[0]-y[0]) + (x[1]-y[1])*(x[1]-y[1])
	}})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func randomMasses(r *rand.Rand, n int) []float64 {
	v := make([]float64, n)
	for k := range v {
		v[k] = r.Float64()
	}
	return v
}

// TestStopInside: a solve that has begun is given up, and the same Solver, Batch or Index solves the next.
func TestStopInside(t *testing.T) {
	g := newStopGround(t, 300)
	r := rand.New(rand.NewPCG(5, 5))
	p, q := randomMasses(r, g.n), randomMasses(r, g.n)
	set := emd.Settings{Unequal: emd.UnequalNormalise, Threads: 1}
	s := newSolver(t, g.Points, set)
	want, err := s.Distance(p, q)
	if err != nil {
		t.Fatal(err)
	}
	b, err := emd.NewBatch(g.Points, set)
	if err != nil {
		t.Fatal(err)
	}
	x, err := emd.NewIndex(t.Context(), g.Points, q, set)
	if err != nil {
		t.Fatal(err)
	}
	for name, solve := range map[string]func(ctx context.Context) (float64, error){
		"Batch": func(ctx context.Context) (float64, error) {
			var e [1]float64
			err := b.Distance(ctx, p, q, e[:])
			return e[0], err
		},
		"Index": func(ctx context.Context) (float64, error) {
			var near [1]emd.Neighbour
			_, err := x.Nearest(ctx, p, 1, near[:])
			return near[0].Distance, err
		},
		"Watch": func(ctx context.Context) (float64, error) {
			defer s.Watch(ctx)()
			return s.Distance(p, q)
		},
	} {
		for range 2 {
			ctx, cancel := context.WithCancel(t.Context())
			g.cancel = cancel
			if _, err := solve(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: error %v of a solve that was interrupted", name, err)
			}
			g.cancel = nil
			if e, err := solve(t.Context()); err != nil || e != want {
				t.Errorf("%s after it: %v, %v; want %v", name, e, err, want)
			}
		}
	}
}

// TestStopGrounds: one of every other kind of large ground, some milliseconds into solves of seconds.
func TestStopGrounds(t *testing.T) {
	r := rand.New(rand.NewPCG(6, 6))
	grid := func(norm emd.Norm, k int) emd.Ground {
		g, err := emd.NewGrid([]int{k, k}, norm, nil)
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	costs := make([]float64, 3000*3000)
	for k := range costs {
		costs[k] = r.Float64()
	}
	cost, err := emd.NewCost(3000, 3000, costs)
	if err != nil {
		t.Fatal(err)
	}
	for name, g := range map[string]emd.Ground{"grid": grid(emd.L1, 512), "points": grid(emd.L2, 128), "costs": cost} {
		n, m := g.Dims()
		p, q := randomMasses(r, n), randomMasses(r, m)
		s := newSolver(t, g, emd.Settings{Unequal: emd.UnequalNormalise})
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
		end := s.Watch(ctx)
		if _, err := s.Distance(p, q); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: error %v of a solve that was interrupted", name, err)
		}
		end()
		cancel()
	}
}
