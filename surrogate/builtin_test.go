package surrogate_test

import (
	"context"
	"math"
	"testing"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/internal/shared"
	"barrow/nn"
	"barrow/surrogate"
	"barrow/wafer"
	"barrow/wafer/file"
)

// wafers reads one of the real wafers' images, or skips.
func wafers(t *testing.T, name string) *wafer.Set {
	t.Helper()
	s, err := file.ReadAll(context.Background(), shared.Data(t, "wafers", name), wafer.ReadSettings{})
	if err != nil {
		t.Fatal(err)
	}
	s, _ = s.WithoutColumns().NonZero()
	return s
}

// goals are those of the best architecture: bias, spread, median and 10th
// percentile of the gradient's cosine, which is a goal on smeared pairs.
type goals struct{ bias, spread, cosine, p10 float64 }

// TestBuiltIn measures the built-in network, which saw simulated images only,
// on every real image against another one and against its smeared copy.
func TestBuiltIn(t *testing.T) {
	m, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	model, err := surrogate.BuiltIn(nn.Settings{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ldm.csv", "hdm.csv"} {
		s := wafers(t, name)
		var p, q []float64
		pairs, err := wafer.IndependentPairs(s.Len(), s.Len(), 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range pairs {
			p, q = append(p, s.Image(x.A)...), append(q, s.Image(x.B)...)
		}
		smeared, err := surrogate.Smeared(m, s.Charge)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			kind string
			p, q []float64
			goals
		}{
			{"independent", p, q, goals{0.002, 0.010, 0.98, 0.93}},
			{"smeared", s.Charge, smeared, goals{0.005, 0.015, 0.98, 0.93}},
		} {
			r, err := surrogate.Compare(context.Background(), model, m, c.p, c.q, emd.Settings{Threads: 2})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s, %s: bias %+.4f, spread %.4f, gradient cosine %.3f, %.3f", name, c.kind, r.Bias, r.Spread, r.CosineMedian, r.CosineP10)
			if math.Abs(r.Bias) > c.bias || r.Spread > c.spread || r.CosineMedian < c.cosine || r.CosineP10 < c.p10 {
				t.Errorf("%s, %s: %+v, want at least %+v", name, c.kind, r.Accuracy, c.goals)
			}
		}
	}
}
