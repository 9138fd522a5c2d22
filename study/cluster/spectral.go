package cluster

import (
	"context"
	"math"
	"slices"

	"golang.org/x/sync/errgroup"

	"barrow/internal/counter"
)

// neighbours of a row in the graph, and the one whose distance is a row's own scale.
const (
	graphNeighbours = 12
	graphScale      = 7
)

// A link joins a row with another in the graph of near rows.
type link struct {
	to     int
	weight float64
}

// near finds the k nearest other rows of every row, the nearest first, with their squared distances.
func near(ctx context.Context, x [][]float64, k, threads int) ([][]link, error) {
	out := make([][]link, len(x))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(threads)
	for i := range x {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			best := make([]link, 0, k+1)
			for j, v := range x {
				if j == i {
					continue
				}
				d := apart(x[i], v)
				if len(best) == k && d >= best[k-1].weight {
					continue
				}
				at, _ := slices.BinarySearchFunc(best, d, func(l link, d float64) int {
					if l.weight <= d {
						return -1
					}
					return 1
				})
				best = slices.Insert(best, at, link{j, d})[:min(len(best)+1, k)]
			}
			out[i] = best
			return nil
		})
	}
	return out, g.Wait()
}

// graph joins every row with its nearest ones, by a Gaussian of the distance on the scale of the two (L.
// Zelnik-Manor, P. Perona, NIPS 2004), both ways.
func graph(ctx context.Context, x [][]float64, threads int) ([][]link, error) {
	k := min(graphNeighbours, len(x)-1)
	list, err := near(ctx, x, k, threads)
	if err != nil {
		return nil, err
	}
	scale := make([]float64, len(x))
	for i, l := range list {
		scale[i] = math.Sqrt(l[min(graphScale, k)-1].weight)
	}
	out := make([][]link, len(x))
	for i, l := range list {
		for _, e := range l {
			w := math.Exp(-e.weight/(float64(scale[i]*scale[e.to])+tiny)) + tiny
			out[i] = append(out[i], link{e.to, w})
			out[e.to] = append(out[e.to], link{i, w})
		}
	}
	for i, l := range out {
		slices.SortFunc(l, func(a, b link) int { return a.to - b.to })
		out[i] = slices.CompactFunc(l, func(a, b link) bool { return a.to == b.to })
	}
	return out, nil
}

// Iterations of the subspace, and how often it is made orthogonal in between.
const (
	subspaceSteps = 400
	subspaceEvery = 10
	subspaceMore  = 10 // vectors beyond those wanted: the rest converge faster
)

// spectral cuts rows into k clusters by the graph of near rows: k-means on the directions of the rows
// of the first k eigenvectors of D^−½ W D^−½ (A. Ng, M. Jordan, Y. Weiss, NIPS 2001), which
// orthogonal iteration of the matrix, shifted to eigenvalues of 0 to 1, finds.
func spectral(ctx context.Context, x [][]float64, k int, seed uint64, threads int) ([]int, error) {
	g, err := graph(ctx, x, threads)
	if err != nil {
		return nil, err
	}
	root := make([]float64, len(x))
	for i, l := range g {
		for _, e := range l {
			root[i] += e.weight
		}
		root[i] = math.Sqrt(root[i])
	}
	basis := make([][]float64, min(k+subspaceMore, len(x)))
	s := counter.New(seed, streamSpectre)
	for a := range basis {
		basis[a] = make([]float64, len(x))
		for i := range basis[a] {
			basis[a][i] = s.Float64() - 0.5
		}
	}
	orthogonal(basis)
	for step := 0; step < subspaceSteps; step += subspaceEvery {
		workers, ctx := errgroup.WithContext(ctx)
		workers.SetLimit(threads)
		for a := range basis {
			workers.Go(func() error {
				to := make([]float64, len(x))
				for range subspaceEvery {
					for i, l := range g {
						sum := basis[a][i]
						for _, e := range l {
							sum += float64(e.weight * basis[a][e.to] / (root[i] * root[e.to]))
						}
						to[i] = sum / 2
					}
					basis[a], to = to, basis[a]
				}
				return ctx.Err()
			})
		}
		if err := workers.Wait(); err != nil {
			return nil, err
		}
		orthogonal(basis)
	}
	rows := make([][]float64, len(x))
	for i := range rows {
		rows[i] = make([]float64, min(k, len(basis)))
		for a := range rows[i] {
			rows[i][a] = basis[a][i]
		}
	}
	return kMeans(ctx, unit(rows), k, seed, threads)
}

// orthogonal makes vectors orthogonal to those before them, and of length 1 (twice, as E. Gram and J.
// Schmidt's method is not exact at once).
func orthogonal(basis [][]float64) {
	for a, v := range basis {
		for range 2 {
			for _, w := range basis[:a] {
				d := dot(v, w)
				for i := range v {
					v[i] -= float64(d * w[i])
				}
			}
		}
		l := math.Sqrt(dot(v, v)) + tiny*tiny
		for i := range v {
			v[i] /= l
		}
	}
}
