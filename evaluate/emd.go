package evaluate

import (
	"context"
	"fmt"

	"barrow/emd"
)

// EMD is the name of the figure by which encoders are compared.
const EMD = "emd"

var _ = register(Figure{
	Name: EMD, Label: "EMD", Unit: UnitMetric, Format: "%.3f", Profiled: true, Shape: true,
	Meaning: "Exact earth mover's distance between image and decoded image, both scaled to sum 1.",
	rank:    0,
	build: func(n needs) (perImage, error) {
		b, err := emd.NewBatch(n.metric, emd.Settings{Unequal: emd.UnequalNormalise, Threads: n.threads})
		if err != nil {
			return nil, fmt.Errorf("evaluate: %w", err)
		}
		return func(ctx context.Context, images, decoded, values []float64) error {
			return b.Gradient(ctx, images, decoded, values, nil, nil)
		}, nil
	},
})
