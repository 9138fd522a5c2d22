// Package stats holds statistics that gonum lacks or defines differently from
// what the field's Python tools print.
package stats

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Student95 is the mean of a sample and the half width of its 95 % interval by Student's t; NaN of one value.
func Student95(v []float64) (mean, half float64) {
	mean, std := stat.MeanStdDev(v, nil)
	n := float64(len(v))
	if n < 2 {
		return mean, math.NaN()
	}
	return mean, distuv.StudentsT{Mu: 0, Sigma: 1, Nu: n - 1}.Quantile(0.975) * std / math.Sqrt(n)
}

// Quantile interpolates linearly between the order statistics of a sorted,
// non-empty sample, as NumPy does by default (gonum's LinInterp interpolates
// the empirical distribution function instead). p lies in [0,1].
func Quantile(sorted []float64, p float64) float64 {
	at := p * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}

// Ranks are those of a sample's values, from 1 for the smallest; equal values share the mean of
// theirs. NaNs have none: there must not be any.
func Ranks(v []float64) []float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(v[a], v[b]) })
	out := make([]float64, len(v))
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && v[order[to]] == v[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			out[i] = float64(from+1+to) / 2
		}
		from = to
	}
	return out
}
