package report

import (
	"fmt"
	"math"
	"sort"
)

// Even returns n+1 edges of n bins of equal width from lo to hi; with lo and
// hi swapped or n below 1 it returns nil, which the figures refuse.
func Even(lo, hi float64, n int) []float64 {
	if n < 1 || !(lo < hi) || !finite(hi-lo) {
		return nil
	}
	e := make([]float64, n+1)
	for i := range e {
		e[i] = lo + (hi-lo)*float64(i)/float64(n)
	}
	e[n] = hi
	return e
}

// Bin counts the values in each bin; the upper edge belongs to the last bin.
// outside is how many lie beyond the edges. NaN is an error naming its index.
func Bin(values, edges []float64) (count []float64, outside int, err error) {
	if err := checkEdges("bins", edges, false); err != nil {
		return nil, 0, fmt.Errorf("report: %w", err)
	}
	count = make([]float64, len(edges)-1)
	for i, v := range values {
		if math.IsNaN(v) {
			return nil, 0, fmt.Errorf("report: bins: value %d is NaN", i)
		}
		if k := find(edges, v); k >= 0 {
			count[k]++
		} else {
			outside++
		}
	}
	return count, outside, nil
}

// BinXY counts pairs for a [Density]: rows of len(xEdges)-1 counts, lowest y
// first.
func BinXY(x, y, xEdges, yEdges []float64) (count []float64, outside int, err error) {
	if len(x) != len(y) {
		return nil, 0, fmt.Errorf("report: bins: %d x for %d y", len(x), len(y))
	}
	for _, e := range [][]float64{xEdges, yEdges} {
		if err := checkEdges("bins", e, false); err != nil {
			return nil, 0, fmt.Errorf("report: %w", err)
		}
	}
	nx := len(xEdges) - 1
	count = make([]float64, nx*(len(yEdges)-1))
	for i := range x {
		if math.IsNaN(x[i]) || math.IsNaN(y[i]) {
			return nil, 0, fmt.Errorf("report: bins: pair %d is (%v, %v)", i, x[i], y[i])
		}
		kx, ky := find(xEdges, x[i]), find(yEdges, y[i])
		if kx >= 0 && ky >= 0 {
			count[ky*nx+kx]++
		} else {
			outside++
		}
	}
	return count, outside, nil
}

// find is the bin of v, or −1.
func find(edges []float64, v float64) int {
	n := len(edges) - 1
	if v < edges[0] || v > edges[n] {
		return -1
	}
	return min(sort.Search(n, func(i int) bool { return edges[i+1] > v }), n-1)
}
