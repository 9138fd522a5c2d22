package loss

var _ = registerSpatial("brier", Traits{
	Label: "Brier score", Help: "squared difference of how far cells exceed thresholds in MIP_T, :threshold=2", Sees: SeesCharges, Cost: 1.4,
}, func(o *options) recipe {
	thresholds := readThresholds(o)
	return func(l *Lattice) imageLoss {
		return newFiltered(l, unfiltered{}, brierScore(thresholds))
	}
})

// unfiltered leaves images as they are.
type unfiltered struct{}

func (unfiltered) apply(image, out []float64) { copy(out, image) }
func (unfiltered) back(_, s, g []float64)     { copy(g, s) }
