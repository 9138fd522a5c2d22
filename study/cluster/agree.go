package cluster

import (
	"fmt"
	"math"
	"slices"

	"barrow/emd"
	"barrow/internal/stats"
)

// Agreement says how well labels found agree with true ones. All but the accuracy are
// the same whatever the labels are called.
type Agreement struct {
	// Accuracy is the share of rows whose label is the true one, when clusters are matched to
	// classes one to one as is best for it (an assignment problem, solved exactly).
	Accuracy float64 `json:"accuracy"`
	// NMI is the mutual information over the mean of the two entropies, 0 to 1 (A. Strehl, J. Ghosh, 2002,
	// with the arithmetic mean, as scikit-learn has it).
	NMI float64 `json:"nmi"`
	// ARI is the Rand index less what chance gives (L. Hubert, P. Arabie, J. Classification 2 (1985) 193).
	ARI float64 `json:"ari"`
}

// counts is how often cluster i meets class j.
func counts(labels, truth []int, clusters, classes int) [][]float64 {
	c := make([][]float64, clusters)
	for i := range c {
		c[i] = make([]float64, classes)
	}
	for k, l := range labels {
		c[l][truth[k]]++
	}
	return c
}

// agree holds labels against the truth.
func agree(labels, truth []int, clusters, classes int) (Agreement, error) {
	c := counts(labels, truth, clusters, classes)
	match, err := matched(c)
	if err != nil {
		return Agreement{}, err
	}
	right := 0.0
	for i, j := range match {
		if j >= 0 {
			right += c[i][j]
		}
	}
	return Agreement{Accuracy: right / float64(len(labels)), NMI: nmi(c), ARI: ari(c)}, nil
}

// matched gives each cluster a class, or −1 where there are more clusters, so that most rows have the
// label of their class. An assignment is a transport of masses of 1, of which the exact solver's
// plan moves whole ones.
func matched(c [][]float64) ([]int, error) {
	n := max(len(c), len(c[0]))
	cost, one := make([]float64, n*n), make([]float64, n)
	most := 0.0
	for _, row := range c {
		most = max(most, slices.Max(row))
	}
	for i := range n {
		one[i] = 1
		for j := range n {
			cost[i*n+j] = most
			if i < len(c) && j < len(c[0]) {
				cost[i*n+j] -= c[i][j]
			}
		}
	}
	ground, err := emd.NewCost(n, n, cost)
	if err != nil {
		return nil, err
	}
	solver, err := emd.NewSolver(ground, emd.Settings{})
	if err != nil {
		return nil, err
	}
	arcs, _, err := solver.Flow(one, one, nil)
	if err != nil {
		return nil, fmt.Errorf("cluster: matching clusters and classes: %w", err)
	}
	match := make([]int, len(c))
	for i := range match {
		match[i] = -1
	}
	for _, a := range arcs {
		if a.Mass > 0.5 && a.From < len(c) && a.To < len(c[0]) {
			match[a.From] = a.To
		}
	}
	return match, nil
}

// sums are those of the rows, the columns, and all.
func sums(c [][]float64) (rows, columns []float64, all float64) {
	rows, columns = make([]float64, len(c)), make([]float64, len(c[0]))
	for i, row := range c {
		for j, v := range row {
			rows[i] += v
			columns[j] += v
			all += v
		}
	}
	return rows, columns, all
}

func entropy(v []float64, all float64) float64 {
	h := 0.0
	for _, x := range v {
		if x > 0 {
			h -= x / all * math.Log(x/all)
		}
	}
	return h
}

func nmi(c [][]float64) float64 {
	rows, columns, all := sums(c)
	mutual := 0.0
	for i, row := range c {
		for j, v := range row {
			if v > 0 {
				mutual += v / all * math.Log(v*all/(rows[i]*columns[j]))
			}
		}
	}
	mean := (entropy(rows, all) + entropy(columns, all)) / 2
	if mean == 0 {
		return 1 // one cluster, one class
	}
	return max(0, min(1, mutual/mean))
}

func ari(c [][]float64) float64 {
	rows, columns, all := sums(c)
	pairs := func(v float64) float64 { return v * (v - 1) / 2 }
	both, inRows, inColumns := 0.0, 0.0, 0.0
	for i, row := range c {
		inRows += pairs(rows[i])
		for _, v := range row {
			both += pairs(v)
		}
	}
	for _, v := range columns {
		inColumns += pairs(v)
	}
	chance := inRows * inColumns / pairs(all)
	most := (inRows + inColumns) / 2
	if most == chance {
		return 1
	}
	return (both - chance) / (most - chance)
}

// silhouette is P. Rousseeuw's (J. Comp. Appl. Math. 20 (1987) 53): the mean over the rows of (b − a)/max(a, b), a
// the mean distance to the others of its cluster, b the least mean distance to those of another; 0
// for a row that is alone. NaN where there are no two clusters.
func silhouette(x [][]float64, labels []int, clusters int) float64 {
	size := make([]float64, clusters)
	for _, l := range labels {
		size[l]++
	}
	filled := 0
	for _, s := range size {
		if s > 0 {
			filled++
		}
	}
	if filled < 2 {
		return math.NaN()
	}
	sum := 0.0
	to := make([]float64, clusters)
	for i, v := range x {
		clear(to)
		for k, w := range x {
			to[labels[k]] += math.Sqrt(apart(v, w))
		}
		own := labels[i]
		if size[own] < 2 {
			continue
		}
		a, b := to[own]/(size[own]-1), math.Inf(1)
		for l, t := range to {
			if l != own && size[l] > 0 {
				b = min(b, t/size[l])
			}
		}
		if m := max(a, b); m > 0 {
			sum += (b - a) / m
		}
	}
	return sum / float64(len(x))
}

// rocArea is the share of pairs of one odd row and one of the others of which the odd one has the
// larger score, ties half: the area under the curve of efficiency and false alarms. NaN where
// one side is empty.
func rocArea(scores []float64, odd func(i int) bool) float64 {
	sum, n := 0.0, 0.0
	for i, r := range stats.Ranks(scores) {
		if odd(i) {
			sum, n = sum+r, n+1
		}
	}
	return (sum - n*(n+1)/2) / (n * (float64(len(scores)) - n))
}
