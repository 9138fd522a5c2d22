package emd

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"barrow/internal/limit"
)

// An Index is a set of images among which those nearest to others are found. The neighbours
// are exactly those of comparing all pairs, to the bit, but few pairs are: bounds from
// below, cheap ones for all images of the set and dearer ones for those that may still be
// near, say of the rest that they are too far. docs/emd.md has the bounds.
//
// It is immutable and may be used by any number of goroutines. It holds work space for as many
// searches as ever went on at the same time.
type Index struct {
	ground  Ground
	set     Settings
	view    view
	n, m    int // cells of p and of q
	q       []float64
	total   []float64 // of each row of q, 0 where it is empty and skipped
	bounds  bounds
	threads int

	progress sync.Mutex // held where Settings.Progress is called

	mu   sync.Mutex
	free []*searcher
}

// A Neighbour is an image of an [Index], a row that counts from 0, and its distance. Row is
// −1 and Distance NaN where there is none.
type Neighbour struct {
	Row      int
	Distance float64
}

// A Search counts what finding neighbours took.
type Search struct {
	Pairs  int64 // of images: all that comparing each with each would solve
	Coarse int64 // of which a smaller problem was solved for a bound
	Solved int64 // whose distance was computed; the others were too far by their bounds
}

// add counts what another search took.
func (s *Search) add(o Search) {
	s.Pairs, s.Coarse, s.Solved = s.Pairs+o.Pairs, s.Coarse+o.Coarse, s.Solved+o.Solved
}

// NewIndex prepares the search among images that are masses on the side of q of the ground, rows
// of q, N×m. The slice is kept: it must not be changed while the Index is used. Some pairs of its
// images are solved for bounds, at most 64 and one for eight images.
//
// A row with an entry that is no mass is a [*RowError]; so is one without any mass, unless
// Settings skip it: then it is nobody's neighbour. Settings.Progress is called by
// [Index.Nearest]; of several searches at once each tells of its own share, one at a time.
func NewIndex(ctx context.Context, g Ground, q []float64, s Settings) (*Index, error) {
	first, err := NewSolver(g, s) // checks both
	if err != nil {
		return nil, err
	}
	x := &Index{ground: g, set: s, q: q}
	if x.view, err = g.view(); err != nil {
		return nil, err
	}
	if x.threads, err = limit.Threads(s.Threads); err != nil {
		return nil, fmt.Errorf("emd: %w", err)
	}
	x.n, x.m = g.Dims()
	rows := len(q) / x.m
	if len(q) == 0 || len(q)%x.m != 0 {
		return nil, fmt.Errorf("emd: an index of %d masses on %d cells: want one image or more, %d masses each", len(q), x.m, x.m)
	}
	if rows > math.MaxInt32 {
		return nil, fmt.Errorf("emd: an index of %d images: at most %d", rows, math.MaxInt32)
	}
	x.total = make([]float64, rows)
	if err := limit.Fits("an index of so many images:", rows, x.bytes()/float64(rows)); err != nil {
		return nil, fmt.Errorf("emd: %w", err)
	}
	for j := range rows {
		row := x.row(j)
		if err := firstBad("q", row); err != nil {
			return nil, &RowError{Row: j, Err: err}
		}
		x.total[j] = sum(row)
		if x.total[j] == 0 && s.Unequal != UnequalPenalty && s.Empty != EmptySkip {
			return nil, &RowError{Row: j, Err: fmt.Errorf("emd: q: %w", ErrEmpty)}
		}
	}
	if err := x.bounds.build(ctx, x, first); err != nil {
		return nil, err
	}
	v, err := newSearcher(x, first)
	if err != nil {
		return nil, err
	}
	x.free = append(x.free, v)
	return x, nil
}

// bytes bounds the memory that the index, building it, and searches on all threads take, beside the rows.
func (x *Index) bytes() float64 {
	n, m, rows, threads := float64(x.n), float64(x.m), float64(x.Len()), float64(x.threads)
	const straightMost = 16
	pairs := float64(min(triedPots, x.Len()/8))
	// Potentials and those that they are chosen from, with their pairs; the potentials' parts and the queues.
	perCell, perRow := 8.0*(mostPots+straightMost), 16+8*(mostPots+straightMost)+24*threads
	all := perCell*(n+m) + 2*8*pairs*(n+m)
	all += threads * 8 * float64(x.knownMost()) * (n + m)
	if x.view.least == 0 && n == m {
		dim, longest, nodes := 1.0, x.n, x.n // of the longest axis
		switch g := x.ground.(type) {
		case *Grid:
			dim, longest, nodes = float64(len(g.shape)), slices.Max(g.shape), slices.Max(g.shape)
		case *Points:
			dim = float64(g.space.Dim)
		}
		axes := min(maxAxes, dim) + 2
		perRow += 8 * (min(maxAxes, dim)*min(mostNodes, float64(nodes)) + 2*min(mostNodes, 2*float64(nodes)))
		if x.n >= 2*coarseNodes {
			perRow += 8 * coarseNodes
		}
		// Places and nodes of the axes; deposits of all levels, or the distances of landmarks.
		all += n * (24*dim + 12*axes)
		if g := x.view.grid; g != nil && g.norm == L1 && dim <= 4 {
			all += n*12*math.Exp2(dim)*math.Ceil(math.Log2(float64(longest))) + threads*24*n
		} else if x.n >= 2*coarseNodes {
			all += n * (8*coarseNodes + 32)
		}
	}
	// A Solver, for each thread.
	return all + perRow*rows + threads*200*(n+m) + 1e6
}

