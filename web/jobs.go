package web

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"barrow/emd"
)

// jobs are what takes long and is worked out in the background, one at a time, so that pages do
// not wait for it, nor end it when their reader goes away.
type jobs struct {
	ctx     context.Context
	end     context.CancelFunc
	all     sync.WaitGroup
	turn    chan struct{}
	waiting atomic.Int32
	threads int
}

func newJobs(threads int) *jobs {
	j := &jobs{turn: make(chan struct{}, 1), threads: max(threads-1, 1)} // one is left to pages
	j.ctx, j.end = context.WithCancel(context.Background())
	return j
}

// close ends what is under way and waits for that.
func (j *jobs) close() {
	j.end()
	j.all.Wait()
}

// mostJobs wait for their turn.
const mostJobs = 16

// A job works out a number for every image of a file.
type job struct {
	done   chan struct{}
	images atomic.Int64 // that are done
	values []float64
	err    error
}

// start begins a job. work notes in it how many images it has done.
func (j *jobs) start(work func(ctx context.Context, this *job) ([]float64, error)) (*job, error) {
	if j.waiting.Add(1) > mostJobs {
		j.waiting.Add(-1)
		return nil, failure{http.StatusServiceUnavailable, "too many files are being sorted: try again in a while"}
	}
	this := &job{done: make(chan struct{})}
	j.all.Go(func() {
		defer j.waiting.Add(-1)
		defer close(this.done)
		select {
		case j.turn <- struct{}{}:
		case <-j.ctx.Done():
			this.err = j.ctx.Err()
			return
		}
		defer func() { <-j.turn }()
		this.values, this.err = work(j.ctx, this)
	})
	return this, nil
}

// patience is how long a page waits for a job before it says how far that is.
const patience = 1500 * time.Millisecond

// underWay is the error of what is not worked out yet: the share that is.
type underWay float64

func (u underWay) Error() string { return fmt.Sprintf("under way, %.0f %%", 100*float64(u)) }

// emd is every image's distance to what a contender makes of it, NaN where either has no
// charge. It is kept as long as the images are.
func (m *images) emd(ctx context.Context, j *jobs, of *contender, metric *ground) ([]float64, error) {
	this, err := m.job(j, of, metric)
	if err != nil {
		return nil, err
	}
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-this.done:
		return this.values, this.err
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-late.C:
		return nil, underWay(float64(this.images.Load()) / float64(m.set.Len()))
	}
}

// mostDistances of a file's images are kept.
const mostDistances = 16

// job is the one that works distances out, begun if there is none.
func (m *images) job(j *jobs, of *contender, metric *ground) (*job, error) {
	key := of.key + "\x00" + metric.name
	m.mu.Lock()
	defer m.mu.Unlock()
	if this := m.distances[key]; this != nil {
		return this, nil
	}
	if len(m.distances) >= mostDistances {
		for key, old := range m.distances {
			select {
			case <-old.done:
				delete(m.distances, key)
			default:
			}
		}
	}
	this, err := j.start(func(ctx context.Context, this *job) ([]float64, error) {
		return m.workOut(ctx, this, of, metric, j.threads)
	})
	if err == nil {
		m.distances[key] = this
	}
	return this, err
}

// atOnce images are decoded at once: between them a page that needs the same network has its turn.
const atOnce = 256

// workOut measures the images.
func (m *images) workOut(ctx context.Context, this *job, of *contender, metric *ground, threads int) ([]float64, error) {
	b, err := emd.NewBatch(metric.metric, emd.Settings{Unequal: emd.UnequalNormalise, Empty: emd.EmptySkip, Threads: threads})
	if err != nil {
		return nil, err
	}
	all := make([]float64, m.set.Len())
	for from := 0; from < len(all); from += atOnce {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		to := min(from+atOnce, len(all))
		part := m.set.Slice(from, to)
		r, err := of.send(ctx, part, &m.lengths)
		if err != nil {
			return nil, err
		}
		if err := b.Distance(ctx, part.Charge, r.decoded.Charge, all[from:to]); err != nil {
			return nil, err
		}
		this.images.Store(int64(to))
	}
	return all, nil
}
