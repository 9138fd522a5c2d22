package loss

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"

	"barrow/emd"
	"barrow/internal/limit"
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
	group, ctx := errgroup.WithContext(ctx)
	for t, w := range r.workers {
		group.Go(func() error {
			for i := t; i < len(e); i += len(r.workers) {
				if err := ctx.Err(); err != nil {
					return err
				}
				var err error
				if e[i], err = w.Gradient(row(p, i), row(q, i), row(dp, i), row(dq, i)); err != nil {
					return fmt.Errorf("loss: %s: %w", r.name, &emd.RowError{Row: i, Err: err})
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// pairs makes a loss of a distance of pairs, which build makes once a thread.
func pairs(name string, threads int, build func() (pairwise, error)) (Loss, error) {
	threads, err := limit.Threads(threads)
	if err != nil {
		return nil, fmt.Errorf("loss: %s: %w", name, err)
	}
	r := &rowwise{name: name}
	for range threads {
		w, err := build()
		if err != nil {
			return nil, fmt.Errorf("loss: %s: %w", name, err)
		}
		r.workers = append(r.workers, w)
	}
	return FromDistance(name, r), nil
}
