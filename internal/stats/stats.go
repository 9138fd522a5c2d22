// Package stats holds the one statistic that gonum defines differently from
// what the field's Python tools print.
package stats

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
