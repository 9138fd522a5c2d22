package surrogate

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/emd"
	"barrow/nn"
)

var small = Architecture{Filters: 4, Kernel: 3, Convs: 2, Dense: 8}

// TestN1 holds the network to the numbers of weights in the paper's files.
func TestN1(t *testing.T) {
	m, err := New(N1, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	trainable, all := 0, 0
	for _, p := range m.Network().Params() {
		all += len(p.Value)
		if p.Trainable {
			trainable += len(p.Value)
		}
	}
	if all != 189_089 || trainable != 188_385 {
		t.Errorf("%d weights, %d trainable; want 189089 and 188385", all, trainable)
	}
}

// trained is a small network with running statistics that are not trivial.
func trained(t testing.TB, threads int) (*Model, *nn.History) {
	t.Helper()
	m := metric(t)
	source := func(seed uint64) *Source {
		images := showers(300, seed)
		smeared, err := Smeared(m, images)
		if err != nil {
			t.Fatal(err)
		}
		s, err := NewSource(Fresh, m, images, smeared)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	model, h, err := Train(context.Background(), source(1), source(2), m, Settings{
		Architecture: small, Seed: 5, Threads: threads, Pairs: 6000, Epochs: 3, Batch: 100, Validation: 500,
	})
	if err != nil {
		t.Fatal(err)
	}
	return model, h
}

func TestTrain(t *testing.T) {
	one, h := trained(t, 1)
	if len(h.Epochs) != 3 || !(h.Best < 0.95*h.Epochs[0].Validation) {
		t.Errorf("the loss did not fall: %+v", h.Epochs)
	}
	two, _ := trained(t, 2)
	for i, p := range one.Network().Params() {
		for k, v := range two.Network().Params()[i].Value {
			if v != p.Value[k] {
				t.Fatalf("%s[%d]: %v with two threads, %v with one", p.Name, k, v, p.Value[k])
			}
		}
	}
}

// TestSymmetric: the network is the mean over both orders of the images.
func TestSymmetric(t *testing.T) {
	model, _ := trained(t, 1)
	p, q := showers(20, 8), showers(20, 9)
	a, b, dp, dq, dp2, dq2 := make([]float64, 20), make([]float64, 20), make([]float64, len(p)), make([]float64, len(p)), make([]float64, len(p)), make([]float64, len(p))
	ctx := context.Background()
	if err := model.Gradient(ctx, p, q, a, dp, dq); err != nil {
		t.Fatal(err)
	}
	if err := model.Gradient(ctx, q, p, b, dp2, dq2); err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if math.Abs(a[i]-b[i]) > 1e-5*math.Abs(a[i])+1e-6 {
			t.Errorf("pair %d: %v one way, %v the other", i, a[i], b[i])
		}
	}
	for i := range dp {
		if math.Abs(dp[i]-dq2[i]) > 1e-6 || math.Abs(dq[i]-dp2[i]) > 1e-6 {
			t.Fatalf("gradients do not swap with the images at %d", i)
		}
	}
}

// TestGradient compares with differences of the raw charges, through the
// scaling to sum 1.
func TestGradient(t *testing.T) {
	model, _ := trained(t, 1)
	ctx := context.Background()
	p, q := showers(10, 8), showers(10, 9)
	dp, dq, e := make([]float64, len(p)), make([]float64, len(p)), make([]float64, 10)
	if err := model.Gradient(ctx, p, q, e, dp, dq); err != nil {
		t.Fatal(err)
	}
	bad, all := 0, 0
	for _, side := range []struct{ x, g []float64 }{{p, dp}, {q, dq}} {
		for k := 0; k < len(p); k += 5 {
			x, h := side.x[k], 0.25
			value := func(v float64) float64 {
				side.x[k] = v
				if err := model.Predict(ctx, p, q, e); err != nil {
					t.Fatal(err)
				}
				return e[k/Cells]
			}
			num := (value(x+h) - value(max(0, x-h))) / (x + h - max(0, x-h))
			side.x[k] = x
			all++
			// A ReLU between the two points bends the function: few may differ.
			if math.Abs(num-side.g[k]) > 2e-5+0.05*math.Abs(num) {
				bad++
			}
		}
	}
	if bad > all/10 {
		t.Errorf("%d of %d gradients differ from differences", bad, all)
	}
}

func TestGradientErrors(t *testing.T) {
	m, err := New(small, 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	p, e := showers(300, 1), make([]float64, 300)
	q := append([]float64(nil), p...)
	q[290*Cells+7] = -3
	if err := m.Predict(ctx, p, q, e); err == nil || !strings.Contains(err.Error(), "row 290: cell 7") {
		t.Errorf("a negative charge: %v", err)
	}
	if err := m.Predict(ctx, p, p[:Cells], e); err == nil {
		t.Error("different numbers of images were accepted")
	}
	if err := m.Gradient(ctx, p, p, e, nil, make([]float64, 3)); err == nil {
		t.Error("a short gradient was accepted")
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := m.Predict(cancelled, p, p, e); err == nil {
		t.Error("a cancelled context gave no error")
	}
	if _, err := emd.NewBatch(metric(t), emd.Settings{}, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Architecture{Filters: 0, Kernel: 5, Convs: 1, Dense: 3}, 1, 1); err == nil {
		t.Error("no filters were accepted")
	}
}

func TestSaveLoad(t *testing.T) {
	m, _ := trained(t, 1)
	path := filepath.Join(t.TempDir(), "cnn.weights")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := Load(path, 2)
	if err != nil {
		t.Fatal(err)
	}
	p, q, a, b := showers(30, 8), showers(30, 9), make([]float64, 30), make([]float64, 30)
	if err := m.Predict(context.Background(), p, q, a); err != nil {
		t.Fatal(err)
	}
	if err := got.Predict(context.Background(), p, q, b); err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("pair %d: %v, loaded %v", i, a[i], b[i])
		}
	}
	if err := os.WriteFile(path, []byte("not weights"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, 1); err == nil {
		t.Error("a foreign file was loaded")
	}
}
