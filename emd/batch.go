package emd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"barrow/internal/limit"
)

// A Batch solves many pairs on several processors. It belongs to one goroutine
// at a time. Results do not depend on the number of threads: every pair is
// solved by one of them, and nothing is summed across pairs.
type Batch struct {
	solvers []*Solver
	set     Settings
	n, m    int // cells of p and q
}

// NewBatch prepares one Solver for each of Settings.Threads.
func NewBatch(g Ground, s Settings) (*Batch, error) {
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return nil, fmt.Errorf("emd: %w", err)
	}
	b := &Batch{set: s}
	for range threads {
		v, err := NewSolver(g, s)
		if err != nil {
			return nil, err
		}
		b.solvers = append(b.solvers, v)
	}
	b.n, b.m = g.Dims()
	return b, nil
}

// A thread takes a share of the rows that are left at a time, from leastRows to
// mostRows: many while there are many, since threads that ask too often wait for
// each other, and few in the end, so that none waits long for the last one. The
// solver for many points takes rows one by one: each is long, and a cancellation
// is looked for in between.
const (
	leastRows = 4
	mostRows  = 256
	// wakeRows is the number of rows that is worth another thread: waking a
	// processor takes as long as a few tens of them.
	wakeRows = 32
)

// Distance sets e[i] to the EMD of row i of p and row i of q, N×n and N×m in
// row-major order with N = len(e), n = m for a metric.
//
// An error in a row is a [*RowError]; of several the one of the lowest row is
// returned, whatever the number of threads, and e is then incomplete. When ctx is
// cancelled its error is returned, wrapped, without waiting for pairs of many points to be
// solved.
func (b *Batch) Distance(ctx context.Context, p, q, e []float64) error {
	return b.Gradient(ctx, p, q, e, nil, nil)
}

// Gradient is Distance, and sets row i of dp and dq, N×n and N×m, to the gradient
// with respect to the raw row i of p and q as [Solver.Gradient] does. Either
// may be nil.
func (b *Batch) Gradient(ctx context.Context, p, q []float64, e, dp, dq []float64) error {
	return b.solve(ctx, (*Solver).Gradient, p, q, e, dp, dq)
}

// A pairSolver is Solver.Gradient or Solver.Potentials.
type pairSolver func(s *Solver, p, q, dp, dq []float64) (float64, error)

// solve has the given method solve all pairs.
func (b *Batch) solve(ctx context.Context, pair pairSolver, p, q []float64, e, dp, dq []float64) error {
	total := len(e)
	for _, v := range []struct {
		name  string
		len   int
		cells int
		skip  bool
	}{{"p", len(p), b.n, false}, {"q", len(q), b.m, false}, {"dp", len(dp), b.n, dp == nil}, {"dq", len(dq), b.m, dq == nil}} {
		if !v.skip && v.len != total*v.cells {
			return fmt.Errorf("emd: %s has %d entries for %d pairs of %d cells", v.name, v.len, total, v.cells)
		}
	}
	least, most, wake := leastRows, mostRows, wakeRows
	if b.solvers[0].fast == nil && (b.solvers[0].rect == nil || b.solvers[0].rect.problem == nil) {
		least, most, wake = 1, 1, 1
	}
	workers := max(1, min(len(b.solvers), (total+wake-1)/wake))
	job := &batchJob{b: b, ctx: ctx, pair: pair, p: p, q: q, e: e, dp: dp, dq: dq, least: least, most: most, share: 4 * workers}
	defer stopWith(ctx, &job.stop)()
	for _, s := range b.solvers[:workers] {
		s.stopOn(&job.stop)
		defer s.stopOn(nil)
	}
	// No errgroup: of several errors that of the lowest row counts, not the first.
	var wg sync.WaitGroup
	for _, s := range b.solvers[:workers][1:] {
		wg.Go(func() { job.run(s) })
	}
	job.run(b.solvers[0])
	wg.Wait()
	if job.err != nil {
		return job.err
	}
	if err := ctx.Err(); err != nil && job.done < total {
		return fmt.Errorf("emd: stopped after %d of %d pairs: %w", job.done, total, err)
	}
	return nil
}

// stopWith sets stop when ctx is done, until the function that it returns is called. stop is to be of one
// call only: it may be set a little later still.
func stopWith(ctx context.Context, stop *atomic.Bool) (end func() bool) {
	if ctx.Done() == nil {
		return func() bool { return false }
	}
	return context.AfterFunc(ctx, func() { stop.Store(true) })
}

// A batchJob is one call of solve. Rows are handed out in order, so whenever a
// row fails, all lower ones are being worked on and will report.
type batchJob struct {
	b               *Batch
	ctx             context.Context
	pair            pairSolver
	p, q, e, dp, dq []float64
	least, most     int // rows to take at a time,
	share           int // one of so many parts of what is left
	taken           atomic.Int64
	failed          atomic.Bool
	stop            atomic.Bool // set when ctx is done

	mu   sync.Mutex
	done int
	err  *RowError
}

func (j *batchJob) run(s *Solver) {
	for !j.failed.Load() && j.ctx.Err() == nil {
		from, to := j.take()
		if from == to {
			return
		}
		row, err := j.rows(s, from, to)
		j.report(to-from, row, err)
	}
}

// take hands out the next rows.
func (j *batchJob) take() (from, to int) {
	for {
		from = int(j.taken.Load())
		left := len(j.e) - from
		to = from + min(left, max(j.least, min(j.most, left/j.share)))
		if j.taken.CompareAndSwap(int64(from), int64(to)) {
			return from, to
		}
	}
}

// rows solves the pairs [from, to) and returns the first that fails.
func (j *batchJob) rows(s *Solver, from, to int) (int, error) {
	n, m := j.b.n, j.b.m
	for i := from; i < to; i++ {
		var dp, dq []float64
		if j.dp != nil {
			dp = j.dp[i*n : (i+1)*n]
		}
		if j.dq != nil {
			dq = j.dq[i*m : (i+1)*m]
		}
		e, err := j.pair(s, j.p[i*n:(i+1)*n], j.q[i*m:(i+1)*m], dp, dq)
		if err != nil {
			if j.b.set.Empty != EmptySkip || !errors.Is(err, ErrEmpty) {
				return i, err
			}
			e = math.NaN()
			clear(dp)
			clear(dq)
		}
		j.e[i] = e
	}
	return 0, nil
}

func (j *batchJob) report(rows, row int, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if errors.Is(err, errStopped) {
		return
	}
	if err != nil {
		j.failed.Store(true)
		if j.err == nil || row < j.err.Row {
			j.err = &RowError{Row: row, Err: err}
		}
		return
	}
	j.done += rows
	if j.b.set.Progress != nil {
		total := len(j.e)
		j.b.set.Progress(float64(j.done)/float64(total), fmt.Sprintf("%d of %d pairs", j.done, total))
	}
}
