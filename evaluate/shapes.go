package evaluate

import (
	"math"

	"barrow/hgcal"
)

// Shapes say how decoding moves and widens an image, in the unit of the cells'
// places. Charges are the weights.
type Shapes struct {
	// Centre is the distance between the centres of gravity of image and
	// decoded image.
	Centre Summary `json:"centre_shift"`
	// Width is the decoded image's root mean square distance from its centre
	// of gravity less the image's: positive where it is smeared.
	Width Summary `json:"width_shift"`
}

// Moments returns the centre of gravity of an image of 48 charges and its
// width, the root mean square distance from it. An image without charge has
// neither: NaN.
func Moments(image []float64, points []hgcal.Point) (x, y, width float64) {
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

func shapes(images, decoded []float64, points []hgcal.Point) *Shapes {
	n := len(images) / Cells
	centre, width := make([]float64, n), make([]float64, n)
	for i := range n {
		x0, y0, w0 := Moments(images[i*Cells:(i+1)*Cells], points)
		x1, y1, w1 := Moments(decoded[i*Cells:(i+1)*Cells], points)
		centre[i], width[i] = math.Hypot(x1-x0, y1-y0), w1-w0
	}
	return &Shapes{Centre: Summarise(centre), Width: Summarise(width)}
}
