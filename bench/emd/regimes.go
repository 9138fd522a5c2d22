package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"

	"barrow/hgcal"
	"barrow/wafer"
	"barrow/wafer/file"
)

const cells = hgcal.Cells

// A regime is a list of pairs of images of total 1, N×48 each.
type regime struct {
	name, about string
	p, q        []float64
}

func (r *regime) pairs() int { return len(r.p) / cells }

// add appends a pair, scaled to sum 1.
func (r *regime) add(p, q []float64) {
	for _, side := range []struct {
		dst *[]float64
		src []float64
	}{{&r.p, p}, {&r.q, q}} {
		total := 0.0
		for _, x := range side.src {
			total += x
		}
		for _, x := range side.src {
			*side.dst = append(*side.dst, x/total)
		}
	}
}

// drawer makes images on the benchmark geometry.
type drawer struct {
	*rand.Rand
	points []hgcal.Point
}

func (d *drawer) distance2(i, j int) float64 {
	dx, dy := d.points[i][0]-d.points[j][0], d.points[i][1]-d.points[j][1]
	return dx*dx + dy*dy
}

// shower is a Gaussian core with fluctuations and a few stray cells, above a
// threshold: about 13 cells.
func (d *drawer) shower() []float64 {
	p := make([]float64, cells)
	centre, width := d.IntN(cells), 0.9+1.1*d.Float64()
	for i := range p {
		p[i] = 100 * math.Exp(-d.distance2(i, centre)/(2*width*width)) * (0.5 + d.Float64())
	}
	for range 3 {
		p[d.IntN(cells)] += 4 * d.ExpFloat64()
	}
	for i, x := range p {
		if x < 1.5 {
			p[i] = 0
		}
	}
	p[centre]++
	return p
}

// scattered has exponential charges in 3 to 20 cells anywhere.
func (d *drawer) scattered() []float64 {
	p := make([]float64, cells)
	for _, i := range d.Perm(cells)[:3+d.IntN(18)] {
		p[i] = d.ExpFloat64()
	}
	return p
}

// prediction is a sigmoid output for an image: its smeared logarithm on a floor,
// with noise, positive in every cell.
func (d *drawer) prediction(p []float64) []float64 {
	q := make([]float64, cells)
	width := 0.6 + 0.6*d.Float64()
	top := 0.0
	for i := range q {
		for j, x := range p {
			if x > 0 {
				q[i] += x * math.Exp(-d.distance2(i, j)/(2*width*width))
			}
		}
		top = max(top, q[i])
	}
	floor := math.Exp(-7 + 6*d.Float64())
	for i, x := range q {
		logit := math.Log(x/top+floor) + 0.3*d.NormFloat64()
		q[i] = 1 / (1 + math.Exp(-logit))
	}
	return q
}

// dense has exponential charges in all cells.
func (d *drawer) dense() []float64 {
	p := make([]float64, cells)
	for i := range p {
		p[i] = d.ExpFloat64()
	}
	return p
}

// regimes draws those of docs/benchmarks.md, n pairs each.
func regimes(n int, seed uint64) ([]*regime, error) {
	d := &drawer{rand.New(rand.NewPCG(seed, 48)), hgcal.Benchmark()}
	r1 := &regime{name: "R1", about: "sparse against sparse: half showers of about 13 cells, half 3 to 20 random cells"}
	r2 := &regime{name: "R2", about: "a shower against a dense 48-cell prediction"}
	r3 := &regime{name: "R3", about: "dense against dense"}
	for k := range n {
		if k%2 == 0 {
			r1.add(d.shower(), d.shower())
		} else {
			r1.add(d.scattered(), d.scattered())
		}
		p := d.shower()
		r2.add(p, d.prediction(p))
		r3.add(d.dense(), d.dense())
	}
	all := []*regime{r1, r2, r3}
	real, err := realPairs(n, d)
	if err != nil {
		return all, err
	}
	return append(all, real), nil
}

// realPairs draws pairs of different images of data/wafers/ldm.csv.
func realPairs(n int, d *drawer) (*regime, error) {
	dir := os.Getenv("BARROW_DATA")
	if dir == "" {
		dir = filepath.Join("..", "shared", "data")
	}
	set, err := file.ReadAll(context.Background(), filepath.Join(dir, "wafers", "ldm.csv"), wafer.ReadSettings{})
	if err != nil {
		return nil, fmt.Errorf("the real wafers are left out (set BARROW_DATA to the folder of the shared data): %w", err)
	}
	set, _ = set.NonZero()
	r := &regime{name: "real", about: "pairs of images of data/wafers/ldm.csv"}
	for range n {
		i := d.IntN(set.Len())
		j := (i + 1 + d.IntN(set.Len()-1)) % set.Len()
		r.add(set.Image(i), set.Image(j))
	}
	return r, nil
}
