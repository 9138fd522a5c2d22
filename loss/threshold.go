package loss

import (
	"fmt"
	"math"

	"barrow/hgcal"
)

// maxThreshold is what the chip's largest charge is in MIP_T.
const maxThreshold = 1 << 22 / hgcal.CountsPerMIPT

// softness is how wide the step of a threshold is, in thresholds: the logistic function
// goes from 0.018 for no charge to a half at the threshold.
const softness = 0.25

// readThresholds reads the thresholds that charges are to exceed.
func readThresholds(o *options) []float64 {
	return o.numbers("threshold", []float64{2}, 0, maxThreshold, " MIP_T")
}

// exceeds is the logistic function that goes from 0 to 1 around a threshold, with its
// derivative.
func exceeds(x, threshold float64) (value, slope float64) {
	width := softness * threshold
	if x == 0 { // most cells of most images
		return emptied, emptied * (1 - emptied) / width
	}
	e := 1 / (1 + math.Exp((threshold-x)/width))
	return e, e * (1 - e) / width
}

// emptied is what is said of a cell without charge, whatever the threshold.
var emptied = 1 / (1 + math.Exp(1/softness))

// brierScore is the mean over thresholds of the squared difference of how far they are
// exceeded.
func brierScore(thresholds []float64) score {
	return score{thresholds: thresholds, of: func(t, p, unit float64) (value, slope float64) {
		for _, h := range thresholds {
			et, _ := exceeds(t*unit, h)
			ep, d := exceeds(p*unit, h)
			value += (ep - et) * (ep - et)
			slope += 2 * (ep - et) * d * unit
		}
		n := float64(len(thresholds))
		return value / n, slope / n
	}}
}

// selective is an imageLoss with thresholds.
type selective interface {
	// selects tells the thresholds, in MIP_T, and what of an image is held against them; none
	// where it has no thresholds.
	selects(image []float64) (thresholds, values []float64)
}

func (l *success) selects(image []float64) (thresholds, values []float64) {
	return l.thresholds, image
}

func (l *fractions) selects(image []float64) (thresholds, values []float64) {
	return l.thresholds, image
}

func (l *filtered) selects(image []float64) (thresholds, values []float64) {
	if len(l.score.thresholds) == 0 {
		return nil, nil
	}
	l.filter.apply(image, l.t)
	return l.score.thresholds, l.t
}

// farBelow is the share of the smallest charge under which a threshold is exceeded by what a decoder
// leaves in empty cells, too. Above it a threshold that all charges exceed tells them from none, of
// which images without small charges have most cells.
const farBelow = 0.1

// CheckThresholds says whether the thresholds of a loss tell some cells of images from others: one
// that no cell of any image exceeds, or that is below a tenth of the smallest charge, is an error with
// the range of what may be. Images and units are those of EvalIn. Losses without thresholds, and
// images without charges, are right.
func CheckThresholds(l Loss, units []float64, images []float32) error {
	switch l := l.(type) {
	case *weightedSum:
		for _, term := range l.terms {
			if err := CheckThresholds(term, units, images); err != nil {
				return err
			}
		}
	case *spatial:
		if s, ok := l.one.(selective); ok {
			return l.check(s, units, images)
		}
	}
	return nil
}

func (l *spatial) check(s selective, units []float64, images []float32) error {
	n, err := checkCells(l.name, l.cells, images, images, nil)
	if err != nil {
		return err
	}
	if units != nil && len(units) != n {
		return fmt.Errorf("loss: %s: %d units of %d images", l.name, len(units), n)
	}
	least, most := math.Inf(1), 0.0
	var thresholds []float64
	for i := range n {
		unit := 1.0
		if units != nil {
			unit = units[i]
		}
		for c := range l.cells {
			l.t[c] = float64(images[i*l.cells+c])
		}
		var values []float64
		if thresholds, values = s.selects(l.t); thresholds == nil {
			return nil
		}
		for _, v := range values {
			if v *= unit; v > 0 {
				least, most = min(least, v), max(most, v)
			}
		}
	}
	for _, h := range thresholds {
		if most > 0 && (h >= most || h < farBelow*least) {
			what := "no cell of the images exceeds"
			if h < most {
				what = "all charges of the images, and what is next to nothing, exceed"
			}
			return fmt.Errorf("loss: %s: %s %g MIP_T: want thresholds from %.3g to less than %.3g", l.name, what, h, farBelow*least, most)
		}
	}
	return nil
}
