package surrogate

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"barrow/emd"
	"barrow/internal/weights"
	"barrow/nn"
)

var tiny = PotentialShape{Width: 24, Layers: 2}

func fresh(t testing.TB, m *emd.Metric, seed uint64) *Source {
	t.Helper()
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

// trainedPotential is a small potential network that has learnt a little.
func trainedPotential(t testing.TB, threads int) *Potential {
	t.Helper()
	m := metric(t)
	model, h, err := TrainPotential(context.Background(), fresh(t, m, 1), fresh(t, m, 2), m, PotentialSettings{
		Shape: tiny, Seed: 5, Threads: threads, Pairs: 6000, Epochs: 3, Batch: 100, Validation: 500,
	})
	if err != nil {
		t.Fatal(err)
	}
	if !(h.Best < 0.85*h.Epochs[0].Validation) {
		t.Errorf("the loss did not fall: %+v", h.Epochs)
	}
	return model
}

// drawRow draws images of every sort: few cells or all, equal charges, charges
// over many decades.
func drawRow(t *rapid.T, label string) []float64 {
	row := make([]float64, Cells)
	sort := rapid.IntRange(0, 3).Draw(t, label+" sort")
	n := rapid.IntRange(1, Cells).Draw(t, label+" cells")
	for range n {
		c := rapid.IntRange(0, Cells-1).Draw(t, label+" cell")
		switch sort {
		case 0:
			row[c] = 1
		case 1:
			row[c] = float64(rapid.IntRange(1, 1000).Draw(t, label+" count"))
		case 2:
			row[c] = math.Pow(10, rapid.Float64Range(-12, 6).Draw(t, label+" decade"))
		default:
			row[c] = rapid.Float64Range(0, 1).Draw(t, label+" charge") + 1e-9
		}
	}
	return row
}

// drawPair also draws pairs that are nearly equal.
func drawPair(t *rapid.T) (p, q []float64) {
	p, q = drawRow(t, "p"), drawRow(t, "q")
	if rapid.Bool().Draw(t, "near") {
		w := math.Pow(10, rapid.Float64Range(-15, 0).Draw(t, "share"))
		tp, tq := total(p), total(q)
		for c := range q {
			q[c] = p[c]/tp + w*q[c]/tq
		}
	}
	return p, q
}

// TestBound is the certificate: whatever the network, the potentials are
// 1-Lipschitz and the bound is at most the EMD and what the potentials say.
func TestBound(t *testing.T) {
	m := metric(t)
	exact, err := emd.NewSolver(m, emd.Settings{Unequal: emd.UnequalNormalise})
	if err != nil {
		t.Fatal(err)
	}
	untrained, err := NewPotential(m, tiny, nn.Settings{Seed: 3, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	plain, err := NewPotential(m, PotentialShape{Width: 24, Layers: 2, Steps: -1}, nn.Settings{Seed: 4, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	wild, err := NewPotential(m, tiny, nn.Settings{Seed: 3, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range wild.net.Param("out/kernel").Value {
		wild.net.Param("out/kernel").Value[i] = v * 1e20
	}
	builtin, err := BuiltIn(nn.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	models := []*Potential{untrained, plain, wild, trainedPotential(t, 1), builtin}
	ctx := context.Background()
	rapid.Check(t, func(t *rapid.T) {
		p, q := drawPair(t)
		want, err := exact.Distance(p, q)
		if err != nil {
			t.Fatal(err)
		}
		for k, model := range models {
			v, f := make([]float64, 1), make([]float64, Cells)
			if err := model.Bound(ctx, p, q, v, f); err != nil {
				t.Fatal(err)
			}
			if !(v[0] <= want) || !(v[0] >= 0) {
				t.Fatalf("network %d: the bound %v, the EMD %v", k, v[0], want)
			}
			says, tp, tq := 0.0, total(p), total(q)
			for c := range f {
				says += (p[c]/tp - q[c]/tq) * f[c]
				for j := range f {
					if d := math.Abs(f[c]-f[j]) - m.At(c, j); !(d <= 1e-12) {
						t.Fatalf("network %d: |f_%d − f_%d| is %v above the distance", k, c, j, d)
					}
				}
			}
			if math.Abs(max(says, 0)-v[0]) > 1e-11 {
				t.Fatalf("network %d: the bound %v, Σ(p−q)f %v", k, v[0], says)
			}
		}
	})
}

// TestPotentialSymmetry: even, homogeneous and a function of p − q, exactly or
// but for rounding.
func TestPotentialSymmetry(t *testing.T) {
	model := trainedPotential(t, 2)
	ctx := context.Background()
	const n = 300
	p, q := fresh(t, metric(t), 9).Pairs(4, n)
	copy(q[:Cells], p[:Cells])
	grad := func(p, q []float64) (e, dp, dq []float64) {
		e, dp, dq = make([]float64, n), make([]float64, n*Cells), make([]float64, n*Cells)
		if err := model.Gradient(ctx, p, q, e, dp, dq); err != nil {
			t.Fatal(err)
		}
		return e, dp, dq
	}
	e, dp, dq := grad(p, q)
	back, bp, bq := grad(q, p)
	if e[0] != 0 || total(dp[:Cells]) != 0 {
		t.Errorf("equal images are %v apart", e[0])
	}
	for i := range e {
		if e[i] != back[i] {
			t.Fatalf("pair %d: %v one way, %v the other", i, e[i], back[i])
		}
	}
	for i := range dp {
		if dp[i] != bq[i] || dq[i] != bp[i] {
			t.Fatalf("gradients do not swap with the images at %d", i)
		}
	}
	// Half of q is put into p: the difference halves, and so does the distance.
	near := make([]float64, len(p))
	for i := range near {
		near[i] = (p[i] + q[i]) / 2
	}
	half, _, _ := grad(near, q)
	for i := range e {
		if math.Abs(2*half[i]-e[i]) > 1e-5*e[i] {
			t.Errorf("pair %d: %v, half way %v", i, e[i], half[i])
		}
	}
	// In other units the gradient scales the other way.
	big := make([]float64, len(q))
	for i := range big {
		big[i] = 8 * q[i]
	}
	e8, _, dq8 := grad(p, big)
	for i := range dq {
		if math.Abs(8*dq8[i]-dq[i]) > 1e-12 || e8[i/Cells] != e[i/Cells] {
			t.Fatalf("8 times the charge: distance %v and %v, gradient %v and %v", e8[i/Cells], e[i/Cells], dq8[i], dq[i])
		}
	}
}

// TestPotentialAccuracy: little training, but the dual steps leave little to
// do.
func TestPotentialAccuracy(t *testing.T) {
	m := metric(t)
	p, q := fresh(t, m, 9).Pairs(4, 1000)
	c, err := Compare(context.Background(), trainedPotential(t, 2), m, p, q, emd.Settings{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(c.Bias) > 0.01 || c.Spread > 0.02 || c.CosineMedian < 0.97 {
		t.Errorf("%+v", c.Accuracy)
	}
}

func TestPotentialThreads(t *testing.T) {
	one, two := trainedPotential(t, 1), trainedPotential(t, 2)
	var a, b bytes.Buffer
	if err := one.Encode(&a, 32); err != nil {
		t.Fatal(err)
	}
	if err := two.Encode(&b, 32); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two threads give other weights than one")
	}
}

func TestPotentialFile(t *testing.T) {
	m := trainedPotential(t, 1)
	path := filepath.Join(t.TempDir(), "potential.weights")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	got, err := loadPotential(path, nn.Settings{Threads: 2})
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
	var half bytes.Buffer
	if err := m.Encode(&half, 16); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, half.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	short, err := loadPotential(path, nn.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	c := make([]float64, 30)
	if err := short.Predict(context.Background(), p, q, c); err != nil {
		t.Fatal(err)
	}
	for i := range a {
		if a[i] != b[i] {
			t.Fatalf("pair %d: %v, loaded %v", i, a[i], b[i])
		}
		if math.Abs(a[i]-c[i]) > 2e-3*a[i] {
			t.Errorf("pair %d: %v, with half the bits %v", i, a[i], c[i])
		}
	}
	if err := os.Truncate(path, int64(half.Len()-100)); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, nn.Settings{}); !errors.Is(err, nn.ErrCheckpoint) || !strings.Contains(err.Error(), path) {
		t.Errorf("a file that is cut off: %v", err)
	}
}

// FuzzPotential gives any shape to the arrays of a small network.
func FuzzPotential(f *testing.F) {
	m, err := NewPotential(metric(f), PotentialShape{Width: 2, Layers: 1}, nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		f.Fatal(err)
	}
	var b bytes.Buffer
	if err := m.Encode(&b, 16); err != nil {
		f.Fatal(err)
	}
	file, err := weights.Decode(b.Bytes(), weights.Potential)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(`{"shape":{"width":2,"layers":1},"cells":48}`)
	f.Fuzz(func(t *testing.T, about string) {
		if !json.Valid([]byte(about)) {
			t.Skip()
		}
		var b bytes.Buffer
		if err := (&weights.File{Kind: weights.Potential, About: json.RawMessage(about), Arrays: file.Arrays}).Write(&b); err != nil {
			t.Fatal(err)
		}
		file, err := weights.Decode(b.Bytes(), weights.Potential)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodePotential(file, nn.Settings{Threads: 1}); err != nil && !errors.Is(err, nn.ErrCheckpoint) {
			t.Errorf("%v does not wrap ErrCheckpoint", err)
		}
	})
}

func TestPotentialErrors(t *testing.T) {
	m, err := NewPotential(metric(t), tiny, nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	p, e := showers(300, 1), make([]float64, 300)
	q := append([]float64(nil), p...)
	q[290*Cells+7] = math.NaN()
	if err := m.Predict(ctx, p, q, e); err == nil || !strings.Contains(err.Error(), "row 290: cell 7") {
		t.Errorf("a NaN: %v", err)
	}
	if err := m.Bound(ctx, p, p[:Cells], e, nil); err == nil {
		t.Error("different numbers of images were accepted")
	}
	if err := m.Bound(ctx, p, p, e, e[:3]); err == nil {
		t.Error("too little room for potentials was accepted")
	}
	two, err := emd.Euclidean([][2]float64{{0, 0}, {1, 0}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewPotential(two, tiny, nn.Settings{Seed: 1, Threads: 1}); err == nil {
		t.Error("a metric of two points was accepted")
	}
	cancelled, cancel := context.WithCancel(ctx)
	cancel()
	if err := m.Predict(cancelled, p, p, e); err == nil {
		t.Error("a cancelled context gave no error")
	}
}
