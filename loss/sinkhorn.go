package loss

import "barrow/emd/approx"

var _ = register("sinkhorn", Traits{
	Label: "Sinkhorn divergence", Help: "Sinkhorn divergence of the shapes, blurred over 1/20 of the largest distance", Sees: SeesShape, Cost: 66,
}, sinkhorn)

// sinkhornTolerance is what a loss needs of the plan's sums: the gradient is
// right to about as much.
const sinkhornTolerance = 1e-4

// sinkhorn is the Sinkhorn divergence blurred over a twentieth of the largest
// distance.
func sinkhorn(r Resources) (Loss, error) {
	if err := onCells("sinkhorn", r.Metric); err != nil {
		return nil, err
	}
	return pairs("sinkhorn", r.Threads, func() (pairwise, error) {
		return approx.NewSinkhorn(r.Metric, approx.SinkhornSettings{Tolerance: sinkhornTolerance})
	})
}
