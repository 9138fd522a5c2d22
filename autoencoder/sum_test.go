package autoencoder

import (
	"context"
	"math"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"barrow/nn"
	"barrow/wafer"
)

// TestSentSum: five significant bits, cut off, and the middle of what is left.
func TestSentSum(t *testing.T) {
	for sum, want := range map[float64]float64{0: 0, 0.3: 0.3, 31: 31, 32: 32.5, 33.7: 32.5, 34: 34.5, 1000: 1007.5, 1023: 1007.5, 1024: 1055.5} {
		if got := sentSum(sum); got != want {
			t.Errorf("%v is sent as %v, want %v", sum, got, want)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	square, n := 0.0, 100_000
	for range n {
		s := math.Floor(math.Exp2(6 + 20*rng.Float64()))
		d := sentSum(s)/s - 1
		if square += d * d; math.Abs(d) > 1.0/32 {
			t.Fatalf("%v is sent as %v", s, sentSum(s))
		}
	}
	if rms := math.Sqrt(square / float64(n)); math.Abs(rms-0.0133) > 0.0005 {
		t.Errorf("rms %v, want 1.33 %%", rms)
	}
}

// TestSumSent: the decoded image's shape stays, its sum is the one sent; squares
// do so unless told otherwise, in files too.
func TestSumSent(t *testing.T) {
	ctx, images := context.Background(), chipImages(rand.New(rand.NewPCG(3, 4)), 300)
	decode := func(a Architecture) (*Model, []float64) {
		m, err := a.New(nn.Settings{Seed: 5, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "m.weights")
		if err := m.Save(file); err != nil {
			t.Fatal(err)
		}
		if m, err = Load(file, nn.Settings{Threads: 1}); err != nil {
			t.Fatal(err)
		}
		out, err := m.Decode(ctx, set(images))
		if err != nil {
			t.Fatal(err)
		}
		return m, out.Charge
	}
	for _, c := range []struct{ free, sent Architecture }{
		{Architecture{Precision: "asic"}, Architecture{Precision: "asic", Sum: SumSent}},
		{Architecture{Decoder: DecoderResidual, Output: OutputSquare, Sum: SumDecoded}, Architecture{Decoder: DecoderResidual, Output: OutputSquare}},
	} {
		m, sent := decode(c.sent)
		_, free := decode(c.free)
		differ := 0
		for i := range len(images) / Cells {
			want := sentSum(wafer.Sum(images[i*Cells:][:Cells]))
			a, b := sent[i*Cells:][:Cells], free[i*Cells:][:Cells]
			if got := wafer.Sum(a); math.Abs(got/want-1) > 1e-12 {
				t.Fatalf("%v: image %d sums to %v, want %v", m.Architecture(), i, got, want)
			}
			all := wafer.Sum(b)
			if math.Abs(all/want-1) > 0.1 {
				differ++
			}
			for k := range a {
				if math.Abs(a[k]/want-b[k]/all) > 1e-12 {
					t.Fatalf("%v: image %d, cell %d: share %v, without the sum %v", m.Architecture(), i, k, a[k]/want, b[k]/all)
				}
			}
		}
		if differ == 0 {
			t.Errorf("%v: untrained decoders cannot all know the sum", c.free)
		}
	}
	same := Architecture{Output: OutputSquare, Decoder: DecoderDense, Sum: SumSent}.withDefaults()
	if same.Sum != "" || (Architecture{Sum: SumDecoded}).withDefaults().Sum != "" {
		t.Error("a default that is named is another architecture")
	}
}
