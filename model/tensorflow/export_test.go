package tensorflow_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/internal/shared"
	"barrow/model"
	"barrow/model/file"
	"barrow/nn"
)

// models are autoencoders of all precisions and decoders, with weights such that
// most outputs are not 0.
func models(t *testing.T) map[string]*autoencoder.Model {
	t.Helper()
	out := map[string]*autoencoder.Model{}
	for name, a := range map[string]autoencoder.Architecture{
		"float":       {},
		"qkeras":      {Precision: "qkeras-5bit"},
		"narrow":      {Precision: "qkeras-5bit", WeightBits: 4, LatentBits: 3},
		"asic":        {Precision: "asic"},
		"asic3":       {Precision: "asic", LatentBits: 3},
		"mask":        {Precision: "asic", Mask: "9x2,7x0"},
		"mainline":    {Precision: "cmssw-mainline"},
		"fork":        {Precision: "cmssw-fork", Conditional: true},
		"dense":       {Precision: "cmssw-mainline", Decoder: "dense", Output: "square"},
		"residual":    {Decoder: "residual", Conditional: true},
		"conditional": {Precision: "asic", Conditional: true, Normalisation: "sumlog2"},
	} {
		m, err := a.New(nn.Settings{Seed: 5, Threads: 1})
		if err != nil {
			t.Fatal(name, err)
		}
		for _, p := range m.Network().Params() {
			if !p.Trainable { // the chip's mask
				continue
			}
			for i := range p.Value {
				p.Value[i] = p.Value[i]*1.5 + float32(i%7)/64
			}
		}
		out[name] = m
	}
	return out
}

// export writes a model into a folder of the test.
func export(t *testing.T, m *autoencoder.Model) string {
	t.Helper()
	view, err := model.Of(m)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := file.Export(t.Context(), view, "cmssw", dir, false); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestTensorFlow: TensorFlow makes of the exported graphs what Barrow computes, of
// quantised encoders to the bit, in both arrangements, as text and binary.
func TestTensorFlow(t *testing.T) {
	var args, names []string
	all := models(t)
	for name, m := range all {
		dir := export(t, m)
		rest := ""
		if m.Architecture().Conditional {
			rest = "+cond"
		}
		second := map[bool]string{true: "88", false: "443"}[m.Network().InputShape().C == 3]
		for _, shape := range []string{"8x8", "4x4x3"} {
			s := ""
			if (shape == "8x8") == (second == "88") {
				s = second
			}
			ending := map[bool]string{true: ".pb.ascii", false: ".pb"}[s != ""]
			args = append(args,
				filepath.Join(dir, "encoder_"+shape+ending), filepath.Join(dir, "vectors.npz"), "x"+s, "latent"+s,
				filepath.Join(dir, "decoder_"+shape+ending), filepath.Join(dir, "vectors.npz"), "latent"+s+rest, "y"+s)
			names = append(names, name+" encoder "+shape, name+" decoder "+shape)
		}
	}
	lines := strings.Split(strings.TrimSpace(string(shared.Python(t, "models", "testdata/run.py", args...))), "\n")
	if len(lines) != len(names) {
		t.Fatalf("%d results of %d", len(lines), len(names))
	}
	for i, line := range lines {
		var in, out string
		var differ int
		var most, largest float64
		if _, err := fmt.Sscan(line, &in, &out, &differ, &most, &largest); err != nil {
			t.Fatal(line, err)
		}
		name, part, _ := strings.Cut(names[i], " ")
		allowed := 1e-6 * max(1, largest)
		switch p := all[name].Architecture().Precision; {
		case strings.HasPrefix(part, "decoder") || p == "float":
		case p == "cmssw-mainline":
			allowed = 1. / 512 // sums in floating point, rounded
		default:
			allowed = 0
		}
		if in != "x" || out != "Identity" || most > allowed || largest == 0 {
			t.Errorf("%s: %s", names[i], line)
		}
	}
}

// TestText: the text is that of the binary file, and nothing in it depends on the
// build.
func TestText(t *testing.T) {
	dir := export(t, models(t)["asic"])
	raw, err := os.ReadFile(filepath.Join(dir, "decoder_8x8.pb.ascii"))
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(raw), "node {\n  name: \"x\"\n  op: \"Placeholder\"\n") || strings.Contains(string(raw), ":  ") {
		t.Errorf("begins with %.80q", raw)
	}
}

// TestVerify: the exported files, read by Barrow, make the test vectors.
func TestVerify(t *testing.T) {
	for name, m := range models(t) {
		view, err := model.Of(m)
		if err != nil {
			t.Fatal(err)
		}
		found, err := file.Verify(t.Context(), view, "cmssw", export(t, m))
		if err != nil || len(found) != 8 {
			if p := m.Architecture().Precision; p != "cmssw-mainline" {
				t.Errorf("%s: %v, %v", name, found, err)
			}
		}
		t.Log(name, found, err)
	}
}
