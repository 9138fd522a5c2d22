package wafer

import (
	"fmt"
	"math"
	"strings"

	"barrow/hgcal"
)

// Norm is a way to scale an image. The zero value leaves it alone.
type Norm int

const (
	// NormNone leaves charges as they are.
	NormNone Norm = iota
	// NormSum divides by the sum, as the distances need it.
	NormSum
	// NormSumLog2 divides by 2^⌊log2 Σ⌋, the power of two below the sum, so that
	// the new sum is in [1, 2): a shift, and therefore what the chip does.
	NormSumLog2
	// NormMax divides by the largest charge.
	NormMax
	// NormSumLog2Without0 is NormSumLog2 of the sum without cell 0, which the ntuple
	// producer leaves out by mistake and programs behind it repeat: for images as they
	// have them. One whose only charge is in cell 0, for which they have no
	// scale, is divided by that of cell 0.
	NormSumLog2Without0
)

var normNames = [...]string{"none", "sum", "sumlog2", "max", "sumlog2-without-0"}

// String returns the name that ParseNorm accepts.
func (n Norm) String() string {
	if n < 0 || int(n) >= len(normNames) {
		return fmt.Sprintf("Norm(%d)", int(n))
	}
	return normNames[n]
}

// ParseNorm returns the normalisation called none, sum, sumlog2, max or
// sumlog2-without-0.
func ParseNorm(name string) (Norm, error) {
	for n, s := range normNames {
		if s == name {
			return Norm(n), nil
		}
	}
	return 0, fmt.Errorf("wafer: unknown normalisation %q: want %s", name, strings.Join(normNames[:], ", "))
}

// Sum returns the sum of the charges, in a fixed order.
func Sum(image []float64) float64 {
	s := 0.0
	for _, v := range image {
		s += v
	}
	return s
}

// Scale returns what the normalisation divides the image by: 0 for an image
// without charge (1 for NormNone).
func (n Norm) Scale(image []float64) float64 {
	switch n {
	case NormSum:
		return Sum(image)
	case NormSumLog2:
		return PowerBelow(Sum(image))
	case NormSumLog2Without0:
		if rest := Sum(image[1:]); rest > 0 {
			return PowerBelow(rest)
		}
		return PowerBelow(image[0])
	case NormMax:
		m := 0.0
		for _, v := range image {
			m = max(m, v)
		}
		return m
	}
	return 1
}

// PowerBelow returns 2^⌊log2 v⌋, the largest power of two not above v, exactly;
// 0 for v = 0. v must be finite and not negative.
func PowerBelow(v float64) float64 {
	if v == 0 {
		return 0
	}
	_, e := math.Frexp(v)
	return math.Ldexp(1, e-1)
}

// Apply writes the normalised image to dst, which may be the image itself, and
// returns the scale it divided by. An image without charge stays zero, scale 0.
func (n Norm) Apply(dst, image []float64) float64 {
	scale := n.Scale(image)
	if scale == 0 {
		clear(dst)
		return 0
	}
	for i, v := range image {
		dst[i] = v / scale
	}
	return scale
}

// Normalised returns the N×48 normalised charges and the N scales. Images
// without charge stay zero and have scale 0.
func (s *Set) Normalised(n Norm) (charge, scale []float64) {
	charge = make([]float64, len(s.Charge))
	scale = make([]float64, s.Len())
	for i := range scale {
		scale[i] = n.Apply(charge[i*hgcal.Cells:(i+1)*hgcal.Cells], s.Image(i))
	}
	return charge, scale
}

// Occupancy returns how many charges are above the threshold: with the
// threshold at 1 MIP_T the field's "occupancy".
func Occupancy(image []float64, threshold float64) int {
	n := 0
	for _, v := range image {
		if v > threshold {
			n++
		}
	}
	return n
}
