package loss

import (
	"fmt"

	"barrow/emd/approx"
	"barrow/hgcal"
)

var _ = register("sliced", Traits{
	Label: "sliced EMD", Help: "sliced Wasserstein distance of the shapes, 32 directions", Sees: SeesShape, Cost: 1.6,
}, sliced)

// sliced is the sliced Wasserstein distance along 32 fixed directions.
func sliced(r Resources) (Loss, error) {
	points := r.Points
	if points == nil {
		points = hgcal.Benchmark()
	}
	if len(points) != Cells {
		return nil, fmt.Errorf("loss: sliced needs the places of %d cells, not %d", Cells, len(points))
	}
	return pairs("sliced", r.Threads, func() (pairwise, error) { return approx.NewSliced(points, approx.SlicedSettings{}) })
}
