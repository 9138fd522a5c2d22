package approx_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"barrow/emd"
	"barrow/emd/approx"
)

// entropic is OT_ε between (a, 1−a) and (b, 1−b) on two points d apart: the plan has
// one degree of freedom, z, and its odds ratio is e^(2d/ε).
func entropic(a, b, d, eps float64) float64 {
	if a < b {
		a, b = b, a
	}
	lo, hi := -740.0, math.Log(min(b, 1-a))
	plan := func(logZ float64) (x, y, z, w float64) {
		z = math.Exp(logZ)
		return b - z, a - b + z, z, 1 - a - z
	}
	for range 200 {
		mid := (lo + hi) / 2
		if x, y, _, w := plan(mid); math.Log(x)+math.Log(w)-math.Log(y)-mid > 2*d/eps {
			lo = mid
		} else {
			hi = mid
		}
	}
	x, y, z, w := plan((lo + hi) / 2)
	// z goes from the point where b is, to the other one.
	kl := 0.0
	for _, c := range [][3]float64{{x, a, b}, {y, a, 1 - b}, {z, 1 - a, b}, {w, 1 - a, 1 - b}} {
		if c[0] > 0 {
			kl += c[0] * math.Log(c[0]/(c[1]*c[2]))
		}
	}
	return (y+z)*d + eps*kl
}

// Two points, at any distance in units of ε, with masses that agree, nearly agree
// or do not.
func TestTwoPoints(t *testing.T) {
	for _, ratio := range []float64{0.3, 3, 10, 20, 30, 60, 120, 190, 210, 300} {
		const d = 2.0
		eps := d / ratio
		m, err := emd.Euclidean([][2]float64{{0, 0}, {d, 0}})
		if err != nil {
			t.Fatal(err)
		}
		s := sinkhorn(t, m, approx.SinkhornSettings{Epsilon: eps, Tolerance: 1e-12})
		for _, x := range [][2]float64{{0.5, 0.5}, {0.3, 0.3 + 1e-9}, {0.3, 0.3 + 1e-5}, {0.6, 0.5}, {0.9, 0.001}} {
			a, b := x[0], x[1]
			want := entropic(a, b, d, eps) - entropic(a, a, d, eps)/2 - entropic(b, b, d, eps)/2
			got, err := s.Distance([]float64{a, 1 - a}, []float64{b, 1 - b})
			if err != nil {
				t.Errorf("d/ε = %v, %v to %v: %v", ratio, a, b, err)
				continue
			}
			if math.Abs(got-want) > 1e-11 {
				t.Errorf("d/ε = %v, %v to %v: %.15g, want %.15g", ratio, a, b, got, want)
			}
		}
	}
}

// Clusters of a few cells, far from each other: the masses of whole clusters agree
// in both images, agree nearly, or differ; for every ε there is a value, the same
// as with a stricter tolerance, with its gradient.
func TestFarClusters(t *testing.T) {
	m := metric(t)
	r := rand.New(rand.NewPCG(3, 40))
	heads := []int{3, 40, 20, 28}
	trials := 10
	if testing.Short() {
		trials = 5
	}
	for trial := range trials {
		p, q := make([]float64, 48), make([]float64, 48)
		for _, c := range heads[:2+trial%3] {
			for range 3 {
				near := c
				for k := range 48 {
					if m.At(k, c) < 2.2 && r.IntN(4) == 0 {
						near = k
					}
				}
				p[c]++
				q[near] += 1
				p[near]++
				q[c] += 1
			}
			q[c] *= 1 + []float64{0, 1e-12, 1e-8, 1e-4, 0.3}[trial%5]
		}
		for _, eps := range []float64{0, 2, 1, 0.5, 0.3, 0.1, 0.03, 0.01} {
			name := fmt.Sprintf("trial %d, ε = %v", trial, eps)
			s := sinkhorn(t, m, approx.SinkhornSettings{Epsilon: eps})
			dp, dq := make([]float64, 48), make([]float64, 48)
			e, err := s.Gradient(p, q, dp, dq)
			if err != nil {
				t.Errorf("%s: %v\np = %v\nq = %v", name, err, p, q)
				continue
			}
			if s.Iterations > 1000 {
				t.Errorf("%s: %d iterations", name, s.Iterations)
			}
			// Potentials of 10, rounded to 10⁻¹⁶ of that, bound what can be asked.
			strict := sinkhorn(t, m, approx.SinkhornSettings{Epsilon: eps, Tolerance: 1e-11})
			if x, err := strict.Distance(p, q); err != nil || math.Abs(x-e) > 1e-8 {
				t.Errorf("%s: %.12g, with a stricter tolerance %.12g, %v", name, e, x, err)
			}
			if e < -1e-9 {
				t.Errorf("%s: a divergence of %v", name, e)
			}
			k := r.IntN(48)
			at, h := q[k]+1e-3, 1e-5
			value := func(x float64) float64 {
				q[k] = x
				v, err := strict.Gradient(p, q, nil, dq)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				return v
			}
			before := q[k]
			up, down := value(at+h), value(at-h)
			slope := (up - down) / (2 * h)
			value(at)
			q[k] = before
			if math.Abs(slope-dq[k]) > 1e-4*(1+math.Abs(slope)) {
				t.Errorf("%s: the slope in cell %d is %v, by differences %v", name, k, dq[k], slope)
			}
		}
		zero := sinkhorn(t, m, approx.SinkhornSettings{})
		if e, err := zero.Gradient(p, p, q, nil); e != 0 || err != nil || q[3] != 0 {
			t.Errorf("an image with itself: %v, %v, gradient %v", e, err, q[3])
		}
	}
}
