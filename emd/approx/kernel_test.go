package approx

import (
	"math"
	"math/rand/v2"
	"testing"

	"barrow/emd"
)

// The products with a kernel and the sums in the log domain are the same
// divergence and the same gradient, up to what is left of the marginals' error,
// from a blur that hides everything to one at the kernels' limit.
func TestKernelAgainstLogDomain(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	points := make([][2]float64, 30)
	for i := range points {
		points[i] = [2]float64{r.Float64(), r.Float64()}
	}
	m, err := emd.Euclidean(points)
	if err != nil {
		t.Fatal(err)
	}
	for _, eps := range []float64{2, 0.3, 0.05, m.Max() / (kernelReach - 1)} {
		fast, err := NewSinkhorn(m, SinkhornSettings{Epsilon: eps, Tolerance: 1e-8})
		if err != nil {
			t.Fatal(err)
		}
		if len(fast.kernels) == 0 {
			t.Fatalf("ε = %v: no kernels", eps)
		}
		slow := *fast
		slow.kernels = nil
		for range 5 {
			p, q := make([]float64, 30), make([]float64, 30)
			for i := range p {
				p[i], q[i] = max(0, r.NormFloat64()), math.Exp(8*r.NormFloat64())
			}
			p[r.IntN(30)]++
			g, h := make([]float64, 30), make([]float64, 30)
			a, err1 := fast.Gradient(p, q, g, nil)
			b, err2 := slow.Gradient(p, q, h, nil)
			if err1 != nil || err2 != nil {
				t.Fatalf("ε = %v: %v, %v", eps, err1, err2)
			}
			if math.Abs(a-b) > 1e-8 {
				t.Errorf("ε = %v: divergence %v, in the log domain %v", eps, a, b)
			}
			for i := range g {
				if math.Abs(g[i]-h[i]) > 1e-6 {
					t.Errorf("ε = %v: slope %v at %d, in the log domain %v", eps, g[i], i, h[i])
				}
			}
		}
	}
	sharp, err := NewSinkhorn(m, SinkhornSettings{Epsilon: m.Max() / (kernelReach + 1)})
	if err != nil || len(sharp.kernels) > 0 {
		t.Errorf("beyond the limit: %d kernels, %v", len(sharp.kernels), err)
	}
}
