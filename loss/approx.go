package loss

import (
	"context"
	"fmt"
	"sync"

	"barrow/emd/approx"
	"barrow/hgcal"
)

// A pairwise computes the distance of one pair of images with its gradients.
type pairwise interface {
	Gradient(p, q, dp, dq []float64) (float64, error)
}

// rowwise makes a Distance of several pairwise ones, each for one goroutine.
// Every pair is computed on its own, so their number changes no bit.
type rowwise struct {
	name    string
	workers []pairwise
}

func (r *rowwise) Gradient(ctx context.Context, p, q, e, dp, dq []float64) error {
	row := func(s []float64, i int) []float64 {
		if s == nil {
			return nil
		}
		return s[i*Cells : (i+1)*Cells]
	}
	errs := make([]error, len(r.workers))
	var group sync.WaitGroup
	for t, w := range r.workers {
		group.Add(1)
		go func() {
			defer group.Done()
			for i := t; i < len(e); i += len(r.workers) {
				if errs[t] = ctx.Err(); errs[t] != nil {
					return
				}
				var err error
				if e[i], err = w.Gradient(row(p, i), row(q, i), row(dp, i), row(dq, i)); err != nil {
					errs[t] = fmt.Errorf("loss: %s: row %d: %w", r.name, i, err)
					return
				}
			}
		}()
	}
	group.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// each makes the distance on every thread.
func each(name string, threads int, build func() (pairwise, error)) (Loss, error) {
	r := &rowwise{name: name}
	for range max(1, threads) {
		w, err := build()
		if err != nil {
			return nil, fmt.Errorf("loss: %s: %w", name, err)
		}
		r.workers = append(r.workers, w)
	}
	return FromDistance(name, r), nil
}

// sliced is the sliced Wasserstein distance along 32 fixed directions.
func sliced(r Resources) (Loss, error) {
	points := r.Points
	if points == nil {
		points = hgcal.Benchmark()
	}
	if len(points) != Cells {
		return nil, fmt.Errorf("loss: sliced needs the places of %d cells, not %d", Cells, len(points))
	}
	return each("sliced", r.Threads, func() (pairwise, error) { return approx.NewSliced(points, approx.SlicedSettings{}) })
}

// sinkhornTolerance is what a loss needs of the plan's sums: the gradient is
// right to about as much.
const sinkhornTolerance = 1e-4

// sinkhorn is the Sinkhorn divergence blurred over a twentieth of the largest
// distance.
func sinkhorn(r Resources) (Loss, error) {
	if r.Metric == nil || r.Metric.Len() != Cells {
		return nil, fmt.Errorf("loss: sinkhorn needs a ground metric of %d cells", Cells)
	}
	return each("sinkhorn", r.Threads, func() (pairwise, error) {
		return approx.NewSinkhorn(r.Metric, approx.SinkhornSettings{Tolerance: sinkhornTolerance})
	})
}
