package loss

import (
	"context"

	"barrow/hgcal"
)

var (
	_ = register("telescope", Traits{
		Label: "telescope MSE", Help: "cells, 2×2 supercells and rhombi, weights as published", Sees: SeesCharges, Cost: 1.2,
	}, func(Resources) (Loss, error) { return Telescope(hgcal.Published), nil })
	_ = register("telescope-equal", Traits{
		Label: "telescope MSE (equal weights)", Help: "the same with equal weights of the supercells", Sees: SeesCharges, Cost: 1.2,
	}, func(Resources) (Loss, error) { return Telescope(hgcal.Equal), nil })
)

// Telescope is the paper's second baseline: the charge-weighted error at three
// resolutions, 4·mean over the 48 cells + 2·weighted mean over the 36
// overlapping 2×2 supercells + mean over the three 4×4 groups, each of
// (t−p)²·max(t,p) with t and p summed over the group. The weighting chooses
// between the supercell weights as published and as they were meant
// (hgcal.Supercells).
func Telescope(w hgcal.Weighting) Loss {
	l := &telescope{name: "telescope"}
	if w != hgcal.Published {
		l.name = "telescope-" + w.String()
	}
	cells := hgcal.Supercells(w)
	for _, g := range cells {
		l.groups = append(l.groups, group{g.Cells, float32(2 * g.Weight / float64(len(cells)))})
	}
	return l
}

type group struct {
	cells  [4]int
	weight float32
}

type telescope struct {
	name   string
	groups []group
}

func (l *telescope) Name() string { return l.name }

func (l *telescope) Eval(_ context.Context, target, pred, grad []float32) (float64, error) {
	n, err := check(l.name, target, pred, grad)
	if err != nil {
		return 0, err
	}
	sum := 0.0
	var g [Cells]float32
	for i := 0; i < n; i++ {
		t, p := (*[Cells]float32)(target[i*Cells:]), (*[Cells]float32)(pred[i*Cells:])
		sum += float64(l.image(t, p, &g))
		if grad != nil {
			row, scale := grad[i*Cells:(i+1)*Cells], 1/float32(n)
			for k, v := range g {
				row[k] = v * scale
			}
		}
	}
	return finite(l.name, sum/float64(n))
}

// image is the loss of one image; g receives its gradient.
func (l *telescope) image(t, p, g *[Cells]float32) float32 {
	const (
		cell    = 4.0 / Cells
		third   = 1.0 / hgcal.Rhombi
		rhombus = Cells / hgcal.Rhombi
	)
	var sum float32
	for k := range t {
		v, d := weighted(t[k], p[k])
		sum += cell * v
		g[k] = cell * d
	}
	for i := range l.groups {
		c, w := &l.groups[i].cells, l.groups[i].weight
		v, d := weighted(t[c[0]]+t[c[1]]+t[c[2]]+t[c[3]], p[c[0]]+p[c[1]]+p[c[2]]+p[c[3]])
		sum += w * v
		for _, k := range c {
			g[k] += w * d
		}
	}
	for r := 0; r < Cells; r += rhombus {
		var a, b float32
		for k := r; k < r+rhombus; k++ {
			a += t[k]
			b += p[k]
		}
		v, d := weighted(a, b)
		sum += third * v
		for k := r; k < r+rhombus; k++ {
			g[k] += third * d
		}
	}
	return sum
}