// knownMost is of how many pairs a search keeps the potentials.
func (x *Index) knownMost() int { return max(4, min(mostKnown, knownRoom/(x.n+x.m), x.Len())) }

// Len is the number of images.
func (x *Index) Len() int { return len(x.total) }

func (x *Index) row(j int) []float64 { return x.q[j*x.m : (j+1)*x.m] }

// Nearest finds the k nearest images of the index for each of M images, rows of p, M×n: the
// neighbours of row i are near[i·k] to near[i·k+k−1], nearest first, and of those at the
// same distance the one of the lower row first. Settings.Threads of the images are searched for
// at the same time, which changes no result, and nor does what was searched for before.
//
// An error in a row is a [*RowError]; of several the one of the lowest row is returned.
// With UnequalError all totals must agree; what fails for a pair is an [*ImageError] in it.
// Where fewer than k images have mass, the last neighbours are none, and with EmptySkip an image
// without mass has none at all. When ctx is cancelled its error is returned, wrapped, without
// waiting for pairs of many points to be solved.
func (x *Index) Nearest(ctx context.Context, p []float64, k int, near []Neighbour) (Search, error) {
	if k < 1 || k > x.Len() {
		return Search{}, fmt.Errorf("emd: the %d nearest of %d images: want 1 to %d", k, x.Len(), x.Len())
	}
	rows := len(p) / x.n
	if len(p)%x.n != 0 || len(near)%k != 0 || len(near)/k != rows {
		return Search{}, fmt.Errorf("emd: %d masses on %d cells and room for %d neighbours, %d of each image", len(p), x.n, len(near), k)
	}
	job := &searchJob{x: x, ctx: ctx, p: p, k: k, near: near, rows: rows}
	// No errgroup: of several errors that of the lowest row counts, not the first.
	defer stopWith(ctx, &job.stop)()
	var wg sync.WaitGroup
	for range min(x.threads, rows) - 1 {
		wg.Go(job.run)
	}
	job.run()
	wg.Wait()
	if job.err != nil {
		return job.search, job.err
	}
	if err := ctx.Err(); err != nil && job.done < rows {
		return job.search, fmt.Errorf("emd: stopped after %d of %d images: %w", job.done, rows, err)
	}
	return job.search, nil
}

// A searchJob is one call of Nearest. Rows are handed out in order, so whenever a row fails, all
// lower ones are being worked on and will report.
type searchJob struct {
	x       *Index
	ctx     context.Context
	p       []float64
	k, rows int
	near    []Neighbour
	taken   atomic.Int64
	failed  atomic.Bool
	stop    atomic.Bool // set when ctx is done

	mu     sync.Mutex
	done   int
	search Search
	err    *RowError
}

func (j *searchJob) run() {
	var s *searcher
	for !j.failed.Load() && j.ctx.Err() == nil {
		i := int(j.taken.Add(1)) - 1
		if i >= j.rows {
			break
		}
		var count Search
		var err error
		if s == nil {
			if s, err = j.x.take(); err == nil {
				s.stopOn(&j.stop)
			}
		}
		if err == nil {
			count, err = s.nearest(j.p[i*j.x.n:][:j.x.n], j.near[i*j.k:][:j.k])
		}
		j.report(i, count, err)
	}
	if s != nil {
		s.stopOn(nil)
		j.x.mu.Lock()
		j.x.free = append(j.x.free, s)
		j.x.mu.Unlock()
	}
}

func (j *searchJob) report(row int, count Search, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.search.add(count)
	if err != nil {
		if errors.Is(err, errStopped) {
			return
		}
		j.failed.Store(true)
		if j.err == nil || row < j.err.Row {
			j.err = &RowError{Row: row, Err: err}
		}
		return
	}
	j.done++
	if j.x.set.Progress != nil {
		j.x.progress.Lock()
		defer j.x.progress.Unlock()
		j.x.set.Progress(float64(j.done)/float64(j.rows), fmt.Sprintf("%d of %d images", j.done, j.rows))
	}
}

// take is a searcher that nobody uses.
func (x *Index) take() (*searcher, error) {
	x.mu.Lock()
	if n := len(x.free); n > 0 {
		s := x.free[n-1]
		x.free = x.free[:n-1]
		x.mu.Unlock()
		return s, nil
	}
	x.mu.Unlock()
	v, err := NewSolver(x.ground, x.set)
	if err != nil {
		return nil, err
	}
	return newSearcher(x, v)
}
