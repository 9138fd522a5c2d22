package file

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/decoder"
	"barrow/econt"
	"barrow/nn"
	"barrow/run"
)

// bestChoice is the chip with three links.
func bestChoice(t testing.TB) *econt.Baseline {
	t.Helper()
	config, err := econt.BaselineConfig(econt.BestChoice, 3, false, nil)
	if err != nil {
		t.Fatal(err)
	}
	chip, err := econt.NewBaseline(config, econt.BaselineSettings{})
	if err != nil {
		t.Fatal(err)
	}
	return chip
}

// TestDecoder opens a decoder by its file and by the folder of its run, and nothing else.
func TestDecoder(t *testing.T) {
	m, err := decoder.New(decoder.Architecture{Units: 16}, bestChoice(t), nn.Settings{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, run.Weights), 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, run.Weights, run.DecoderWeights+run.WeightsEnding)
	if err := m.Save(path); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{folder, path} {
		got, err := Decoder(name, Settings{Threads: 1})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got.Chip() != m.Chip() || got.Architecture() != m.Architecture() {
			t.Errorf("%s: %v of %v, want %v of %v", name, got.Chip(), got.Architecture(), m.Chip(), m.Architecture())
		}
	}
	a, err := autoencoder.New(nn.Settings{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	encoder := filepath.Join(t.TempDir(), "encoder.weights")
	if err := a.Save(encoder); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		encoder:                          "no decoder of frames",
		filepath.Join(folder, "none"):    "no such file",
		filepath.Join(folder, "weights"): "without a trained decoder of frames (no " + filepath.Join("weights", "decoder.weights") + ")",
	} {
		if _, err := Decoder(name, Settings{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", name, err, want)
		}
	}
}
