package autoencoder

import (
	"math"
	"slices"
	"testing"

	"barrow/nn"
	"barrow/simulate"
	"barrow/wafer"
)

// TestDecodeOutputs: encoding and then decoding is what Decode does, to the bit, of the
// images' sums alone.
func TestDecodeOutputs(t *testing.T) {
	images, err := simulate.Generate(700, simulate.Settings{Seed: 11})
	if err != nil {
		t.Fatal(err)
	}
	sums := &wafer.Set{Charge: make([]float64, len(images.Charge)), Columns: images.Columns}
	for i := range images.Len() {
		sums.Charge[i*Cells+1] = wafer.Sum(images.Image(i))
	}
	for _, a := range []Architecture{
		{}, {Precision: "asic"}, {Precision: "cmssw-mainline"}, {Conditional: true}, {Decoder: DecoderDense, Output: OutputSquare}, {Normalisation: "sum", Range: 2},
	} {
		m, err := a.New(nn.Settings{Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		outputs, err := m.Encode(t.Context(), images)
		if err != nil {
			t.Fatal(err)
		}
		got, err := m.DecodeOutputs(t.Context(), sums, outputs)
		if err != nil {
			t.Fatal(err)
		}
		want, err := m.Decode(t.Context(), images)
		if err != nil {
			t.Fatal(err)
		}
		same := slices.EqualFunc(got.Charge, want.Charge, func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) })
		if !same {
			t.Errorf("%v: images differ from those of Decode", a)
		}
	}
	if m, err := (Architecture{}).New(nn.Settings{}); err != nil {
		t.Fatal(err)
	} else if _, err := m.DecodeOutputs(t.Context(), sums, make([]float32, 16)); err == nil {
		t.Error("16 outputs for 700 images were decoded")
	}
}
