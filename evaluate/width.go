package evaluate

var _ = register(Figure{
	Name: "width_shift", Group: shapes, Label: "width shift", Unit: UnitMetric, Format: "%+.3f", Shape: true, Points: true,
	Meaning: "The decoded image's root mean square distance from its centre of gravity less the image's: positive where it is smeared.",
	rank:    3,
	build: func(n needs) (perImage, error) {
		return each(func(image, decoded []float64) float64 {
			_, _, w0 := moments(image, n.points)
			_, _, w1 := moments(decoded, n.points)
			return w1 - w0
		}), nil
	},
})
