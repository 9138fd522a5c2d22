package loss

import (
	"math"
	"slices"
)

var _ = registerSpatial("spectral", Traits{
	Label: "spectral MSE", Help: "a score of the images' waves of some lengths in cm, :shortest=8:longest=inf:score=mse", Sees: SeesCharges, Cost: 1.2,
}, func(o *options) recipe {
	least, most := o.lattice.waveRange()
	shortest := o.number("shortest", o.lattice.middleWave(), 0, most, " cm, the longest wave")
	longest := o.number("longest", math.Inf(1), least, math.Inf(1), " cm")
	score := readScore(o)
	keep := make([]bool, o.lattice.cells)
	kept := 0
	for k, length := range o.lattice.waves().lengths() {
		if keep[k] = length >= shortest && length <= longest; keep[k] {
			kept++
		}
	}
	switch kept {
	case 0:
		o.fail("no wave is from shortest=%g to longest=%g cm long: those of %s are from %.3g to %.3g cm, and the mean", shortest, longest, o.lattice, least, most)
	case len(keep):
		o.fail("all waves are at least shortest=%g cm long, which leaves the image as it is: those of %s are from %.3g to %.3g cm, and the mean", shortest, o.lattice, least, most)
	}
	return func(l *Lattice) imageLoss {
		return newFiltered(l, projection(l.waves().pass(keep)), score())
	}
})

// waveRange is the shortest and the longest wavelength but the mean's.
func (l *Lattice) waveRange() (shortest, longest float64) {
	shortest = math.Inf(1)
	for _, w := range l.waves().lengths() {
		if shortest = min(shortest, w); !math.IsInf(w, 1) {
			longest = max(longest, w)
		}
	}
	return shortest, longest
}

// middleWave is a length that half of the waves exceed, to two digits.
func (l *Lattice) middleWave() float64 {
	lengths := slices.Sorted(slices.Values(l.waves().lengths()))
	m := lengths[len(lengths)/2]
	digit := math.Pow(10, math.Floor(math.Log10(m))-1)
	return math.Round(m/digit) * digit
}
