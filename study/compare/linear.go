package compare

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"barrow/autoencoder"
	"barrow/hgcal"
	"barrow/wafer"
)

// linear is an encoder and decoder that are linear but for the rounding of what is sent: the training
// images' principal components, in closed form, which without rounding have the least mean squared
// error. Bits go, one by one, to the component of which they leave least.
type linear struct {
	norm       wafer.Norm
	arch       autoencoder.Architecture // whose decoders' sum it has
	mean       []float64                // N cells
	components [][]float64              // by output, N cells, of length 1
	bits       []int                    // of each output
	reach      []float64                // outputs beyond are cut
}

// spans are the reaches of an output that are tried, in standard deviations; of them the one with the
// least squared error of the training images is taken.
var spans = []float64{1, 1.5, 2, 2.5, 3, 3.5, 4, 5, 6, 8, 10, 13, 16, 20}

// newLinear finds the components, which share as many bits as the architecture's outputs have.
func newLinear(components int, a autoencoder.Architecture, training *wafer.Set) (*linear, error) {
	norm, err := wafer.ParseNorm(a.Normalisation)
	if err != nil {
		return nil, err
	}
	n := training.Len()
	if n < 2 {
		return nil, errors.New("compare: principal components of fewer than two images")
	}
	x := mat.NewDense(n, hgcal.Cells, nil)
	for i := range n {
		image := training.Image(i)
		scale := norm.Scale(image)
		for c, v := range image {
			x.Set(i, c, v/scale)
		}
	}
	l := &linear{norm: norm, arch: a, mean: make([]float64, hgcal.Cells)}
	for c := range l.mean {
		l.mean[c] = stat.Mean(mat.Col(nil, c, x), nil)
	}
	var cov mat.SymDense
	stat.CovarianceMatrix(&cov, x, nil)
	var e mat.EigenSym
	if !e.Factorize(&cov, true) {
		return nil, fmt.Errorf("compare: the covariance of %d images has no eigenvectors", n)
	}
	var vectors mat.Dense
	e.VectorsTo(&vectors)
	all := 0
	for _, b := range a.Widths() {
		all += b
	}
	var outs [][]float64
	for k := range components {
		v := mat.Col(nil, hgcal.Cells-1-k, &vectors) // eigenvalues rise
		if v[largest(v)] < 0 {
			for c := range v {
				v[c] = -v[c]
			}
		}
		l.components = append(l.components, v)
		out := make([]float64, n)
		for i := range out {
			out[i] = l.output(k, x.RawRowView(i))
		}
		outs = append(outs, out)
	}
	l.share(all, outs)
	return l, nil
}

// ahead is how many bits of an output are looked at together: one alone may be worth nothing, where
// two are.
const ahead = 3

// share deals the bits out, each to the output of which it and perhaps some more take most squared
// error a bit; outs are the outputs of the training images.
func (l *linear) share(all int, outs [][]float64) {
	type choice struct{ reach, left float64 }
	tried := make([][]choice, len(outs)) // by output and bits
	l.bits, l.reach = make([]int, len(outs)), make([]float64, len(outs))
	gain := make([]float64, len(outs))
	next := func(k int) {
		for b := len(tried[k]); b <= l.bits[k]+ahead; b++ {
			reach, left := reachOf(outs[k], b)
			tried[k] = append(tried[k], choice{reach, left})
		}
		gain[k] = 0
		for b := 1; b <= ahead; b++ {
			gain[k] = max(gain[k], (tried[k][l.bits[k]].left-tried[k][l.bits[k]+b].left)/float64(b))
		}
	}
	for k := range outs {
		next(k)
	}
	for range all {
		most := 0
		for k := range gain {
			if gain[k] > gain[most] {
				most = k
			}
		}
		l.bits[most]++
		next(most)
	}
	for k, b := range l.bits {
		l.reach[k] = tried[k][b].reach
	}
}

// largest is the number of the largest magnitude.
func largest(v []float64) int {
	k := 0
	for i, x := range v {
		if math.Abs(x) > math.Abs(v[k]) {
			k = i
		}
	}
	return k
}

// reachOf is where an output is best cut, and the squared error that this leaves.
func reachOf(out []float64, bits int) (best, least float64) {
	sigma := stat.StdDev(out, nil)
	least = math.Inf(1)
	for _, s := range spans {
		sum := 0.0
		for _, v := range out {
			d := v - rounded(v, s*sigma, bits)
			sum += d * d
		}
		if sum < least {
			best, least = s*sigma, sum
		}
	}
	return best, least
}

// rounded is what arrives of an output: the middle of one of 2^bits equal intervals from -reach to
// reach.
func rounded(v, reach float64, bits int) float64 {
	if bits == 0 || reach == 0 {
		return 0
	}
	levels := math.Exp2(float64(bits))
	k := math.Floor((v/reach + 1) / 2 * levels)
	return reach * (2*(min(max(k, 0), levels-1)+0.5)/levels - 1)
}

// output is the k-th of an image, normalised.
func (l *linear) output(k int, image []float64) float64 {
	sum := 0.0
	for c, w := range l.components[k] {
		sum += w * (image[c] - l.mean[c])
	}
	return sum
}

// encode gives an image's outputs as they arrive, and what it was divided by.
func (l *linear) encode(image, out []float64) (scale float64) {
	scale = l.norm.Scale(image)
	var x [hgcal.Cells]float64
	for c, v := range image {
		x[c] = v / scale
	}
	for k := range l.components {
		out[k] = rounded(l.output(k, x[:]), l.reach[k], l.bits[k])
	}
	return scale
}

// decode gives images as they arrive.
func (l *linear) decode(images *wafer.Set) (*wafer.Set, error) {
	decoded := &wafer.Set{Charge: make([]float64, len(images.Charge))}
	out := make([]float64, len(l.components))
	for i := range images.Len() {
		scale, image := l.encode(images.Image(i), out), decoded.Image(i)
		l.restore(out, scale, image)
	}
	return decoded, l.arch.Rescale(images, decoded)
}

// restore makes an image of the outputs that arrived. Cells below 0 are empty.
func (l *linear) restore(out []float64, scale float64, image []float64) {
	copy(image, l.mean)
	for k, v := range out {
		for c, w := range l.components[k] {
			image[c] += w * v
		}
	}
	for c, v := range image {
		image[c] = max(0, v) * scale
	}
}

// cost counts a weight for each cell and one for the mean, of each output.
func (l *linear) cost() autoencoder.Cost {
	n := len(l.components)
	return autoencoder.Cost{Weights: n * (hgcal.Cells + 1), Multiplications: n * hgcal.Cells}
}
