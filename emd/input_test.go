package emd_test

import (
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"barrow/emd"
)

// both are the settings that reach the small and the large solver: the larger
// metric has further points without mass.
func smallAndLarge(t *testing.T) map[string]*emd.Metric {
	points := make([][2]float64, 70)
	for i := range points {
		points[i] = [2]float64{float64(i % 8), float64(i / 8)}
	}
	small, err := emd.Euclidean(points[:10])
	if err != nil {
		t.Fatal(err)
	}
	large, err := emd.Euclidean(points)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*emd.Metric{"small": small, "large": large}
}

func TestBadMasses(t *testing.T) {
	for size, m := range smallAndLarge(t) {
		for _, k := range emd.Kernels() {
			s := newSolver(t, m, emd.Settings{Unequal: emd.UnequalNormalise, Kernel: k})
			image := func(change ...float64) []float64 {
				p := make([]float64, m.Len())
				for i := range p {
					p[i] = 1
				}
				copy(p, change)
				return p
			}
			empty := make([]float64, m.Len())
			for _, c := range []struct {
				p, q []float64
				want string
			}{
				{image(1, 2, math.NaN()), image(), "p[2] = NaN"},
				{image(1, math.Inf(1)), image(), "p[1] = +Inf"},
				{image(math.Inf(-1)), image(), "p[0] = -Inf"},
				{image(), image(1, 1, 1, -1e-300), "q[3] = -1e-300"},
				{image(math.NaN()), image(math.NaN()), "p[0] = NaN"},
				{empty, image(), "p: no mass"},
				{image(), empty, "q: no mass"},
				{empty, empty, "p: no mass"},
				{image()[1:], image(), "p has"},
				{image(), append(image(), 1), "cells on a metric of"},
				{nil, nil, "p has 0"},
			} {
				e, err := s.Distance(c.p, c.q)
				if err == nil || !strings.HasPrefix(err.Error(), "emd: ") || !strings.Contains(err.Error(), c.want) || e != 0 {
					t.Errorf("%s %v: distance %v, error %v, want %q", size, k, e, err, c.want)
				}
			}
			if _, err := s.Distance(empty, image()); !errors.Is(err, emd.ErrEmpty) {
				t.Errorf("%v is not ErrEmpty", err)
			}
			if _, err := s.Potentials(image(), image(), make([]float64, 3), nil); err == nil {
				t.Error("room for 3 potentials was accepted")
			}
			if _, err := s.Gradient(image(), image(), make([]float64, 3), nil); err == nil {
				t.Error("room for 3 derivatives was accepted")
			}
		}
		s := newSolver(t, m, emd.Settings{})
		p, q := make([]float64, m.Len()), make([]float64, m.Len())
		p[0], q[1] = 1, 1.001
		var unequal *emd.TotalError
		if _, err := s.Distance(p, q); !errors.As(err, &unequal) || unequal.Q != 1.001 {
			t.Errorf("unequal totals: %v", err)
		}
		q[1] = 1 + 1e-10
		if e, err := s.Distance(p, q); err != nil || math.Abs(e-1) > 1e-9 {
			t.Errorf("totals equal up to rounding: %v, %v", e, err)
		}
	}
}

// Masses over 300 decades: within an image, between images, and totals whose
// sums or products leave the range of float64.
func TestExtremeMasses(t *testing.T) {
	for size, m := range smallAndLarge(t) {
		s := newSolver(t, m, emd.Settings{Unequal: emd.UnequalNormalise})
		raw := newSolver(t, m, emd.Settings{})
		n := m.Len()
		p, q, dp := make([]float64, n), make([]float64, n), make([]float64, n)
		for _, a := range []float64{5e-324, 1e-310, 1e-300, 1e-150, 1, 1e150, 1e300, math.MaxFloat64} {
			for _, b := range []float64{5e-324, 1e-305, 1e-150, 1, 1e150, 1e300, math.MaxFloat64} {
				clear(p)
				clear(q)
				p[0], p[1] = a, a
				q[2] = b
				e, err := s.Gradient(p, q, dp, nil)
				if err != nil || math.Abs(e-1.5) > 1e-14 {
					t.Errorf("%s: %g and %g: distance %v, error %v, want 1.5", size, a, b, e, err)
				}
				// p̂ = ½, ½: dE/dp₀ = (2 − 1.5)/2a.
				if want := 0.5 / a / 2; math.Abs(dp[0]-want) > 1e-14*want && a > 1e-300 {
					t.Errorf("%s: %g and %g: slope %v, want %v", size, a, b, dp[0], want)
				}
			}
			clear(q)
			q[4], q[5] = a, a
			e, err := raw.Distance(p, q)
			if a == math.MaxFloat64 {
				if err == nil || !strings.Contains(err.Error(), "beyond the range") || e != 0 {
					t.Errorf("%s: %g: distance %v, error %v", size, a, e, err)
				}
			} else if err != nil || math.Abs(e-8*a) > 1e-14*a && a > 1e-300 {
				t.Errorf("%s: %g: distance %v, error %v", size, a, e, err)
			}
			clear(p)
			clear(q)
			p[0], p[1] = a, a
		}
		// A difference that is tiny beside what stays.
		for _, a := range []float64{1e-300, 1e-140, 1e-39, 1, 1e39, 1e140} {
			for _, part := range []float64{1e-14, 1e-30, 1e-100, 1e-150} {
				clear(p)
				clear(q)
				p[0], q[0] = a, a
				p[1], q[2] = a*part, a*part
				e, err := s.Distance(p, q)
				if want := part * m.At(1, 2); err != nil || math.Abs(e-want) > 1e-13*want && a*part > 1e-290 {
					t.Errorf("%s: %g of %g moves: distance %v, error %v, want %v", size, part, a, e, err, want)
				}
			}
		}
		r := rand.New(rand.NewPCG(1, 9))
		for range 300 {
			f := func() float64 { return math.Pow(10, 300*r.Float64()-150) }
			certified(t, s, cellsOf(r, n, 1+r.IntN(n), f), cellsOf(r, n, 1+r.IntN(n), f))
		}
	}
}

