package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// near reports whether got is want up to float32's rounding on scale.
func near(got, want float32, scale float64) bool {
	g, w := float64(got), float64(want)
	return g == w || math.IsNaN(g) && math.IsNaN(w) || math.Abs(g-w) <= 2e-6*(math.Abs(w)+scale)
}

func same(t *testing.T, what string, got, want []float32, scale float64) {
	t.Helper()
	for i := range want {
		if !near(got[i], want[i], scale) {
			t.Fatalf("%s[%d] = %v, portable %v", what, i, got[i], want[i])
		}
	}
}

// TestColumnsAgainstTwins compares the routines by column with portable Go on
// every width around the vectors' sizes.
func TestColumnsAgainstTwins(t *testing.T) {
	eachKernel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(1, 1))
		for w := 1; w < 70; w++ {
			rows := 1 + rng.IntN(40)
			x, y, g := randoms(rng, rows*w), randoms(rng, rows*w), randoms(rng, rows*w)
			p := [4][]float32{randoms(rng, w), randoms(rng, w), randoms(rng, w), randoms(rng, w)}
			a1, a2, b1, b2 := randoms(rng, w), randoms(rng, w), randoms(rng, w), randoms(rng, w)
			for _, mask := range [][]float32{nil, y} {
				g1, g2 := append([]float32(nil), g...), append([]float32(nil), g...)
				l.MaskSum(a1, g1, mask)
				maskSumGo(b1, g2, mask, 0)
				same(t, "MaskSum", a1, b1, float64(rows))
				same(t, "MaskSum gradient", g1, g2, 0)
				copy(g1, g)
				copy(g2, g)
				l.Correlate(a1, a2, g1, x, mask, p[0])
				correlateGo(b1, b2, g2, x, mask, p[0], 0)
				same(t, "Correlate sum", a1, b1, float64(rows))
				same(t, "Correlate dot", a2, b2, float64(rows))
				same(t, "Correlate gradient", g1, g2, 0)
			}
			l.Moments(a1, a2, x)
			momentsGo(b1, b2, x, 0)
			same(t, "Moments mean", a1, b1, 1)
			same(t, "Moments dev", a2, b2, float64(rows))
			out1, out2 := make([]float32, rows*w), make([]float32, rows*w)
			for _, relu := range []bool{false, true} {
				l.Affine(out1, x, p[0], p[1], p[2], relu)
				affineGo(out2, x, p[0], p[1], p[2], relu, 0)
				same(t, "Affine", out1, out2, 4)
			}
			l.NormGrad(out1, g, x, p[0], p[1], p[2], p[3])
			normGradGo(out2, g, x, p[0], p[1], p[2], p[3], 0)
			same(t, "NormGrad", out1, out2, 4)
		}
	})
}

// TestFlatAgainstDefinition checks the routines on flat arrays, with special
// values among the random ones.
func TestFlatAgainstDefinition(t *testing.T) {
	inf := float32(math.Inf(1))
	special := []float32{0, float32(math.Copysign(0, -1)), inf, -inf, float32(math.NaN()), 1e-40, -1e-40, 100, -100, 3e38, 0.5, 1.5, 2.5, -0.5}
	eachKernel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(2, 1))
		for n := range 80 {
			x, g, y := randoms(rng, n), randoms(rng, n), randoms(rng, n)
			for i := range x {
				if rng.IntN(4) == 0 {
					x[i] = special[rng.IntN(len(special))]
				}
			}
			out := make([]float32, n)
			l.Sigmoid(out, x)
			for i, v := range x {
				want := 1 / (1 + math.Exp(-float64(v)))
				if math.Abs(float64(out[i])-want) > 3e-7*want+2e-38 || math.IsNaN(want) != math.IsNaN(float64(out[i])) {
					t.Fatalf("Sigmoid(%v) = %v, want %v", v, out[i], want)
				}
			}
			l.SigmoidGrad(out, g, y)
			for i := range y {
				if want := g[i] * (y[i] * (1 - y[i])); !near(out[i], want, 1) {
					t.Fatalf("SigmoidGrad(%v, %v) = %v, want %v", g[i], y[i], out[i], want)
				}
			}
			l.SiLU(out, x)
			for i, v := range x {
				want := float64(v) / (1 + math.Exp(-float64(v)))
				if v < -87 {
					want = 0
				}
				if math.Abs(float64(out[i])-want) > 4e-7*math.Abs(want)+2e-36 || math.IsNaN(want) != math.IsNaN(float64(out[i])) {
					t.Fatalf("SiLU(%v) = %v, want %v", v, out[i], want)
				}
			}
			l.SiLUGrad(out, g, y)
			for i, v := range y {
				s := 1 / (1 + math.Exp(-float64(v)))
				if want := float64(g[i]) * s * (1 + float64(v)*(1-s)); math.Abs(float64(out[i])-want) > 1e-6*math.Abs(float64(g[i])) {
					t.Fatalf("SiLUGrad(%v, %v) = %v, want %v", g[i], v, out[i], want)
				}
			}
			for _, floor := range []bool{false, true} {
				l.Quantise(out, x, 0.25, -8, 7, floor)
				for i, v := range x {
					r := math.RoundToEven
					if floor {
						r = math.Floor
					}
					want := 0.25 * math.Max(-8, math.Min(7, r(float64(v*4))))
					if float64(out[i]) != want && !(math.IsNaN(want) && out[i] != out[i]) {
						t.Fatalf("Quantise(%v, floor %v) = %v, want %v", v, floor, out[i], want)
					}
				}
			}
			copy(out, y)
			l.Blend(out, g, 0.25, 3)
			sum := 0.0
			for i := range y {
				if want := 0.25*y[i] + 3*g[i]; !near(out[i], want, 1) {
					t.Fatalf("Blend = %v, want %v", out[i], want)
				}
				sum += float64(g[i]) * float64(g[i])
			}
			if got := l.SumSquares(g); math.Abs(got-sum) > 1e-12*sum {
				t.Fatalf("SumSquares = %v, want %v", got, sum)
			}
		}
	})
}

func TestAdamAgainstDefinition(t *testing.T) {
	eachKernel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(3, 1))
		s := AdamStep{0.9, 0.1, 0.999, 0.001, 0.01, 1e-7}
		for n := range 50 {
			w, g, m, v := randoms(rng, n), randoms(rng, n), randoms(rng, n), randoms(rng, n)
			want := make([]float64, n)
			for i := range v {
				v[i] *= v[i]
				m1 := 0.9*float64(m[i]) + 0.1*float64(g[i])
				v1 := 0.999*float64(v[i]) + 0.001*float64(g[i])*float64(g[i])
				want[i] = float64(w[i]) - 0.01*m1/(math.Sqrt(v1)+1e-7)
			}
			l.Adam(w, g, m, v, s)
			for i := range w {
				if math.Abs(float64(w[i])-want[i]) > 1e-5*(math.Abs(want[i])+0.1) {
					t.Fatalf("n=%d: w[%d] = %v, want %v", n, i, w[i], want[i])
				}
			}
		}
	})
}
