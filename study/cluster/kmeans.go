package cluster

import (
	"context"
	"math"

	"golang.org/x/sync/errgroup"

	"barrow/internal/counter"
)

// apart is the squared distance of two rows.
func apart(a, b []float64) float64 {
	s := 0.0
	for k, v := range a {
		d := v - b[k]
		s += float64(d * d)
	}
	return s
}

// Streams of random numbers.
const (
	streamMeans   = 0x6d65616e73
	streamViews   = 0x7669657773
	streamSample  = 0x73616d706c65
	streamTruth   = 0x7472757468
	streamProbe   = 0x70726f6265
	streamPicture = 0x70696374
	streamSpectre = 0x73706563
)

// restarts of k-means, of which the one with the smallest sum of squares counts.
const restarts = 10

// kMeans cuts rows into k clusters: S. Lloyd's iterations from the starts of D. Arthur and S.
// Vassilvitskii (k-means++, 2007), the best of some restarts. The same seed gives the same clusters
// on any number of threads.
func kMeans(ctx context.Context, x [][]float64, k int, seed uint64, threads int) ([]int, error) {
	labels, within := make([][]int, restarts), make([]float64, restarts)
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(threads)
	for r := range restarts {
		g.Go(func() error {
			var err error
			labels[r], within[r], err = lloyd(ctx, x, k, counter.New(seed^streamMeans, uint64(r)))
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	best := 0
	for r, w := range within {
		if w < within[best] {
			best = r
		}
	}
	return labels[best], nil
}

// lloyd is one start: labels, and the sum of squared distances from the centres.
func lloyd(ctx context.Context, x [][]float64, k int, s counter.Stream) ([]int, float64, error) {
	centres := spreadStart(x, k, &s)
	labels := make([]int, len(x))
	for i := range labels {
		labels[i] = -1
	}
	const most = 300
	for range most {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		sum, moved := 0.0, false
		for i, v := range x {
			at, d := nearest(v, centres)
			moved = moved || at != labels[i]
			labels[i] = at
			sum += d
		}
		if !moved {
			return labels, sum, nil
		}
		centre(x, labels, centres)
	}
	sum := 0.0
	for i, v := range x {
		sum += apart(v, centres[labels[i]])
	}
	return labels, sum, nil
}

// spreadStart draws the first centres among the rows, each with a probability as the squared
// distance from those before it.
func spreadStart(x [][]float64, k int, s *counter.Stream) [][]float64 {
	add := func(c [][]float64, i int) [][]float64 { return append(c, append([]float64(nil), x[i]...)) }
	centres := add(nil, s.IntN(len(x)))
	away := make([]float64, len(x))
	for i := range away {
		away[i] = math.Inf(1)
	}
	for len(centres) < k {
		sum := 0.0
		for i, v := range x {
			away[i] = min(away[i], apart(v, centres[len(centres)-1]))
			sum += away[i]
		}
		u, at := float64(s.Float64()*sum), 0
		for ; at < len(x)-1 && u >= away[at]; at++ {
			u -= away[at]
		}
		centres = add(centres, at)
	}
	return centres
}

// nearest is the centre that a row is nearest to, and the squared distance.
func nearest(v []float64, centres [][]float64) (int, float64) {
	at, least := 0, math.Inf(1)
	for j, c := range centres {
		if d := apart(v, c); d < least {
			at, least = j, d
		}
	}
	return at, least
}

// centre moves centres into the middle of their rows. One without any stays.
func centre(x [][]float64, labels []int, centres [][]float64) {
	n := make([]float64, len(centres))
	for _, l := range labels {
		n[l]++
	}
	for j, c := range centres {
		if n[j] > 0 {
			clear(c)
		}
	}
	for i, v := range x {
		for q, w := range v {
			centres[labels[i]][q] += w
		}
	}
	for j, c := range centres {
		if n[j] > 0 {
			for q := range c {
				c[q] /= n[j]
			}
		}
	}
}

// standardised has every column with mean 0 and variance 1; a constant one is 0.
func standardised(x [][]float64) [][]float64 {
	n, d := float64(len(x)), len(x[0])
	mean, spread := make([]float64, d), make([]float64, d)
	for _, v := range x {
		for k, w := range v {
			mean[k] += w / n
		}
	}
	for _, v := range x {
		for k, w := range v {
			spread[k] += float64((w-mean[k])*(w-mean[k])) / n
		}
	}
	out := make([][]float64, len(x))
	for i, v := range x {
		out[i] = make([]float64, d)
		for k, w := range v {
			if spread[k] > 0 {
				out[i][k] = (w - mean[k]) / math.Sqrt(spread[k])
			}
		}
	}
	return out
}

// unit has every row with length 1.
func unit(x [][]float64) [][]float64 {
	out := make([][]float64, len(x))
	for i, v := range x {
		l := math.Sqrt(dot(v, v)) + tiny
		out[i] = make([]float64, len(v))
		for k, w := range v {
			out[i][k] = w / l
		}
	}
	return out
}
