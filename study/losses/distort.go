package losses

import (
	"math"

	"barrow/hgcal"
	"barrow/internal/counter"
)

// A distortion makes of an image another that may have been decoded of it. Both sum to 1 to 2;
// the strength goes from 0 to 1, other is another image.
type distortion struct {
	name  string
	apply func(out, image, other []float64, strength float64, r *counter.Stream)
}

// distortions are the five of the study, in the order of its columns.
var distortions = []distortion{
	{"blur", blur}, {"displaced cells", displace}, {"dropout and noise", drop}, {"gain noise", gain}, {"mixing", mix},
}

var neighbours = hgcal.Neighbours()

// blur moves the strength's share of each cell's charge to its neighbours, evenly, twice.
func blur(out, image, _ []float64, strength float64, _ *counter.Stream) {
	once := make([]float64, len(image))
	spread(once, image, strength)
	spread(out, once, strength)
}

func spread(out, image []float64, share float64) {
	for c, v := range image {
		out[c] += v * (1 - share)
		for _, k := range neighbours[c] {
			out[k] += v * share / float64(len(neighbours[c]))
		}
	}
}

// displace takes cells, each with the strength as the chance, one to three steps away in
// random directions.
func displace(out, image, _ []float64, strength float64, r *counter.Stream) {
	for c, v := range image {
		if v > 0 && r.Float64() < strength {
			for range 1 + r.IntN(3) {
				c = neighbours[c][r.IntN(len(neighbours[c]))]
			}
		}
		out[c] += v
	}
}

// drop leaves cells out, each with half the strength as the chance, and adds noise to all.
func drop(out, image, _ []float64, strength float64, r *counter.Stream) {
	for c, v := range image {
		if r.Float64() >= strength/2 {
			out[c] = v
		}
		out[c] += 0.02 * strength * r.Exp()
	}
}

// gain multiplies each cell by a number of its own, log-normal about 1.
func gain(out, image, _ []float64, strength float64, r *counter.Stream) {
	for c, v := range image {
		out[c] = v * math.Exp(strength*r.Normal())
	}
}

// mix takes the strength's share of another image in the place of the same share of this one.
func mix(out, image, other []float64, strength float64, _ *counter.Stream) {
	for c, v := range image {
		out[c] = (1-strength)*v + strength*other[c]
	}
}
