package simulate

import (
	"math"
	"testing"

	"barrow/hgcal"
)

// bisect is solve without what spares it counting cells.
func (c *curve) bisect(mean float64, g gradient) float64 {
	lo, hi := curveStart, curveStart+curveStep*curvePoints
	for range 40 {
		mid := (lo + hi) / 2
		n := 0.0
		for _, p := range hgcal.CellCentres() {
			n += c.at(mid + float64(g.strength*(float64(g.x*p[0])+float64(g.y*p[1]))))
		}
		if n < mean {
			lo = mid
		} else {
			hi = mid
		}
	}
	return math.Exp((lo + hi) / 2)
}

// TestSolve: the last bit is that of bisection, for means that there are, that cannot be reached, and steeper
// slopes than any wafer has.
func TestSolve(t *testing.T) {
	p := DefaultParameters().PileUp
	for _, layer := range []float64{1, 9, 33, 50} {
		c := &libraryOf(p.spread(layer), &p).curve
		for k := range 400 {
			mean := 1e-4 * math.Exp(float64(k)*math.Log(49e4)/399)
			for _, g := range []gradient{{}, {x: 0.6, y: -0.8, strength: 0.05}, {x: -1, y: 0, strength: 0.4}} {
				if got, want := c.solve(mean, g), c.bisect(mean, g); got != want {
					t.Fatalf("layer %g, mean %g, slope %g: rate %v, want %v", layer, mean, g.strength, got, want)
				}
			}
		}
	}
}

func BenchmarkSolve(b *testing.B) {
	p := DefaultParameters().PileUp
	c := &libraryOf(p.spread(9), &p).curve
	for b.Loop() {
		c.solve(12, gradient{x: 0.6, y: -0.8, strength: 0.05})
	}
}
