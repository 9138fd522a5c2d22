package model_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/model"
	"barrow/nn"
	"barrow/wafer"
)

func Example() {
	whole, err := autoencoder.Architecture{Precision: "asic", LatentBits: 3}.New(nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	m, err := model.Of(whole)
	if err != nil {
		fmt.Println(err)
		return
	}
	e := m.Encoder()
	fmt.Println(e.Shape, e.Network.OutputShape(), e.LatentBits, e.Chip != nil)
	fmt.Print(e.Contract)
	// Output:
	// 8×8×1 1×1×16 3 true
	// Model:         asic, 3-bit outputs
	// Image:         48 charges in V9 order, divided by 2^floor(log2(sum of its charges)), so that it sums to at least 1 and less than 2
	// Arrangement:   8 x 8 pixels of 1 channel(s); cells by row, column and channel, - for always 0:
	//     28 29 30 31  0  4  8 12
	//     24 25 26 27  1  5  9 13
	//     20 21 22 23  2  6 10 14
	//     16 17 18 19  3  7 11 15
	//     47 43 39 35  -  -  -  -
	//     46 42 38 34  -  -  -  -
	//     45 41 37 33  -  -  -  -
	//     44 40 36 32  -  -  -  -
	// Pixels:        8 bits, not negative, in steps of 2^-7, rounded down, limited to what fits
	// Weights:       6 bits, signed, in steps of 2^-5, rounded to the nearest, ties to even, limited to what fits
	// Products:      each is rounded down before it is added, as on the chip: to 1/128 in the convolution, to 1/256 in the dense layer
	// Hidden:        multiples of 1/128, not limited
	// Outputs:       16 numbers, 3 bits, not negative, in steps of 2^-2, rounded down, limited to what fits
}

// TestContract: what a reader is told of every precision and normalisation.
func TestContract(t *testing.T) {
	tell := func(a autoencoder.Architecture) string {
		whole, err := a.New(nn.Settings{Seed: 1, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		m, err := model.Of(whole)
		if err != nil {
			t.Fatal(err)
		}
		return m.Encoder().String()
	}
	for precision, want := range map[string]string{
		"float":          "Outputs:       16 numbers, 32-bit floating point\n",
		"qkeras-5bit":    "Outputs:       16 numbers, 9 bits, not negative, in steps of 2^-8, rounded to the nearest, ties to even, limited to what fits\n",
		"cmssw-mainline": "Outputs:       16 numbers, not negative, in steps of 2^-9, rounded to the nearest, ties to even, not limited\n",
	} {
		if text := tell(autoencoder.Architecture{Precision: precision}); !strings.Contains(text, want) {
			t.Errorf("%s: want %q in\n%s", precision, want, text)
		}
	}
	seen := map[string]bool{}
	for _, n := range autoencoder.Normalisations() {
		_, after, _ := strings.Cut(tell(autoencoder.Architecture{Normalisation: n}), "divided by ")
		divisor, _, _ := strings.Cut(after, "\n")
		if divisor == "" || seen[divisor] {
			t.Errorf("%s: divided by %q", n, divisor)
		}
		seen[divisor] = true
	}
}

// TestViews: for every precision the encoder's network, given the vectors' x,
// makes their latents (near them where the chip truncates), and the decoder's
// takes them on.
func TestViews(t *testing.T) {
	for _, p := range autoencoder.PresetNames() {
		for _, conditional := range []bool{false, true} {
			a := autoencoder.Architecture{Precision: p, Conditional: conditional}
			if a.Check() != nil {
				continue
			}
			whole, err := a.New(nn.Settings{Seed: 2, Threads: 1})
			if err != nil {
				t.Fatal(err)
			}
			m, err := model.Of(whole)
			if err != nil {
				t.Fatal(err)
			}
			const n = 96
			v, err := m.Vectors(context.Background(), n)
			if err != nil {
				t.Fatal(err)
			}
			again, err := m.Vectors(context.Background(), n)
			if err != nil || !slices.Equal(v.Charge, again.Charge) || !slices.Equal(v.Latent, again.Latent) {
				t.Errorf("%s: a second drawing differs (%v)", p, err)
			}
			e, d := m.Encoder(), m.Decoder()
			size := e.Shape.Size()
			if len(v.Charge) != 48*n || len(v.X) != size*n || len(v.Latent) != 16*n || d.Network.InputShape() != nn.Vector(16) || d.Network.OutputShape() != e.Shape {
				t.Fatalf("%s: %d, %d and %d numbers; decoder %v to %v", p, len(v.Charge), len(v.X), len(v.Latent), d.Network.InputShape(), d.Network.OutputShape())
			}
			if (e.Chip != nil) != (p == "asic") || (e.Conditions != nil) != conditional {
				t.Errorf("%s: chip %v, conditions %v", p, e.Chip != nil, e.Conditions)
			}
			x := nn.NewTensor(n, e.Shape)
			for i := range n {
				for at := range size {
					x.Data[(at/e.Shape.C*n+i)*e.Shape.C+at%e.Shape.C] = v.X[i*size+at]
				}
			}
			y, err := e.Network.Forward(x, nn.Inference)
			if err != nil {
				t.Fatal(err)
			}
			off := float32(0)
			for i, want := range v.Latent {
				off = max(off, want-y.Data[i], y.Data[i]-want)
			}
			if limit := map[bool]float32{true: 0.7, false: 0}[e.Chip != nil]; off > limit {
				t.Errorf("%s: the network is off by %v", p, off)
			}
			images := &wafer.Set{Charge: v.Charge}
			if latent, err := whole.Encode(context.Background(), images); err != nil || !slices.Equal(latent, v.Latent) {
				t.Errorf("%s: the model's outputs differ from the vectors' (%v)", p, err)
			}
			for _, want := range []string{"V9 order", "Weights:", "Outputs:"} {
				if !strings.Contains(e.Contract.String(), want) {
					t.Errorf("%s: %s", p, e.Contract)
				}
			}
			if conditional && !strings.Contains(e.Contract.String(), "|eta|/3.1") {
				t.Errorf("conditions: %s", e.Contract)
			}
		}
	}
}
