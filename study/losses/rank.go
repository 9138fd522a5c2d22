package losses

import (
	"slices"

	"gonum.org/v1/gonum/stat"

	"barrow/internal/stats"
)

// spearman is the correlation of the ranks, equal values having their mean rank; 0 where all
// values of a side are equal.
func spearman(a, b []float64) float64 {
	x, y := stats.Ranks(a), stats.Ranks(b)
	if slices.Max(x) == slices.Min(x) || slices.Max(y) == slices.Min(y) {
		return 0
	}
	return stat.Correlation(x, y, nil)
}
