package emd

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// BenchmarkGrid solves pairs of images of independent cells.
func BenchmarkGrid(b *testing.B) {
	for _, norm := range []Norm{L1, LInf} {
		for _, side := range []int{28, 32, 64, 128} {
			b.Run(fmt.Sprintf("norm=%d/side=%d", norm, side), func(b *testing.B) {
				g, err := NewGrid([]int{side, side}, norm, nil)
				if err != nil {
					b.Fatal(err)
				}
				s, err := NewSolver(g, Settings{Unequal: UnequalNormalise})
				if err != nil {
					b.Fatal(err)
				}
				r := rand.New(rand.NewPCG(1, 1))
				n := side * side
				p, q := make([]float64, n), make([]float64, n)
				for k := range p {
					p[k], q[k] = r.Float64(), r.Float64()
				}
				for b.Loop() {
					if _, err := s.Distance(p, q); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