// A distance that float64 cannot hold is an error in every way to it.
func TestDistanceOutOfRange(t *testing.T) {
	most := []float64{math.MaxFloat64, 0}
	c, err := emd.NewCost(2, 2, []float64{0, -2, 1, 0})
	if err != nil {
		t.Fatal(err)
	}
	m, err := emd.NewMetric(2, []float64{0, 2, 2, 0})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		g emd.Ground
		s emd.Settings
		q []float64
	}{
		{c, emd.Settings{}, []float64{0, math.MaxFloat64}}, // −∞
		{m, emd.Settings{}, []float64{0, math.MaxFloat64}},
		{m, emd.Settings{Unequal: emd.UnequalPenalty, Penalty: 2}, []float64{0, 0}}, // nothing moves
	} {
		s := newSolver(t, x.g, x.s)
		e, err := s.Gradient(most, x.q, nil, nil)
		if err == nil || !strings.Contains(err.Error(), "beyond the range") || e != 0 {
			t.Errorf("%v: %v, %v", x.q, e, err)
		}
		if _, e, err := s.Flow(most, x.q, nil); err == nil || e != 0 {
			t.Errorf("%v: plan %v, %v", x.q, e, err)
		}
	}
}

func TestBadSettings(t *testing.T) {
	m := smallAndLarge(t)["small"]
	for _, s := range []emd.Settings{
		{Unequal: 3}, {Unequal: -1}, {Penalty: 1}, {Unequal: emd.UnequalPenalty},
		{Unequal: emd.UnequalPenalty, Penalty: math.NaN()}, {Unequal: emd.UnequalPenalty, Penalty: math.Inf(1)},
		{Unequal: emd.UnequalPenalty, Penalty: -2}, {Unequal: emd.UnequalPenalty, Penalty: 2 * emd.MaxDistance}, {NonMetric: 7}, {Empty: 9}, {Kernel: "sse"}, {MaxPivots: -1},
	} {
		if _, err := emd.NewSolver(m, s); err == nil {
			t.Errorf("%+v was accepted", s)
		}
	}
	if _, err := emd.NewSolver(nil, emd.Settings{}); err == nil {
		t.Error("no metric was accepted")
	}
	for _, threads := range []int{-1, math.MaxInt} {
		if _, err := emd.NewBatch(m, emd.Settings{Threads: threads}); err == nil {
			t.Errorf("%d threads were accepted", threads)
		}
	}
}

// The bound on pivots returns where the search stands: a certificate whose two
// values enclose the distance.
func TestPivotBound(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for size, m := range smallAndLarge(t) {
		n := m.Len()
		free := newSolver(t, m, emd.Settings{Unequal: emd.UnequalNormalise})
		bound := newSolver(t, m, emd.Settings{Unequal: emd.UnequalNormalise, MaxPivots: 1})
		stopped := 0
		for range 100 {
			p, q := cellsOf(r, n, n, r.ExpFloat64), cellsOf(r, n, n, r.ExpFloat64)
			want, err := free.Distance(p, q)
			if err != nil {
				t.Fatal(err)
			}
			_, err = bound.Distance(p, q)
			var limit *emd.PivotError
			if err == nil {
				continue
			}
			if !errors.As(err, &limit) {
				t.Fatal(err)
			}
			stopped++
			c := limit.Certificate
			if limit.Pivots != 1 || c.Imbalance > 1e-14 || c.Negative > 0 || c.Violation > 1e-13 {
				t.Errorf("%s: stopped after %d pivots: %v", size, limit.Pivots, c)
			}
			if want > c.Primal+1e-13 || want < c.Dual-1e-13 {
				t.Errorf("%s: %v is not between %v and %v", size, want, c.Dual, c.Primal)
			}
			if !strings.Contains(err.Error(), "primal") {
				t.Errorf("the error does not carry the certificate: %v", err)
			}
		}
		if stopped == 0 {
			t.Errorf("%s: the bound was never reached", size)
		}
	}
}
