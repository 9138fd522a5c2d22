package autoencoder

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"barrow/nn"
	"barrow/wafer"
)

// wholeImages are n images of whole charges with the columns that conditions need.
func wholeImages(n int) *wafer.Set {
	rng := rand.New(rand.NewPCG(5, 8))
	s := &wafer.Set{Charge: make([]float64, n*Cells)}
	for _, k := range []wafer.Known{wafer.Eta, wafer.WaferU, wafer.WaferV, wafer.Layer, wafer.WaferType} {
		s.Columns = append(s.Columns, wafer.Column{Name: string(k)})
	}
	for i := range n {
		image := s.Image(i)
		for range 1 + rng.IntN(40) {
			image[rng.IntN(Cells)] = float64(1 + rng.IntN(1<<(1+rng.IntN(16))))
		}
		for k, v := range []float64{1.6 + rng.Float64(), float64(rng.IntN(12)), float64(rng.IntN(12)), float64(1 + rng.IntN(40)), float64(rng.IntN(3))} {
			s.Columns[k].Float = append(s.Columns[k].Float, v)
		}
	}
	return s
}

func send(t *testing.T, s *Sender, images *wafer.Set, conditions []float32, bits []uint8) []float64 {
	t.Helper()
	out := make([]float64, len(images.Charge))
	if err := s.Send(context.Background(), images.Charge, conditions, bits, out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestSenderDecodes: a Sender gives what its model's Decode gives, bit for bit, with every
// preset, whatever the batches.
func TestSenderDecodes(t *testing.T) {
	images := wholeImages(2*decodeBatch + 37)
	conditions, err := Conditions(images)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range []Architecture{{}, {Decoder: DecoderDense, Output: OutputSquare}, {Precision: "qkeras-5bit"}, {Precision: "asic"},
		{Precision: "asic", LatentBits: 3, Sum: SumSent}, {Precision: "asic", Mask: "9x2,7x0"}, {Precision: "asic", Conditional: true}, {Precision: "cmssw-mainline"}, {Precision: "cmssw-fork", Conditional: true}} {
		t.Run(fmt.Sprint(a), func(t *testing.T) {
			m, err := a.New(nn.Settings{Seed: 3})
			if err != nil {
				t.Fatal(err)
			}
			want, err := m.Decode(context.Background(), images)
			if err != nil {
				t.Fatal(err)
			}
			s, err := m.Sender()
			if err != nil {
				t.Fatal(err)
			}
			c := conditions
			if !a.Conditional {
				c = nil
			}
			if got := send(t, s, images, c, nil); !slices.Equal(got, want.Charge) {
				t.Error("not what Decode gives")
			}
			one := images.Slice(decodeBatch+1, decodeBatch+2)
			if a.Conditional {
				c = c[(decodeBatch+1)*ConditionCount:][:ConditionCount]
			}
			if got := send(t, s, one, c, nil); !slices.Equal(got, want.Image(decodeBatch+1)) {
				t.Error("an image by itself is decoded otherwise")
			}
		})
	}
}

// TestSenderCuts: the highest b bits of the chip's outputs are those of a model of b-bit
// outputs with the same weights.
func TestSenderCuts(t *testing.T) {
	images := wholeImages(200)
	whole, err := Architecture{Precision: "asic"}.New(nn.Settings{Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	s, err := whole.Sender()
	if err != nil {
		t.Fatal(err)
	}
	all := send(t, s, images, nil, nil)
	bits := make([]uint8, images.Len())
	for b := 1; b <= maxLatentBits; b++ {
		few, err := Architecture{Precision: "asic", LatentBits: b}.New(nn.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range whole.net.Params() {
			copy(few.net.Param(p.Name).Value, p.Value)
		}
		want, err := few.Decode(context.Background(), images)
		if err != nil {
			t.Fatal(err)
		}
		for i := range bits {
			bits[i] = uint8(b * (i % 2)) // 0: whole
		}
		got := send(t, s, images, nil, bits)
		for i := range bits {
			w := all[i*Cells:][:Cells]
			if bits[i] > 0 {
				w = want.Image(i)
			}
			if !slices.Equal(got[i*Cells:][:Cells], w) {
				t.Fatalf("%d bits: image %d differs", b, i)
			}
		}
		if same := slices.Equal(want.Charge, all); same != (b == maxLatentBits) {
			t.Errorf("%d bits make no difference: %v", b, same)
		}
	}
}

func TestSenderErrors(t *testing.T) {
	m, err := Architecture{Precision: "asic", Conditional: true}.New(nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := m.Sender()
	if err != nil {
		t.Fatal(err)
	}
	images := wholeImages(3)
	conditions, err := Conditions(images)
	if err != nil {
		t.Fatal(err)
	}
	half := slices.Clone(images.Charge)
	half[Cells] = 0.5
	none := slices.Clone(images.Charge)
	clear(none[2*Cells:])
	for _, tc := range []struct {
		images     []float64
		conditions []float32
		bits       []uint8
		room       int
		want       string
	}{
		{images.Charge, conditions, nil, 100, "room for 100"},
		{images.Charge[:50], conditions, nil, 50, "50 charges"},
		{images.Charge, conditions, make([]uint8, 2), 144, "bits of 2 images, not of 3"},
		{images.Charge, conditions[8:], nil, 144, "16 conditions for 3 images"},
		{half, conditions, nil, 144, "image 2: want whole charges"},
		{none, conditions, nil, 144, "image 3: want whole charges"},
	} {
		err := s.Send(context.Background(), tc.images, tc.conditions, tc.bits, make([]float64, tc.room))
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %q", err, tc.want)
		}
	}
	stopped, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Send(stopped, images.Charge, conditions, nil, make([]float64, 144)); err != context.Canceled {
		t.Errorf("a stopped context: %v", err)
	}
}
