package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSplitIsConvolution does a whole convolution by planes, and its transpose, and
// compares with the definition.
func TestSplitIsConvolution(t *testing.T) {
	eachKernel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(8, 1))
		for n := 1; n < 100; n += 1 + n/6 {
			k, step, plane := 1+rng.IntN(5), n+rng.IntN(3), n+rng.IntN(3)
			x, taps := randoms(rng, 16*step), randoms(rng, k*k)
			w := make([]float32, 49) // by offsets from −3 to 3
			for i, v := range taps {
				w[(i/k-(k-1)/2+3)*7+i%k-(k-1)/2+3] = v
			}
			for _, back := range []bool{false, true} {
				first, stride := 0, step
				if back {
					first, stride = 15*step, -step
				}
				bias, relu := randoms(rng, n), n%2 == 0
				planes, out := make([]float32, Planes*plane), randoms(rng, 16*step)
				l.Spread(planes, x, n, plane, first, stride)
				for group := range 4 {
					factors, cells := make([]float32, GroupPlanes), make([]float32, 9)
					NewTaps(k).Split(l, factors, cells, taps, group, 1)
					for p, f := range factors {
						for i := range n {
							planes[(GroupPlanes*group+p)*plane+i] *= f
						}
					}
				}
				l.Gather(out, planes, bias, n, plane, first, stride, relu)
				for i, got := range out {
					if i%step >= n {
						continue
					}
					want := convolved(x, w, bias, i, step, back)
					if relu {
						want = max(want, 0)
					}
					if math.Abs(float64(got)-want) > 1e-5 {
						t.Fatalf("%d values, %d×%d taps, transposed %v: pixel %d value %d = %v, want %v", n, k, k, back, i/step, i%step, got, want)
					}
				}
			}
		}
	})
}

// convolved is element i of the convolution of x by the 7×7 taps w, or of its
// transpose.
func convolved(x, w, bias []float32, i, step int, back bool) float64 {
	p, i := i/step, i%step
	sum := float64(bias[i])
	for q := range 16 {
		dy, dx := q/4-p/4, q%4-p%4
		if back {
			dy, dx = -dy, -dx
		}
		sum += float64(w[(dy+3)*7+dx+3]) * float64(x[q*step+i])
	}
	return sum
}

// TestSplitTwins wants the portable sums' bits of the assembly.
func TestSplitTwins(t *testing.T) {
	eachKernel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(9, 1))
		for _, n := range []int{5, 16, 32, 70} {
			plane, step := n+16, n+3
			x, products, bias := randoms(rng, 16*step), randoms(rng, Planes*plane), randoms(rng, n)
			var planes, pixels [2][]float32
			for i, level := range []Level{portable, l} {
				planes[i], pixels[i] = make([]float32, Planes*plane), make([]float32, 16*step)
				level.Spread(planes[i], x, n, plane, 15*step, -step)
				level.Gather(pixels[i], products, bias, n, plane, 0, step, n > 16)
			}
			for what, pair := range map[string][2][]float32{"planes": planes, "pixels": pixels} {
				for i, v := range pair[0] {
					if math.Float32bits(v) != math.Float32bits(pair[1][i]) && v != pair[1][i] { // −0 is 0
						t.Fatalf("%d values, %s: element %d is %v, portable %v", n, what, i, pair[1][i], v)
					}
				}
			}
		}
	})
}

// TestTapsTranspose compares the taps' gradient with the transpose of their matrices.
func TestTapsTranspose(t *testing.T) {
	eachKernel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(10, 1))
		for k := 1; k <= 5; k++ {
			taps, grads := randoms(rng, k*k), randoms(rng, Planes)
			s, planes, cells := NewTaps(k), make([]float32, GroupPlanes), make([]float32, 9)
			want, joined := 0.0, make([]float32, 36)
			for group := range 4 {
				s.Split(l, planes, cells, taps, group, 1)
				g := grads[group*GroupPlanes : (group+1)*GroupPlanes]
				for i, v := range planes {
					want += float64(v) * float64(g[i])
				}
				s.Join(l, joined[9*group:], g, 1)
			}
			got, grad := 0.0, make([]float32, 1)
			for tap, v := range taps {
				grad[0] = 0
				s.Add(l, grad, joined, tap)
				got += float64(v) * float64(grad[0])
			}
			if math.Abs(got-want) > 1e-5 {
				t.Errorf("%d×%d taps: %v, want %v", k, k, got, want)
			}
		}
	})
}

func BenchmarkSplit(b *testing.B) {
	const n = 32 * 32
	for _, name := range Available() {
		l := Named(name)
		x, planes, bias := make([]float32, 16*n), make([]float32, Planes*(n+16)), make([]float32, n)
		b.Run(name+"/spread", func(b *testing.B) {
			for b.Loop() {
				l.Spread(planes, x, n, n+16, 0, n)
			}
		})
		b.Run(name+"/gather", func(b *testing.B) {
			for b.Loop() {
				l.Gather(x, planes, bias, n, n+16, 0, n, false)
			}
		})
	}
}
