package file

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/model/keras"
	"barrow/nn"
	"barrow/surrogate"
)

// TestInspect: layers add up, and formats answer as Check does, for models of Barrow
// and of others.
func TestInspect(t *testing.T) {
	dir := t.TempDir()
	a := trained(t, autoencoder.Architecture{Precision: "qkeras-5bit"})
	own, other := filepath.Join(dir, "own.weights"), filepath.Join(dir, "other.h5")
	if err := a.Save(own); err != nil {
		t.Fatal(err)
	}
	f, err := keras.Export(a.Network())
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Write(other, false); err != nil {
		t.Fatal(err)
	}
	want := 0
	for _, p := range a.Network().Params() {
		want += len(p.Value)
	}
	for _, path := range []string{own, other} {
		found, err := Inspect(path)
		if err != nil {
			t.Fatal(err)
		}
		parameters, quantisers := 0, map[string]bool{}
		for _, p := range found.Parts {
			parameters += p.Parameters
			for _, l := range p.Layers {
				quantisers[l.Quantiser] = true
			}
		}
		if parameters != want || !quantisers["weights of 5 bits, signed, in steps of 2^-3, rounded to the nearest"] {
			t.Errorf("%s: %d parameters, want %d; %v", path, parameters, want, quantisers)
		}
		if h := found.Exports[0]; h.Name != "registers" || !strings.Contains(h.Why, "train with the precision asic") {
			t.Errorf("%s: %+v", path, h)
		}
	}
}

// TestInspectPair: layers within a pair work twice, and a network that estimates has no
// registers.
func TestInspectPair(t *testing.T) {
	cnn, err := surrogate.NewCNN(surrogate.Architecture{Filters: 4, Kernel: 3, Convs: 1, Dense: 8}, nn.Settings{Seed: 5, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cnn.weights")
	if err := cnn.Save(path); err != nil {
		t.Fatal(err)
	}
	found, err := Inspect(path)
	if err != nil {
		t.Fatal(err)
	}
	if l := found.Parts[0].Layers[1]; l.Name != "conv_1" || l.Parameters != 9*6*4+4 || l.Multiplications != 2*9*6*4*16 {
		t.Errorf("%+v", l)
	}
	if h := found.Exports[0]; !strings.Contains(h.Why, "name an autoencoder") {
		t.Errorf("%+v", h)
	}
}

func TestInspectNoModel(t *testing.T) {
	dir := t.TempDir()
	for name, no := range map[string]bool{"images.csv": true, "model.json": false} {
		text := map[bool]string{true: "1,2,3\n", false: `{"class_name": "Functional"}`}[no]
		path := write(t, filepath.Join(dir, name), []byte(text))
		if found, err := Inspect(path); found != nil || errors.Is(err, ErrNoModel) != no {
			t.Errorf("%s: %v, %v", name, found, err)
		}
	}
}
