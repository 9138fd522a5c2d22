package keras

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/internal/shared"
	"barrow/nn"
)

// specs have every layer that Keras can express, among them the paper's
// networks in small.
func specs() []nn.Spec {
	return []nn.Spec{
		{Name: "pair", Input: nn.Shape{H: 4, W: 4, C: 6}, Layers: []nn.Layer{
			{Kind: nn.KindSwapPair, Name: "average_swap"},
			{Kind: nn.KindConv2D, Name: "conv2d_1", Filters: 5, Kernel: 5, Padding: nn.PaddingSame, L2: 1e-4},
			{Kind: nn.KindBatchNorm, Name: "batchnorm_1"},
			{Kind: nn.KindReLU, Name: "relu_1"},
			{Kind: nn.KindFlatten, Name: "flatten"},
			{Kind: nn.KindDense, Name: "dense_1", Units: 7},
			{Kind: nn.KindBatchNorm, Name: "batchnorm_2", Momentum: 0.9, Epsilon: 1e-2},
			{Kind: nn.KindTanh, Name: "tanh"},
			{Kind: nn.KindDense, Name: "output", Units: 1},
			{Kind: nn.KindPairMean, Name: "average"},
		}},
		{Name: "odd", Input: nn.Vector(6), Layers: []nn.Layer{
			{Kind: nn.KindNegatePair, Name: "difference_negate"},
			{Kind: nn.KindDense, Name: "dense_1", Units: 9, NoBias: true},
			{Kind: nn.KindReLU, Name: "relu"},
			{Kind: nn.KindDense, Name: "dense_2", Units: 4},
			{Kind: nn.KindPairDifference, Name: "difference"},
			{Kind: nn.KindDense, Name: "after", Units: 2},
		}},
		{Name: "autoencoder", Input: nn.Shape{H: 8, W: 8, C: 1}, Layers: []nn.Layer{
			{Kind: nn.KindConv2D, Name: "conv2d", Filters: 8, Kernel: 3, Stride: 2, Padding: nn.PaddingSame},
			{Kind: nn.KindReLU, Name: "relu_1"},
			{Kind: nn.KindDense, Name: "encoded", Units: 16}, // an image in front of a dense layer
			{Kind: nn.KindReLU, Name: "relu_2"},
			{Kind: nn.KindConcat, Name: "conditions", Channels: 3},
			{Kind: nn.KindDense, Name: "dense", Units: 128},
			{Kind: nn.KindReshape, Name: "reshape", Height: 4, Width: 4, Channels: 8},
			{Kind: nn.KindConv2DTranspose, Name: "up_1", Filters: 4, Kernel: 3, Stride: 2, Padding: nn.PaddingSame},
			{Kind: nn.KindReLU, Name: "relu_3"},
			{Kind: nn.KindConv2DTranspose, Name: "up_2", Filters: 1, Kernel: 3, Stride: 1},
			{Kind: nn.KindCrop, Name: "crop", Top: 1, Left: 2, Height: 8, Width: 7},
			{Kind: nn.KindSigmoid, Name: "sigmoid"},
		}},
		{Name: "residual", Input: nn.Vector(6), Layers: []nn.Layer{
			{Kind: nn.KindDense, Name: "in", Units: 5},
			{Kind: nn.KindDense, Name: "wide", Units: 9},
			{Kind: nn.KindSiLU, Name: "smooth"},
			{Kind: nn.KindDense, Name: "back", Units: 5},
			{Kind: nn.KindAdd, Name: "sum_1", From: "in"},
			{Kind: nn.KindReLU, Name: "relu"},
			{Kind: nn.KindAdd, Name: "sum_2", From: "sum_1"},
			{Kind: nn.KindAdd, Name: "sum_3", From: "sum_2"},
			{Kind: nn.KindSquare, Name: "squared"},
		}},
		{Name: "odd residual", Input: nn.Vector(6), Layers: []nn.Layer{
			{Kind: nn.KindNegatePair, Name: "difference_negate"},
			{Kind: nn.KindDense, Name: "in", Units: 5},
			{Kind: nn.KindSiLU, Name: "smooth"},
			{Kind: nn.KindAdd, Name: "sum", From: "in"},
			{Kind: nn.KindPairDifference, Name: "difference"},
		}},
		{Name: "quantised", Input: nn.Shape{H: 6, W: 6, C: 2}, Layers: []nn.Layer{
			{Kind: nn.KindQuantizedBits, Name: "input_quantization", Bits: 8, Integer: 1, Unsigned: true},
			{Kind: nn.KindConv2D, Name: "conv2d", Filters: 3, Kernel: 3, Stride: 2, Bits: 6, Integer: 0, L2: 1e-3},
			{Kind: nn.KindQuantizedReLU, Name: "act", Bits: 9, Integer: 2},
			{Kind: nn.KindConv2DTranspose, Name: "up", Filters: 2, Kernel: 2, Stride: 2, Bits: 5, Integer: 1},
			{Kind: nn.KindFlatten, Name: "flatten"},
			{Kind: nn.KindDense, Name: "dense", Units: 4, Bits: 5, Integer: 0, NoBias: true},
			{Kind: nn.KindQuantizedBits, Name: "latent", Bits: 9, Integer: 1},
			{Kind: nn.KindQuantizedBits, Name: "floor", Bits: 6, Integer: 1, Rounding: nn.RoundFloor},
		}},
	}
}

