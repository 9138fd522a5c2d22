package main

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"barrow/emd"
)

// scaling says how much faster two threads are than one: medians over the rounds
// of ratios of adjacent measurements, with the least and the largest of them.
type scaling struct {
	// Speedup is the rate of a Batch of two threads over that of one.
	Speedup      float64 `json:"speedup"`
	SpeedupLeast float64 `json:"speedup_min"`
	SpeedupMost  float64 `json:"speedup_max"`
	// Bound is the rate of two Solvers that have nothing in common but the
	// machine, over that of a Batch of one thread: what the processors allow.
	Bound      float64 `json:"bound"`
	BoundLeast float64 `json:"bound_min"`
	BoundMost  float64 `json:"bound_max"`
}

// measureScaling lets one thread, two threads, and two separate solvers each
// solve all pairs over and over for a burst, next to each other, in an order that
// is reversed from round to round so that a drift of the machine cancels.
func measureScaling(r *regime, m *emd.Metric, one, two *contender, o options) (*scaling, error) {
	out := newResults(r.pairs())
	var apart [2]*separate
	for k := range apart {
		var err error
		if apart[k], err = newSeparate(r, m, one.kernel); err != nil {
			return nil, err
		}
	}
	rate := func(c *contender) func() (float64, error) {
		return func() (float64, error) {
			s, err := c.time(r, out, o.burst)
			return 1 / s, err
		}
	}
	measurements := []func() (float64, error){
		rate(one), rate(two), func() (float64, error) { return together(apart, o.burst) },
	}
	var speedups, bounds []float64
	for round := range o.scalingRounds {
		var rates [3]float64
		for i := range rates {
			if round%2 == 1 {
				i = len(rates) - 1 - i
			}
			var err error
			if rates[i], err = measurements[i](); err != nil {
				return nil, err
			}
		}
		speedups = append(speedups, rates[1]/rates[0])
		bounds = append(bounds, rates[2]/rates[0])
	}
	return &scaling{
		Speedup: median(speedups), SpeedupLeast: slices.Min(speedups), SpeedupMost: slices.Max(speedups),
		Bound: median(bounds), BoundLeast: slices.Min(bounds), BoundMost: slices.Max(bounds),
	}, nil
}

// separate is a Solver with pairs and results of its own.
type separate struct {
	r      *regime
	solver *emd.Solver
	out    *found
}

func newSeparate(r *regime, m *emd.Metric, k string) (*separate, error) {
	s, err := emd.NewSolver(m, emd.Settings{Unequal: emd.UnequalNormalise, Kernel: k})
	if err != nil {
		return nil, err
	}
	own := &regime{name: r.name, p: slices.Clone(r.p), q: slices.Clone(r.q)}
	return &separate{own, s, newResults(r.pairs())}, nil
}

// together is the sum of the rates of separate solvers that run at the same time.
func together(solvers [2]*separate, burst time.Duration) (float64, error) {
	var rates [2]float64
	var errs [2]error
	var wg sync.WaitGroup
	for k, s := range solvers {
		wg.Go(func() {
			if _, errs[k] = s.rate(settleTime); errs[k] == nil {
				rates[k], errs[k] = s.rate(burst)
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return 0, err
		}
	}
	return rates[0] + rates[1], nil
}

// rate is the number of pairs a second over the time given.
func (s *separate) rate(burst time.Duration) (float64, error) {
	const between = 64 // looks at the clock
	start, solved := time.Now(), 0
	for time.Since(start) < burst {
		for range between {
			i := solved % s.r.pairs()
			a, b := i*cells, (i+1)*cells
			e, err := s.solver.Gradient(s.r.p[a:b], s.r.q[a:b], nil, s.out.dq[a:b])
			if err != nil {
				return 0, err
			}
			s.out.e[i] = e
			solved++
		}
	}
	return float64(solved) / time.Since(start).Seconds(), nil
}

func printScaling(rows []row, o options) {
	if o.scalingRounds == 0 {
		return
	}
	fmt.Printf("\nTwo threads over one, medians (least–largest) of %d rounds of bursts of %v; beside it two separate solvers\n", o.scalingRounds, o.burst)
	fmt.Println("at the same time over one.")
	fmt.Println()
	fmt.Println("| regime | kernel | two threads | two separate solvers | two threads of what two solvers reach |")
	fmt.Println("|---|---|---|---|---|")
	for _, x := range rows {
		if s := x.scaling; s != nil {
			fmt.Printf("| %s | %s | %.3f (%.2f–%.2f) | %.3f (%.2f–%.2f) | %.1f %% |\n", x.Regime, x.Kernel,
				s.Speedup, s.SpeedupLeast, s.SpeedupMost, s.Bound, s.BoundLeast, s.BoundMost, 100*s.Speedup/s.Bound)
		}
	}
}
