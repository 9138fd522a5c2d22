package loss

var _ = registerSpatial("wavelet", Traits{
	Label: "wavelet MSE", Help: "a score of the images' Haar wavelets on some levels, :finest=2:coarsest=2:score=mse", Sees: SeesCharges, Cost: 1.1,
}, func(o *options) recipe {
	levels := o.lattice.levels()
	if levels == 0 {
		o.fail("%s has no squares of 2×2 cells that fill it", o.lattice)
		return nil
	}
	finest := o.whole("finest", min(2, levels), 1, levels)
	coarsest := o.whole("coarsest", levels, 1, levels)
	switch {
	case finest > coarsest:
		o.fail("finest=%d is above coarsest=%d, which leaves no level", finest, coarsest)
	case finest == 1 && coarsest == levels:
		o.fail("finest=1 and coarsest=%d are all levels, which leaves the image as it is", levels)
	}
	score := readScore(o)
	return func(l *Lattice) imageLoss {
		f := haar{fine: l.squares(finest - 1)}
		if coarsest < levels {
			f.coarse = l.squares(coarsest)
		}
		return newFiltered(l, projection(f.apply), score())
	}
})

// levels is how often all rasters can be halved.
func (l *Lattice) levels() int {
	n := 0
	for side := 2; ; side *= 2 {
		for _, r := range l.rasters {
			if r.rows%side != 0 || r.columns%side != 0 {
				return n
			}
		}
		n++
	}
}

// squares cuts the rasters into squares of side 2^level.
func (l *Lattice) squares(level int) [][]int32 {
	side := 1 << level
	var all [][]int32
	for _, r := range l.rasters {
		for y := 0; y < r.rows; y += side {
			for x := 0; x < r.columns; x += side {
				var cells []int32
				for dy := range side {
					cells = append(cells, r.cells[(y+dy)*r.columns+x:][:side]...)
				}
				all = append(all, cells)
			}
		}
	}
	return all
}

// haar keeps the Haar wavelets between two levels: the details that means over the fine
// squares have and means over the coarse ones have not. Where there are no coarse ones the
// coarsest means stay.
type haar struct{ fine, coarse [][]int32 }

func (f haar) apply(image, out []float64) {
	clear(out)
	addMeans(f.fine, 1, image, out)
	addMeans(f.coarse, -1, image, out)
}

func addMeans(squares [][]int32, sign float64, image, out []float64) {
	for _, cells := range squares {
		sum := 0.0
		for _, c := range cells {
			sum += image[c]
		}
		sum *= sign / float64(len(cells))
		for _, c := range cells {
			out[c] += sum
		}
	}
}
