package main

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// bins are how finely forecasts are sorted.
const bins = 10

// scores are in the order of the table's columns.
type scores []float64

// measure holds forecasts against what came, all fields together; each are the Brier scores
// field by field.
func measure(fields []field, forecast []float32, curve *reliability) (all scores, each []float64) {
	var count, came, said [bins]float64
	each = make([]float64, len(fields))
	frequency, hits, either, n := 0.0, 0.0, 0.0, float64(len(forecast))
	for i, f := range forecast {
		p, o := float64(f), float64(fields[i/pixels].storm[i%pixels])
		each[i/pixels] += (p - o) * (p - o) / pixels
		frequency += o / n
		b := min(bins-1, int(p*bins))
		count[b]++
		came[b] += o
		said[b] += p
		yes := 0.0
		if p >= 0.5 {
			yes = 1
		}
		hits += o * yes
		either += max(o, yes)
	}
	calibration := 0.0
	for b := range bins {
		curve.Count[b] += count[b]
		curve.Said[b] += said[b]
		curve.Came[b] += came[b]
		calibration += math.Abs(came[b]-said[b]) / n
	}
	brier := stat.Mean(each, nil)
	all = scores{calibration, brier, 1 - brier/(frequency*(1-frequency)), hits / either}
	for _, radius := range []int{0, 1, 3} {
		all = append(all, fractions(fields, forecast, radius))
	}
	return all, each
}

// fractions is the fractions skill score of forecasts of ½ and more, of squares of 2·radius + 1
// pixels a side, cut off at the rim.
func fractions(fields []field, forecast []float32, radius int) float64 {
	apart, both := 0.0, 0.0
	for k := range fields {
		o, p := fields[k].storm, forecast[k*pixels:(k+1)*pixels]
		for y := range side {
			for x := range side {
				fo, fp := 0.0, 0.0
				for r := max(0, y-radius); r <= min(side-1, y+radius); r++ {
					for c := max(0, x-radius); c <= min(side-1, x+radius); c++ {
						fo += float64(o[r*side+c])
						if p[r*side+c] >= 0.5 {
							fp++
						}
					}
				}
				apart += (fo - fp) * (fo - fp)
				both += fo*fo + fp*fp
			}
		}
	}
	return 1 - apart/both
}
