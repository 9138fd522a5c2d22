package worker

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"barrow/emd"
)

// pointGround is the straight-line distance between points of any dimension, x being
// n×d, on a torus where periods are given.
func pointGround(x []float64, d int, periods []float64) (emd.Ground, error) {
	if d == 0 {
		return nil, fmt.Errorf("emd: points without coordinates")
	}
	if periods != nil && len(periods) != d {
		return nil, fmt.Errorf("emd: %d periods for points of %d coordinates", len(periods), d)
	}
	if err := checkPeriods(periods); err != nil {
		return nil, err
	}
	return ground(emd.NewPoints(d, x, emd.Space{Norm: emd.L2, Periods: periods}))
}

func checkPeriods(periods []float64) error {
	for _, p := range periods {
		if !(p >= 0) || math.IsInf(p, 1) {
			return fmt.Errorf("emd: period %v: must be finite and not negative", p)
		}
	}
	return nil
}

// between is the distance of two points; a period of 0 is none.
func between(a, b, periods []float64) float64 {
	r := 0.0
	for k, x := range a {
		x -= b[k]
		if k < len(periods) && periods[k] > 0 {
			x = math.Remainder(x, periods[k])
		}
		r = math.Hypot(r, x)
	}
	return r
}

// gridGround is the distance between the pixels of an image, a unit apart, row by row.
func gridGround(height, width int, norm string) (emd.Ground, error) {
	of, err := choice("norm", norm, map[string]emd.Norm{"l1": emd.L1, "l2": emd.L2, "linf": emd.LInf})
	if err != nil {
		return nil, err
	}
	if height < 1 || width < 1 {
		return nil, fmt.Errorf("emd: a grid of %d×%d pixels has none", height, width)
	}
	return ground(emd.NewGrid([]int{height, width}, of, nil))
}

// roundedMetric is the metric that a matrix is but for the rounding of its elements' type,
// whose numbers are ulp apart at 1; nil if it is none. Rounded distances may differ from
// i to j and from j to i, and go beyond the sum of two others: the shortest paths do not.
func roundedMetric(n int, costs []float64, ulp float64) *emd.Metric {
	most := 0.0
	for _, x := range costs {
		most = max(most, math.Abs(x)) // NaN stays
	}
	within := 4 * ulp * most
	d := make([]float64, n*n)
	for i := range n {
		if !(math.Abs(costs[i*n+i]) <= within) {
			return nil
		}
		for j := range i {
			x, y := costs[i*n+j], costs[j*n+i]
			if !(x >= 0 && y >= 0 && math.Abs(x-y) <= within) {
				return nil
			}
			d[i*n+j], d[j*n+i] = min(x, y), min(x, y)
		}
	}
	m, err := emd.NewMetric(n, d)
	if err != nil {
		return nil
	}
	var triangle *emd.TriangleError
	if err := m.Check(); err == nil {
		return m
	} else if errors.As(err, &triangle) && triangle.Excess > within {
		return nil
	}
	given := slices.Clone(d)
	shortest(n, d)
	for k, x := range d {
		if given[k]-x > within {
			return nil
		}
	}
	if m, err = emd.NewMetric(n, d); err != nil || m.Check() != nil {
		return nil
	}
	return m
}

// shortest replaces symmetric distances by those of the shortest paths (Floyd–Warshall).
func shortest(n int, d []float64) {
	for k := range n {
		over := d[k*n:][:n]
		for i := range n {
			to, row := over[i], d[i*n:][:n]
			for j, x := range over {
				row[j] = min(row[j], to+x)
			}
		}
	}
}
