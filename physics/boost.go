package physics

import (
	"context"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"
)

// The trees' numbers: fixed, so that contenders are told apart by their clusters alone.
const (
	boostRounds = 150
	boostDepth  = 3
	boostRate   = 0.1
	boostBins   = 64 // of a variable's values, by quantiles
	boostRidge  = 1  // added to a leaf's second derivatives
	boostLeast  = 4  // least sum of second derivatives in a leaf
)

// forest is the log of the odds that a row is signal: a sum of trees.
type forest struct {
	cuts  [][]float64 // by variable, rising
	trees []tree
}

// tree asks the same number of questions of every row: at node k, whether variable[k] is
// above cut[k]. Then the next node is 2k+2, else 2k+1.
type tree struct {
	variable [1<<boostDepth - 1]int
	cut      [1<<boostDepth - 1]float64 // +Inf where nothing is to be gained
	leaf     [1 << boostDepth]float64
}

// score of a row.
func (f *forest) score(row []float64) float64 {
	sum := 0.0
	for i := range f.trees {
		t := &f.trees[i]
		k := 0
		for k < len(t.variable) {
			if row[t.variable[k]] > t.cut[k] {
				k = 2*k + 2
			} else {
				k = 2*k + 1
			}
		}
		sum += t.leaf[k-len(t.variable)]
	}
	return sum
}

// grow trains a forest by gradient boosting with second derivatives of the logistic loss
// (Friedman, Annals of Statistics 29, 2001; Chen and Guestrin, KDD 2016). Rows have one
// length, weights are at least 0. Each variable's sums are taken in the order of the rows,
// so that threads change no bit.
func grow(ctx context.Context, rows [][]float64, signal []bool, weights []float64, threads int) (*forest, error) {
	g := &growth{signal: signal, weights: weights, threads: threads, node: make([]uint8, len(rows)),
		score: make([]float64, len(rows)), first: make([]float64, len(rows)), second: make([]float64, len(rows))}
	f := &forest{}
	for v := range rows[0] {
		column := make([]float64, len(rows))
		for i, row := range rows {
			column[i] = row[v]
		}
		cuts := quantiles(column, boostBins)
		bins := make([]uint8, len(rows))
		for i, x := range column {
			k, _ := slices.BinarySearch(cuts, x) // how many cuts are below x
			bins[i] = uint8(k)
		}
		f.cuts, g.bins = append(f.cuts, cuts), append(g.bins, bins)
	}
	for range boostRounds {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		t, err := g.tree(f.cuts)
		if err != nil {
			return nil, err
		}
		f.trees = append(f.trees, t)
	}
	return f, nil
}

// quantiles are up to n−1 values that cut a column in parts of about one size, none the
// largest value: a constant column has none.
func quantiles(column []float64, n int) []float64 {
	sorted := slices.Clone(column)
	slices.Sort(sorted)
	var cuts []float64
	for k := 1; k < n; k++ {
		x := sorted[k*len(sorted)/n]
		if x < sorted[len(sorted)-1] && (len(cuts) == 0 || x > cuts[len(cuts)-1]) {
			cuts = append(cuts, x)
		}
	}
	return cuts
}

// growth is the training of a forest.
type growth struct {
	bins    [][]uint8 // by variable and row
	signal  []bool
	weights []float64
	threads int

	score, first, second []float64 // by row: the odds so far, the loss's derivatives
	node                 []uint8   // by row: where it is among the nodes of a depth
}

// derivatives sums the loss's in a part of the rows.
type derivatives struct{ first, second float64 }

func (d *derivatives) add(o derivatives) { d.first += o.first; d.second += o.second }

// gain of a leaf, in units of twice the loss.
func (d derivatives) gain() float64 { return d.first * d.first / (d.second + boostRidge) }

// tree grows one tree and adds it to the scores.
func (g *growth) tree(cuts [][]float64) (t tree, err error) {
	for i, w := range g.weights {
		p := 1 / (1 + math.Exp(-g.score[i]))
		g.second[i] = w * p * (1 - p)
		if g.signal[i] {
			p--
		}
		g.first[i] = w * p
		g.node[i] = 0
	}
	for depth := range boostDepth {
		best, err := g.split(1 << depth)
		if err != nil {
			return t, err
		}
		for k, b := range best {
			at := 1<<depth - 1 + k
			t.variable[at], t.cut[at] = b.variable, math.Inf(1)
			if b.gain > 0 {
				t.cut[at] = cuts[b.variable][b.bin]
			}
		}
		for i, k := range g.node {
			b := &best[k]
			g.node[i] = 2 * k
			if b.gain > 0 && int(g.bins[b.variable][i]) > b.bin {
				g.node[i]++
			}
		}
	}
	var sums [1 << boostDepth]derivatives
	for i, k := range g.node {
		sums[k].add(derivatives{g.first[i], g.second[i]})
	}
	for k, d := range sums {
		t.leaf[k] = -boostRate * d.first / (d.second + boostRidge)
	}
	for i, k := range g.node {
		g.score[i] += t.leaf[k]
	}
	return t, nil
}

// cut is a question: whether a variable's bin is above this one. Without gain none helps.
type cut struct {
	variable, bin int
	gain          float64
}

// split finds the best question for each of some nodes; of equal ones that of the first
// variable and its lowest bin.
func (g *growth) split(nodes int) ([]cut, error) {
	best := make([][]cut, len(g.bins))
	var group errgroup.Group
	group.SetLimit(max(g.threads, 1))
	for v := range g.bins {
		group.Go(func() error {
			best[v] = g.splitBy(v, nodes)
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	out := make([]cut, nodes)
	for _, list := range best {
		for k, c := range list {
			if c.gain > out[k].gain {
				out[k] = c
			}
		}
	}
	return out, nil
}

// splitBy finds each node's best question of one variable.
func (g *growth) splitBy(v, nodes int) []cut {
	sums := make([][boostBins]derivatives, nodes)
	for i, bin := range g.bins[v] {
		sums[g.node[i]][bin].add(derivatives{g.first[i], g.second[i]})
	}
	best := make([]cut, nodes)
	for k := range sums {
		var all, below derivatives
		for _, d := range sums[k] {
			all.add(d)
		}
		best[k].variable = v
		for bin, d := range sums[k][:boostBins-1] {
			below.add(d)
			above := derivatives{all.first - below.first, all.second - below.second}
			if below.second < boostLeast || above.second < boostLeast {
				continue
			}
			if gain := below.gain() + above.gain() - all.gain(); gain > best[k].gain {
				best[k].bin, best[k].gain = bin, gain
			}
		}
	}
	return best
}
