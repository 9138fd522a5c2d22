package keras

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

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

func FuzzRead(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_ = open(data) // must end, and not panic
	})
}

// FuzzConfig varies the architecture alone, with the weights of a good file.
func FuzzConfig(f *testing.F) {
	var files []*File
	for i, s := range seeds(f) {
		file, err := ParseWeights(s)
		if err != nil {
			f.Fatal(err)
		}
		files = append(files, file)
		f.Add(i, file.Config)
	}
	f.Fuzz(func(t *testing.T, i int, config string) {
		file := *files[uint(i)%uint(len(files))]
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
