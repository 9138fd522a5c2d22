package onnx_test

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/internal/shared"
	"barrow/loss"
	"barrow/model"
	"barrow/model/file"
	"barrow/nn"
	"barrow/surrogate"
)

// TestExport holds what is written to onnxruntime and to qonnx' executor: encoders of
// quantised models to the bit.
func TestExport(t *testing.T) {
	var dirs []string
	export := func(name, format string, m *model.Model) {
		t.Helper()
		dir := filepath.Join(t.TempDir(), name)
		if _, err := file.Export(context.Background(), m, format, dir, false); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if _, err := file.Verify(context.Background(), m, format, dir); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		dirs = append(dirs, dir)
	}
	for name, a := range map[string]autoencoder.Architecture{
		"float":            {},
		"exact-asic":       {Precision: "asic"},
		"exact-mask":       {Precision: "asic", Mask: "3x2,2x5,10x0,1x9"},
		"exact-fork":       {Precision: "cmssw-fork"},
		"near-conditional": {Precision: "qkeras-5bit", Conditional: true, Decoder: "dense"},
	} {
		a, err := a.New(nn.Settings{Seed: 5, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		m, err := model.Of(a)
		if err != nil {
			t.Fatal(err)
		}
		export(name, "onnx", m)
		if name == "exact-fork" {
			export("exact-qonnx", "qonnx", m)
		}
		if name != "float" {
			continue
		}
		if _, err := file.Export(context.Background(), m, "qonnx", t.TempDir(), true); err == nil || !strings.Contains(err.Error(), "floating point") {
			t.Errorf("an encoder in floating point as QONNX: %v", err)
		}
	}
	cnn, err := surrogate.NewCNN(surrogate.N1(), nn.Settings{Seed: 2, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	potential, err := surrogate.BuiltIn(nn.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	for name, d := range map[string]loss.Distance{"cnn": cnn, "potential": potential} {
		m, err := model.OfEstimator(d)
		if err != nil {
			t.Fatal(err)
		}
		export(name, "onnx", m)
	}
	t.Logf("%s", shared.Python(t, "models", "testdata/run.py", dirs...))
}

// TestHLS: the script of a QONNX export holds it to hls4ml's C simulation, to the bit,
// rounded down or not.
func TestHLS(t *testing.T) {
	if _, err := exec.LookPath("g++"); err != nil {
		t.Skipf("the C simulation wants g++: %v", err)
	}
	for _, p := range []string{"qkeras-5bit", "cmssw-fork"} {
		a, err := autoencoder.Architecture{Precision: p}.New(nn.Settings{Seed: 5, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		m, err := model.Of(a)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		if _, err := file.Export(context.Background(), m, "qonnx", dir, true); err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %s", p, shared.Python(t, "models", filepath.Join(dir, "hls.py"), filepath.Join(t.TempDir(), "hls")))
	}
}

// TestQONNXRefused: a layer whose weights have no one format is named, and the model not
// said to be in floating point when it is not.
func TestQONNXRefused(t *testing.T) {
	net, err := nn.New(nn.Spec{Name: "e", Input: nn.Shape{H: 8, W: 8, C: 1}, Layers: []nn.Layer{
		{Kind: nn.KindQuantizedReLU, Name: "in", Bits: 8, Integer: 1},
		{Kind: nn.KindFlatten, Name: "flat"},
		{Kind: nn.KindDense, Name: "two", Units: autoencoder.Latent},
		{Kind: nn.KindQuantizedReLU, Name: "out", Bits: 8, Integer: 1},
	}}, nn.Settings{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.OfNetwork(net)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.Export(context.Background(), m, "qonnx", t.TempDir(), false)
	if err == nil || !strings.Contains(err.Error(), `layer "two": its weights are in floating point, or kernel and bias have each a format of its own`) {
		t.Error(err)
	}
}
