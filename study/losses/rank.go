package losses

import (
	"cmp"
	"slices"

	"gonum.org/v1/gonum/stat"
)

// spearman is the correlation of the ranks, equal values having their mean rank; 0 where all
// values of a side are equal.
func spearman(a, b []float64) float64 {
	x, y := ranks(a), ranks(b)
	if slices.Max(x) == slices.Min(x) || slices.Max(y) == slices.Min(y) {
		return 0
	}
	return stat.Correlation(x, y, nil)
}

func ranks(v []float64) []float64 {
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
			out[i] = float64(from+to-1) / 2
		}
		from = to
	}
	return out
}
