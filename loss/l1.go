package loss

var _ = registerCellwise("l1", Traits{
	Label: "L1", Help: "cell by cell: mean absolute error", Sees: SeesCharges, Cost: 1,
}, func(t, p float32) (value, slope float32) {
	v, s := absolute(float64(t), float64(p), 1)
	return float32(v), float32(s)
})
