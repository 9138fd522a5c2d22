package source_test

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/model"
	"barrow/model/file"
	"barrow/nn"
	"barrow/surrogate"
)

// models are autoencoders of all precisions and decoders, with weights such that most
// outputs are not 0, and the built-in estimator.
func models(t *testing.T) map[string]*model.Model {
	t.Helper()
	out := map[string]*model.Model{}
	for name, a := range map[string]autoencoder.Architecture{
		"float":    {Normalisation: "max"},
		"qkeras":   {Precision: "qkeras-5bit", Normalisation: "sum"},
		"narrow":   {Precision: "qkeras-5bit", WeightBits: 4, LatentBits: 3},
		"asic":     {Precision: "asic", Conditional: true},
		"asic3":    {Precision: "asic", LatentBits: 3},
		"mainline": {Precision: "cmssw-mainline", Decoder: "dense", Output: "square"},
		"fork":     {Precision: "cmssw-fork", Conditional: true},
		"residual": {Decoder: "residual", Conditional: true},
	} {
		m, err := a.New(nn.Settings{Seed: 5, Threads: 1})
		if err != nil {
			t.Fatal(name, err)
		}
		for _, p := range m.Network().Params() {
			if len(p.Value) > 1<<14 {
				continue
			}
			for i := range p.Value {
				p.Value[i] = p.Value[i]*1.5 + float32(i%7)/64
			}
		}
		if out[name], err = model.Of(m); err != nil {
			t.Fatal(name, err)
		}
	}
	d, err := surrogate.BuiltIn(nn.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if out["potential"], err = model.OfEstimator(d); err != nil {
		t.Fatal(err)
	}
	out["cnn"] = cnn(t)
	return out
}

// TestCpp: the header compiles without a warning, and its test program finds what
// Barrow computes, of quantised encoders to the bit.
func TestCpp(t *testing.T) {
	compiler, err := exec.LookPath("g++")
	if err != nil {
		t.Skip("no g++ here")
	}
	for name, m := range models(t) {
		if testing.Short() && name != "asic3" && name != "qkeras" {
			continue
		}
		dir := t.TempDir()
		if _, err := file.Export(t.Context(), m, "cpp", dir, false); err != nil {
			t.Fatal(name, err)
		}
		program := filepath.Join(dir, "test")
		if said, err := exec.Command(compiler, "-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, filepath.Join(dir, "test.cpp")).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%.2000s", name, err, said)
			continue
		}
		said, err := exec.Command(program, dir).CombinedOutput()
		t.Logf("%s\n%s", name, said)
		if err != nil || !strings.Contains(string(said), ": ok\n") {
			t.Errorf("%s: %v\n%s", name, err, said)
		}
	}
}
