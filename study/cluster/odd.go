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

// observed is what the network sees at every cell and, with what its convolutions make of it and of what is around, at
// every patch: for each the values of all rows, one row after the other.
type observed struct {
	cells, patches  [][]float32
	atCell, atPatch int // values of one row
}

func (l *lesson) observe(ctx context.Context, list []patch) (*observed, error) {
	r, b := l.viewer.rows, l.brain
	var channels []int
	for c := range b.channels {
		if c != 1 || b.channels == 1 { // the 1 of every cell
			channels = append(channels, c)
		}
	}
	convolved := b.low.OutputShape().C
	d := &observed{cells: make([][]float32, len(b.grid.at)), patches: make([][]float32, len(list)), atCell: len(channels), atPatch: len(channels) + convolved}
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
		seen := func(v []float32, cell, i int) []float32 {
			for _, c := range channels {
				v = append(v, b.in.Data[(b.grid.at[cell]*n+i)*b.channels+c])
			}
			return v
		}
		for i := range n {
			for cell := range d.cells {
				d.cells[cell] = seen(d.cells[cell], cell, i)
			}
			for k, p := range list {
				d.patches[k] = append(seen(d.patches[k], p.cell, i), y.Data[(p.pixel*n+i)*convolved:][:convolved]...)
			}
		}
	}
	return d, nil
}

// oddness is how far each row is from what rows are like: the distance of C. Mahalanobis from the mean of all rows, of
// what there is at every cell, and of what the network makes of every patch (T. Defard et al., PaDiM, ICPR 2021). Of
// the squares of both, each over the number of values, the means over the image count the same; their root is 1 for a
// usual row. The second result is the cell at which a row is farthest, by what there is: what the network makes of a
// cell that is odd is odd around it, too.
func (l *lesson) oddness(ctx context.Context, threads int) (scores []float64, worst []int, err error) {
	list := l.brain.patches()
	d, err := l.observe(ctx, list)
	if err != nil {
		return nil, nil, err
	}
	cells, err := distances(ctx, d.cells, d.atCell, threads)
	if err != nil {
		return nil, nil, err
	}
	patches, err := distances(ctx, d.patches, d.atPatch, threads)
	if err != nil {
		return nil, nil, err
	}
	n := l.viewer.rows.len()
	scores, worst = make([]float64, n), make([]int, n)
	for i := range n {
		for cell, away := range cells {
			scores[i] += away[i] / float64(2*len(cells))
			if away[i] > cells[worst[i]][i] {
				worst[i] = cell
			}
		}
		for _, away := range patches {
			scores[i] += away[i] / float64(2*len(patches))
		}
		scores[i] = math.Sqrt(scores[i])
	}
	return scores, worst, nil
}

// distances of all rows at every place, of which x has d values a row.
func distances(ctx context.Context, x [][]float32, d, threads int) ([][]float64, error) {
	away := make([][]float64, len(x))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(threads)
	for k := range x {
		g.Go(func() error {
			away[k] = mahalanobis(x[k], d)
			return ctx.Err()
		})
	}
	return away, g.Wait()
}

// mahalanobis is the squared distances of rows of d values from their mean by their covariance, over d.
func mahalanobis(x []float32, d int) []float64 {
	n := len(x) / d
	mean := make([]float64, d)
	for i := range n {
		for k := range d {
			mean[k] += float64(x[i*d+k]) / float64(n)
		}
	}
	c := make([]float64, d*d) // lower triangle, row by row
	off := make([]float64, d)
	for r := range n {
		for k := range d {
			off[k] = float64(x[r*d+k]) - mean[k]
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
	for r := range n {
		for i := range d { // forward substitution
			s := float64(x[r*d+i]) - mean[i]
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
