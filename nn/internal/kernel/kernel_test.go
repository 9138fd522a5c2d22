package kernel

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// eachKernel runs f with every assembly kernel in turn.
func eachKernel(t *testing.T, f func(t *testing.T, l Level)) {
	for _, name := range Available() {
		t.Run(name, func(t *testing.T) { f(t, Named(name)) })
	}
}

func randoms(rng *rand.Rand, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(rng.NormFloat64())
	}
	return x
}

// randomProduct draws a product with every option, its matrices inside larger
// ones whose other elements are NaN and must be neither used nor changed.
func randomProduct(rng *rand.Rand) *Product {
	p := &Product{M: 1 + rng.IntN(40), N: 1 + rng.IntN(70), Accumulate: rng.IntN(3) == 0, ReLU: rng.IntN(2) == 0}
	taps := rng.IntN(4)
	p.BRow, p.CRow = p.N+rng.IntN(9), p.N+rng.IntN(9)
	longest := 0
	for range taps {
		p.Taps = append(p.Taps, Tap{K: rng.IntN(30)})
		longest = max(longest, p.Taps[len(p.Taps)-1].K)
	}
	if p.ARow, p.ACol = longest+rng.IntN(5)+1, 1; rng.IntN(2) == 0 {
		p.ARow, p.ACol = 1, p.M+rng.IntN(5)
	}
	size := p.M*p.ARow + longest*p.ACol
	for i := range p.Taps {
		p.Taps[i].A = i * size
		p.Taps[i].B = i * longest * p.BRow
	}
	p.A = randoms(rng, taps*size)
	p.B = randoms(rng, taps*longest*p.BRow+slack)
	p.C = randoms(rng, p.M*p.CRow)
	if rng.IntN(2) == 0 {
		p.Bias = randoms(rng, p.N)
	}
	for i := range p.B {
		if i%p.BRow >= p.N || i >= taps*longest*p.BRow {
			p.B[i] = float32(math.NaN())
		}
	}
	return p
}

// slack lets a row of B be read in whole vectors.
const slack = 16

func exactProduct(p *Product, i, j int) (value, scale float64) {
	switch {
	case p.Accumulate:
		value = float64(p.C[i*p.CRow+j])
	case p.Bias != nil:
		value = float64(p.Bias[j])
	}
	scale = math.Abs(value)
	for _, t := range p.Taps {
		for k := range t.K {
			x := float64(p.A[t.A+i*p.ARow+k*p.ACol]) * float64(p.B[t.B+k*p.BRow+j])
			value += x
			scale += math.Abs(x)
		}
	}
	if p.ReLU {
		value = max(value, 0)
	}
	return value, scale
}

func TestProductAgainstDefinition(t *testing.T) {
	eachKernel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(1, 2))
		for n := range 3000 {
			p := randomProduct(rng)
			before := append([]float32(nil), p.C...)
			want, scales := make([]float64, len(p.C)), make([]float64, len(p.C))
			for i := range p.M {
				for j := range p.N {
					want[i*p.CRow+j], scales[i*p.CRow+j] = exactProduct(p, i, j)
				}
			}
			l.Run(p)
			for k, got := range p.C {
				if k%p.CRow >= p.N {
					if got != before[k] {
						t.Fatalf("case %d: wrote beside C", n)
					}
				} else if !(math.Abs(float64(got)-want[k]) <= 1e-6*(scales[k]+1e-3)) {
					t.Fatalf("case %d (%d×%d, %d taps): C[%d,%d] = %v, want %v", n, p.M, p.N, len(p.Taps), k/p.CRow, k%p.CRow, got, want[k])
				}
			}
		}
	})
}

// TestProductTilingLeavesBits cuts a product by rows and columns and wants the
// same bits: the promise that threads do not show.
func TestProductTilingLeavesBits(t *testing.T) {
	eachKernel(t, func(t *testing.T, l Level) {
		rng := rand.New(rand.NewPCG(3, 4))
		for range 200 {
			p := randomProduct(rng)
			whole := *p
			whole.C = append([]float32(nil), p.C...)
			l.Run(&whole)
			for i := 0; i < p.M; {
				rows := min(1+rng.IntN(9), p.M-i)
				part := *p
				part.M, part.A, part.C = rows, p.A[min(i*p.ARow, len(p.A)):], p.C[i*p.CRow:]
				l.Run(&part)
				i += rows
			}
			for k := range p.C {
				if math.Float32bits(p.C[k]) != math.Float32bits(whole.C[k]) {
					t.Fatalf("cut by rows, C[%d] = %v, whole %v", k, p.C[k], whole.C[k])
				}
			}
		}
	})
}

func TestProductKeepsNaN(t *testing.T) {
	eachKernel(t, func(t *testing.T, l Level) {
		nan := float32(math.NaN())
		p := &Product{A: []float32{nan}, B: make([]float32, 40+slack), C: make([]float32, 40), Taps: []Tap{{K: 1}},
			M: 1, N: 40, ARow: 1, ACol: 1, BRow: 40, CRow: 40, ReLU: true}
		l.Run(p)
		for j, v := range p.C {
			if v == v {
				t.Fatalf("column %d lost the NaN: %v", j, v)
			}
		}
	})
}

func BenchmarkProduct(b *testing.B) {
	for _, name := range Available() {
		l := Named(name)
		for _, c := range []struct{ m, n, k, taps int }{
			{512, 32, 32, 16}, {512, 32, 128, 16}, {512, 32, 1024, 1}, {512, 16, 128, 1}, {512, 32, 6, 16},
		} {
			p := &Product{M: c.m, N: c.n, ARow: c.k, ACol: 1, BRow: c.n, CRow: c.n,
				A: make([]float32, c.taps*c.m*c.k), B: make([]float32, c.taps*c.k*c.n+slack), C: make([]float32, c.m*c.n)}
			for i := range c.taps {
				p.Taps = append(p.Taps, Tap{A: i * c.m * c.k, B: i * c.k * c.n, K: c.k})
			}
			b.Run(fmt.Sprintf("%s/%dx%dx%dx%d", name, c.m, c.n, c.k, c.taps), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					l.Run(p)
				}
				b.ReportMetric(2e-9*float64(c.m*c.n*c.k*c.taps*b.N)/b.Elapsed().Seconds(), "GFLOP/s")
			})
			// The same as a weight gradient: A transposed, the batch inside.
			w := &Product{M: min(c.k, 28), N: c.n, ARow: 1, ACol: c.k, BRow: c.n, CRow: c.n,
				A: p.A, B: make([]float32, c.taps*c.m*c.n+slack), C: make([]float32, c.k*c.n)}
			for i := range c.taps {
				w.Taps = append(w.Taps, Tap{A: i * c.m * c.k, B: i * c.m * c.n, K: c.m})
			}
			b.Run(fmt.Sprintf("%s/grad%dx%dx%dx%d", name, c.m, c.n, c.k, c.taps), func(b *testing.B) {
				for b.Loop() {
					l.Run(w)
				}
				b.ReportMetric(2e-9*float64(w.M*c.n*c.m*c.taps*b.N)/b.Elapsed().Seconds(), "GFLOP/s")
			})
		}
	}
}
