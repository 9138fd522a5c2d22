package model_test

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/decoder"
	"barrow/econt"
	"barrow/internal/shared"
	"barrow/model"
	"barrow/model/file"
	"barrow/nn"
)

// frameDecoders are untrained decoders of frames of every kind.
func frameDecoders(t *testing.T) map[string]*decoder.Model {
	t.Helper()
	a, err := autoencoder.Architecture{Precision: "asic", LatentBits: 5}.New(nn.Settings{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	weights, err := a.ChipWeights()
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*decoder.Model{}
	for name, c := range map[string]struct {
		algorithm  econt.Algorithm
		links      int
		stc        econt.STCType
		conditions bool
	}{
		"BC": {econt.BestChoice, 2, 0, false}, "STC": {econt.SuperTriggerCell, 4, econt.STC4A4E3M, true},
		"STC of which not all fit": {econt.SuperTriggerCell, 1, econt.STC4A5E4M, false}, "CTC": {econt.SuperTriggerCell, 3, econt.CTC4N4E3M, false},
		"TS": {econt.ThresholdSum, 13, 0, false}, "AE": {econt.Autoencoder, 3, 0, true},
	} {
		var w *econt.Weights
		if c.algorithm == econt.Autoencoder {
			w = weights
		}
		config, err := econt.BaselineConfig(c.algorithm, c.links, false, w)
		if err != nil {
			t.Fatal(err)
		}
		config.STCType = c.stc
		chip, err := econt.NewBaseline(config, econt.BaselineSettings{})
		if err != nil {
			t.Fatal(err)
		}
		if out[name], err = decoder.New(decoder.Architecture{Units: 12, Conditions: c.conditions}, chip, nn.Settings{Seed: 4}); err != nil {
			t.Fatal(err)
		}
	}
	other, err := out["BC"].Clone()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range other.Network().Params() {
		for i := range p.Value {
			p.Value[i] *= 0.7
		}
	}
	if out["two as one"], err = decoder.Join(out["BC"], other); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestFrames: a decoder of any frames is exported and read back, and what no network says,
// in Python, makes of the frames what the decoder takes and of the shares its images.
func TestFrames(t *testing.T) {
	for name, d := range frameDecoders(t) {
		t.Run(name, func(t *testing.T) {
			m, err := model.OfDecoder(d)
			if err != nil {
				t.Fatal(err)
			}
			for _, format := range []string{"onnx", "keras"} {
				dir := filepath.Join(t.TempDir(), format)
				if _, err := file.Export(context.Background(), m, format, dir, false); err != nil {
					t.Fatal(format, err)
				}
				if _, err := file.Verify(context.Background(), m, format, dir); err != nil {
					t.Error(format, err)
				}
				if format == "keras" {
					said := string(shared.Python(t, "files", filepath.Join(dir, model.FramesScript), filepath.Join(dir, "vectors.npz")))
					if strings.Count(said, ": ok\n") != 2 {
						t.Error(said)
					}
				}
			}
		})
	}
}

// TestFrameVectors: the vectors' frames have what every kind of frames has, and their images
// the sums that were sent.
func TestFrameVectors(t *testing.T) {
	for name, d := range frameDecoders(t) {
		m, err := model.OfDecoder(d)
		if err != nil {
			t.Fatal(err)
		}
		const n = 60
		v, err := m.Vectors(context.Background(), n)
		if err != nil {
			t.Fatal(err)
		}
		sent, sums, image := v.Get("sent"), v.Get("sums"), v.Get("image")
		for i := range n {
			want, got := 0.0, 0.0
			for _, a := range []*model.Array{sent, sums} {
				_, size := a.Rows()
				for _, q := range a.Data[i*size:][:size] {
					want += q
				}
			}
			for _, q := range image.Data[i*48:][:48] {
				got += q
			}
			if !(got > want*(1-1e-9) && got < want*(1+1e-9)) && want > 0 {
				t.Errorf("%s: image %d sums to %v, %v was sent", name, i, got, want)
			}
		}
		if (v.Get("latent") != nil) != (name == "AE") || (v.Get("carrier") == nil) != (name == "AE") || (v.Get("cond") != nil) != d.Architecture().Conditions {
			t.Errorf("%s: vectors of another kind of frames", name)
		}
	}
}

func ExampleOfDecoder() {
	config, err := econt.BaselineConfig(econt.BestChoice, 3, false, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	chip, err := econt.NewBaseline(config, econt.BaselineSettings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	d, err := decoder.New(decoder.Architecture{}, chip, nn.Settings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := model.OfDecoder(d)
	if err != nil {
		fmt.Println(err)
		return
	}
	p := m.Part("shares")
	fmt.Println(p.Inputs[0].Shape.C, "numbers of a frame:", p.About)
	fmt.Println(m.Beside()[0].Name)
	// Output:
	// 201 numbers of a frame: 48 shares, one for each of the chip's channels, of what a frame says
	// frames.py
}
