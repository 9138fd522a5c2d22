package main

import "math"

// bins are how finely forecasts are sorted.
const bins = 10

// scores are in the order of the table's columns.
type scores []float64

// measure holds forecasts against what came, all fields together.
func measure(fields []field, forecast []float32, curve *reliability) scores {
	var count, came, said [bins]float64
	brier, frequency, hits, all, n := 0.0, 0.0, 0.0, 0.0, float64(len(forecast))
	for i, f := range forecast {
		p, o := float64(f), float64(fields[i/pixels].storm[i%pixels])
		brier += (p - o) * (p - o) / n
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
		all += max(o, yes)
	}
	calibration := 0.0
	for b := range bins {
		curve.Count[b] += count[b]
		curve.Said[b] += said[b]
		curve.Came[b] += came[b]
		calibration += math.Abs(came[b]-said[b]) / n
	}
	out := scores{calibration, brier, 1 - brier/(frequency*(1-frequency)), hits / all}
	for _, radius := range []int{0, 1, 3} {
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
		out = append(out, 1-apart/both)
	}
	return out
}
