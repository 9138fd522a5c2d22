package kernel

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestSplitIsConvolution does a whole 5×5 convolution by planes, and its
// transpose, and compares with the definition.
func TestSplitIsConvolution(t *testing.T) {
	eachKernel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(8, 1))
		for c := 1; c < 40; c += 1 + c/6 {
			rows := 1 + rng.IntN(5)
			step := rows*c + rng.IntN(3)
			x, w := randoms(rng, 16*step), randoms(rng, 49)
			for _, back := range []bool{false, true} {
				for i := range w { // 5×5 of 7×7 offsets
					if y, x := i/7, i%7; y == 0 || y == 6 || x == 0 || x == 6 {
						w[i] = 0
					}
				}
				first, stride := 0, step
				if back {
					first, stride = 15*step, -step
				}
				bias := randoms(rng, c)
				if back {
					bias = nil
				}
				planes, out := make([]float32, 9*rows*c), randoms(rng, 16*step)
				for group := range 9 {
					l.Spread(planes, x, group, rows, c, first, stride)
					for p := range 9 {
						factor := float32(0)
						taps, signs := SplitTaps(9*group + p)
						for i, d := range taps {
							factor += signs[i] * w[(d[0]+3)*7+d[1]+3]
						}
						for i := range rows * c {
							planes[(i/c*9+p)*c+i%c] *= factor
						}
					}
					l.Gather(out, planes, bias, group, rows, c, first, stride, c%2 == 0)
				}
				for k, got := range out {
					if k%step < rows*c {
						want := convolved(x, w, bias, k, step, c, back)
						if c%2 == 0 {
							want = max(want, 0)
						}
						if math.Abs(float64(got)-want) > 2e-5 {
							t.Fatalf("c %d, transposed %v: pixel %d value %d = %v, want %v", c, back, k/step, k%step, got, want)
						}
					}
				}
			}
		}
	})
}

// convolved is element k of the convolution of x by the 7×7 taps w, or of its
// transpose.
func convolved(x, w, bias []float32, k, step, c int, back bool) float64 {
	p, k := k/step, k%step
	sum := 0.0
	if bias != nil {
		sum = float64(bias[k%c])
	}
	for q := range 16 {
		dy, dx := q/4-p/4, q%4-p%4
		if back {
			dy, dx = -dy, -dx
		}
		sum += float64(w[(dy+3)*7+dx+3]) * float64(x[q*step+k])
	}
	return sum
}

func BenchmarkSplit(b *testing.B) {
	const rows, c = 28, 32
	l := Named(Available()[0])
	x, planes := make([]float32, 16*rows*c), make([]float32, 9*rows*c)
	b.Run("spread", func(b *testing.B) {
		for b.Loop() {
			for group := range 9 {
				l.Spread(planes, x, group, rows, c, 0, rows*c)
			}
		}
	})
	b.Run("gather", func(b *testing.B) {
		for b.Loop() {
			for group := range 9 {
				l.Gather(x, planes, nil, group, rows, c, 0, rows*c, false)
			}
		}
	})
}
