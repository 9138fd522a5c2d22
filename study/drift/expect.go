package drift

import (
	"errors"
	"fmt"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// levels are the shares of an image's charge, in units of that of a cell if all had the same, above
// which a cell counts as occupied.
var levels = [...]float64{0.25, 0.5, 1, 2, 4}

// The statistics of a set of frames and what was decoded of them: the mean decoded image, the
// occupancy of its cells by level, mean and mean square of the sums' logarithm, and, of those that
// were read out, mean image and occupancy as measured.
const (
	imageStatistics = (1 + len(levels)) * cells
	endSums         = imageStatistics + 2
	endReadout      = endSums + imageStatistics
)

// summary is the means of the statistics over images, and their covariances from image to image where
// they were asked for: of those of all frames, and of those of the ones that were read out.
type summary struct {
	mean       []float64
	covariance []*mat.SymDense
}

// summarise makes the statistics of decoded shapes, N×48 for N frames.
func summarise(f *frames, decoded []float64, covariance bool) *summary {
	s := &summary{mean: make([]float64, endSums)}
	s.add(f.len(), s.mean, covariance, func(i int, row []float64) {
		imageRow(decoded[i*cells:(i+1)*cells], row)
		v := logSum(f.sums[i])
		row[imageStatistics], row[imageStatistics+1] = v, v*v
	})
	if f.readout != nil {
		s.mean = append(s.mean, make([]float64, imageStatistics)...)
		measured := make([]float64, cells)
		s.add(f.readout.Len(), s.mean[endSums:], covariance, func(i int, row []float64) {
			shape(measured, func(c int) float64 { return f.readout.Image(i)[c] })
			imageRow(measured, row)
		})
	}
	return s
}

// imageRow writes the statistics of one image's shape.
func imageRow(shape, row []float64) {
	for c, v := range shape {
		row[c] = v
		for l, level := range levels {
			row[cells*(1+l)+c] = 0
			if v > level/cells {
				row[cells*(1+l)+c] = 1
			}
		}
	}
}

// add writes the mean over n rows, and keeps their covariance.
func (s *summary) add(n int, mean []float64, covariance bool, of func(i int, row []float64)) {
	row := make([]float64, len(mean))
	var square *mat.SymDense
	if covariance {
		square = mat.NewSymDense(len(mean), nil)
	}
	for i := range n {
		of(i, row)
		for k, v := range row {
			mean[k] += v / float64(n)
		}
		if covariance {
			square.SymRankOne(square, 1/float64(n), mat.NewVecDense(len(row), row))
		}
	}
	if covariance {
		square.SymRankOne(square, -1, mat.NewVecDense(len(mean), mean))
		s.covariance = append(s.covariance, square)
	}
}

// An expectation is what the statistics should be: those of the sister modules when the detector was
// new, and how simulation says that they change with the conditions although the decoder is told of
// them, since what noise has buried no decoder digs out.
type expectation struct {
	reference []float64
	// root are the Cholesky factors of the covariances of so many events' statistics, beside the reference: of those
	// of all frames, and of those of the ones that were read out.
	root []*mat.TriDense
	// curve are the changes of the statistics at some values of each condition; nil where there is none.
	curve [conditions]*curve
}

// A curve is what statistics change by at some values of a condition, 0 aside.
type curve struct {
	at     []float64
	change [][]float64
}

// What never changes in the reference must not count more than all else: the least spreads of a single
// image's statistics. And covariances of some thousand images are not to be taken at their word: a share
// of them, off the diagonal, is forgone.
const (
	leastImage     = 1e-3
	leastOccupancy = 0.1
	shrunk         = 0.1
)

// expect makes the expectation of a reference of so many images, for sets of so many events, some of which
// are read out.
func expect(reference *summary, events, references, readout int) (*expectation, error) {
	e := &expectation{reference: reference.mean}
	for g, of := range reference.covariance {
		n := float64(events)
		if g > 0 {
			n = float64(readout)
		}
		size := of.SymmetricDim()
		c := mat.NewSymDense(size, nil)
		for i := range size {
			for j := range i {
				c.SetSym(i, j, (1-shrunk)*of.At(i, j))
			}
			least := leastOccupancy
			if i < cells || i >= imageStatistics {
				least = leastImage
			}
			c.SetSym(i, i, of.At(i, i)+least*least)
		}
		c.ScaleSym(1/n+1/float64(references), c)
		var root mat.Cholesky
		if !root.Factorize(c) {
			return nil, errors.New("drift: the covariance of the new detector's statistics has no root: take more references")
		}
		e.root = append(e.root, new(mat.TriDense))
		root.LTo(e.root[g])
	}
	return e, nil
}

// weigh writes how much each of a curve's values counts at v: Lagrange's polynomials, 0 being one of the
// values.
func (c *curve) weigh(v float64, to []float64) []float64 {
	to = to[:0]
	for i, x := range c.at {
		w := v / x
		for j, y := range c.at {
			if j != i {
				w *= (v - y) / (x - y)
			}
		}
		to = append(to, w)
	}
	return to
}

// deviations are how far statistics are from what they should be with the conditions, without correlations and in
// units of their spreads: of the right ones the squares sum to their number.
func (e *expectation) deviations(s *summary, conditions, to []float64) ([]float64, error) {
	if len(s.mean) != len(e.reference) {
		return nil, fmt.Errorf("drift: %d statistics to hold against %d", len(s.mean), len(e.reference))
	}
	to = append(to[:0], s.mean...)
	for i, v := range e.reference {
		to[i] -= v
	}
	var weights []float64
	for k, v := range conditions {
		if e.curve[k] == nil || v == 0 {
			continue
		}
		weights = e.curve[k].weigh(v, weights)
		for j, w := range weights {
			for i, d := range e.curve[k].change[j] {
				to[i] -= w * d
			}
		}
	}
	from := 0
	for _, root := range e.root {
		n, _ := root.Dims()
		blas64.Trsv(blas.NoTrans, root.RawTriangular(), blas64.Vector{N: n, Inc: 1, Data: to[from : from+n]})
		from += n
	}
	return to, nil
}
