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
	m, err := NewCNN(N1(), nn.Settings{Seed: 1, Threads: 1})
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
func trained(t testing.TB, threads int) (*CNN, *nn.History) {
	return trainedWith(t, Settings{Architecture: small, Threads: threads})
}

func trainedWith(t testing.TB, s Settings) (*CNN, *nn.History) {
	t.Helper()
	m := metric(t)
	s.Seed, s.Pairs, s.Epochs, s.Batch, s.Validation = 5, 6000, 3, 100, 500
	model, h, err := Train(context.Background(), fresh(t, m, 1), fresh(t, m, 2), m, s)
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

// onBoth runs a test on networks that see the images and what they do not
// share.
func onBoth(t *testing.T, test func(t *testing.T, m *CNN)) {
	for _, a := range []Architecture{small, {Filters: 4, Kernel: 3, Convs: 2, Dense: 8, Surplus: true}} {
		t.Run(a.String(), func(t *testing.T) {
			m, _ := trainedWith(t, Settings{Architecture: a})
			test(t, m)
		})
	}
}

// TestSlopeError: the gradient of the slopes' error with respect to the
// weights is what that error changes by when the weights move.
func TestSlopeError(t *testing.T) {
	onBoth(t, func(t *testing.T, model *CNN) {
		m := metric(t)
		exact, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		const n, k = 100, 60
		o := &objective{model: model, loss: nn.MSE{}, exact: exact, train: fresh(t, m, 1), seed: 3, pairs: n, gradient: 1, share: float64(k) / n}
		idx := make([]int, n)
		for i := range idx {
			idx[i] = i
		}
		if _, err := o.Train(context.Background(), idx); err != nil { // draws the pairs
			t.Fatal(err)
		}
		slopes := func() float64 {
			o.fillSteps(n, k)
			y, err := model.net.Forward(model.in, nn.Training)
			if err != nil {
				t.Fatal(err)
			}
			clear(model.dy.Resize(n + k).Data)
			return o.slopeError(n, k, y.Data, model.dy.Data)
		}
		before := slopes()
		model.net.ZeroGrad()
		if err := model.net.BackwardWeights(model.dy); err != nil {
			t.Fatal(err)
		}
		square := 0.0
		for _, p := range model.net.Params() {
			for _, g := range p.Grad {
				square += float64(g) * float64(g)
			}
		}
		const change = 1e-3
		for _, p := range model.net.Params() {
			for j, g := range p.Grad {
				p.Value[j] -= float32(change * before * float64(g) / square)
			}
		}
		if got := slopes() - before; math.Abs(got+change*before) > 0.2*change*before {
			t.Errorf("the error of %v changes by %v, %v is expected", before, got, -change*before)
		}
	})
}

// TestSupervised: training on gradients too gives the same bits on two
// threads.
func TestSupervised(t *testing.T) {
	one, h := trainedWith(t, Settings{Architecture: small, Gradient: 0.3})
	if len(h.Epochs) != 3 || !(h.Best < h.Epochs[0].Validation) {
		t.Errorf("the loss did not fall: %+v", h.Epochs)
	}
	two, _ := trainedWith(t, Settings{Architecture: small, Gradient: 0.3, Threads: 2})
	for i, p := range one.Network().Params() {
		for k, v := range two.Network().Params()[i].Value {
			if v != p.Value[k] {
				t.Fatalf("%s[%d]: %v with two threads, %v with one", p.Name, k, v, p.Value[k])
			}
		}
	}
}

// TestSurplus: where the network sees what the images do not share, the
// distance scales with that.
func TestSurplus(t *testing.T) {
	model, _ := trainedWith(t, Settings{Architecture: Architecture{Filters: 4, Kernel: 3, Convs: 2, Dense: 8, Surplus: true}})
	ctx := context.Background()
	p, q := fresh(t, metric(t), 9).Pairs(4, 100)
	near := make([]float64, len(p))
	for i := range near {
		near[i] = p[i] + (q[i]-p[i])/16
	}
	copy(q[:Cells], p[:Cells])
	e, half, dp := make([]float64, 100), make([]float64, 100), make([]float64, len(p))
	if err := model.Gradient(ctx, p, q, e, dp, nil); err != nil {
		t.Fatal(err)
	}
	if err := model.Predict(ctx, p, near, half); err != nil {
		t.Fatal(err)
	}
	if e[0] != 0 || total(dp[:Cells]) != 0 {
		t.Errorf("equal images are %v apart", e[0])
	}
	for i := 1; i < len(e); i++ {
		if math.Abs(16*half[i]-e[i]) > 1e-4*math.Abs(e[i]) {
			t.Errorf("pair %d: %v, a sixteenth of the way %v", i, e[i], half[i])
		}
	}
}

func TestArchitecture(t *testing.T) {
	for _, text := range []string{"32x5x3-256", "128x3x4-256-surplus"} {
		a, err := ParseArchitecture(text)
		if err != nil || a.String() != text {
			t.Errorf("%s: %v, %v", text, a, err)
		}
	}
	if a, err := ParseArchitecture("n1"); err != nil || a != N1() {
		t.Errorf("n1: %v, %v", a, err)
	}
	if a, err := ParseArchitecture("paper"); err != nil || a != Paper() {
		t.Errorf("paper: %v, %v", a, err)
	}
	for _, text := range []string{"", "32x5x3", "32x5x3-", "0x5x3-256", "32x99x3-256", "32x5x3-256-small", "032x5x3-256"} {
		if _, err := ParseArchitecture(text); err == nil {
			t.Errorf("%q was accepted", text)
		}
	}
	for _, text := range []string{"", "512", "0x3", "512x0", "512x3x3", "99999x3"} {
		if _, err := ParsePotentialShape(text); err == nil {
			t.Errorf("%q was accepted as a potential network", text)
		}
	}
}

// TestSymmetric: the network is the mean over both orders of the images.
func TestSymmetric(t *testing.T) { onBoth(t, testSymmetric) }

func testSymmetric(t *testing.T, model *CNN) {
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
func TestGradient(t *testing.T) { onBoth(t, testGradient) }

func testGradient(t *testing.T, model *CNN) {
	ctx := context.Background()
	p, q := showers(10, 8), showers(10, 9)
	dp, dq, e := make([]float64, len(p)), make([]float64, len(p)), make([]float64, 10)
	if err := model.Gradient(ctx, p, q, e, dp, dq); err != nil {
		t.Fatal(err)
	}
	bad, all := 0, 0
	for _, side := range []struct{ x, g []float64 }{{p, dp}, {q, dq}} {
		for k := 0; k < len(p); k += 5 {
			if p[k] == 0 && q[k] == 0 && model.surplus {
				continue // a kink
			}
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
	m, err := NewCNN(small, nn.Settings{Seed: 1, Threads: 1})
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
	if _, err := emd.NewBatch(metric(t), emd.Settings{Threads: 1}); err != nil {
		t.Fatal(err)
	}
	if _, err := NewCNN(Architecture{Filters: 0, Kernel: 5, Convs: 1, Dense: 3}, nn.Settings{}); err == nil {
		t.Error("no filters were accepted")
	}
}

func TestSaveLoad(t *testing.T) {
	m, _ := trained(t, 1)
	path := filepath.Join(t.TempDir(), "cnn.weights")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := LoadCNN(path, nn.Settings{Threads: 2})
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
	if _, err := LoadCNN(path, nn.Settings{Threads: 1}); err == nil {
		t.Error("a foreign file was loaded")
	}
}
