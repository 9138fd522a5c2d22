package surrogate_test

import (
	"context"
	"fmt"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/surrogate"
)

// The exact EMD is an estimator of itself: no bias, no spread, and a gradient
// that points the right way.
func ExampleCompare() {
	metric, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		fmt.Println(err)
		return
	}
	exact, err := emd.NewBatch(metric, emd.Settings{Unequal: emd.UnequalNormalise}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	p := make([]float64, surrogate.Cells)
	p[5], p[6] = 80, 20
	q, err := surrogate.Smeared(metric, p)
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := surrogate.Compare(context.Background(), exact, metric, p, q, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("bias %.3f, spread %.3f, cosine %.3f\n", c.Bias, c.Spread, c.CosineMedian)
	// Output: bias 0.000, spread 0.000, cosine 1.000
}
