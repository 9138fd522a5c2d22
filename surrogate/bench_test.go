package surrogate

import (
	"context"
	"testing"

	"barrow/emd"
	"barrow/loss"
	"barrow/nn"
)

// BenchmarkGradient is the time of a pair, value and gradient, one thread:
// the exact EMD beside the networks that estimate it.
func BenchmarkGradient(b *testing.B) {
	m := metric(b)
	p, q := fresh(b, m, 9).Pairs(4, 1024)
	exact, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	n1, err := NewCNN(N1(), nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	builtin, err := BuiltIn(nn.Settings{Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	plain, err := BuiltIn(nn.Settings{Threads: 1})
	if err != nil {
		b.Fatal(err)
	}
	plain.shape.Steps = -1
	for _, c := range []struct {
		name string
		est  loss.Distance
	}{{"exact", exact}, {"n1", n1}, {"potential", builtin}, {"potential without steps", plain}} {
		b.Run(c.name, func(b *testing.B) {
			b.ReportAllocs()
			e, dq := make([]float64, 1024), make([]float64, len(q))
			for b.Loop() {
				if err := c.est.Gradient(context.Background(), p, q, e, nil, dq); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1024/1000, "µs/pair")
		})
	}
}
