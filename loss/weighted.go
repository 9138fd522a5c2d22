package loss

var _ = registerCellwise("weighted-mse", Traits{
	Label: "weighted MSE", Help: "cell by cell, weighted by max(charge, decoded charge)", Sees: SeesCharges, Cost: 1,
}, weighted)

// weighted is (t−p)²·max(t,p) and its derivative with respect to p: the
// charge-weighted error of the paper's first baseline.
func weighted(t, p float32) (value, slope float32) {
	d := p - t
	if d > 0 {
		return d * d * p, d * (2*p + d)
	}
	return d * d * t, 2 * d * t
}
