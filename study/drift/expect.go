package drift

import (
	"fmt"
	"math"
)

// levels are the shares of an image's charge, in units of that of a cell if all had the same, above
// which a cell counts as occupied.
var levels = [...]float64{0.25, 0.5, 1, 2, 4}

// The statistics of a set of frames and what was decoded of them, in blocks: the mean decoded image,
// the occupancy of its cells by level, mean and mean square of the sums' logarithm, and, of those that
// were read out, mean image and occupancy as measured.
const (
	endImage     = cells
	endOccupancy = endImage + len(levels)*cells
	endSums      = endOccupancy + 2
	endReadout   = endSums + (1+len(levels))*cells
)

// summary is the means of the statistics over images, and their variances from image to image.
type summary struct {
	mean, variance []float64
	blocks         []block
}

// block is some of the statistics, which count together as much as those of any other.
type block struct{ from, to int }

// summarise makes the statistics of decoded shapes, N×48 for N frames.
func summarise(f *frames, decoded []float64) *summary {
	s := &summary{blocks: []block{{0, endImage}, {endImage, endOccupancy}, {endOccupancy, endSums}}}
	size := endSums
	if f.readout != nil {
		size = endReadout
		s.blocks = append(s.blocks, block{endSums, endSums + cells}, block{endSums + cells, endReadout})
	}
	s.mean, s.variance = make([]float64, size), make([]float64, size)
	add := func(k int, v float64) { s.mean[k] += v; s.variance[k] += v * v }
	image := func(base int, row []float64) {
		for c, v := range row {
			add(base+c, v)
			for l, level := range levels {
				if v > level/cells {
					add(base+cells*(1+l)+c, 1)
				}
			}
		}
	}
	for i, sum := range f.sums {
		image(0, decoded[i*cells:(i+1)*cells])
		v := logSum(sum)
		add(endOccupancy, v)
		add(endOccupancy+1, v*v)
	}
	finish(s.mean[:endSums], s.variance[:endSums], f.len())
	if f.readout != nil {
		row := make([]float64, cells)
		for i := range f.readout.Len() {
			shape(row, func(c int) float64 { return f.readout.Image(i)[c] })
			image(endSums, row)
		}
		finish(s.mean[endSums:], s.variance[endSums:], f.readout.Len())
	}
	return s
}

func finish(mean, variance []float64, n int) {
	for k := range mean {
		mean[k] /= float64(n)
		variance[k] = max(0, variance[k]/float64(n)-mean[k]*mean[k])
	}
}

// An expectation is what the statistics should be: those of the sister modules when the detector was
// new, and how simulation says that they change with the conditions although the decoder is told of
// them, since what noise has buried no decoder digs out.
type expectation struct {
	reference *summary
	noise     []float64 // spread of each statistic of so many events, beside the reference
	// slope and bend are the change of the statistics with each condition, and with its square; nil
	// where there is none.
	slope, bend [conditions][]float64
}

// leastSpread keeps what never changes in the reference from counting more than all else: spreads of
// a single image's statistics.
const (
	leastImage     = 1e-3
	leastOccupancy = 0.1
)

// expect makes the expectation of a reference, for sets of n frames, some of which are read out.
func expect(reference *summary, events, references, readout int) *expectation {
	e := &expectation{reference: reference}
	for k, v := range reference.variance {
		least, n := leastImage, float64(events)
		if k >= endImage && k < endOccupancy || k >= endSums+cells {
			least = leastOccupancy
		}
		if k >= endSums {
			n = float64(readout)
		}
		e.noise = append(e.noise, math.Sqrt(max(v, least*least)*(1/n+1/float64(references))))
	}
	return e
}

// bendBy takes the change of the statistics with condition k from what they are at two of its values.
func (e *expectation) bendBy(k int, at [2]float64, rest *summary, s [2]*summary) {
	e.slope[k], e.bend[k] = make([]float64, len(rest.mean)), make([]float64, len(rest.mean))
	det := at[0]*at[1]*at[1] - at[1]*at[0]*at[0]
	for i, r := range rest.mean {
		a, b := s[0].mean[i]-r, s[1].mean[i]-r
		e.slope[k][i] = (a*at[1]*at[1] - b*at[0]*at[0]) / det
		e.bend[k][i] = (at[0]*b - at[1]*a) / det
	}
}

// deviations are how far statistics are from what they should be with the conditions, in units of their
// spreads and such that their squares sum to the cost: the mean square of each block, summed over the
// blocks.
func (e *expectation) deviations(s *summary, conditions, to []float64) ([]float64, error) {
	if len(s.mean) != len(e.reference.mean) {
		return nil, fmt.Errorf("drift: %d statistics to hold against %d", len(s.mean), len(e.reference.mean))
	}
	to = append(to[:0], s.mean...)
	for _, b := range s.blocks {
		weight := 1 / math.Sqrt(float64(b.to-b.from))
		for i := b.from; i < b.to; i++ {
			want := e.reference.mean[i]
			for k, v := range conditions {
				if e.slope[k] != nil {
					want += e.slope[k][i]*v + e.bend[k][i]*v*v
				}
			}
			to[i] = weight * (s.mean[i] - want) / e.noise[i]
		}
	}
	return to, nil
}

// cost is the sum of the deviations' squares.
func cost(deviations []float64) float64 {
	sum := 0.0
	for _, d := range deviations {
		sum += d * d
	}
	return sum
}
