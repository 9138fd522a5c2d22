package main

import (
	"context"
	"fmt"
	"math"
	"time"

	"barrow/emd"
)

// A contender is one way to run Barrow.
type contender struct {
	kernel  string
	threads int
	batch   *emd.Batch
	seconds []float64 // a pair, per round
}

// contenders are all kernels that run here with one thread and with two.
func contenders(m *emd.Metric, kernels []string) ([]*contender, error) {
	var cs []*contender
	for _, k := range kernels {
		for threads := 1; threads <= 2; threads++ {
			b, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Kernel: k, Threads: threads})
			if err != nil {
				return nil, err
			}
			cs = append(cs, &contender{kernel: k, threads: threads, batch: b})
		}
	}
	return cs, nil
}

const (
	// blockPairs is how many pairs POT solves before Barrow has its turn.
	blockPairs = 10000
	// pythonShare of the pairs are given to ot.emd2 as well.
	pythonShare = 10
	// settleTime is that of the passes that come before the clock starts. A
	// processor that has slept is late: it has to be woken, and Linux on a virtual
	// machine may keep two threads on one processor for 10 ms before it uses the
	// other one.
	settleTime  = 25 * time.Millisecond
	settlePairs = 1000
	// passTime is how long the passes over all pairs are timed at least.
	passTime = 50 * time.Millisecond
)

// results is where all contenders write.
type results struct{ e, dq []float64 }

func newResults(n int) *results { return &results{make([]float64, n), make([]float64, n*cells)} }

// solve is one pass over the pairs a to b.
func (c *contender) solve(r *regime, a, b int, out *results) error {
	return c.batch.Gradient(context.Background(), r.p[a*cells:b*cells], r.q[a*cells:b*cells], out.e[a:b], nil, out.dq[a*cells:b*cells])
}

// time is the seconds that a pair takes, over as many passes as take least.
func (c *contender) time(r *regime, out *results, least time.Duration) (float64, error) {
	for start := time.Now(); time.Since(start) < settleTime; {
		if err := c.solve(r, 0, settlePairs, out); err != nil {
			return 0, err
		}
	}
	start, pairs := time.Now(), 0
	for time.Since(start) < least {
		if err := c.solve(r, 0, r.pairs(), out); err != nil {
			return 0, err
		}
		pairs += r.pairs()
	}
	return time.Since(start).Seconds() / float64(pairs), nil
}

// A trial is a regime being measured.
type trial struct {
	*regime
	contenders []*contender
	out        *results
	pot        *pot // nil without
	want       []float64
	core       []float64 // seconds a pair, per round
	python     []float64
	worst      []float64 // per contender
}

// measure times all contenders on one regime and checks that they agree.
func measure(r *regime, m *emd.Metric, kernels []string, o options, withPOT bool) (rows []row, err error) {
	cs, err := contenders(m, kernels)
	if err != nil {
		return nil, err
	}
	t := &trial{regime: r, contenders: cs, out: newResults(r.pairs()), want: make([]float64, r.pairs()), worst: make([]float64, len(cs))}
	if withPOT {
		if t.pot, err = startPOT(r, matrix(m)); err != nil {
			return nil, err
		}
	}
	for range o.rounds {
		if err := t.round(); err != nil {
			return nil, err
		}
	}
	if t.pot != nil {
		// It must not be there any more when the threads are compared.
		if err := t.pot.close(); err != nil {
			return nil, err
		}
	}
	rows = t.table()
	if o.scalingRounds == 0 {
		return rows, nil
	}
	for i := range cs {
		if cs[i].threads != 2 {
			continue
		}
		if rows[i].scaling, err = measureScaling(r, m, cs[i-1], cs[i], o); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// round lets POT and all contenders solve one block of pairs after the other.
func (t *trial) round() error {
	n := t.pairs()
	var core, python float64
	asked := 0
	sums := make([]float64, len(t.contenders))
	for a := 0; a < n; a += blockPairs {
		b := min(a+blockPairs, n)
		if t.pot != nil {
			s, err := t.pot.ask(potCore, a, b, t.want[a:b])
			if err != nil {
				return err
			}
			core += s
			part := (b - a) / pythonShare
			if s, err = t.pot.ask(potPython, a, a+part, make([]float64, part)); err != nil {
				return err
			}
			python += s
			asked += part
		}
		for i, c := range t.contenders {
			s, err := c.time(t.regime, t.out, passTime)
			if err != nil {
				return err
			}
			sums[i] += s * float64(b-a)
			if t.pot == nil {
				continue
			}
			diff, err := compare(t.out.e[a:b], t.want[a:b])
			if err != nil {
				return fmt.Errorf("%s, %v: %w", t.name, c.kernel, err)
			}
			t.worst[i] = max(t.worst[i], diff)
		}
	}
	t.core = append(t.core, core/float64(n))
	t.python = append(t.python, python/float64(max(asked, 1)))
	for i, c := range t.contenders {
		c.seconds = append(c.seconds, sums[i]/float64(n))
	}
	return nil
}

func (t *trial) table() []row {
	var rows []row
	for i, c := range t.contenders {
		x := row{Regime: t.name, Kernel: c.kernel, Threads: c.threads, BarrowUS: median(c.seconds) * 1e6}
		if t.pot != nil {
			ratios := make([]float64, len(t.core))
			for k := range ratios {
				ratios[k] = t.core[k] / c.seconds[k]
			}
			core, python, ratio, diff := median(t.core)*1e6, median(t.python)*1e6, median(ratios), t.worst[i]
			x.POTCoreUS, x.POTPythonUS, x.Ratio, x.MaxDifference = &core, &python, &ratio, &diff
		}
		rows = append(rows, x)
	}
	return rows
}

// compare returns the largest difference, and an error where it is neither
// within 1e-12 nor within 1e-9 of the value.
func compare(got, want []float64) (float64, error) {
	worst := 0.0
	for i, x := range got {
		d := math.Abs(x - want[i])
		if !(d <= 1e-12 || d <= 1e-9*want[i]) {
			return 0, fmt.Errorf("%.17g differs from POT's %.17g", x, want[i])
		}
		worst = max(worst, d)
	}
	return worst, nil
}

func matrix(m *emd.Metric) []float64 {
	d := make([]float64, 0, cells*cells)
	for i := range cells {
		for j := range cells {
			d = append(d, m.At(i, j))
		}
	}
	return d
}
