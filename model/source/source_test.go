package source_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/decoder"
	"barrow/econt"
	"barrow/model"
	"barrow/model/file"
	"barrow/nn"
	"barrow/surrogate"
)

// models are autoencoders of all precisions and decoders, with weights such that most
// frames is a decoder of best choice's frames.
func frames(t *testing.T) *model.Model {
	t.Helper()
	config, err := econt.BaselineConfig(econt.BestChoice, 2, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	chip, err := econt.NewBaseline(config, econt.BaselineSettings{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := decoder.New(decoder.Architecture{Units: 12}, chip, nn.Settings{Seed: 4})
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.OfDecoder(d)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

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
		"mask":     {Precision: "asic", Mask: "3x2,2x5,10x0,1x9"},
		"mainline": {Precision: "cmssw-mainline", Decoder: "dense", Output: "square"},
		"fork":     {Precision: "cmssw-fork", Conditional: true},
		"residual": {Decoder: "residual", Conditional: true},
	} {
		m, err := a.New(nn.Settings{Seed: 5, Threads: 1})
		if err != nil {
			t.Fatal(name, err)
		}
		for _, p := range m.Network().Params() {
			if len(p.Value) > 1<<14 || !p.Trainable {
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
	out["frames"] = frames(t)
	for name, of := range map[string]string{"encoder alone": "qkeras", "decoder alone": "fork"} {
		part, _, _ := strings.Cut(name, " ")
		if out[name], err = model.OfNetwork(out[of].Part(part).Network); err != nil {
			t.Fatal(name, err)
		}
	}
	return out
}

// TestCpp: the header compiles without a warning, and its test program finds what
// Barrow computes, of quantised encoders to the bit.
func TestCpp(t *testing.T) {
	if _, err := exec.LookPath("g++"); err != nil {
		t.Skip("no g++ here")
	}
	for name, m := range models(t) {
		if testing.Short() && name != "asic3" && name != "qkeras" {
			continue
		}
		exported(t, name, m, "cpp")
	}
}

// exported writes a model and holds the files to it by their own test.
func exported(t *testing.T, name string, m *model.Model, format string) {
	t.Helper()
	dir := t.TempDir()
	if _, err := file.Export(t.Context(), m, format, dir, false); err != nil {
		t.Fatal(name, err)
	}
	found, err := file.Verify(t.Context(), m, format, dir)
	if err != nil || len(found) != 1 || !strings.Contains(found[0].Remark, "numbers equal") {
		t.Errorf("%s: %v, %v", name, found, err)
	}
	t.Log(name, found)
}

// TestUnchecked: where there is no tool to run a test with, none is said to have passed;
// and a file that computes otherwise does not pass.
func TestUnchecked(t *testing.T) {
	m := models(t)["asic3"]
	path := os.Getenv("PATH")
	for format, name := range map[string]string{"cpp": "encoder.h", "go": "encoder.go", "python": "encoder.py"} {
		dir := t.TempDir()
		if _, err := file.Export(t.Context(), m, format, dir, false); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", "")
		_, err := file.Verify(t.Context(), m, format, dir)
		if err == nil || !strings.Contains(err.Error(), "not checked: here is no ") {
			t.Errorf("%s: %v", format, err)
		}
		t.Setenv("PATH", path)
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		other := strings.ReplaceAll(string(text), "511", "63")
		if err := os.WriteFile(filepath.Join(dir, name), []byte(other), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := file.Verify(t.Context(), m, format, dir); err == nil {
			t.Errorf("%s: another encoder passes", format)
		} else if !strings.Contains(err.Error(), "not checked") && !strings.Contains(err.Error(), "numbers equal") {
			t.Errorf("%s: %v", format, err)
		}
	}
}
