package autoencoder

import (
	"context"
	"slices"
	"strings"
	"testing"

	"barrow/nn"
)

// theirs are an encoder and a decoder of layers that no preset has: a signed latent, more
// layers, a linear output.
func theirs(t *testing.T, more int) (encoder, decoder *nn.Network) {
	t.Helper()
	image := nn.Shape{H: side, W: side, C: 1}
	var err error
	encoder, err = nn.New(nn.Spec{Name: "e", Input: image, Layers: []nn.Layer{
		{Kind: nn.KindConv2D, Name: "a", Filters: 4, Kernel: 3, Stride: 2, Padding: nn.PaddingSame},
		{Kind: nn.KindFlatten, Name: "b"}, {Kind: nn.KindDense, Name: "c", Units: Latent},
		{Kind: nn.KindQuantizedBits, Name: "d", Bits: 6, Integer: 1, Rounding: nn.RoundFloor},
	}}, nn.Settings{Seed: 2})
	if err != nil {
		t.Fatal(err)
	}
	decoder, err = nn.New(nn.Spec{Name: "d", Input: nn.Vector(Latent + more), Layers: []nn.Layer{
		{Kind: nn.KindDense, Name: "a", Units: 64}, {Kind: nn.KindReshape, Name: "b", Height: side, Width: side, Channels: 1},
	}}, nn.Settings{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	return encoder, decoder
}

// TestCustom: other layers are evaluated as they are, encoder and decoder joined.
func TestCustom(t *testing.T) {
	ctx := context.Background()
	for _, more := range []int{0, ConditionCount} {
		encoder, decoder := theirs(t, more)
		net, err := Join(encoder, decoder, nn.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		m, err := FromNetwork(net)
		if err != nil {
			t.Fatal(err)
		}
		if a := m.Architecture(); a.Precision != Custom || a.LatentBits != 6 || a.Conditional != (more > 0) {
			t.Errorf("architecture %+v", a)
		}
		images := showers(20, 3)
		in, sum := data{images, make([]float32, 20*ConditionCount)}, 0.
		decoded, err := m.decode(ctx, in)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range decoded.Charge {
			if !(v >= 0) {
				t.Fatalf("a decoded charge is %v", v)
			}
			sum += v
		}
		if sum == 0 {
			t.Error("all decoded charges are 0")
		}
		part, err := m.EncoderNetwork(nn.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range encoder.Params() {
			if !slices.Equal(p.Value, part.Params()[i].Value) {
				t.Errorf("parameter %s is not the encoder's", p.Name)
			}
		}
		if err := m.Save(t.TempDir() + "/m"); err == nil {
			t.Error("saved")
		}
	}
}

func TestJoinRefuses(t *testing.T) {
	encoder, decoder := theirs(t, 5)
	net, err := Join(encoder, decoder, nn.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := FromNetwork(net); err == nil || !strings.Contains(err.Error(), "joins 5 conditions") {
		t.Errorf("five conditions: %v", err)
	}
	if _, err := Join(encoder, encoder, nn.Settings{}); err == nil || !strings.Contains(err.Error(), "a decoder of 8×8×1 numbers") {
		t.Errorf("an encoder for a decoder: %v", err)
	}
}

// TestNoAutoencoder: of a network from image to image that sends no 16 numbers, the error
// names the layer that is otherwise, and what is wanted.
func TestNoAutoencoder(t *testing.T) {
	flat := nn.Layer{Kind: nn.KindFlatten, Name: "flat"}
	dense := func(name string, units int) nn.Layer { return nn.Layer{Kind: nn.KindDense, Name: name, Units: units} }
	image := nn.Layer{Kind: nn.KindReshape, Name: "image", Height: side, Width: side, Channels: 1}
	joined := nn.Layer{Kind: nn.KindConcat, Name: "joined", Channels: ConditionCount}
	for want, layers := range map[string][]nn.Layer{
		`layer "few" makes 8, layer "out" makes 64; wanted is a dense layer of 16 units`: {flat, dense("few", 8), dense("out", 64), image},
		`there is no dense layer`: {{Kind: nn.KindReLU, Name: "r"}},
		`layer "joined" joins 8 numbers, and stands elsewhere than behind layer "sent"`:    {flat, dense("sent", Latent), dense("mid", 20), joined, dense("out", 64), image},
		`layer "past" takes what layer "first" makes, past the 16 numbers of layer "sent"`: {flat, dense("first", 64), dense("sent", Latent), dense("out", 64), {Kind: nn.KindAdd, Name: "past", From: "first"}, image},
	} {
		net, err := nn.New(nn.Spec{Name: "n", Input: nn.Shape{H: side, W: side, C: 1}, Layers: layers}, nn.Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := FromNetwork(net); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
