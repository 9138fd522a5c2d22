// Package approx holds the approximations of the Earth mover's distance that the
// exact one of package emd is compared with: the sliced Wasserstein distance, along fixed
// or along trained directions, and the Sinkhorn divergence, all with gradients. All scale
// their inputs to sum 1, and their gradients are with respect to the inputs as they were passed.
//
// How far they are from the exact distance is measured by this package's tests:
//
//	go test -run Bias -v ./emd/approx
//
// and reported in docs/emd.md.
package approx

import (
	"fmt"
	"math"

	"barrow/emd"
)

// total checks an image of n cells and returns its sum.
func total(name string, p []float64, n int) (float64, error) {
	if len(p) != n {
		return 0, fmt.Errorf("approx: %s has %d cells, not %d", name, len(p), n)
	}
	sum := 0.0
	for k, x := range p {
		if !(x >= 0) || math.IsInf(x, 1) {
			return 0, fmt.Errorf("approx: %w", &emd.MassError{Image: name, Cell: k, Mass: x})
		}
		sum += x
	}
	switch {
	case sum == 0:
		return 0, fmt.Errorf("approx: %s: %w", name, emd.ErrEmpty)
	case math.IsInf(sum, 1):
		return 0, fmt.Errorf("approx: the total of %s overflows", name)
	}
	return sum, nil
}

// normalise writes p/sum to dst.
func normalise(dst, p []float64, sum float64) {
	for k, x := range p {
		dst[k] = x / sum
	}
}

// project turns the derivative g with respect to the shares p/sum into that with
// respect to p.
func project(g, share []float64, sum float64) {
	mean := 0.0
	for k, x := range share {
		mean += g[k] * x
	}
	for k := range g {
		g[k] = (g[k] - mean) / sum
	}
}

// checkRoom checks the slices that derivatives go to, which may be nil.
func checkRoom(dp, dq []float64, n int) error {
	if dp != nil && len(dp) != n || dq != nil && len(dq) != n {
		return fmt.Errorf("approx: room for %d and %d derivatives on %d cells", len(dp), len(dq), n)
	}
	return nil
}
