package evaluate

import (
	"math"

	"barrow/hgcal"
)

var _ = register(Figure{
	Name: "centre_shift", Group: shapes, Label: "centre shift", Unit: UnitMetric, Format: "%.3f", Shape: true, Points: true,
	Meaning: "Distance between the centres of gravity of image and decoded image.",
	rank:    2,
	build: func(n needs) (perImage, error) {
		return each(func(image, decoded []float64) float64 {
			x0, y0, _ := moments(image, n.points)
			x1, y1, _ := moments(decoded, n.points)
			return math.Hypot(x1-x0, y1-y0)
		}), nil
	},
})

// shapes is the group of what becomes of an image's place and extent.
const shapes = "shapes"

// moments returns the centre of gravity of an image of 48 charges and its
// width, the root mean square distance from it. An image without charge has
// neither: NaN.
func moments(image []float64, points []hgcal.Point) (x, y, width float64) {
	sum, xx := 0.0, 0.0
	for c, v := range image {
		p := points[c]
		sum += v
		x += v * p[0]
		y += v * p[1]
		xx += v * (p[0]*p[0] + p[1]*p[1])
	}
	x, y = x/sum, y/sum
	return x, y, math.Sqrt(math.Max(0, xx/sum-x*x-y*y))
}
