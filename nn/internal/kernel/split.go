package kernel

// A convolution of 4×4 images with stride 1 and "same" padding by kernels up to
// 5×5 is, along each side, the product of a 4×4 Toeplitz matrix with four values.
// With the output y reversed, its trilinear form is that of a product of
// polynomials,
//
//	Σ y(3−k)·x(j)·w(j+k−3) = Σ_m w(m−3)·c(m), c = x(t)·y(t), m = 1 … 5,
//
// and since c(0) and c(6) do not count, c may be taken modulo t⁶−1, in which only
// these two fall together. The cyclic convolution of length 6 takes 8 products, and
// that of 6×6 values on the image 52: the sides are folded by t³ = ±1 into four
// arrays of 3×3 values, and each of these is a sum and, for the lines of four
// directions (rows, columns and both diagonals: the pairs of characters of Z₃×Z₃),
// the ring of numbers a+b·∛1, whose product takes three: of differences of the
// lines' sums, a product for each pair. So 52 products of channels stand in place of
// 196, between sums of pixels with factors 0 and ±1 only, and since the characters
// are orthogonal, little accuracy is lost. (See Winograd, Arithmetic Complexity of
// Computations, SIAM 1980, and Nussbaumer, Fast Fourier Transform and Convolution
// Algorithms, Springer 1982, on polynomial products.)
//
// [Level.Spread] makes the 52 sums of pixels that stand in place of x, and
// [Level.Gather] pixels of the products. With the pixels in reverse order, they are
// each other's transpose, which is what the backward pass needs.
// [Taps] makes the matrices of the kernel's taps, and the gradient of these of that
// of the matrices.

// Planes is the number of products.
const Planes = 4 * GroupPlanes

// GroupPlanes is how many of them a 3×3 array takes.
const GroupPlanes = 13

// lines lists the cells of a 3×3 array in each line of the four directions;
// pairs are the lines whose sums' difference makes a plane, and times the line of
// the product that it is a part of.
var (
	lines = func() (out [4][3][3]int) {
		for d := range out {
			var count [3]int
			for cell := range 9 {
				class := lineOf(d, cell)
				out[d][class][count[class]] = cell
				count[class]++
			}
		}
		return out
	}()
	pairs = [3][2]int{{0, 1}, {2, 1}, {0, 2}}
	times = [3]int{1, 0, 2}
)

// lineOf is the line of direction d that a cell of a 3×3 array is in.
func lineOf(d, cell int) int {
	i, j := cell/3, cell%3
	return [4]int{i, j, (i + j) % 3, (i + 2*j) % 3}[d]
}

// fold makes of four values along a side the three of the even array, or of
// the odd one.
func fold(odd bool, a, b, c, d float32) [3]float32 {
	if odd {
		return [3]float32{a - d, -b, c}
	}
	return [3]float32{a + d, b, c}
}

// unfold is its transpose, in reverse.
func unfold(even, odd [3]float32) [4]float32 {
	return [4]float32{even[0] - odd[0], even[2] + odd[2], even[1] - odd[1], even[0] + odd[0]}
}

// Spread writes the sums of 4×4 pixels for every plane: plane p holds n values from
// p·plane on, pixel (y, x) is n values of x from first + (4y+x)·step on (a negative
// step reverses the order).
func (l Level) Spread(planes, x []float32, n, plane, first, step int) {
	for k := l.spreadFast(planes, x, n, plane, first, step); k < n; k++ {
		var rows [4][2][3]float32
		for y := range rows {
			at := first + 4*y*step + k
			for odd := range 2 {
				rows[y][odd] = fold(odd == 1, x[at], x[at+step], x[at+2*step], x[at+3*step])
			}
		}
		for group := range 4 {
			var v [9]float32
			for j := range 3 {
				g := group % 2
				column := fold(group >= 2, rows[0][g][j], rows[1][g][j], rows[2][g][j], rows[3][g][j])
				for i := range column {
					v[3*i+j] = column[i]
				}
			}
			spreadGroup(planes[group*GroupPlanes*plane+k:], plane, &v)
		}
	}
}

func spreadGroup(planes []float32, plane int, v *[9]float32) {
	for d := range lines {
		var sum [3]float32
		for c, line := range lines[d] {
			sum[c] = v[line[0]] + v[line[1]] + v[line[2]]
		}
		if d == 0 {
			planes[0] = sum[0] + sum[1] + sum[2]
		}
		for i, p := range pairs {
			planes[(1+3*d+i)*plane] = sum[p[0]] - sum[p[1]]
		}
	}
}

