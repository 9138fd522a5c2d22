package keras

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/nn"
)

// An answer is what Keras made of inputs.
type answer struct {
	Inputs [][]float32 `json:"inputs"`
	Output []float64   `json:"output"`
}

func unzip(t *testing.T, path string) []byte {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	g, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(g)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// again is a model's file, written by Export and read.
func again(t *testing.T, m *Model) *File {
	t.Helper()
	net, err := m.Network(nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := Export(net)
	if err != nil {
		t.Fatal(err)
	}
	data, err := f.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if f, err = ParseWeights(data); err != nil {
		t.Fatal(err)
	}
	return f
}

// TestKeras3 reads files that Keras 3.15.1 wrote (testdata/keras3.py) and wants
// what Keras computed: functional and sequential models, in each other too, with
// layers of the same names in several.
func TestKeras3(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("testdata", "keras3", "*.h5.gz"))
	if err != nil || len(files) < 9 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		name := strings.TrimSuffix(filepath.Base(path), ".h5.gz")
		t.Run(name, func(t *testing.T) {
			f, err := ParseWeights(unzip(t, path))
			if err != nil {
				t.Fatal(err)
			}
			m, err := NewModel(f)
			if err != nil {
				t.Fatal(err)
			}
			var want answer
			if err := json.Unmarshal(unzip(t, strings.TrimSuffix(path, ".h5.gz")+".json.gz"), &want); err != nil {
				t.Fatal(err)
			}
			got, err := predictor(t, m).Predict(want.Inputs...)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != len(want.Output) {
				t.Fatalf("%d outputs, Keras has %d", len(got), len(want.Output))
			}
			if d := worst(got, want.Output, 1); d > 2e-6 {
				t.Errorf("differs from Keras by %g", d)
			}
			back, err := NewModel(again(t, m))
			if err != nil {
				t.Fatalf("written and read again: %v", err)
			}
			if same, err := predictor(t, back).Predict(want.Inputs...); err != nil || !slices.Equal(got, same) {
				t.Errorf("written and read again it differs (%v)", err)
			}
		})
	}
}

// part is the architecture of a model within a file's, by its name there.
func part(t *testing.T, f *File, name, rename string) string {
	t.Helper()
	var top struct {
		Config struct {
			Layers []struct {
				Name   string          `json:"name"`
				Class  string          `json:"class_name"`
				Config json.RawMessage `json:"config"`
			} `json:"layers"`
		} `json:"config"`
	}
	if err := json.Unmarshal([]byte(f.Config), &top); err != nil {
		t.Fatal(err)
	}
	for _, l := range top.Config.Layers {
		if l.Name == name {
			b, err := json.Marshal(map[string]any{"class_name": l.Class, "config": l.Config})
			if err != nil {
				t.Fatal(err)
			}
			return strings.Replace(string(b), `"name":"`+name+`"`, `"name":"`+rename+`"`, 1)
		}
	}
	t.Fatalf("no model %q", name)
	return ""
}

// TestPartOfModel reads the weights of an encoder from the file of its whole
// autoencoder, by its architecture alone.
func TestPartOfModel(t *testing.T) {
	read := func(name string) *File {
		f, err := ParseWeights(unzip(t, filepath.Join("testdata", "keras3", name+".h5.gz")))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	whole, err := NewModel(read("autoencoder"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"encoder", "renamed"} {
		f := read("autoencoder")
		f.Config = part(t, f, "encoder", name)
		m, err := NewModel(f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		n := len(m.Spec.Layers)
		if n >= len(whole.Spec.Layers) || m.Spec.Layers[n-2].Units != 16 {
			t.Errorf("%s: %d layers", name, n)
		}
		x := inputsFor(m, 5)
		got, err := predictor(t, m).Predict(x...)
		if err != nil {
			t.Fatal(err)
		}
		net, err := whole.Network(nn.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		view, err := net.View(0, n, nn.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		want := nn.NewTensor(5, view.InputShape())
		for k := range 5 {
			for p := range 64 {
				want.Data[p*5+k] = x[0][k*64+p]
			}
		}
		y, err := view.Forward(want, nn.Inference)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range y.Data {
			if got[i] != v {
				t.Fatalf("%s: output %d is %v, that of the whole model %v", name, i, got[i], v)
			}
		}
	}
	f := read("same_names")
	f.Config = part(t, f, "one", "other")
	if _, err := NewModel(f); err == nil || !strings.Contains(err.Error(), "the weights of one and of two fit") {
		t.Errorf("two models that fit: %v", err)
	}
	f.Config = part(t, read("same_names"), "two", "two")
	if _, err := NewModel(f); err != nil {
		t.Error(err)
	}
	f = read("autoencoder")
	f.Config = strings.Replace(part(t, f, "encoder", "encoder"), `"units":16`, `"units":17`, 1)
	if _, err := NewModel(f); err == nil || !strings.Contains(err.Error(), "wants [128 17]") {
		t.Errorf("another encoder: %v", err)
	}
}
