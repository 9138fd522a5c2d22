package loss

var _ = registerSpatial("neighbourhood", Traits{
	Label: "neighbourhood MSE", Help: "a score of means or maxima over the cells around each, :radius=1:filter=mean:score=mse", Sees: SeesCharges, Cost: 1.2,
}, func(o *options) recipe {
	radius := o.radius()
	kind := o.choice("filter", "mean", "max")
	score := readScore(o)
	return func(l *Lattice) imageLoss {
		if kind == "max" {
			return newFiltered(l, newMaxima(l, radius), score())
		}
		return newFiltered(l, newMeans(l.Discs(radius)), score())
	}
})

// means is the filter of the mean over each cell's disc, of as many cells as the lattice
// has of it.
type means struct {
	discs  [][]int32
	shares []float64 // of back: what a cell gets of each disc that it is in
}

func newMeans(discs [][]int32) means { return means{discs, make([]float64, len(discs))} }

func (f means) apply(image, out []float64) {
	for i, disc := range f.discs {
		sum := 0.0
		for _, c := range disc {
			sum += image[c]
		}
		out[i] = sum / float64(len(disc))
	}
}

// both is apply of two images at once.
func (f means) both(a, b, outA, outB []float64) {
	for i, disc := range f.discs {
		x, y := 0.0, 0.0
		for _, c := range disc {
			x += a[c]
			y += b[c]
		}
		outA[i], outB[i] = x/float64(len(disc)), y/float64(len(disc))
	}
}

// back adds up, of each cell, what it gets of the discs that it is in: those of the cells in its own.
func (f means) back(_, s, g []float64) {
	for i, disc := range f.discs {
		f.shares[i] = s[i] / float64(len(disc))
	}
	for c, disc := range f.discs {
		sum := 0.0
		for _, i := range disc {
			sum += f.shares[i]
		}
		g[c] = sum
	}
}

// maxima is the filter of the largest cell of each cell's disc, of equal ones any.
type maxima struct {
	near [][]int32 // the discs of radius 1
	// A disc of a radius is the union of those of the radius before around its cells, so the
	// largest are found in as many steps.
	radius int
	// at is where each was in the image that apply had last; last and before are of the step before.
	at, before []int32
	last       []float64
}

func newMaxima(l *Lattice, radius int) maxima {
	return maxima{l.Discs(1), radius, make([]int32, l.cells), make([]int32, l.cells), make([]float64, l.cells)}
}

func (f maxima) apply(image, out []float64) {
	for i := range f.at {
		f.at[i] = int32(i)
	}
	copy(out, image)
	for range f.radius {
		copy(f.last, out)
		copy(f.before, f.at)
		for i, disc := range f.near {
			best, at := f.last[i], int32(i)
			for _, c := range disc {
				if v := f.last[c]; v > best {
					best, at = v, c
				}
			}
			out[i], f.at[i] = best, f.before[at]
		}
	}
}

// back is of the image that apply had last.
func (f maxima) back(_, s, g []float64) {
	clear(g)
	for i, c := range f.at {
		g[c] += s[i]
	}
}
