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
	// blockPairs is how many pairs the peers solve their shares of before Barrow has its turn.
	blockPairs = 10000
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
type found struct{ e, dq []float64 }

func newResults(n int) *found { return &found{make([]float64, n), make([]float64, n*cells)} }

// solve is one pass over the pairs a to b.
func (c *contender) solve(r *regime, a, b int, out *found) error {
	return c.batch.Gradient(context.Background(), r.p[a*cells:b*cells], r.q[a*cells:b*cells], out.e[a:b], nil, out.dq[a*cells:b*cells])
}

// time is the seconds that a pair takes, over as many passes as take least.
func (c *contender) time(r *regime, out *found, least time.Duration) (float64, error) {
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
	peers      []*peer
	out        *found
	worst      []float64 // per contender
}

// measure times all contenders and peers on one regime and checks that they agree.
func measure(r *regime, m *emd.Metric, kernels []string, o options, peers []*peer) (rows []row, err error) {
	cs, err := contenders(m, kernels)
	if err != nil {
		return nil, err
	}
	t := &trial{regime: r, contenders: cs, peers: peers, out: newResults(r.pairs()), worst: make([]float64, len(cs))}
	for _, p := range peers {
		if err := p.start(r, m); err != nil {
			return nil, err
		}
	}
	for range o.rounds {
		if err := t.round(); err != nil {
			return nil, err
		}
	}
	for _, p := range peers {
		// They must not be there any more when the threads are compared.
		if err := p.close(); err != nil {
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

// round lets the peers and all contenders solve one block of pairs after the
// other.
func (t *trial) round() error {
	n := t.pairs()
	theirs, ours := make([]float64, len(t.peers)), make([]float64, len(t.contenders))
	for a := 0; a < n; a += blockPairs {
		b := min(a+blockPairs, n)
		want := make([][]float64, len(t.peers))
		for k, p := range t.peers {
			part := max(1, (b-a)/p.share)
			want[k] = make([]float64, part)
			s, err := p.solve(a, a+part, 0, want[k])
			if err != nil {
				return err
			}
			theirs[k] += s * float64(b-a)
		}
		for i, c := range t.contenders {
			s, err := c.time(t.regime, t.out, passTime)
			if err != nil {
				return err
			}
			ours[i] += s * float64(b-a)
			for k, p := range t.peers {
				diff, err := compare(t.out.e[a:a+len(want[k])], want[k])
				if err != nil {
					return fmt.Errorf("%s, %v, %s: %w", t.name, c.kernel, p.name, err)
				}
				t.worst[i] = max(t.worst[i], diff)
			}
		}
	}
	for k, p := range t.peers {
		p.seconds = append(p.seconds, theirs[k]/float64(n))
	}
	for i, c := range t.contenders {
		c.seconds = append(c.seconds, ours[i]/float64(n))
	}
	return nil
}

func (t *trial) table() []row {
	var rows []row
	for i, c := range t.contenders {
		x := row{Regime: t.name, Kernel: c.kernel, Threads: c.threads, BarrowUS: median(c.seconds) * 1e6,
			Peers: map[string]float64{}, Ratios: map[string]float64{}}
		for _, p := range t.peers {
			ratios := make([]float64, len(p.seconds))
			for k := range ratios {
				ratios[k] = p.seconds[k] / c.seconds[k]
			}
			x.Peers[p.name], x.Ratios[p.name] = median(p.seconds)*1e6, median(ratios)
			x.MaxDifference = &t.worst[i]
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
			return 0, fmt.Errorf("%.17g differs from %.17g", x, want[i])
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
