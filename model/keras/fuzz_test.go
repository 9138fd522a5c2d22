package keras

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"barrow/internal/h5"
	"barrow/nn"
)

// seeds are small files of our own writer: one of each kind of model.
func seeds(t testing.TB) [][]byte {
	t.Helper()
	small := []nn.Spec{
		{Name: "p", Input: nn.Shape{H: 2, W: 2, C: 2}, Layers: []nn.Layer{
			{Kind: nn.KindSwapPair}, {Kind: nn.KindConv2D, Filters: 1, Kernel: 2, Padding: nn.PaddingSame, L2: 1},
			{Kind: nn.KindBatchNorm}, {Kind: nn.KindReLU}, {Kind: nn.KindDense, Units: 1}, {Kind: nn.KindPairMean},
		}},
		{Name: "q", Input: nn.Shape{H: 2, W: 2, C: 1}, Layers: []nn.Layer{
			{Kind: nn.KindQuantizedBits, Bits: 8, Integer: 1}, {Kind: nn.KindDense, Units: 2, Bits: 6},
			{Kind: nn.KindQuantizedReLU, Bits: 8, Integer: 1}, {Kind: nn.KindQuantizedBits, Bits: 6, Integer: 1, Rounding: nn.RoundFloor},
			{Kind: nn.KindConcat, Channels: 1}, {Kind: nn.KindDense, Units: 4}, {Kind: nn.KindReshape, Height: 2, Width: 2, Channels: 1},
			{Kind: nn.KindConv2DTranspose, Filters: 1, Kernel: 2, Stride: 2}, {Kind: nn.KindCrop, Height: 1, Width: 1},
		}},
	}
	var out [][]byte
	for _, spec := range small {
		f, err := Export(randomNetwork(t, spec))
		if err != nil {
			t.Fatal(err)
		}
		data, err := f.Encode()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, data)
	}
	return out
}

// open does with a file all that a user would, as far as it gets.
func open(data []byte) error {
	f, err := ParseWeights(data)
	if err != nil {
		return err
	}
	if f.Config == "" {
		return nil
	}
	m, err := NewModel(f)
	if err != nil {
		return err
	}
	p, err := m.Predictor(nn.Settings{MaxBatch: 1})
	if err != nil {
		return err
	}
	_, err = p.Predict(inputsFor(m, 1)...)
	return err
}

// patched changes bytes of a file: each three of patch are a place and its new
// value. The fuzzer shrinks every input that it keeps, which with whole files takes
// it all its time; it shrinks a few changes at once.
func patched(data, patch []byte) []byte {
	b := slices.Clone(data)
	for ; len(patch) >= 3; patch = patch[3:] {
		b[int(binary.LittleEndian.Uint16(patch))%len(b)] = patch[2]
	}
	return b
}

func FuzzRead(f *testing.F) {
	files := seeds(f)
	for i := range files {
		f.Add(i, []byte{})
	}
	f.Add(0, []byte{8, 0, 1, 100, 1, 255})
	f.Fuzz(func(t *testing.T, i int, patch []byte) {
		_ = open(patched(files[uint(i)%uint(len(files))], patch)) // must end, and not panic
	})
}

// FuzzConfig varies the architecture alone, with arrays that fit the seeds, which
// are short for the fuzzer's sake.
func FuzzConfig(f *testing.F) {
	file := File{Layers: []LayerWeights{
		{Layer: "d", Weights: []Weight{{Name: "d/kernel:0", Shape: []int{2, 2}, Data: make([]float32, 4)}, {Name: "d/bias:0", Shape: []int{2}, Data: make([]float32, 2)}}},
	}}
	for _, config := range []string{
		`{"class_name":"Sequential","config":{"name":"s","layers":[{"class_name":"Dense","config":{"name":"d","units":2,"batch_input_shape":[null,2]}}]}}`,
		`{"class_name":"Model","config":{"name":"m","layers":[{"class_name":"InputLayer","name":"x","config":{"batch_shape":[null,2]}},{"class_name":"Dense","name":"d","config":{"units":2},"inbound_nodes":[[["x",0,0]]]}],"input_layers":[["x",0,0]],"output_layers":[["d",0,0]]}}`,
		`{"class_name":"Model","config":{"layers":[{"class_name":"InputLayer","name":"x","config":{"batch_shape":[null,2]}},{"class_name":"Dense","name":"d","config":{"units":2},"inbound_nodes":[{"args":[{"class_name":"__keras_tensor__","config":{"keras_history":["x",0,0]}}],"kwargs":{}}]}],"input_layers":["x",0,0],"output_layers":["d",0,0]}}`,
		`{"class_name":"Model","config":{"layers":[{"class_name":"InputLayer","name":"x","config":{"batch_shape":[null,2,2,1]}},{"class_name":"TFOpLambda","name":"p","config":{"function":"pad"},"inbound_nodes":[["x",0,0,{"paddings":[[0,0],[0,1],[0,1],[0,0]]}]]}],"input_layers":[["x",0,0]],"output_layers":[["p",0,0]]}}`,
	} {
		f.Add(config)
		if file.Config = config; strings.Contains(config, "Dense") {
			if _, err := NewModel(&file); err != nil {
				f.Error(err)
			}
		}
	}
	f.Fuzz(func(t *testing.T, config string) {
		file := file
		file.Config = config
		m, err := NewModel(&file)
		if err != nil {
			return
		}
		if _, err := m.Network(nn.Settings{MaxBatch: 1}); err != nil {
			t.Errorf("a model was accepted of which no network can be made: %v", err)
		}
	})
}

