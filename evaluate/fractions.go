package evaluate

import (
	"fmt"
	"math"

	"barrow/hgcal"
	"barrow/loss"
	"barrow/wafer"
)

// Fractions gathers, image by image, the fractions skill score on several scales (N. M. Roberts and
// H. W. Lean, Mon. Weather Rev. 136 (2008) 78): one less Σ(f − f')²/(Σf² + Σf'²) over all cells of
// all images, f the share of the cells within a radius around each that have charges above a
// threshold, in the image and in the decoded image. At radius 0 it asks every cell for itself, at
// larger ones whether there are as many nearby.
type Fractions struct {
	threshold   float64
	discs       [][][]int32 // by radius and cell
	apart, both []float64
}

// NewFractions counts cells above a threshold, in the images' unit, within radii in steps between
// neighbours: 0, 1, … up to most.
func NewFractions(threshold float64, most int) (*Fractions, error) {
	if !(threshold >= 0) || math.IsInf(threshold, 1) {
		return nil, fmt.Errorf("evaluate: fractions of cells above a charge of %v: want a number, 0 or more", threshold)
	}
	if most < 0 || most >= hgcal.Cells {
		return nil, fmt.Errorf("evaluate: fractions of cells within %d steps: want 0 to %d", most, hgcal.Cells-1)
	}
	f := &Fractions{threshold: threshold, apart: make([]float64, most+1), both: make([]float64, most+1)}
	wafers := loss.Wafer()
	for r := range most + 1 {
		f.discs = append(f.discs, wafers.Discs(r))
	}
	return f, nil
}

// Add adds images with their decoded images, in the same unit.
func (f *Fractions) Add(images, decoded *wafer.Set) error {
	if images.Len() != decoded.Len() {
		return fmt.Errorf("evaluate: %d images and %d decoded ones", images.Len(), decoded.Len())
	}
	var x, y [hgcal.Cells]int
	for i := range images.Len() {
		a, b := images.Image(i), decoded.Image(i)
		for c := range x {
			x[c], y[c] = 0, 0
			if a[c] > f.threshold {
				x[c] = 1
			}
			if b[c] > f.threshold {
				y[c] = 1
			}
		}
		for r, discs := range f.discs {
			for _, disc := range discs {
				p, q := 0, 0
				for _, k := range disc {
					p += x[k]
					q += y[k]
				}
				n := float64(len(disc))
				u, v := float64(p)/n, float64(q)/n
				f.apart[r] += (u - v) * (u - v)
				f.both[r] += u*u + v*v
			}
		}
	}
	return nil
}

// Scores are those of the radii 0, 1, …: 1 where the fractions are the same everywhere, and where no
// cell is above the threshold.
func (f *Fractions) Scores() []float64 {
	scores := make([]float64, len(f.both))
	for r, both := range f.both {
		scores[r] = 1
		if both > 0 {
			scores[r] -= f.apart[r] / both
		}
	}
	return scores
}
