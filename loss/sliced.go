package loss

import (
	"fmt"

	"barrow/emd/approx"
	"barrow/hgcal"
)

var _ = registerOptions("sliced", Traits{
	Label: "sliced EMD", Help: "sliced Wasserstein distance of the shapes, :directions=fixed:count=32, or trained ones", Sees: SeesShape, Cost: 2.1,
}, sliced)

// sliced is the sliced Wasserstein distance, along directions that are fixed or that are
// trained for each pair.
func sliced(o *options) func(Resources) (Loss, error) {
	trained := o.choice("directions", "fixed", "trained") == "trained"
	var count int
	if trained {
		count = o.whole("count", 1, 1, 16)
	} else {
		count = o.whole("count", 32, 2, 1024)
	}
	return func(r Resources) (Loss, error) {
		points := r.Points
		if points == nil {
			points = hgcal.Benchmark()
		}
		if len(points) != Cells {
			return nil, fmt.Errorf("loss: sliced needs the places of %d cells, not %d", Cells, len(points))
		}
		return pairs(o.spelt(), r.Threads, func() (pairwise, error) {
			if trained {
				return approx.NewTrained(points, approx.TrainedSettings{Directions: count})
			}
			return approx.NewSliced(points, approx.SlicedSettings{Directions: count})
		})
	}
}
