package file

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/internal/outfile"
	"barrow/internal/shared"
	"barrow/model"
	"barrow/nn"
	"barrow/run"
	"barrow/surrogate"
)

// arrays reads a file of arrays.
func arrays(t *testing.T, path string) model.Vectors {
	t.Helper()
	f, err := openArrays(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var v model.Vectors
	for i, name := range f.names {
		r, err := f.open(i)
		if err != nil {
			t.Fatal(err)
		}
		a, err := readArray(r)
		if err != nil {
			t.Fatal(err)
		}
		v = append(v, model.Vector{Name: name, Array: a})
	}
	return v
}

// near is what "the same" means: a millionth of the largest, or of 1, and of each.
func near(t *testing.T, what string, got, want *model.Array, share float64) {
	t.Helper()
	if got == nil || want == nil || !slices.Equal(got.Shape, want.Shape) {
		t.Fatalf("%s: %v, want %v", what, got, want)
	}
	largest := 1.0
	for _, v := range want.Data {
		largest = max(largest, math.Abs(v))
	}
	for i, v := range want.Data {
		if off := math.Abs(got.Data[i] - v); !(off <= share*(largest+math.Abs(v))) {
			t.Fatalf("%s: number %d is %v, want %v", what, i, got.Data[i], v)
		}
	}
}

// TestRunOwn: for models of Barrow, run gives the test vectors' latent and y, to the
// bit, the chip's too.
func TestRunOwn(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	for _, a := range []autoencoder.Architecture{{}, {Precision: "asic", LatentBits: 3}, {Precision: "asic", Mask: "9x2,7x0"}, {Precision: "qkeras-5bit", Conditional: true}} {
		m, err := a.New(nn.Settings{Seed: 5, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		weights := filepath.Join(dir, a.String(), run.Weights, run.EncoderWeights+"emd"+run.WeightsEnding)
		if err := os.MkdirAll(filepath.Dir(weights), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := m.Save(weights); err != nil {
			t.Fatal(err)
		}
		v, err := view(t, m).Vectors(ctx, VectorCount)
		if err != nil {
			t.Fatal(err)
		}
		in, out := filepath.Join(dir, "in.npz"), filepath.Join(dir, "out.npz")
		if err := writeArrays(in, true, v); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{weights, filepath.Join(dir, a.String())} {
			if _, err := Run(ctx, model.Source{Path: name}, in, out, true, Settings{Threads: 1}); err != nil {
				t.Fatalf("%v: %v", a, err)
			}
			got := arrays(t, out)
			near(t, a.String()+": latent", got.Get("latent"), v.Get("latent"), 0)
			near(t, a.String()+": y", got.Get("y"), v.Get("y"), 0)
		}
		if _, err := Run(ctx, model.Source{Path: weights}, in, out, false, Settings{}); err == nil || !strings.Contains(err.Error(), outfile.ErrExists.Error()) {
			t.Errorf("a second time: %v", err)
		}
		if _, err := Run(ctx, model.Source{Path: weights, Weights: in}, in, out, true, Settings{}); err == nil || !strings.Contains(err.Error(), "one weights file too many") {
			t.Errorf("weights beside weights: %v", err)
		}
	}
}

func TestRunEstimators(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	cnn, err := surrogate.NewCNN(surrogate.Architecture{Filters: 4, Kernel: 3, Convs: 1, Dense: 8}, nn.Settings{Seed: 5, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	potential, err := surrogate.BuiltIn(nn.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]interface {
		Save(path string) error
		Gradient(ctx context.Context, p, q, e, dp, dq []float64) error
	}{"cnn": cnn, "potential": potential} {
		path := filepath.Join(dir, name+run.WeightsEnding)
		if err := d.Save(path); err != nil {
			t.Fatal(err)
		}
		m, err := model.OfEstimator(d)
		if err != nil {
			t.Fatal(err)
		}
		v, err := m.Vectors(ctx, VectorCount)
		if err != nil {
			t.Fatal(err)
		}
		in, out := filepath.Join(dir, name+".npz"), filepath.Join(dir, name+"-out.npz")
		if err := writeArrays(in, false, v); err != nil {
			t.Fatal(err)
		}
		if _, err := Run(ctx, model.Source{Path: path}, in, out, false, Settings{Threads: 1}); err != nil {
			t.Fatal(err)
		}
		near(t, name, arrays(t, out).Get("y"), v.Get("y"), 0)
		if gap := v.Get("y_gap"); gap != nil {
			near(t, name+": gap", arrays(t, out).Get("y1"), gap, 0)
		}
	}
}

// TestRunKeras: an autoencoder of nested models with a second input, by every name
// that it can have, gives what Keras gives, the encoder's outputs too.
func TestRunKeras(t *testing.T) {
	dir := t.TempDir()
	shared.Python(t, "models", "testdata/nested.py", dir)
	want := arrays(t, filepath.Join(dir, "out.npz"))
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, c := range []struct{ path, weights, in string }{
		{"whole.h5", "", "in.npz"},
		{"whole.h5", "", "named.npz"},
		{"architecture.json", "apart.h5", "in.npz"},
	} {
		src := model.Source{Path: at(c.path)}
		if c.weights != "" {
			src.Weights = at(c.weights)
		}
		if _, err := Run(context.Background(), src, at(c.in), at("y.npz"), true, Settings{Threads: 1}); err != nil {
			t.Fatal(err)
		}
		got := arrays(t, at("y.npz"))
		near(t, c.path+": y", got.Get("y"), want.Get("y"), 1e-6)
		near(t, c.path+": latent", got.Get("latent"), want.Get("latent"), 1e-6)
	}
}

// TestRunRefused: errors name the input and what there is.
func TestRunRefused(t *testing.T) {
	dir := t.TempDir()
	m, err := autoencoder.Architecture{Conditional: true}.New(nn.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	path, in := filepath.Join(dir, "m.weights"), filepath.Join(dir, "in.npz")
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	x := func(name string, shape ...int) model.Vector {
		a := &model.Array{Shape: shape}
		a.Data = make([]float64, func() int { n, size := a.Rows(); return n * size }())
		return model.Vector{Name: name, Array: a}
	}
	for want, v := range map[string]model.Vectors{
		"no array x for the model's input x of the shape (N, 8, 8, 1); it has pixels": {x("pixels", 3, 8, 8, 1)},
		"no array x1 for the model's input cond of the shape (N, 8); it has x":        {x("x", 3, 8, 8, 1)},
		"its input x is given in the shape [3 4 4 3], wanted are samples of 8×8×1":    {x("x", 3, 4, 4, 3), x("x1", 3, 8)},
		"3 samples for its input x, 2 for cond":                                       {x("x", 3, 8, 8, 1), x("x1", 2, 8)},
	} {
		if err := writeArrays(in, true, v); err != nil {
			t.Fatal(err)
		}
		if _, err := Run(context.Background(), model.Source{Path: path}, in, filepath.Join(dir, "y.npz"), false, Settings{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

func TestNamed(t *testing.T) {
	if got := named("m.onnx", errors.New("onnx: m.onnx: no")).Error(); got != "onnx: m.onnx: no" {
		t.Error(got)
	}
	if got := named("m.onnx", errors.New("no")).Error(); got != "m.onnx: no" {
		t.Error(got)
	}
}