// randomNetwork is a network of random weights, moving averages included.
func randomNetwork(t testing.TB, spec nn.Spec) *nn.Network {
	t.Helper()
	n, err := nn.New(spec, nn.Settings{Seed: 1, MaxBatch: 64})
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for _, p := range n.Params() {
		for i := range p.Value {
			p.Value[i] = float32(rng.NormFloat64()) / 2
			if strings.HasSuffix(p.Name, "variance") {
				p.Value[i] = float32(0.5 + rng.Float64())
			}
		}
	}
	return n
}

// inputsFor are n random samples for each input of a model.
func inputsFor(m *Model, n int) [][]float32 {
	rng := rand.New(rand.NewPCG(2, 2))
	var out [][]float32
	for _, in := range m.Inputs {
		v := make([]float32, n*in.Shape.Size())
		for i := range v {
			v[i] = float32(rng.NormFloat64())
		}
		out = append(out, v)
	}
	return out
}

// TestRoundTrip writes each network, in one file and in two, reads it again,
// and wants the same weights, the same architecture and the same predictions,
// bit by bit; those must be the reference's too.
func TestRoundTrip(t *testing.T) {
	for _, spec := range specs() {
		t.Run(spec.Name, func(t *testing.T) {
			net := randomNetwork(t, spec)
			file, err := Export(net)
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			whole, weights, arch := filepath.Join(dir, "m.h5"), filepath.Join(dir, "w.h5"), filepath.Join(dir, "m.json")
			bare := *file
			bare.Config = ""
			for _, err := range []error{file.Write(whole, false), file.WriteJSON(arch, false), bare.Write(weights, false)} {
				if err != nil {
					t.Fatal(err)
				}
			}
			one, err := ReadModel(whole)
			if err != nil {
				t.Fatal(err)
			}
			two, err := ReadModelJSON(arch, weights)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range []*Model{one, two} {
				sameNetwork(t, m, net)
			}
			if bare, err := ReadWeights(weights); err != nil || bare.Config != "" || bare.Count() != file.Count() {
				t.Errorf("weights only: %v", err)
			}
			again, err := file.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if data, err := os.ReadFile(whole); err != nil || !bytes.Equal(data, again) {
				t.Error("the same network gave other bytes")
			}
			// exported once more, from what was read
			reread, err := one.Network(nn.Settings{})
			if err != nil {
				t.Fatal(err)
			}
			second, err := Export(reread)
			if err != nil {
				t.Fatal(err)
			}
			if d, err := second.Encode(); err != nil || !bytes.Equal(d, again) {
				t.Errorf("read and exported again, the file differs (%v)", err)
			}
		})
	}
}

// sameNetwork checks that a model that was read is net.
func sameNetwork(t *testing.T, m *Model, net *nn.Network) {
	t.Helper()
	var want, got []nn.LayerShape
	drop := func(l nn.LayerShape) bool { return l.Kind == nn.KindFlatten }
	want = slices.DeleteFunc(slices.Clone(net.Layers()), drop)
	got, err := m.Spec.Check()
	if err != nil {
		t.Fatal(err)
	}
	got = slices.DeleteFunc(got, drop)
	if len(got) != len(want) {
		t.Fatalf("%d layers, want %d", len(got), len(want))
	}
	for i := range want {
		got[i].In = want[i].In // flattened or not
		if got[i] != want[i] {
			t.Errorf("layer %d: %+v, want %+v", i, got[i], want[i])
		}
	}
	for _, p := range net.Params() {
		if !slices.Equal(m.Weights[p.Name], p.Value) {
			t.Errorf("%s: the weights differ", p.Name)
		}
	}
	const n = 5
	inputs := inputsFor(m, n)
	out, err := predictor(t, m).Predict(inputs...)
	if err != nil {
		t.Fatal(err)
	}
	if d := worst(out, referenceAll(t, m, n, inputs...), 1); d > 1e-5 {
		t.Errorf("predictions differ from the reference by %g", d)
	}
}

