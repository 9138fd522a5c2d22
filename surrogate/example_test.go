package surrogate_test

import (
	"context"
	"fmt"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/nn"
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
	exact, err := emd.NewBatch(metric, emd.Settings{Unequal: emd.UnequalNormalise, Threads: 1})
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
	c, err := surrogate.Compare(context.Background(), exact, metric, p, q, emd.Settings{Threads: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("bias %.3f, spread %.3f, cosine %.3f\n", c.Bias, c.Spread, c.CosineMedian)
	// Output: bias 0.000, spread 0.000, cosine 1.000
}

// The built-in network needs no training. Its bound is certain.
func ExampleBuiltIn() {
	network, err := surrogate.BuiltIn(nn.Settings{Threads: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	p, q := make([]float64, surrogate.Cells), make([]float64, surrogate.Cells)
	for c := range p {
		p[c], q[c] = float64(c+1), float64(48-c)
	}
	ctx := context.Background()
	estimate, bound := make([]float64, 1), make([]float64, 1)
	if err := network.Predict(ctx, p, q, estimate); err != nil {
		fmt.Println(err)
		return
	}
	if err := network.Bound(ctx, p, q, bound, nil); err != nil {
		fmt.Println(err)
		return
	}
	exact := 3.115634854766914
	fmt.Printf("exact %.2f, estimate %.1f, bound holds: %v, and is within 2 %%: %v\n", exact, estimate[0], bound[0] <= exact, bound[0] > 0.98*exact)
	// Output: exact 3.12, estimate 3.1, bound holds: true, and is within 2 %: true
}