// TestDamagedModel changes bytes of whole files: there must be a result or an
// error, and none of the errors may come from a panic.
func TestDamagedModel(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for _, data := range seeds(t) {
		if err := open(data); err != nil {
			t.Fatal(err)
		}
		b := make([]byte, len(data))
		failed := 0
		for range 4000 {
			copy(b, data)
			at := rng.IntN(len(b) - 8)
			if rng.IntN(2) == 0 {
				b[at] = byte(rng.Uint32())
			} else {
				binary.LittleEndian.PutUint64(b[at:], rng.Uint64()>>rng.IntN(64))
			}
			if err := open(b); err != nil {
				failed++
			}
		}
		if failed == 0 {
			t.Error("no damage was noticed")
		}
	}
}

// zips are small .keras files of our own writer.
func zips(t testing.TB) [][]byte {
	t.Helper()
	var out [][]byte
	for _, spec := range []nn.Spec{
		{Name: "p", Input: nn.Shape{H: 2, W: 2, C: 2}, Layers: []nn.Layer{
			{Kind: nn.KindSwapPair}, {Kind: nn.KindConv2D, Filters: 1, Kernel: 2, Padding: nn.PaddingSame},
			{Kind: nn.KindBatchNorm}, {Kind: nn.KindReLU}, {Kind: nn.KindDense, Units: 1}, {Kind: nn.KindPairMean},
		}},
		{Name: "d", Input: nn.Vector(2), Layers: []nn.Layer{{Kind: nn.KindDense, Units: 2}, {Kind: nn.KindSiLU}}},
	} {
		n := randomNetwork(t, spec)
		g, err := graphOf(n, plainLayers(n), []Input{{Name: "x", Shape: spec.Input}})
		if err != nil {
			t.Fatal(err)
		}
		data, err := g.zip()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, data)
	}
	return out
}

// FuzzZip changes bytes of .keras files (see patched), or reads any other.
func FuzzZip(f *testing.F) {
	files := zips(f)
	for i, data := range files {
		if err := open(data); err != nil {
			f.Fatal(err)
		}
		f.Add(i, []byte{}, []byte{})
	}
	f.Add(0, []byte{26, 0, 1, 100, 1, 255}, []byte{})
	f.Add(0, []byte{}, []byte("PK\x05\x06\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, i int, patch, data []byte) {
		if len(data) == 0 {
			data = patched(files[uint(i)%uint(len(files))], patch)
		}
		_ = open(data) // must end, and not panic
	})
}

// TestZipRefused: what a .keras file must not be.
func TestZipRefused(t *testing.T) {
	make := func(entries ...string) []byte {
		t.Helper()
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for k := 0; k < len(entries); k += 2 {
			w, err := z.Create(entries[k]) // compressed
			if err == nil {
				_, err = w.Write([]byte(entries[k+1]))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	cyclic := `{"class_name":"Functional","config":{"layers":[{"class_name":"InputLayer","name":"x","config":{"batch_shape":[null,2]}},` +
		`{"class_name":"ReLU","name":"a","config":{},"inbound_nodes":[{"args":[{"class_name":"__keras_tensor__","config":{"keras_history":["a",0,0]}}]}]}],"input_layers":["x",0,0],"output_layers":["a",0,0]}}`
	weights, err := h5.Encode(&h5.Tree{Groups: map[string]*h5.Tree{"layers": {}}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"bomb":     {make(entryConfig, "{}", entryWeights, strings.Repeat("\x00", 1<<24)), "made to fill memory"},
		"twice":    {make(entryConfig, "{}", entryConfig, "{}"), "is there twice"},
		"other":    {make("a.npy", ""), "without the entry config.json"},
		"text":     {make(entryConfig, "{}", entryWeights, "no HDF5"), entryWeights},
		"cyclic":   {make(entryConfig, cyclic, entryWeights, string(weights)), `layer "a" (ReLU): depends on itself`},
		"negative": {make(entryConfig, strings.Replace(cyclic, "[null,2]", "[null,-2]", 1), entryWeights, string(weights)), "impossible size"},
		"large":    {make(entryConfig, strings.Replace(cyclic, "[null,2]", "[null,4000000000]", 1), entryWeights, string(weights)), "impossible size"},
		"cut":      {zips(t)[0][:500], "a damaged zip file"},
	} {
		if err := open(c.data); err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "keras: ") {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}
