package loss

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
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

// images draws n images that sum to [1,2) and decoded images that are a
// sigmoid's output, all positive.
func images(rng *rand.Rand, n int) (target, pred []float32) {
	target, pred = make([]float32, n*Cells), make([]float32, n*Cells)
	for i := range n {
		for range 3 + rng.IntN(17) {
			target[i*Cells+rng.IntN(Cells)] += float32(0.1 * rng.ExpFloat64())
		}
		for k := range Cells {
			pred[i*Cells+k] = float32(1 / (1 + math.Exp(3-rng.NormFloat64())))
		}
	}
	return target, pred
}

// TestGradient compares every loss with central differences in pred, to parts of its largest
// gradient, as those of losses differ by orders of magnitude. float32 images limit the step,
// hence the tolerance.
func TestGradient(t *testing.T) {
	m := metric(t)
	exact, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	r := Resources{Metric: m, Threads: 2, CNN: exact}
	ctx := context.Background()
	for _, name := range append(Names(), "sliced:directions=trained", "sliced:directions=trained:count=2", "sliced:count=4", "emd+0.1*telescope", "emd+energy", "2*mse + 3*weighted-mse") {
		l, err := Parse(name, r)
		if err != nil {
			t.Fatal(err)
		}
		if want := strings.ReplaceAll(name, " ", ""); l.Name() != want {
			t.Errorf("Parse(%q).Name() = %q", name, l.Name())
		}
		rng := rand.New(rand.NewPCG(1, 2))
		target, pred := images(rng, 5)
		grad := make([]float32, len(pred))
		if _, err := l.Eval(ctx, target, pred, grad); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		largest := 0.0
		for _, g := range grad {
			largest = max(largest, math.Abs(float64(g)))
		}
		if largest == 0 {
			t.Errorf("%s has no gradient", name)
		}
		// Distances have kinks, which a short step seldom meets; all else is computed in
		// float32, which wants a long one.
		type step struct {
			h         float32
			tolerance float64
		}
		steps := []step{{1.0 / 1024, 1e-3}}
		if t, err := Describe(name); err == nil && t.Sees&SeesShape != 0 {
			steps = append(steps, step{1.0 / (1 << 15), 3e-3})
		}
		for range 60 {
			k := rng.IntN(len(pred))
			at := func(d float32) float64 {
				moved := append([]float32(nil), pred...)
				moved[k] += d
				v, err := l.Eval(ctx, target, moved, nil)
				if err != nil {
					t.Fatal(err)
				}
				return v
			}
			right, num := false, 0.0
			for _, s := range steps {
				num = (at(s.h) - at(-s.h)) / (2 * float64(s.h))
				right = right || math.Abs(num-float64(grad[k])) <= 2e-3*math.Abs(num)+s.tolerance*largest
			}
			if !right {
				t.Errorf("%s: cell %d: gradient %v of at most %v, differences %v", name, k, grad[k], largest, num)
			}
		}
	}
}

// TestEach: the values of images one by one have the mean that the batch has, and their
// gradients are the batch's, times the number of images.
func TestEach(t *testing.T) {
	m := metric(t)
	exact, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	ctx, n := context.Background(), 4
	target, pred := images(rand.New(rand.NewPCG(21, 22)), n)
	units := []float64{1, 2, 3, 4}
	grad, each, values := make([]float32, len(pred)), make([]float32, len(pred)), make([]float64, n)
	for _, name := range append(Names(), "0.5*emd+2*csi:threshold=0.3+energy") {
		l, err := Parse(name, Resources{Metric: m, Threads: 2, CNN: exact})
		if err != nil {
			t.Fatal(err)
		}
		want, err := EvalIn(ctx, l, units, target, pred, grad)
		if err != nil {
			t.Fatal(err)
		}
		if err := Each(ctx, l, units, target, pred, values, each); err != nil {
			t.Fatal(err)
		}
		if got := (values[0] + values[1] + values[2] + values[3]) / 4; math.Abs(got-want) > 1e-6*math.Abs(want) {
			t.Errorf("%s: the mean of %v is %v, not %v", name, values, got, want)
		}
		for k, g := range each {
			if math.Abs(float64(g/4-grad[k])) > 1e-6*(1+math.Abs(float64(grad[k]))) {
				t.Fatalf("%s: gradient %v, of the batch %v", name, g/4, grad[k])
			}
		}
		if err := Each(ctx, l, nil, target, pred, values, nil); err != nil {
			t.Error(err)
		}
	}
	l, err := Parse("sliced+fss", Resources{})
	if err != nil {
		t.Fatal(err)
	}
	pred[2*Cells+5] = -1
	var row *emd.RowError
	if err := Each(ctx, l, nil, target, pred, values, nil); !errors.As(err, &row) || row.Row != 2 {
		t.Errorf("a negative charge in row 2: %v", err)
	}
	pred[2*Cells+5] = float32(math.NaN())
	if err := Each(ctx, l.(*weightedSum).terms[1], nil, target, pred, values, nil); !errors.As(err, &row) || row.Row != 2 {
		t.Errorf("a NaN in row 2: %v", err)
	}
	if err := Each(ctx, l, nil, target, pred[1:], values, nil); err == nil {
		t.Error("a charge is missing")
	}
}

