package simulate

import (
	"math"

	"gonum.org/v1/gonum/mathext"

	"barrow/internal/counter"
)

// normals is the inverse of the normal distribution at the centres of 4096
// equal shares: a normal deviate costs one table entry.
var normals = func() (t [4096]float32) {
	for i := range t {
		t[i] = float32(mathext.NormalQuantile((float64(i) + 0.5) / float64(len(t))))
	}
	return t
}()

// normal draws a normal deviate, exact to 1/4096 of probability: good enough
// for noise, which is rounded to counts afterwards.
func normal(s *counter.Stream) float64 { return float64(normals[s.Uint64()>>52]) }

// poisson draws a Poisson deviate: by multiplication for small means, else by
// Hörmann's transformed rejection (PTRS, Insurance: Mathematics and Economics
// 12, 1993).
func poisson(s *counter.Stream, mean float64) int {
	if mean <= 0 {
		return 0
	}
	if mean < 12 {
		return s.Poisson(mean)
	}
	b := 0.931 + float64(2.53*math.Sqrt(mean))
	a := -0.059 + float64(0.02483*b)
	invAlpha := 1.1239 + 1.1328/(b-3.4)
	vr := 0.9277 - 3.6224/(b-2)
	for {
		u, v := s.Float64()-0.5, s.Float64()
		us := 0.5 - math.Abs(u)
		k := math.Floor(float64((2*a/us+b)*u) + mean + 0.43)
		if us >= 0.07 && v <= vr {
			return int(k)
		}
		if k < 0 || us < 0.013 && v > us {
			continue
		}
		l, _ := math.Lgamma(k + 1)
		if math.Log(v*invAlpha/(a/(us*us)+b)) <= float64(k*math.Log(mean))-mean-l {
			return int(k)
		}
	}
}
