package physics

import (
	"fmt"
	"math"
	"slices"
)

// shapeKeys are ShapeNames as keys; the first longitudinal describe the shower's depth, the
// others its breadth.
var shapeKeys = [...]string{"first_layer", "largest_layer", "mean_depth", "depth_spread", "depth_10", "depth_50", "depth_90",
	"length", "spread_r", "spread_eta", "spread_phi", "largest_spread", "core", "largest_cell"}

const longitudinal = 8

// shapeFigures are the biases of shape variables, first those of many together.
func shapeFigures() []Figure {
	list := []Figure{
		{Name: "longitudinal_bias", Label: "longitudinal shape: mean |bias|/spread", prepare: shapeBias(0, longitudinal, true)},
		{Name: "transverse_bias", Label: "transverse shape: mean |bias|/spread", prepare: shapeBias(longitudinal, len(shapeKeys), true)},
	}
	for k, name := range ShapeNames() {
		unit := ""
		if k < longitudinal {
			unit = "layers"
		}
		list = append(list, Figure{Name: shapeKeys[k] + "_bias", Label: "bias of " + name, Unit: unit, prepare: shapeBias(k, k+1, false)})
	}
	return list
}

// shapeBias is the mean, over particles that both find, of a shape variable's difference
// to the reference; with scaled, the mean over variables of its size in units of the
// variable's spread in the reference, those without spread left out: a spread that a few
// showers make is none in draws without them.
func shapeBias(from, to int, scaled bool) func(v *view) measure {
	return func(v *view) measure {
		if v.columns.Shapes == nil || v.reference.Shapes == nil {
			return measure{note: "no shapes"}
		}
		var difference, reference []*sample
		n := 0
		for k := from; k < to; k++ {
			d, r := &sample{}, &sample{}
			ours, theirs := v.columns.Shapes[k], v.reference.Shapes[k]
			for _, i := range v.rows {
				if v.columns.Found[i] && v.reference.Found[i] && !math.IsNaN(ours[i]-theirs[i]) {
					d.add(ours[i]-theirs[i], v.event[i])
					r.add(theirs[i], v.event[i])
				}
			}
			if n = len(d.value); n < least {
				return measure{n: n, note: few(n, fmt.Sprintf("particles found by both with the %s", ShapeNames()[k]))}
			}
			if scaled && !varies(r.value) {
				continue
			}
			r.center()
			difference, reference = append(difference, d), append(reference, r)
		}
		if len(difference) == 0 {
			return measure{n: n, note: "no variable varies"}
		}
		if !scaled {
			return measure{n: n, statistic: meanOf(difference[0])}
		}
		return measure{n: n, statistic: func(t *times) (float64, string) {
			sum, of := 0.0, 0
			for k, d := range difference {
				all, x, _ := d.sums(t.particles)
				_, y, yy := reference[k].sums(t.particles)
				if spread := yy/all - float64(y/all*(y/all)); spread > 0 {
					sum += math.Abs(x/all) / math.Sqrt(spread)
					of++
				}
			}
			if of == 0 {
				return math.NaN(), "no variable varies"
			}
			return sum / float64(of), ""
		}}
	}
}

// varies reports whether at least ten values are not the commonest one.
func varies(values []float64) bool {
	sorted := slices.Sorted(slices.Values(values))
	most, run := 0, 0
	for i, v := range sorted {
		if i > 0 && v != sorted[i-1] {
			run = 0
		}
		run++
		most = max(most, run)
	}
	return len(values)-most >= least
}