// TestClosedForms checks values that can be done by hand.
func TestClosedForms(t *testing.T) {
	ctx := context.Background()
	target, pred := make([]float32, Cells), make([]float32, Cells)
	target[5], pred[5] = 0.5, 1 // alone in one cell: t=0.5, p=1, (t−p)²·max = 0.25
	in := 0.0
	for _, g := range hgcal.Supercells(hgcal.Published) {
		for _, c := range g.Cells {
			if c == 5 {
				in += g.Weight
			}
		}
	}
	for name, want := range map[string]float64{
		"mse":          0.25 / 48,
		"weighted-mse": 0.25 / 48,
		"telescope":    4*0.25/48 + 2*in*0.25/36 + 0.25/3,
		"energy":       1,
	} {
		l, err := Parse(name, Resources{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := l.Eval(ctx, target, pred, nil)
		if err != nil || math.Abs(got-want) > 1e-6*want {
			t.Errorf("%s = %v, %v; want %v", name, got, err, want)
		}
	}
}

// TestSees: what a loss says that it sees is what it sees. Another total of the same
// shape is nothing to one of shapes, another shape of the same total nothing to one
// of totals.
func TestSees(t *testing.T) {
	m := metric(t)
	exact, err := emd.NewBatch(m, emd.Settings{Unequal: emd.UnequalNormalise, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	target, _ := images(rand.New(rand.NewPCG(3, 4)), 4)
	scaled, moved := make([]float32, len(target)), make([]float32, len(target))
	for i, v := range target {
		scaled[i] = 4 * v
		moved[i/Cells*Cells+(i+1)%Cells] = v
	}
	for _, name := range Names() {
		if name == "test-only" { // which says what it likes
			continue
		}
		l, err := Parse(name, Resources{Metric: m, Threads: 2, CNN: exact})
		if err != nil {
			t.Fatal(err)
		}
		value := func(pred []float32) bool {
			v, err := l.Eval(context.Background(), target, pred, nil)
			if err != nil {
				t.Fatal(err)
			}
			return math.Abs(v) > 1e-6
		}
		sees := kinds[name].traits.Sees
		if value(target) {
			t.Errorf("%s of two equal images is not 0", name)
		}
		if got, want := value(scaled), sees&(SeesCharges|SeesTotal) != 0; got != want {
			t.Errorf("%s sees the total: %v, it says %v", name, got, want)
		}
		if got, want := value(moved), sees&(SeesCharges|SeesShape) != 0; got != want {
			t.Errorf("%s sees the shape: %v, it says %v", name, got, want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"emdd":        `unknown loss "emdd"; the losses are brier, csi, emd, emd-cnn, energy`,
		"telescpoe":   "; did you mean telescope?",
		"":            `a loss without a name`,
		"mse+-1*mse":  "not a positive number",
		"mse+NaN*mse": "not a positive number",
		"emd":         "needs a ground metric",
		"emd-cnn":     "trained EMD CNN",
		"sinkhorn":    "needs a ground metric",
		"mse+":        "a loss without a name",
	} {
		if _, err := Parse(text, Resources{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Parse(%q): %v, want an error with %q", text, err, want)
		}
	}
}

func TestBadInput(t *testing.T) {
	ctx := context.Background()
	l := cellwise{"mse", Cells, squared}
	if _, err := l.Eval(ctx, make([]float32, 47), make([]float32, 47), nil); err == nil {
		t.Error("47 cells were accepted")
	}
	if _, err := l.Eval(ctx, make([]float32, 48), make([]float32, 96), nil); err == nil {
		t.Error("different lengths were accepted")
	}
	bad := make([]float32, 48)
	bad[3] = float32(math.NaN())
	if _, err := l.Eval(ctx, make([]float32, 48), bad, nil); err == nil {
		t.Error("a NaN gave no error")
	}
}

// FuzzParse: any text is a loss or an error, and a loss's name is parsed to the
// same loss again.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"emd", "emd+0.1*telescope", " 2 * mse + 3e-1*energy", "emd++mse", "1e400*mse", "*", "0x1p-2*emd", "mse+"} {
		f.Add(text)
	}
	m := metric(f)
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 200 {
			return
		}
		l, err := Parse(text, Resources{Metric: m})
		if err != nil {
			return
		}
		again, err := Parse(l.Name(), Resources{Metric: m})
		if err != nil || again.Name() != l.Name() {
			t.Errorf("%q is called %q, which gives %v", text, l.Name(), err)
		}
	})
}
