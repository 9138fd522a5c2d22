package keras

import (
	"context"
	"math"
	"slices"
	"testing"

	"barrow/emd"
	"barrow/hgcal"
)

// smear is docs/targets.md's: a Gaussian of width 1.2 over the cells that
// keeps each cell's charge, plus 0.002 in every cell, normalised.
func smear(m *emd.Metric, p [48]float64) [48]float64 {
	var q [48]float64
	for j, charge := range p {
		var column [48]float64
		sum := 0.0
		for i := range column {
			d := m.At(i, j)
			column[i] = math.Exp(-d * d / (2 * 1.2 * 1.2))
			sum += column[i]
		}
		for i := range q {
			q[i] += charge * column[i] / sum
		}
	}
	for i := range q {
		q[i] += 0.002
	}
	return normalise(q)
}

// cosine compares two gradients on the support of q, each centred there; NaN
// for a q of one cell.
func cosine(q [48]float64, g, h []float64) float64 {
	var n, mg, mh, gg, hh, gh float64
	for i, v := range q {
		if v > 0 {
			n++
			mg += g[i]
			mh += h[i]
		}
	}
	for i, v := range q {
		if v > 0 {
			x, y := g[i]-mg/n, h[i]-mh/n
			gg, hh, gh = gg+x*x, hh+y*y, gh+x*y
		}
	}
	return gh / math.Sqrt(gg*hh)
}

// accuracy is a row of the table in docs/targets.md.
type accuracy struct{ bias, spread, median, p10 float64 }

// measure compares a network with the exact EMD on pairs of normalised images.
func measure(t *testing.T, p *Predictor, ps, qs [][48]float64) accuracy {
	t.Helper()
	metric, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	batch, err := emd.NewBatch(metric, emd.Settings{Unequal: emd.UnequalNormalise, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	n := len(ps)
	var flatP, flatQ []float64
	var a, b []float32
	for i := range n {
		flatP, flatQ = append(flatP, ps[i][:]...), append(flatQ, qs[i][:]...)
		a, b = append(a, pixels443(ps[i])...), append(b, pixels443(qs[i])...)
	}
	exact, dq := make([]float64, n), make([]float64, 48*n)
	if err := batch.Gradient(context.Background(), flatP, flatQ, exact, nil, dq); err != nil {
		t.Fatal(err)
	}
	got, grads, err := p.Gradient(nil, a, b)
	if err != nil {
		t.Fatal(err)
	}
	cells := hgcal.Arrange443()
	var sum, squares float64
	var cosines []float64
	for i := range n {
		r := (float64(got[i]) - exact[i]) / exact[i]
		sum, squares = sum+r, squares+r*r
		g := make([]float64, 48)
		for pixel, cell := range cells {
			g[cell] = float64(grads[1][48*i+pixel])
		}
		if c := cosine(qs[i], g, dq[48*i:48*i+48]); !math.IsNaN(c) {
			cosines = append(cosines, c)
		}
	}
	slices.Sort(cosines)
	bias := sum / float64(n)
	return accuracy{bias, math.Sqrt(squares/float64(n) - bias*bias), cosines[len(cosines)/2], cosines[len(cosines)/10]}
}

// TestPaperAccuracy measures the paper's networks against the exact EMD, on
// pairs of real wafers (each with the one 1,500 rows on) and on smeared pairs.
// The figures must be those of PyTorch and POT on the same pairs, as
// testdata/accuracy.py prints them, and the bias and spread of ae_mse those of
// docs/targets.md: that checks the reader, the network and both gradients at
// once.
func TestPaperAccuracy(t *testing.T) {
	metric, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	images := wafers(t, "ldm.csv", 3000)
	var left, right, sharp, smeared [][48]float64
	for i := range images {
		images[i] = normalise(images[i])
	}
	for i, image := range images {
		left, right = append(left, image), append(right, images[(i+1500)%len(images)])
		sharp, smeared = append(sharp, image), append(smeared, smear(metric, image))
	}
	want := map[string]accuracy{
		"ae_mse real":        {-0.0857, 0.0851, 0.8899, 0.7030},
		"pair_huber real":    {0.0037, 0.0391, 0.9565, 0.8364},
		"pair_msle real":     {0.0098, 0.0449, 0.9495, 0.8133},
		"ae_mse smeared":     {0.0328, 0.0509, 0.7334, 0.5077},
		"pair_huber smeared": {-0.4112, 0.2994, 0.7171, 0.5099},
		"pair_msle smeared":  {-0.7504, 0.5086, 0.7253, 0.5225},
	}
	targets := map[string]accuracy{"ae_mse real": {bias: -0.085, spread: 0.084}, "ae_mse smeared": {bias: 0.034, spread: 0.050}}
	for _, c := range emdModels {
		p := predictor(t, readEMD(t, c.name))
		for i, kind := range []string{"real", "smeared"} {
			ps, qs := left, right
			if i == 1 {
				ps, qs = sharp, smeared
			}
			got := measure(t, p, ps, qs)
			t.Logf("%-10s %-7s bias %+.4f spread %.4f gradient cosine median %.3f p10 %.3f", c.name, kind, got.bias, got.spread, got.median, got.p10)
			w := want[c.name+" "+kind]
			for _, d := range []float64{got.bias - w.bias, got.spread - w.spread, got.median - w.median, got.p10 - w.p10} {
				if !(math.Abs(d) <= 2e-4) {
					t.Errorf("%s on %s pairs: %+v, want %+v", c.name, kind, got, w)
					break
				}
			}
			if w, ok := targets[c.name+" "+kind]; ok && (math.Abs(got.bias-w.bias) > 0.005 || math.Abs(got.spread-w.spread) > 0.005) {
				t.Errorf("%s on %s pairs: %+v, docs/targets.md has %+v", c.name, kind, got, w)
			}
		}
	}
}
