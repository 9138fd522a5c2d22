package emd_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"barrow/emd"
)

// settingsOf are the three ways to treat unequal totals.
var settingsOf = map[string]emd.Settings{
	"error":         {},
	"normalise":     {Unequal: emd.UnequalNormalise},
	"penalty":       {Unequal: emd.UnequalPenalty, Penalty: 8},
	"small penalty": {Unequal: emd.UnequalPenalty, Penalty: 1.5},
}

// The gradient with respect to raw inputs equals central differences away from
// kinks. Images are positive everywhere, so a kink is met with probability zero;
// where the EMD is not linear between the two probes, one lies between them, and
// the direction is not judged.
func TestGradientAgainstDifferences(t *testing.T) {
	m := benchmarkMetric(t)
	for name, set := range settingsOf {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(9, 10))
			s := newSolver(t, m, set)
			dp, dq := make([]float64, 48), make([]float64, 48)
			judged, all := 0, 0
			for range size(4000) {
				mass := func() float64 { return 0.01 + r.ExpFloat64() } // never less than a probe takes
				p, q := normalised(cellsOf(r, 48, 48, mass)), normalised(cellsOf(r, 48, 48, mass))
				if name != "error" {
					factor := 0.5 + r.Float64()
					for k := range q {
						q[k] *= factor
					}
				}
				e, err := s.Gradient(p, q, dp, dq)
				if err != nil {
					t.Fatal(err)
				}
				for range 8 {
					u, v := direction(r), direction(r)
					// Totals must stay equal, or, so that the distance is linear between
					// kinks, the same when normalising; there the radial direction
					// is left to TestNormalisedGradient.
					if name == "error" || name == "normalise" {
						level(u)
						level(v)
					}
					const h = 1e-6
					up, errUp := s.Distance(moved(p, u, h), moved(q, v, h))
					down, errDown := s.Distance(moved(p, u, -h), moved(q, v, -h))
					if errUp != nil || errDown != nil {
						t.Fatal(errUp, errDown)
					}
					want := dot(dp, u) + dot(dq, v)
					all++
					if math.Abs(up-2*e+down) > 1e-14*(1+e) {
						continue
					}
					judged++
					if got := (up - down) / (2 * h); math.Abs(got-want) > 1e-7 {
						t.Fatalf("slope %.12g by differences, %.12g by gradient", got, want)
					}
				}
			}
			if judged < all*8/10 {
				t.Errorf("only %d of %d directions are free of kinks", judged, all)
			}
		})
	}
}

func direction(r *rand.Rand) []float64 {
	u := make([]float64, 48)
	for i := range u {
		u[i] = r.NormFloat64() / 7
	}
	return u
}

// level makes the mean of u zero.
func level(u []float64) {
	mean := 0.0
	for _, x := range u {
		mean += x / float64(len(u))
	}
	for i := range u {
		u[i] -= mean
	}
}

// moved is p + h·u.
func moved(p, u []float64, h float64) []float64 {
	x := make([]float64, len(p))
	for i := range x {
		x[i] = p[i] + h*u[i]
	}
	return x
}

func dot(a, b []float64) float64 {
	sum := 0.0
	for i, x := range a {
		sum += x * b[i]
	}
	return sum
}

// Everywhere, at kinks and on empty cells too, the result is a subgradient of a
// function that is convex for fixed totals: no other image lies below the
// tangent plane.
func TestSubgradientAtKinks(t *testing.T) {
	m := benchmarkMetric(t)
	r := rand.New(rand.NewPCG(11, 12))
	s := newSolver(t, m, emd.Settings{})
	penalty := newSolver(t, m, emd.Settings{Unequal: emd.UnequalPenalty, Penalty: m.Max() / 2})
	dp, dq := make([]float64, 48), make([]float64, 48)
	for i := range size(20000) {
		p, q := degenerateSets[i%len(degenerateSets)].draw(r, 48)
		a, b := degenerateSets[r.IntN(len(degenerateSets))].draw(r, 48)
		for _, v := range []*emd.Solver{s, penalty} {
			if v == s {
				p, q, a, b = normalised(p), normalised(q), normalised(a), normalised(b)
			}
			e, err := v.Gradient(p, q, dp, dq)
			if err != nil {
				t.Fatal(err)
			}
			other, err := v.Distance(a, b)
			if err != nil {
				t.Fatal(err)
			}
			plane := e + dot(dp, a) - dot(dp, p) + dot(dq, b) - dot(dq, q)
			if total := sum(p) + sum(q) + sum(a) + sum(b); plane > other+1e-12*total {
				t.Fatalf("the tangent plane at %.17g reaches %.17g where the distance is %.17g", e, plane, other)
			}
		}
	}
}

