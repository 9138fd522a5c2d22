// Package knn classifies images by the labels of their nearest neighbours, and finds these by the
// straight-line distance between images as vectors: what the EMD is compared with.
package knn

import (
	"context"
	"fmt"
	"math"

	"golang.org/x/sync/errgroup"

	"barrow/emd"
	"barrow/internal/limit"
)

// Euclidean finds the k nearest of N images, rows of q of so many cells each, for each of M images,
// rows of p, by the straight-line distance of all their cells, of the images that emd.Index compares
// with these settings, and as these scale them: to sum 1 with UnequalNormalise. But with
// UnequalPenalty an image without mass has no neighbours, and is nobody's.
func Euclidean(ctx context.Context, p, q []float64, cells, k int, s emd.Settings, near []emd.Neighbour) error {
	if cells < 1 || len(p)%cells != 0 || len(q)%cells != 0 || k < 1 || k > len(q)/cells || len(near) != k*(len(p)/cells) {
		return fmt.Errorf("knn: the %d nearest of %d images for %d, rows of %d and %d numbers of %d cells, with room for %d neighbours",
			k, len(q)/max(1, cells), len(p)/max(1, cells), len(q), len(p), cells, len(near))
	}
	threads, err := limit.Threads(s.Threads)
	if err != nil {
		return fmt.Errorf("knn: %w", err)
	}
	scaleP, scaleQ := scales(p, cells, s.Unequal), scales(q, cells, s.Unequal)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(threads)
	for i, a := range scaleP {
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			out := near[i*k:][:0:k]
			for j, b := range scaleQ {
				if a == 0 || b == 0 {
					continue
				}
				out = insert(out, emd.Neighbour{Row: j, Distance: distance(p[i*cells:][:cells], q[j*cells:][:cells], a, b)})
			}
			for l := len(out); l < k; l++ {
				out = append(out, emd.Neighbour{Row: -1, Distance: math.NaN()})
			}
			return nil
		})
	}
	return g.Wait()
}

// scales are what rows are multiplied by, 0 for those that have no distance.
func scales(v []float64, cells int, u emd.Unequal) []float64 {
	s := make([]float64, len(v)/cells)
	for i := range s {
		sum := 0.0
		for _, x := range v[i*cells:][:cells] {
			sum += x
		}
		switch {
		case u == emd.UnequalPenalty || sum > 0 && u == emd.UnequalError:
			s[i] = 1
		case sum > 0:
			s[i] = 1 / sum
		}
	}
	return s
}

func distance(p, q []float64, a, b float64) float64 {
	var sum [4]float64
	q = q[:len(p)]
	k := 0
	for ; k+4 <= len(p); k += 4 {
		for l := range 4 {
			d := p[k+l]*a - q[k+l]*b
			sum[l] += d * d
		}
	}
	for ; k < len(p); k++ {
		d := p[k]*a - q[k]*b
		sum[0] += d * d
	}
	return math.Sqrt((sum[0] + sum[1]) + (sum[2] + sum[3]))
}

// insert keeps the nearest, as many as there is room for; rows come in rising order.
func insert(near []emd.Neighbour, c emd.Neighbour) []emd.Neighbour {
	at := len(near)
	if at == cap(near) {
		if at--; near[at].Distance <= c.Distance {
			return near
		}
	} else {
		near = near[:at+1]
	}
	for ; at > 0 && near[at-1].Distance > c.Distance; at-- {
		near[at] = near[at-1]
	}
	near[at] = c
	return near
}

// Vote is the label that most of the neighbours have, and of labels that equally many have the
// one whose first is nearest. Rows below 0 are no neighbours; without any it is "".
func Vote(near []emd.Neighbour, label func(row int) string) string {
	best, most := "", 0
	for _, a := range near {
		if a.Row < 0 {
			continue
		}
		name, votes := label(a.Row), 0
		for _, b := range near {
			if b.Row >= 0 && label(b.Row) == name {
				votes++
			}
		}
		if votes > most {
			best, most = name, votes
		}
	}
	return best
}

// Without is the neighbours but the given row, k of k+1: those of an image that is itself in
// the set.
func Without(near []emd.Neighbour, row int) []emd.Neighbour {
	for k, n := range near {
		if n.Row == row {
			copy(near[k:], near[k+1:])
			break
		}
	}
	return near[:len(near)-1]
}
