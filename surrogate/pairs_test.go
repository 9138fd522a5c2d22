package surrogate

import (
	"context"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"barrow/emd"
	"barrow/hgcal"
)

func metric(t testing.TB) *emd.Metric {
	t.Helper()
	m, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// showers draws n images of a few charges each.
func showers(n int, seed uint64) []float64 {
	rng := rand.New(rand.NewPCG(seed, 1))
	out := make([]float64, n*Cells)
	for i := range n {
		for range 3 + rng.IntN(12) {
			out[i*Cells+rng.IntN(Cells)] += 20 + 100*rng.ExpFloat64()
		}
	}
	return out
}

func TestDraw(t *testing.T) {
	m, images := metric(t), showers(50, 1)
	smeared, err := Smeared(m, images)
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []Kind{Pair, AE, App, Fresh} {
		s, err := NewSource(kind, m, images, smeared)
		if err != nil {
			t.Fatal(err)
		}
		p, q, p2, q2 := make([]float64, Cells), make([]float64, Cells), make([]float64, Cells), make([]float64, Cells)
		same := 0
		for k := range uint64(400) {
			s.Draw(7, k, p, q)
			if math.Abs(total(p)-1) > 1e-12 || math.Abs(total(q)-1) > 1e-12 {
				t.Fatalf("%s, pair %d: sums %v and %v, want 1", kind, k, total(p), total(q))
			}
			s.Draw(7, k, p2, q2)
			if d := difference(p, p2) + difference(q, q2); d != 0 {
				t.Fatalf("%s: pair %d drawn twice differs by %v", kind, k, d)
			}
			s.Draw(8, k, p2, q2)
			if difference(p, p2) == 0 && difference(q, q2) == 0 {
				same++
			}
			if kind == Pair && difference(p, q) == 0 {
				t.Fatalf("pair %d is an image with itself", k)
			}
		}
		if same > 100 {
			t.Errorf("%s: another seed repeats %d of 400 pairs", kind, same)
		}
	}
}

func total(x []float64) (s float64) {
	for _, v := range x {
		s += v
	}
	return s
}

func difference(a, b []float64) (d float64) {
	for i := range a {
		d += math.Abs(a[i] - b[i])
	}
	return d
}

func TestSourceErrors(t *testing.T) {
	m, images := metric(t), showers(5, 1)
	bad := append([]float64(nil), images...)
	bad[2*Cells+3] = math.NaN()
	empty := append([]float64(nil), images...)
	clear(empty[Cells : 2*Cells])
	for name, c := range map[string]struct {
		kind    Kind
		images  []float64
		decoded [][]float64
		want    string
	}{
		"unknown kind":  {"both", images, nil, "unknown kind"},
		"no decoder":    {AE, images, nil, "need decoded images"},
		"NaN":           {Pair, bad, nil, "row 2, cell 3"},
		"empty image":   {Pair, empty, nil, "row 1: cell"},
		"one image":     {Pair, images[:Cells], nil, "at least two"},
		"ragged":        {Pair, images[:50], nil, "whole number"},
		"short decoder": {AE, images, [][]float64{images[:Cells]}, "gave 1 images for 5"},
	} {
		_, err := NewSource(c.kind, m, c.images, c.decoded...)
		want := strings.Split(c.want, ": cell")[0]
		if name == "NaN" {
			want = "row 2"
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", name, err, want)
		}
	}
}

// TestSmeared checks the definition the goals are measured with on one image
// by hand.
func TestSmeared(t *testing.T) {
	m := metric(t)
	image := make([]float64, Cells)
	image[5] = 70
	got, err := Smeared(m, image)
	if err != nil {
		t.Fatal(err)
	}
	sum, norm := 0.0, 0.0
	for i := range Cells {
		sum += math.Exp(-m.At(i, 5) * m.At(i, 5) / (2 * 1.2 * 1.2))
	}
	norm = 1 + Cells*0.002
	for i := range Cells {
		want := (math.Exp(-m.At(i, 5)*m.At(i, 5)/(2*1.2*1.2))/sum + 0.002) / norm
		if math.Abs(got[i]-want) > 1e-14 {
			t.Errorf("cell %d: %v, want %v", i, got[i], want)
		}
	}
}

// TestCompareExact measures the exact EMD against itself.
func TestCompareExact(t *testing.T) {
	m, ctx := metric(t), context.Background()
	exact, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	p, q := showers(60, 1), showers(60, 2)
	copy(q[:Cells], p[:Cells]) // an equal pair has no relative difference
	c, err := Compare(ctx, exact, m, p, q, emd.Settings{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	if c.N != 60 || c.EqualPairs != 1 || c.Bias != 0 || c.Spread != 0 || c.MAE != 0 || math.Abs(c.Correlation-1) > 1e-12 || math.Abs(c.CosineP10-1) > 1e-12 {
		t.Errorf("the exact EMD against itself: %+v", c.Accuracy)
	}
	meter, err := NewMeter(exact, m, emd.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < 60; i += 7 {
		to := min(60, i+7)
		if err := meter.Add(ctx, p[i*Cells:to*Cells], q[i*Cells:to*Cells]); err != nil {
			t.Fatal(err)
		}
	}
	if got := meter.Comparison(); !reflect.DeepEqual(got, c) {
		t.Errorf("in batches %+v, want %+v", got.Accuracy, c.Accuracy)
	}
	// Figures that there are none of are not 0.
	if none, err := Compare(ctx, exact, m, p[:Cells], q[:Cells], emd.Settings{}); err != nil || none.EqualPairs != 1 || !math.IsNaN(none.Bias) || !math.IsNaN(none.Correlation) || !math.IsNaN(none.CosineP10) {
		t.Errorf("two equal images: %+v, %v", none, err)
	}
	if _, err := Compare(ctx, exact, m, p, q[:Cells], emd.Settings{Threads: 1}); err == nil {
		t.Error("different numbers of images were accepted")
	}
}

func TestCosine(t *testing.T) {
	q := []float64{1, 1, 1, 0}
	a := []float64{1, 2, 3, 99}
	if c, ok := cosine(q, a, []float64{11, 12, 13, -5}); !ok || math.Abs(c-1) > 1e-15 {
		t.Errorf("a shift and what lies off the support must not count: %v", c)
	}
	if c, ok := cosine(q, a, []float64{3, 2, 1, 0}); !ok || math.Abs(c+1) > 1e-15 {
		t.Errorf("opposite gradients: %v", c)
	}
	if _, ok := cosine([]float64{0, 1, 0, 0}, a, a); ok {
		t.Error("one cell has no direction")
	}
}