func sum(p []float64) float64 {
	total := 0.0
	for _, x := range p {
		total += x
	}
	return total
}

// The chain rule of normalisation: scaling an image changes nothing, so the
// gradient is perpendicular to the image; and it is f turned by the formula.
func TestNormalisedGradient(t *testing.T) {
	m := benchmarkMetric(t)
	r := rand.New(rand.NewPCG(13, 14))
	s := newSolver(t, m, emd.Settings{Unequal: emd.UnequalNormalise})
	f, dp, dq := make([]float64, 48), make([]float64, 48), make([]float64, 48)
	for range 200 {
		p := cellsOf(r, 48, 1+r.IntN(48), func() float64 { return 1000 * r.Float64() })
		q := cellsOf(r, 48, 1+r.IntN(48), r.Float64)
		e, err := s.Gradient(p, q, dp, dq)
		if err != nil {
			t.Fatal(err)
		}
		x, err := s.Potentials(p, q, f, nil)
		if err != nil || x != e {
			t.Fatal(x, e, err)
		}
		mean := dot(q, f) / sum(q)
		for k := range f {
			if want := -(f[k] - mean) / sum(q); math.Abs(dq[k]-want) > 1e-13*(1+math.Abs(want)) {
				t.Fatalf("dE/dq[%d] = %v, want %v", k, dq[k], want)
			}
		}
		if a, b := dot(dp, p), dot(dq, q); math.Abs(a) > 1e-12 || math.Abs(b) > 1e-12 {
			t.Fatalf("p·dE/dp = %v, q·dE/dq = %v, want 0", a, b)
		}
		// One side alone gives the same numbers.
		again := make([]float64, 48)
		if _, err := s.Gradient(p, q, nil, again); err != nil || !slices.Equal(again, dq) {
			t.Fatal("dq differs without dp", err)
		}
	}
}

// The penalty alone: an empty image is at distance R times the other's mass.
func TestPenaltyOfEmptyImage(t *testing.T) {
	m := benchmarkMetric(t)
	s := newSolver(t, m, emd.Settings{Unequal: emd.UnequalPenalty, Penalty: 7})
	empty, q := make([]float64, 48), cell(3)
	q[3] = 5
	dp, dq := make([]float64, 48), make([]float64, 48)
	for range 2 {
		e, err := s.Gradient(empty, q, dp, dq)
		if err != nil || e != 35 {
			t.Fatalf("distance %v, error %v, want 35", e, err)
		}
		if dq[3] != 7 {
			t.Errorf("slope of more mass %v, want 7", dq[3])
		}
		// Mass added to the empty image saves R and pays the way.
		for k, g := range dp {
			if g < -7-1e-12 || g > m.At(k, 3)-7+1e-12 {
				t.Errorf("slope of mass in cell %d is %v", k, g)
			}
		}
		q, empty, dp, dq = empty, q, dq, dp
		e, err = s.Distance(q, empty)
		if err != nil || e != 35 {
			t.Fatal(e, err)
		}
		q, empty, dp, dq = empty, q, dq, dp
	}
	if e, err := s.Gradient(empty, empty, dp, dq); e != 0 || err != nil || dp[0] != 0 {
		t.Errorf("two empty images: %v, %v, %v", e, dp[0], err)
	}
}
