// Package images draws grey images of the kinds of DOTmark, the benchmark of discrete
// optimal transport (J. Schrieber, D. Schuhmacher, C. Gottschlich, IEEE Access 5 (2017)
// 271), for tests and benchmarks: seven of the classes by their definitions, the
// photographs and micrographs by something like them that can be drawn; digits and made-up
// characters as by many hands; and fields of ions as imaging mass spectrometry has them.
//
// An image is a function on the unit square seen through square pixels, so that the same
// seed shows the same image at any size (but for white noise).
package images

import (
	"fmt"
	"math"
	"math/rand/v2"
)

// Total is the mass of an image, as in DOTmark at some sizes. Masses are whole numbers, so
// that programs that want such ones solve the same problem.
const Total = 100_000_000

// Classes are the names that Draw knows.
func Classes() []string {
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = c.name
	}
	return names
}

// A painter returns the function whose values at the pixels' centres are the image.
type painter func(*rand.Rand) func(x, y float64) float64

var classes = []struct {
	name  string
	paint painter
}{
	{"white-noise", func(r *rand.Rand) func(x, y float64) float64 {
		return func(float64, float64) float64 { return r.Float64() }
	}},
	{"rough-field", func(r *rand.Rand) func(x, y float64) float64 { return lifted(matern(r, 0.25, 0.05)) }},
	{"moderate-field", func(r *rand.Rand) func(x, y float64) float64 { return lifted(matern(r, 1, 0.15)) }},
	{"smooth-field", func(r *rand.Rand) func(x, y float64) float64 { return lifted(matern(r, 2.5, 0.3)) }},
	{"log-field", func(r *rand.Rand) func(x, y float64) float64 {
		f := matern(r, 0.5, 0.4)
		return func(x, y float64) float64 { return math.Exp(f(x, y)) }
	}},
	{"logit-field", func(r *rand.Rand) func(x, y float64) float64 {
		f := matern(r, 4.5, 0.1)
		return func(x, y float64) float64 { return 1 / (1 + math.Exp(-3*f(x, y))) }
	}},
	{"cauchy", cauchy},
	{"shapes", shapes},
	{"scene", scene},
	{"microscopy", microscopy},
}

// Draw is the image of a class with side×side pixels, rows of it one after another: whole
// masses that add up to Total.
func Draw(class string, side int, seed uint64) ([]float64, error) {
	if side < 1 {
		return nil, fmt.Errorf("images: side %d: at least 1 pixel", side)
	}
	for k, c := range classes {
		if c.name != class {
			continue
		}
		f := c.paint(rand.New(rand.NewPCG(seed, uint64(k))))
		v := make([]float64, side*side)
		for i := range side {
			for j := range side {
				v[i*side+j] = max(0, f((float64(j)+0.5)/float64(side), (float64(i)+0.5)/float64(side)))
			}
		}
		whole(v)
		return v, nil
	}
	return nil, fmt.Errorf("images: no class %q: there are %q", class, Classes())
}

// whole scales to whole numbers of sum Total: what rounding leaves over goes to the first
// of the largest.
func whole(v []float64) {
	sum := 0.0
	for _, x := range v {
		sum += x
	}
	if sum == 0 { // shapes may miss every centre of few pixels
		for k := range v {
			v[k] = 1
		}
		sum = float64(len(v))
	}
	left, top := float64(Total), 0
	for k, x := range v {
		v[k] = math.Floor(x / sum * Total)
		left -= v[k]
		if v[k] > v[top] {
			top = k
		}
	}
	v[top] += left
}

// lifted shifts a field so that it is seldom below 0, where images are cut off.
func lifted(f func(x, y float64) float64) func(x, y float64) float64 {
	return func(x, y float64) float64 { return 2.5 + f(x, y) }
}

// matern is a Gaussian random field of variance 1 with Matérn's covariance of smoothness nu
// and range scale, as a sum of waves: their frequencies follow its spectrum, Student's
// distribution of 2·nu degrees of freedom in the plane.
func matern(r *rand.Rand, nu, scale float64) func(x, y float64) float64 {
	const waves = 300
	var kx, ky, phase [waves]float64
	for w := range waves {
		// A χ² of 2·nu degrees of freedom is twice a gamma of nu.
		s := math.Sqrt(nu/max(gamma(r, nu), 1e-12)) / scale
		kx[w], ky[w], phase[w] = s*r.NormFloat64(), s*r.NormFloat64(), 2*math.Pi*r.Float64()
	}
	return func(x, y float64) float64 {
		sum := 0.0
		for w := range waves {
			sum += math.Cos(kx[w]*x + ky[w]*y + phase[w])
		}
		return sum * math.Sqrt(2.0/waves)
	}
}

