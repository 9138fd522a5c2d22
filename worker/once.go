package worker

import (
	"context"
	"fmt"

	"barrow/emd"
)

// A once solves single pairs on grounds that it is given with them and does not keep: one
// call where an object for each ground takes three.
type once struct{ set emd.Settings }

// onceRecipe is what an emdRecipe says beside the ground.
type onceRecipe struct {
	MaxPivots int `json:"max_pivots"`
}

func openOnce(_ context.Context, c *call) (object, error) {
	var r onceRecipe
	if err := c.decode(&r); err != nil {
		return object{}, err
	}
	if r.MaxPivots < 0 {
		return object{}, fmt.Errorf("emd: max_pivots %d: must not be negative", r.MaxPivots)
	}
	o := once{emd.Settings{NonMetric: emd.NonMetricAssume, Threads: 1, MaxPivots: r.MaxPivots}}
	return object{methods: map[string]function{"value": o.value}}, nil
}

// value sets the distance of p, of n entries, and q, of m, with costs n×m: to the bit what
// an object of the kind "emd" with quick has on that matrix.
func (o once) value(ctx context.Context, c *call) error {
	costs, err := in[float64](c, "costs", -1, -1)
	if err != nil {
		return err
	}
	n, m := c.shape("costs")[0], c.shape("costs")[1]
	p, err := in[float64](c, "p", n)
	if err != nil {
		return err
	}
	q, err := in[float64](c, "q", m)
	if err != nil {
		return err
	}
	e, err := out[float64](c, "value", 1)
	if err != nil {
		return err
	}
	g, err := matrixGround(n, m, costs, true)
	if err != nil {
		return err
	}
	batch, err := emd.NewBatch(g, o.set)
	if err != nil {
		return err
	}
	return batch.Gradient(ctx, p, q, e, nil, nil)
}
