package loss

var _ = registerSpatial("neighbourhood", Traits{
	Label: "neighbourhood MSE", Help: "a score of means or maxima over the cells around each, :radius=1:filter=mean:score=mse", Sees: SeesCharges, Cost: 1.2,
}, func(o *options) recipe {
	radius := o.radius()
	kind := o.choice("filter", "mean", "max")
	score := readScore(o)
	return func(l *Lattice) imageLoss {
		if kind == "max" {
			return newFiltered(l, maxima(l.discs(radius)), score())
		}
		return newFiltered(l, means(l.discs(radius)), score())
	}
})

// means is the filter of the mean over each cell's disc, of as many cells as the lattice
// has of it.
type means [][]int32

func (f means) apply(image, out []float64) {
	for i, disc := range f {
		sum := 0.0
		for _, c := range disc {
			sum += image[c]
		}
		out[i] = sum / float64(len(disc))
	}
}

func (f means) back(_, s, g []float64) {
	clear(g)
	for i, disc := range f {
		v := s[i] / float64(len(disc))
		for _, c := range disc {
			g[c] += v
		}
	}
}

// maxima is the filter of the largest cell of each cell's disc, of equal ones the first.
type maxima [][]int32

func (f maxima) apply(image, out []float64) {
	for i, disc := range f {
		out[i] = image[largest(image, disc)]
	}
}

func (f maxima) back(image, s, g []float64) {
	clear(g)
	for i, disc := range f {
		g[largest(image, disc)] += s[i]
	}
}

func largest(image []float64, disc []int32) int32 {
	best := disc[0]
	for _, c := range disc[1:] {
		if image[c] > image[best] {
			best = c
		}
	}
	return best
}
