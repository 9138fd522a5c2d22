package kernel

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// randomWeights draws six-bit weights; extreme ones are all ends of the range.
func randomWeights(r *rand.Rand, extreme bool) (conv [72]int8, cb [8]int8, dense [16][128]int8, db [16]int8) {
	draw := func() int8 {
		if extreme {
			return [...]int8{-32, 31}[r.IntN(2)]
		}
		return int8(r.IntN(64) - 32)
	}
	for i := range conv {
		conv[i] = draw()
	}
	for i := range cb {
		cb[i] = draw()
	}
	for j := range dense {
		for k := range dense[j] {
			dense[j][k] = draw()
		}
		db[j] = draw()
	}
	return
}

// randomWafers draws a block of wafers of very different sizes: empty, one
// cell, few, all; charges up to 22 bits.
func randomWafers(r *rand.Rand, calq []uint32) {
	for i := 0; i < len(calq); i += cells {
		width := 1 + r.IntN(22)
		fill := r.IntN(cells + 1)
		for j := range cells {
			calq[i+j] = 0
			if r.IntN(cells) < fill {
				calq[i+j] = r.Uint32N(1 << width)
			}
		}
		if r.IntN(8) == 0 { // one large cell
			calq[i+r.IntN(cells)] = 1<<22 - 1
		}
	}
}

// TestKernels compares every kernel with the arithmetic as it is defined.
func TestKernels(t *testing.T) {
	for _, wrap := range []bool{false, true} {
		for _, name := range Names() {
			t.Run(fmt.Sprintf("%s/wrap=%t", name, wrap), func(t *testing.T) {
				_, run, err := Lookup(name)
				if err != nil {
					t.Fatal(err)
				}
				r := rand.New(rand.NewPCG(1, 2))
				s := NewScratch()
				calq := make([]uint32, Block*cells)
				out, sums := make([]uint16, Block*16), make([]uint32, Block)
				for trial := range 200 {
					conv, cb, dense, db := randomWeights(r, trial%4 == 3)
					if trial%16 == 15 { // the largest outputs there can be
						for i := range conv {
							conv[i] = 31
						}
						for i := range cb {
							cb[i] = 31
						}
						for j := range dense {
							for k := range dense[j] {
								dense[j][k] = 31 - 63*int8(j&1)
							}
						}
					}
					w := Pack(&conv, &cb, &dense, &db, wrap)
					randomWafers(r, calq)
					run(out, sums, calq, w, s)
					for i := range Block {
						var image [cells]uint8
						sum := Normalise(&image, (*[cells]uint32)(calq[i*cells:]))
						if sums[i] != sum {
							t.Fatalf("trial %d wafer %d: sum %d, want %d", trial, i, sums[i], sum)
						}
						for j, v := range Forward(&image, &conv, &cb, &dense, &db) {
							want := min(v, 511)
							if wrap {
								want = v & 511
							}
							if int32(out[16*i+j]) != want {
								t.Fatalf("trial %d wafer %d output %d: %d, want %d of %d", trial, i, j, out[16*i+j], want, v)
							}
						}
					}
				}
			})
		}
	}
}

func BenchmarkKernels(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 2))
	calq := make([]uint32, Block*cells)
	for i := range calq {
		calq[i] = r.Uint32N(2000)
	}
	conv, cb, dense, db := randomWeights(r, false)
	w := Pack(&conv, &cb, &dense, &db, false)
	for _, name := range Names() {
		b.Run(name, func(b *testing.B) {
			_, run, _ := Lookup(name)
			s := NewScratch()
			out, sums := make([]uint16, Block*16), make([]uint32, Block)
			b.ReportAllocs()
			for b.Loop() {
				run(out, sums, calq, w, s)
			}
			b.ReportMetric(float64(b.N)*Block/b.Elapsed().Seconds()/1e6, "Mwafers/s")
		})
	}
}
