package autoencoder

import (
	"context"
	"math"
	"strings"
	"testing"

	"barrow/nn"
)

// TestDecodeRounded: sixteen bits change next to nothing, fewer bits lose more
// and more of what the model decodes, and one bit still tells images apart.
func TestDecodeRounded(t *testing.T) {
	ctx := context.Background()
	images, like := showers(60, 3), showers(400, 4)
	for _, precision := range []string{"float", "asic", "cmssw-mainline"} {
		m, err := Architecture{Precision: precision}.New(nn.Settings{Seed: 1, Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		want, err := m.Decode(ctx, set(images))
		if err != nil {
			t.Fatal(err)
		}
		last := 0.0
		for _, bits := range []int{16, 9, 6, 3, 1} {
			got, err := m.DecodeRounded(ctx, set(images), set(like), bits)
			if err != nil {
				t.Fatal(err)
			}
			off, total := 0.0, 0.0
			for i, v := range want.Charge {
				off += math.Abs(got.Charge[i] - v)
				total += v
			}
			off /= total
			if bits == 16 && off > 1e-3 || off < last {
				t.Errorf("%s: %d bits move %v of the charge, more bits %v", precision, bits, off, last)
			}
			last = off
		}
	}
}

func TestRounding(t *testing.T) {
	// Three values near 0 and one at 4: on one bit the range is 4, the codes
	// are read as the means of 0, 0.5, 1 and of 4.
	r := fitRounding([]float32{1, 0, 4, 0.5}, 1)
	if r.top != 4 || r.read[0] != 0.5 || r.read[1] != 4 {
		t.Errorf("%+v", r)
	}
	for v, want := range map[float32]int{-1: 0, 0: 0, 1.99: 0, 2: 1, 4: 1, 1e9: 1} {
		if got := r.code(v); got != want {
			t.Errorf("%v has code %d, want %d", v, got, want)
		}
	}
	if r := fitRounding(make([]float32, 5), 3); r.read[r.code(0)] != 0 {
		t.Errorf("an output that is always 0 is read as %v", r.read[r.code(0)])
	}
	if r := fitRounding(nil, 2); r.read[r.code(1)] != 0 {
		t.Errorf("no values: %+v", r)
	}
}

func TestDecodeRoundedErrors(t *testing.T) {
	m, err := New(nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	images := showers(2, 1)
	for _, bits := range []int{0, 17} {
		if _, err := m.DecodeRounded(context.Background(), set(images), set(images), bits); err == nil || !strings.Contains(err.Error(), "want 1 to 16") {
			t.Errorf("%d bits: %v", bits, err)
		}
	}
	if _, err := m.DecodeRounded(context.Background(), set(images[:7]), set(images), 3); err == nil {
		t.Error("7 charges were accepted")
	}
	c, err := Architecture{Conditional: true}.New(nn.Settings{Seed: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.DecodeRounded(context.Background(), set(images), set(images), 3); err == nil || !strings.Contains(err.Error(), "conditional") {
		t.Errorf("a conditional model: %v", err)
	}
}
