package tensorflow_test

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/internal/shared"
	"barrow/model"
	"barrow/model/file"
)

// same runs a graph on the arrays of a file and compares with what TensorFlow made.
func same(t *testing.T, graph, arrays string, within float64) {
	t.Helper()
	v, err := file.Run(t.Context(), model.Source{Path: graph}, arrays, filepath.Join(t.TempDir(), "y.npz"), false, file.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(arrays + ".y")
	if err != nil {
		t.Fatal(err)
	}
	got := v.Get("y")
	if 4*len(got.Data) != len(want) || len(want) == 0 {
		t.Fatalf("%s: %v, not %d numbers", graph, got.Shape, len(want)/4)
	}
	most, largest := 0., 1.
	for i, v := range got.Data {
		w := float64(math.Float32frombits(binary.LittleEndian.Uint32(want[4*i:])))
		most, largest = max(most, math.Abs(v-w)), max(largest, math.Abs(w))
	}
	if most > within*largest {
		t.Errorf("%s: differs by %g, values up to %g", graph, most, largest)
	}
}

// reference has TensorFlow run graphs, and compares.
func reference(t *testing.T, within map[string]float64, graphs ...string) {
	t.Helper()
	var args []string
	dir := t.TempDir()
	for _, g := range graphs {
		args = append(args, g, filepath.Join(dir, filepath.Base(g)+".npz"))
	}
	shared.Python(t, "models", "testdata/reference.py", args...)
	for i, g := range graphs {
		name, _, _ := strings.Cut(filepath.Base(g), ".")
		allowed, ok := within[name]
		if !ok {
			allowed = 1e-6
		}
		same(t, g, args[2*i+1], allowed)
		if text := g + ".ascii"; exists(text) {
			same(t, text, args[2*i+1], allowed)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestPublished: the graphs of a public model of CMS's, of 4,000 images, of which
// the first 50 are compared; the encoder to the bit.
func TestPublished(t *testing.T) {
	encoder := shared.Data(t, "keras", "ECON_QAE_model_5_bits", "encoder_vanilla_AE.pb")
	reference(t, map[string]float64{"encoder_vanilla_AE": 0}, encoder, filepath.Join(filepath.Dir(encoder), "decoder_vanilla_AE.pb"))
}

// TestFrozen: graphs that TensorFlow freezes of Keras' and QKeras' models, and of
// functions, binary and as text.
func TestFrozen(t *testing.T) {
	dir := t.TempDir()
	shared.Python(t, "models", "testdata/freeze.py", dir)
	var graphs []string
	for _, name := range []string{"options", "autoencoder", "quantised", "operations"} {
		graphs = append(graphs, filepath.Join(dir, name+".pb"))
	}
	reference(t, map[string]float64{"quantised": 0}, graphs...)
}
