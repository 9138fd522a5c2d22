package registers

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/econt"
)

// TestReadFile: the same weights come from a file of each kind, and what is none is told.
func TestReadFile(t *testing.T) {
	w := randomWeights(rand.New(rand.NewPCG(5, 5)))
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	if err := ToKeras(w, econt.DenseKeras).Write(at("w.H5"), false); err != nil {
		t.Fatal(err)
	}
	chip := econt.Defaults()
	chip.Algorithm, chip.Weights = econt.Autoencoder, w
	var csv, yaml strings.Builder
	if err := w.WriteCSV(&csv); err != nil {
		t.Fatal(err)
	}
	if err := econt.WriteRegisters(&yaml, &chip, econt.DialectProd); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"w.csv": csv.String(), "w.yml": yaml.String(), "w.npz": "", "bad.csv": "layer\n", "bad.h5": "x", "none.yaml": "ConfigAlgo: {Global: {alg_type: 3}}\n",
	} {
		if err := os.WriteFile(at(name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"w.H5", "w.csv", "w.yml"} {
		if got, remarks, err := ReadFile(at(name), FileSettings{}); err != nil || *got != *w || remarks != nil {
			t.Errorf("%s: other weights, remarks %q, %v", name, remarks, err)
		}
	}
	got, remarks, err := ReadFile(at("w.H5"), FileSettings{Order: new(econt.DenseGolden)})
	if err != nil || *got == *w {
		t.Errorf("untransposed: the same weights, %v", err)
	}
	again, told, err := ReadFile(at("w.H5"), FileSettings{Given: got})
	if err != nil || *again != *got || len(remarks) != 0 || len(told) != 1 || !strings.Contains(told[0], "w.H5: the registers hold this dense kernel untransposed") {
		t.Errorf("registers that have it untransposed: remarks %q, %v", told, err)
	}
	for _, name := range []string{"w.npz", "bad.csv", "bad.h5", "none.yaml", "absent.csv", "absent.h5"} {
		if _, _, err := ReadFile(at(name), FileSettings{}); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