// gamma draws from the gamma distribution of the given shape (G. Marsaglia, W. W. Tsang,
// ACM Trans. Math. Softw. 26 (2000) 363).
func gamma(r *rand.Rand, shape float64) float64 {
	if shape < 1 {
		return gamma(r, shape+1) * math.Pow(r.Float64(), 1/shape)
	}
	d := shape - 1.0/3
	c := 1 / math.Sqrt(9*d)
	for {
		x := r.NormFloat64()
		v := 1 + c*x
		if v <= 0 {
			continue
		}
		v *= v * v
		if math.Log(1-r.Float64()) < x*x/2+d-d*v+d*math.Log(v) {
			return d * v
		}
	}
}

// cauchy is a bivariate Cauchy density of random centre and ellipse.
func cauchy(r *rand.Rand) func(x, y float64) float64 {
	cx, cy := 0.15+0.7*r.Float64(), 0.15+0.7*r.Float64()
	a, b, turn := 0.02+0.1*r.Float64(), 0.02+0.1*r.Float64(), math.Pi*r.Float64()
	sin, cos := math.Sincos(turn)
	return func(x, y float64) float64 {
		u, v := (cos*(x-cx)+sin*(y-cy))/a, (cos*(y-cy)-sin*(x-cx))/b
		return math.Pow(1+u*u+v*v, -1.5)
	}
}

// A blob is a round or square figure.
type blob struct {
	x, y, a, b, sin, cos, grey float64
	square                     bool
}

func newBlob(r *rand.Rand, least, most float64) blob {
	size := func() float64 { return least * math.Pow(most/least, r.Float64()) }
	b := blob{x: r.Float64(), y: r.Float64(), a: size(), b: size(), grey: 0.05 + 0.95*r.Float64(), square: r.IntN(2) == 0}
	b.sin, b.cos = math.Sincos(math.Pi * r.Float64())
	return b
}

func (b *blob) inside(x, y float64) bool {
	u, v := (b.cos*(x-b.x)+b.sin*(y-b.y))/b.a, (b.cos*(y-b.y)-b.sin*(x-b.x))/b.b
	if b.square {
		return math.Abs(u) < 1 && math.Abs(v) < 1
	}
	return u*u+v*v < 1
}

// shapes are two to four figures, and rings of them, of one grey on nothing.
func shapes(r *rand.Rand) func(x, y float64) float64 {
	var list []blob
	ring := r.IntN(3) == 0
	for range 2 + r.IntN(3) {
		list = append(list, newBlob(r, 0.08, 0.3))
	}
	return func(x, y float64) float64 {
		hits := 0
		for k := range list {
			if list[k].inside(x, y) {
				hits++
			}
		}
		if ring && hits%2 == 1 || !ring && hits > 0 {
			return 1
		}
		return 0
	}
}

// scene is what photographs are like in their edges and sizes of things: leaves that have
// fallen on each other, of sizes without a scale, under uneven light (A. B. Lee,
// D. Mumford, J. Huang, Int. J. Comput. Vis. 41 (2001) 35).
func scene(r *rand.Rand) func(x, y float64) float64 {
	var leaves []blob
	for range 400 {
		leaves = append(leaves, newBlob(r, 0.02, 0.4))
	}
	light := matern(r, 2.5, 0.5)
	return func(x, y float64) float64 {
		for k := range leaves {
			if leaves[k].inside(x, y) {
				return leaves[k].grey * (1 + 0.2*light(x, y))
			}
		}
		return 0.5
	}
}

// microscopy is a few dozen bright spots, blurred, on a dim and uneven ground.
func microscopy(r *rand.Rand) func(x, y float64) float64 {
	var cells []blob
	for range 20 + r.IntN(40) {
		cells = append(cells, newBlob(r, 0.01, 0.07))
	}
	ground := matern(r, 1, 0.3)
	return func(x, y float64) float64 {
		v := max(0, 0.03+0.02*ground(x, y))
		for k := range cells {
			c := &cells[k]
			u, w := (c.cos*(x-c.x)+c.sin*(y-c.y))/c.a, (c.cos*(y-c.y)-c.sin*(x-c.x))/c.b
			v += c.grey * math.Exp(-u*u-w*w)
		}
		return v
	}
}
