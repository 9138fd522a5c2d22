package cluster

import (
	"context"
	"math"

	"golang.org/x/sync/errgroup"
)

// ridge is what is added to the variances, as a share of their mean: of two values that always agree
// nothing can be said.
const ridge = 1e-3

// A patch is a cell that is judged: the cell of the image and its pixel behind the convolutions.
type patch struct{ cell, pixel int }

// patches pair cells of images with pixels of the convolutions: of wafers each cell, of other images a
// pixel and the cell in its middle, of the encoder, whose pixels are of several cells, cell by cell.
func (b *brain) patches() []patch {
	shape := b.low.OutputShape()
	var list []patch
	if !b.grid.rectangle {
		for cell, p := range b.grid.at {
			if !b.pool {
				p = p/b.grid.width/2*shape.W + p%b.grid.width/2
			}
			list = append(list, patch{cell, p})
		}
		return list
	}
	for p := range shape.H * shape.W {
		y, x := p/shape.W, p%shape.W
		list = append(list, patch{(2*y+1)*b.grid.height/(2*shape.H)*b.grid.width + (2*x+1)*b.grid.width/(2*shape.W), p})
	}
	return list
}

// described is what is known of every patch of every row: what the network sees there and what its
// convolutions make of it and of what is around.
func (l *lesson) described(ctx context.Context, list []patch) ([][][]float32, error) {
	r, b := l.viewer.rows, l.brain
	out := make([][][]float32, len(list))
	for k := range out {
		out[k] = make([][]float32, r.len())
	}
	for from := 0; from < r.len(); from += batch {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		n := min(batch, r.len()-from)
		b.begin(n)
		for k := range n {
			b.see(k, r.value[from+k], r.agreementOf(from+k))
		}
		_, y, err := b.embed()
		if err != nil {
			return nil, err
		}
		for k, p := range list {
			for i := range n {
				var v []float32
				at := (b.grid.at[p.cell]*n + i) * b.channels
				for c := range b.channels {
					if c != 1 || b.channels == 1 { // the 1 of every cell
						v = append(v, b.in.Data[at+c])
					}
				}
				c := y.Shape.C
				out[k][from+i] = append(v, y.Data[(p.pixel*n+i)*c:][:c]...)
			}
		}
	}
	return out, nil
}

// oddness is how far each row is from what rows are like: at every patch the distance of C. Mahalanobis
// from the mean of all rows there (T. Defard et al., PaDiM, ICPR 2021), and of these the root of the mean of
// their squares over the image, so that 1 is usual. The second result is the patch that is farthest.
func (l *lesson) oddness(ctx context.Context, threads int) (scores []float64, worst []int, err error) {
	list := l.brain.patches()
	what, err := l.described(ctx, list)
	if err != nil {
		return nil, nil, err
	}
	away := make([][]float64, len(list))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(threads)
	for k := range list {
		g.Go(func() error {
			away[k] = mahalanobis(what[k])
			return ctx.Err()
		})
	}
	if err := g.Wait(); err != nil {
		return nil, nil, err
	}
	n := l.viewer.rows.len()
	scores, worst = make([]float64, n), make([]int, n)
	for i := range n {
		at := 0
		for k := range list {
			scores[i] += away[k][i] / float64(len(list))
			if away[k][i] > away[at][i] {
				at = k
			}
		}
		scores[i], worst[i] = math.Sqrt(scores[i]), list[at].cell
	}
	return scores, worst, nil
}

// mahalanobis is the squared distances of rows from their mean by their covariance, over the number of
// values.
func mahalanobis(x [][]float32) []float64 {
	n, d := len(x), len(x[0])
	mean := make([]float64, d)
	for _, v := range x {
		for k, w := range v {
			mean[k] += float64(w) / float64(n)
		}
	}
	c := make([]float64, d*d) // lower triangle, row by row
	off := make([]float64, d)
	for _, v := range x {
		for k, w := range v {
			off[k] = float64(w) - mean[k]
		}
		for i := range d {
			for j := range i + 1 {
				c[i*d+j] += float64(off[i]*off[j]) / float64(n)
			}
		}
	}
	trace := 0.0
	for i := range d {
		trace += c[i*d+i] / float64(d)
	}
	for i := range d {
		c[i*d+i] += ridge*trace + tiny
	}
	cholesky(c, d)
	out := make([]float64, n)
	for r, v := range x {
		for i := range d { // forward substitution
			s := float64(v[i]) - mean[i]
			for j := range i {
				s -= float64(c[i*d+j] * off[j])
			}
			off[i] = s / c[i*d+i]
			out[r] += float64(off[i]*off[i]) / float64(d)
		}
	}
	return out
}

// cholesky puts a positive definite matrix's root in its place.
func cholesky(c []float64, d int) {
	for i := range d {
		for j := range i + 1 {
			s := c[i*d+j]
			for k := range j {
				s -= float64(c[i*d+k] * c[j*d+k])
			}
			if i == j {
				c[i*d+i] = math.Sqrt(max(s, tiny*tiny))
			} else {
				c[i*d+j] = s / c[j*d+j]
			}
		}
	}
}