// TestKerasConventions checks written files as Keras 2's loader would: a Python
// script goes the loader's way, with h5py, and hands back what it loaded.
func TestKerasConventions(t *testing.T) {
	py := pythonWith(t, "h5py")
	var files []*File
	for _, spec := range specs() {
		f, err := Export(randomNetwork(t, spec))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	// names so long that Keras splits the attribute, and more layers than one
	// B-tree node holds
	many := nn.Spec{Name: "many", Input: nn.Vector(2)}
	for i := range 300 {
		many.Layers = append(many.Layers, nn.Layer{Kind: nn.KindDense, Units: 2, Name: fmt.Sprintf("%s_%d", strings.Repeat("long", 60), i)})
	}
	f, err := Export(randomNetwork(t, many))
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Config) < 1<<16 {
		t.Errorf("the architecture has %d bytes: no test of a long one", len(f.Config))
	}
	files = append(files, f)
	for _, f := range files {
		path := filepath.Join(t.TempDir(), "model.h5")
		if err := f.Write(path, false); err != nil {
			t.Fatal(err)
		}
		got := pipe(t, nil, py, filepath.Join("testdata", "keras2.py"), path)
		var want []float64
		for _, l := range f.Layers {
			for _, w := range l.Weights {
				for _, v := range w.Data {
					want = append(want, float64(v))
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("Keras' loader gets %d numbers, want %d", len(got), len(want))
		}
	}
}

func TestExportErrors(t *testing.T) {
	in := nn.Shape{H: 4, W: 4, C: 2}
	for _, c := range []struct {
		want   string
		layers []nn.Layer
	}{
		{`"q"`, []nn.Layer{{Kind: nn.KindQuantizedBits, Name: "q", Bits: 6, Integer: 1, Rounding: nn.RoundFloor}}},
		{`"q"`, []nn.Layer{{Kind: nn.KindQuantizedReLU, Name: "q", Bits: 6, Integer: 1, Rounding: nn.RoundFloor}}},
		{`"c"`, []nn.Layer{{Kind: nn.KindConv2D, Name: "c", Filters: 1, Kernel: 1, Bits: 6, Rounding: nn.RoundFloor}}},
		{`"n"`, []nn.Layer{{Kind: nn.KindReLU}, {Kind: nn.KindNegatePair, Name: "n"}, {Kind: nn.KindPairMean}}},
		{`ends inside a pair`, []nn.Layer{{Kind: nn.KindNegatePair}, {Kind: nn.KindReLU}}},
		{`"j"`, []nn.Layer{{Kind: nn.KindNegatePair}, {Kind: nn.KindConcat, Name: "j", Channels: 1}, {Kind: nn.KindPairMean}}},
		{`the name is taken`, []nn.Layer{{Kind: nn.KindReLU, Name: "input_1"}}},
	} {
		_, err := Export(randomNetwork(t, nn.Spec{Input: in, Layers: c.layers}))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "keras: ") {
			t.Errorf("%v: error %v, want %s in it", c.layers, err, c.want)
		}
	}
}

// TestRealRoundTrip writes the real files again and reads them back: nothing
// may change but the optimizer's state, which is left out.
func TestRealRoundTrip(t *testing.T) {
	for _, parts := range [][]string{
		{"emd_cnn", "ae_mse.h5"}, {"emd_cnn", "pair_huber.h5"}, {"emd_cnn", "pair_msle.h5"},
		{"keras", "ECON_QAE_model_5_bits", "encoder_vanilla_AE.hdf5"},
		{"keras", "ECON_QAE_model_5_bits", "decoder_vanilla_AE.hdf5"},
		{"econt", "AE", "encoder.hdf5"},
	} {
		f, err := ReadWeights(shared.Data(t, parts...))
		if err != nil {
			t.Fatal(err)
		}
		data, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		g, err := ParseWeights(data)
		if err != nil {
			t.Fatal(err)
		}
		x, err1 := json.Marshal(f)
		y, err2 := json.Marshal(g)
		if err1 != nil || err2 != nil || !bytes.Equal(x, y) {
			t.Errorf("%v: what is read back differs", parts)
		}
	}
	// and the networks that are in them, exported from nn
	for _, m := range []*Model{readEMD(t, "ae_mse"), readEMD(t, "pair_msle"), readQAE(t, "encoder"), readQAE(t, "decoder")} {
		net, err := m.Network(nn.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		f, err := Export(net)
		if err != nil {
			t.Fatal(err)
		}
		again, err := NewModel(f)
		if err != nil {
			t.Fatal(err)
		}
		for name, w := range m.Weights {
			if !slices.Equal(again.Weights[name], w) {
				t.Errorf("%s: %s differs", m.Spec.Name, name)
			}
		}
		if !slices.Equal(again.Spec.Layers, m.Spec.Layers) {
			t.Errorf("%s: layers %+v, want %+v", m.Spec.Name, again.Spec.Layers, m.Spec.Layers)
		}
	}
}
