package main

import (
	"math"
	"math/rand/v2"
)

const (
	side   = 24 // kilometres and pixels
	pixels = side * side
	limit  = 1.0 // above which a pixel is within a storm
)

// A field is what a network sees, two pictures pixel by pixel, and where storms are a step
// later, 0 or 1.
type field struct{ input, storm []float32 }

// storm is a round bump.
type storm struct{ x, y, size, height, dx, dy, growth float64 }

func draw(n int, seed uint64) []field {
	fields := make([]field, n)
	for i := range fields {
		fields[i] = one(rand.New(rand.NewPCG(seed, uint64(i))))
	}
	return fields
}

func one(r *rand.Rand) field {
	var storms []storm
	add := func(count int, size, speed float64) {
		for range count {
			storms = append(storms, storm{
				x: -4 + (side+8)*r.Float64(), y: -4 + (side+8)*r.Float64(),
				size: size * math.Exp(0.2*r.NormFloat64()), height: 1.2 * math.Exp(0.4*r.NormFloat64()),
				dx: speed * r.NormFloat64(), dy: speed * r.NormFloat64(), growth: 0.35 * r.NormFloat64(),
			})
		}
	}
	wind := 1.5 * r.NormFloat64()
	add(1+r.IntN(3), 4, 1)
	add(2+r.IntN(6), 1.3, 1.5)
	for i := range storms {
		storms[i].dx += wind
	}
	smooth := waves(r)
	f := field{make([]float32, 2*pixels), make([]float32, pixels)}
	for y := range side {
		for x := range side {
			at := y*side + x
			for t := range 3 {
				v := smooth(float64(x)-wind*float64(t), float64(y))
				for _, s := range storms {
					dx, dy := float64(x)-s.x-s.dx*float64(t), float64(y)-s.y-s.dy*float64(t)
					v += s.height * math.Exp(s.growth*float64(t)-(dx*dx+dy*dy)/(2*s.size*s.size))
				}
				switch {
				case t < 2:
					f.input[2*at+t] = float32(v + 0.3*r.NormFloat64())
				case v > limit:
					f.storm[at] = 1
				}
			}
		}
	}
	return f
}

// waves is a random field of two scales, about Gaussian: twelve plane waves around 20 km long and
// twelve around 6 km, all of one height.
func waves(r *rand.Rand) func(x, y float64) float64 {
	type wave struct{ kx, ky, phase, height float64 }
	var all []wave
	for _, length := range []float64{20, 6} {
		for range 12 {
			k, angle := 2*math.Pi/(length*math.Exp(0.2*r.NormFloat64())), 2*math.Pi*r.Float64()
			all = append(all, wave{k * math.Cos(angle), k * math.Sin(angle), 2 * math.Pi * r.Float64(), 0.3 * math.Sqrt(2./12)})
		}
	}
	return func(x, y float64) float64 {
		v := 0.0
		for _, w := range all {
			v += w.height * math.Cos(w.kx*x+w.ky*y+w.phase)
		}
		return v
	}
}
