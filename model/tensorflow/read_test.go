package tensorflow_test

import (
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/internal/shared"
	"barrow/model"
	"barrow/model/file"
	"barrow/model/tensorflow"
	"barrow/nn"
)

// TestReadBack: of Barrow's own graphs the very autoencoder comes back, bit for bit.
func TestReadBack(t *testing.T) {
	for name, m := range models(t) {
		dir := export(t, m)
		own, other := "encoder_8x8.pb", "encoder_4x4x3.pb"
		if m.Network().InputShape().C == 3 {
			own, other = other, own
		}
		path := filepath.Join(dir, own)
		if m.Architecture().Precision == "asic" { // whose truncated products no layer has
			if _, err := file.Autoencoder(path, file.Settings{}); err == nil || !strings.Contains(err.Error(), `node "encoder/encoder_conv/products/mul" (Mul)`) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		for _, path := range []string{path, path + ".ascii"} {
			got, err := file.Autoencoder(path, file.Settings{Threads: 1})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if !reflect.DeepEqual(got.Network().Layers(), m.Network().Layers()) {
				t.Errorf("%s: layers %+v, want %+v", name, got.Network().Layers(), m.Network().Layers())
				continue
			}
			sameNetwork(t, name, got.Network(), m.Network())
		}
		if _, err := file.Autoencoder(filepath.Join(dir, other), file.Settings{}); err == nil || !strings.Contains(err.Error(), `node "arrange/`) {
			t.Errorf("%s, cells moved: %v", name, err)
		}
		if files, err := file.AutoencoderFiles(path, ""); err != nil || len(files) != 2 || files[1] != filepath.Join(dir, strings.Replace(own, "en", "de", 1)) {
			t.Errorf("%s: files %v, %v", name, files, err)
		}
	}
}

// sameNetwork holds a network to another, bit for bit, on random numbers.
func sameNetwork(t *testing.T, name string, got, want *nn.Network) {
	t.Helper()
	var made []*model.Array
	for _, net := range []*nn.Network{got, want} {
		r, err := model.RunNetwork(net, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		v, err := r.Run(t.Context(), draw(r))
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, v.Get("y"))
	}
	if !slices.Equal(made[0].Data, made[1].Data) || slices.Max(made[0].Data) <= 0 {
		t.Errorf("%s: other outputs than the model that was written", name)
	}
}

// draw makes 60 samples of every input, the same each time.
func draw(r model.Runner) []*model.Array {
	random := rand.New(rand.NewPCG(1, 2))
	var given []*model.Array
	for _, p := range r.Inputs() {
		a := &model.Array{Shape: slices.Clone(p.Shape)}
		a.Shape[0] = 60
		n := 1
		for _, d := range a.Shape {
			n *= d
		}
		for range n {
			a.Data = append(a.Data, float64(float32(random.NormFloat64()/2)))
		}
		given = append(given, a)
	}
	return given
}

// likeGraphs holds a network that was read of a graph to graphs that are run one after
// the other, on random images and conditions.
func likeGraphs(t *testing.T, net *nn.Network, within float64, graphs ...string) {
	t.Helper()
	r, err := model.RunNetwork(net, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	given := draw(r)
	in := given
	for _, path := range graphs {
		g, err := tensorflow.Format().Open(model.Source{Path: path}, nn.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		v, err := g.Run(t.Context(), in)
		if err != nil {
			t.Fatal(err)
		}
		in = []*model.Array{v.Get("y")}
	}
	v, err := r.Run(t.Context(), given)
	if err != nil {
		t.Fatal(err)
	}
	got, want := v.Get("y").Data, in[0].Data
	if len(got) != len(want) {
		t.Fatalf("%v: %d numbers, not %d", graphs, len(got), len(want))
	}
	seen := false
	for i, w := range want {
		if off := max(got[i]-w, w-got[i]); !(off <= within*max(1, w, -w)) {
			t.Fatalf("%v: number %d is %v, not %v", graphs, i, got[i], w)
		}
		seen = seen || w != 0
	}
	if !seen {
		t.Errorf("%v: all is 0", graphs)
	}
}

// TestReadPublished: CMS's public encoder as layers makes what the graph makes, to the
// bit, and with the decoder's layers behind it what the two graphs make.
func TestReadPublished(t *testing.T) {
	encoder := shared.Data(t, "keras", "ECON_QAE_model_5_bits", "encoder_vanilla_AE.pb")
	decoder := strings.Replace(encoder, "encoder_", "decoder_", 1)
	net, err := tensorflow.Format().Read(model.Source{Path: encoder}, nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	likeGraphs(t, net, 0, encoder)
	rest, err := tensorflow.Format().Read(model.Source{Path: decoder}, nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	whole, err := autoencoder.Join(net, rest, nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	likeGraphs(t, whole, 1e-6, encoder, decoder)
	var kinds []string
	for _, l := range net.Layers() {
		kinds = append(kinds, l.Kind)
		if (l.Kind == nn.KindConv2D || l.Kind == nn.KindDense) && (l.Bits != 6 || l.Integer != 0) {
			t.Errorf("layer %q has weights of %d bits, %d before the point", l.Name, l.Bits, l.Integer)
		}
	}
	want := []string{nn.KindQuantizedBits, nn.KindConv2D, nn.KindQuantizedBits, nn.KindFlatten, nn.KindDense, nn.KindQuantizedBits, nn.KindQuantizedBits, nn.KindConcat}
	if !slices.Equal(kinds, want) {
		t.Errorf("layers %v, want %v", kinds, want)
	}
}

// TestReadFrozen: the same of graphs that TensorFlow freezes of models of Keras and of
// QKeras, and layers that there are none of are refused by their nodes.
func TestReadFrozen(t *testing.T) {
	dir := t.TempDir()
	shared.Python(t, "models", "testdata/freeze.py", dir)
	for name, within := range map[string]float64{"autoencoder": 1e-6, "quantised": 0} {
		path := filepath.Join(dir, name+".pb")
		net, err := tensorflow.Format().Read(model.Source{Path: path}, nn.Settings{})
		if err != nil {
			t.Error(err)
			continue
		}
		likeGraphs(t, net, within, path)
	}
	for name, want := range map[string]string{"options": "(Conv2D)", "operations": "node"} {
		_, err := tensorflow.Format().Read(model.Source{Path: filepath.Join(dir, name+".pb")}, nn.Settings{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
