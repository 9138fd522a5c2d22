package model_test

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"barrow/autoencoder"
	"barrow/model"
	"barrow/nn"
	"barrow/surrogate"
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
	// Decoded:       what the decoder makes, times what the image was divided by
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
	for want, a := range map[string]autoencoder.Architecture{
		"times what the image was divided by\n":                {},
		"scaled to the module's sum, which every frame":        {Sum: autoencoder.SumSent},
		"scaled to the image's sum; then cells below 3.5 CALQ": {Precision: "cmssw-mainline"},
	} {
		if text := tell(a); !strings.Contains(text, "\nDecoded:       what the decoder makes, "+want) {
			t.Errorf("%v: want %q in\n%s", a, want, text)
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
			if err != nil || !reflect.DeepEqual(v, again) {
				t.Errorf("%s: a second drawing differs (%v)", p, err)
			}
			e, d := m.Encoder(), m.Part("decoder")
			size, inputs := e.Shape.Size(), 16
			if conditional {
				inputs = 24
			}
			charge, xs, latents := v.Get("charge").Data, v.Get("x").Float32s(), v.Get("latent").Float32s()
			if len(charge) != 48*n || len(xs) != size*n || len(latents) != 16*n || d.Network.InputShape() != nn.Vector(inputs) || d.Network.OutputShape() != e.Shape {
				t.Fatalf("%s: %d, %d and %d numbers; decoder %v to %v", p, len(charge), len(xs), len(latents), d.Network.InputShape(), d.Network.OutputShape())
			}
			if (e.Chip != nil) != (p == "asic") || (e.Conditions != nil) != conditional {
				t.Errorf("%s: chip %v, conditions %v", p, e.Chip != nil, e.Conditions)
			}
			x := nn.NewTensor(n, e.Shape)
			for i := range n {
				for at := range size {
					x.Data[(at/e.Shape.C*n+i)*e.Shape.C+at%e.Shape.C] = xs[i*size+at]
				}
			}
			y, err := e.Network.Forward(x, nn.Inference)
			if err != nil {
				t.Fatal(err)
			}
			off := float32(0)
			for i, want := range latents {
				off = max(off, want-y.Data[i], y.Data[i]-want)
			}
			if limit := map[bool]float32{true: 0.7, false: 0}[e.Chip != nil]; off > limit {
				t.Errorf("%s: the network is off by %v", p, off)
			}
			images := &wafer.Set{Charge: charge}
			if latent, err := whole.Encode(context.Background(), images); err != nil || !slices.Equal(latent, latents) {
				t.Errorf("%s: the model's outputs differ from the vectors' (%v)", p, err)
			}
			if e.Chip == nil { // the whole is what its parts are
				y, err := m.Part("whole").Run(context.Background(), v)
				if err != nil || !reflect.DeepEqual(y, v.Get("y")) {
					t.Errorf("%s: the whole makes something else of x than encoder and decoder (%v)", p, err)
				}
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

// TestEstimators: what the parts make of the vectors is what the networks estimate.
func TestEstimators(t *testing.T) {
	ctx := context.Background()
	const n = 64
	for _, a := range []surrogate.Architecture{surrogate.Paper(), surrogate.N1()} {
		cnn, err := surrogate.NewCNN(a, nn.Settings{Seed: 3, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		m, err := model.OfEstimator(cnn)
		if err != nil {
			t.Fatal(err)
		}
		v, err := m.Vectors(ctx, n)
		if err != nil {
			t.Fatal(err)
		}
		if m.Encoder() != nil || len(m.Parts()) != 1 || !slices.Equal(v.Get("x").Shape, []int{n, 4, 4, 6}) || !slices.Equal(v.Get("y").Shape, []int{n, 1}) {
			t.Errorf("%v: %d parts, x %v, y %v", a, len(m.Parts()), v.Get("x").Shape, v.Get("y").Shape)
		}
		for i := range n { // of either image of a pair all charge is there
			sums := [2]float64{}
			for k, x := range v.Get("x").Data[i*96 : (i+1)*96] {
				sums[k%6/3] += x
			}
			if math.Abs(sums[0]-1) > 1e-5 || math.Abs(sums[1]-1) > 1e-5 {
				t.Fatalf("%v: the images of pair %d sum to %v", a, i, sums)
			}
		}
	}
	p, err := surrogate.BuiltIn(nn.Settings{Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	m, err := model.OfEstimator(p)
	if err != nil {
		t.Fatal(err)
	}
	v, err := m.Vectors(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(v.Get("x").Shape, []int{n, 144}) || !slices.Equal(v.Get("y").Shape, []int{n, 48}) || !slices.Equal(v.Get("x_gap").Shape, []int{n, 100}) || !slices.Equal(v.Get("y_gap").Shape, []int{n, 1}) {
		t.Errorf("potential: %v", v)
	}
}
