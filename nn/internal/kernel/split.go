package kernel

import "slices"

// A convolution of 4×4 images with stride 1 and "same" padding is, along each
// side, the product of a 4×4 Toeplitz matrix T with four values. Cut in halves,
//
//	T·x = (T₀ T₁; T₋₁ T₀)·(a; b) = (m₀+m₁; m₀+m₂),
//	m₀ = T₀·(a+b), m₁ = (T₁−T₀)·b, m₂ = (T₋₁−T₀)·a,
//
// it takes three products instead of four, and so does each of these, whose
// matrices are 2×2 Toeplitz: nine multiplications in place of sixteen along a
// side, 81 products of channels instead of up to 256 on the image (196 for 5×5
// kernels). All factors are 0 and ±1, so that little accuracy is lost. (The
// splitting is Karatsuba's; see Fan and Hasan, IEEE Trans. Comp. 56 (2007)
// 224, for Toeplitz matrices.)
//
// [Spread] makes the 81 sums of pixels that stand in place of x; [SplitTaps]
// says how the matrices are made of the kernel's taps; [Gather] makes pixels of
// the products. With the pixels in reverse order, Spread and Gather are each
// other's transpose, which is what the backward pass needs.

// Planes is the number of products.
const Planes = 81

// nines lists the pixels of a side whose sum each of nine products takes.
var nines = [9][]int{{0, 1, 2, 3}, {1, 3}, {0, 2}, {2, 3}, {3}, {2}, {0, 1}, {1}, {0}}

// SplitTaps gives, for each plane, the kernel offsets (dy, dx) that its matrix
// is made of, each from −3 to 3, and their signs.
func SplitTaps(plane int) (taps [][2]int, signs []float32) {
	line := func(m int) (d []int, sign []float32) {
		for _, outer := range halves[m/3] {
			for _, inner := range halves[m%3] {
				d = append(d, 2*outer.d+inner.d)
				sign = append(sign, outer.sign*inner.sign)
			}
		}
		return d, sign
	}
	ys, ySigns := line(plane / 9)
	xs, xSigns := line(plane % 9)
	for i, y := range ys {
		for j, x := range xs {
			taps = append(taps, [2]int{y, x})
			signs = append(signs, ySigns[i]*xSigns[j])
		}
	}
	return taps, signs
}

type term struct {
	d    int
	sign float32
}

// halves are T₀, T₁−T₀ and T₋₁−T₀.
var halves = [3][]term{{{0, 1}}, {{1, 1}, {0, -1}}, {{-1, 1}, {0, -1}}}

// Spread writes the sums of 4×4 pixels for the planes of one group, 9·group to
// 9·group+8: planes holds, for each row, its c values in the nine of them; x
// the pixels' matrices of rows×c values, pixel (y, x) starting at first +
// (4y+x)·step (a negative step reverses the order).
func (l Level) Spread(planes, x []float32, group, rows, c, first, step int) {
	from := l.spreadFast(planes, x, group, rows, c, first, step)
	if from == c {
		return
	}
	for p := range 9 {
		for r := range rows {
			out := planes[(r*9+p)*c : (r*9+p+1)*c]
			for j := from; j < c; j++ {
				sum := float32(0)
				for _, iy := range nines[group] {
					for _, ix := range nines[p] {
						sum += x[first+(4*iy+ix)*step+r*c+j]
					}
				}
				out[j] = sum
			}
		}
	}
}

// Gather adds the products in the planes of one group to the pixels that they
// are parts of. All groups must follow each other from 0 to 8: the first
// starts from the columns' bias, or zero, and the last ones rectify if relu is
// set. Layouts are those of Spread.
func (l Level) Gather(x, planes, bias []float32, group, rows, c, first, step int, relu bool) {
	from := l.gatherFast(x, planes, bias, group, rows, c, first, step, relu)
	if from == c {
		return
	}
	side := func(i int) [4]int { return [4]int{0, 1 + i%2, 3 * (1 + i/2), 3*(1+i/2) + 1 + i%2} }
	for p := range 16 {
		ys, xs := side(p/4), side(p%4)
		if !slices.Contains(ys[:], group) {
			continue
		}
		for r := range rows {
			for j := from; j < c; j++ {
				out, sum := &x[first+p*step+r*c+j], float32(0)
				for _, mx := range xs {
					sum += planes[(r*9+mx)*c+j]
				}
				switch {
				case group > 0:
					sum += *out
				case bias != nil:
					sum += bias[j]
				}
				if relu && group == ys[3] {
					sum = max(sum, 0)
				}
				*out = sum
			}
		}
	}
}