// Gather writes the pixels that the products in the planes are parts of, plus the n
// values of bias, rectified if relu is set. Layouts are those of Spread.
func (l Level) Gather(x, planes, bias []float32, n, plane, first, step int, relu bool) {
	for k := l.gatherFast(x, planes, bias, n, plane, first, step, relu); k < n; k++ {
		var v [4][9]float32
		for group := range v {
			v[group] = gatherGroup(planes[group*GroupPlanes*plane+k:], plane)
		}
		var half [2][4][3]float32 // by rows' fold, column, row of the array
		for odd := range half {
			even, other := &v[2*odd], &v[2*odd+1]
			for i := range 3 {
				row := unfold([3]float32(even[3*i:]), [3]float32(other[3*i:]))
				for x, s := range row {
					half[odd][x][i] = s
				}
			}
		}
		for column := range 4 {
			for y, s := range unfold(half[0][column], half[1][column]) {
				s += bias[k]
				if relu {
					s = max(s, 0)
				}
				x[first+(4*y+column)*step+k] = s
			}
		}
	}
}

func gatherGroup(planes []float32, plane int) (v [9]float32) {
	var sums [4][3]float32
	for d := range sums {
		a, b, c := planes[(1+3*d)*plane], planes[(2+3*d)*plane], planes[(3+3*d)*plane]
		sums[d] = [3]float32{a + c, -(a + b), b - c}
	}
	for i := range sums[0] {
		sums[0][i] += planes[0]
	}
	for cell := range v {
		v[cell] = sums[0][lineOf(0, cell)]
		for d := 1; d < 4; d++ {
			v[cell] += sums[d][lineOf(d, cell)]
		}
	}
	return v
}

// A Taps knows how the matrices of the planes are made of a k×k kernel's taps,
// k ≤ 5: by way of the four groups' 3×3 arrays, whose cells are sums of taps.
type Taps struct {
	cells [4][9][]tapTerm // the taps of each cell
	uses  [][]tapTerm     // of each tap, the cells (nine a group) that it is in
}

// A tapTerm is one tap of a cell, or one cell that a tap is in.
type tapTerm struct {
	index int
	sign  float32
}

// NewTaps lists the sums for k×k kernels.
func NewTaps(k int) *Taps {
	t, pad := &Taps{uses: make([][]tapTerm, k*k)}, (k-1)/2
	for group := range t.cells {
		for tap := range k * k {
			y, x := tap/k-pad+3, tap%k-pad+3 // powers of t
			sign := float32(1) / 4
			if group >= 2 && y%2 == 1 {
				sign = -sign
			}
			if group%2 == 1 && x%2 == 1 {
				sign = -sign
			}
			cell := 3*(y%3) + x%3
			t.cells[group][cell] = append(t.cells[group][cell], tapTerm{tap, sign})
			t.uses[tap] = append(t.uses[tap], tapTerm{9*group + cell, sign})
		}
	}
	return t
}

// part is the i-th of matrices of size values.
func part(x []float32, i, size int) []float32 { return x[i*size : (i+1)*size] }

// Split makes the thirteen matrices of one of the four groups of planes, each of
// size values, of the taps. cells holds nine matrices to work on.
func (t *Taps) Split(l Level, planes, cells, taps []float32, group, size int) {
	clear(cells[:9*size]) // what it holds could be NaN
	clear(planes[:size])
	for cell, terms := range t.cells[group] {
		c := part(cells, cell, size)
		for _, u := range terms {
			l.Blend(c, part(taps, u.index, size), 1, u.sign)
		}
		l.Blend(planes[:size], c, 1, 1./9)
	}
	for d := range lines {
		for i, class := range times {
			m := part(planes, 1+3*d+i, size)
			copy(m, planes[:size])
			for _, cell := range lines[d][class] {
				l.Blend(m, part(cells, cell, size), 1, -1./3)
			}
		}
	}
}

// Join makes of the gradients of one group's matrices, which it destroys, those of
// the nine cells.
func (t *Taps) Join(l Level, cells, planes []float32, size int) {
	clear(cells[:9*size])
	for d := range lines {
		for i, class := range times {
			m := part(planes, 1+3*d+i, size)
			l.Blend(planes[:size], m, 1, 1)
			for _, cell := range lines[d][class] {
				l.Blend(part(cells, cell, size), m, 1, -1./3)
			}
		}
	}
	for cell := range 9 {
		l.Blend(part(cells, cell, size), planes[:size], 1, 1./9)
	}
}

// Add adds to one tap's gradient what the four groups' cells say of it.
func (t *Taps) Add(l Level, grad, cells []float32, tap int) {
	for _, u := range t.uses[tap] {
		l.Blend(grad, part(cells, u.index, len(grad)), 1, u.sign)
	}
}
