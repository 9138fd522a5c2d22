package model_test

import (
	"math"
	"testing"

	"barrow/model"
)

// What is not finite is the same as itself alone, and hides no other difference.
func TestDifferNotFinite(t *testing.T) {
	inf, nan := math.Inf(1), math.NaN()
	for _, c := range []struct {
		got, want []float64
		at        int
	}{
		{[]float64{1, inf, -inf, nan}, []float64{1, inf, -inf, nan}, -1},
		{[]float64{5, inf}, []float64{1, inf}, 0},
		{[]float64{5, nan}, []float64{1, nan}, 0},
		{[]float64{1, 0}, []float64{1, inf}, 1},
		{[]float64{1, -inf}, []float64{1, inf}, 1},
		{[]float64{1, 0}, []float64{1, nan}, 1},
		{[]float64{1, nan}, []float64{1, 0}, 1},
		{[]float64{1, inf}, []float64{1, 0}, 1},
	} {
		for _, exact := range []bool{false, true} {
			if at, most := model.Differ(c.got, c.want, exact); at != c.at || (at < 0) != (most == 0) {
				t.Errorf("Differ(%v, %v, %t) = %d, %v, want %d", c.got, c.want, exact, at, most, c.at)
			}
		}
	}
}
