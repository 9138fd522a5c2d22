package autoencoder

import (
	"context"
	"slices"
	"strings"
	"testing"

	"barrow/nn"
)

// renamed is a network with other names and a penalty, as another program would
// leave it.
func renamed(t *testing.T, net *nn.Network, from, to int) *nn.Network {
	t.Helper()
	spec := net.Spec()
	spec.Name = "theirs"
	spec.Layers = slices.Clone(spec.Layers)
	names := map[string]string{}
	for i := range spec.Layers {
		l := &spec.Layers[i]
		names[l.Name] = "their_" + l.Name
		l.Name, l.From = names[l.Name], names[l.From]
		if l.Kind == nn.KindDense {
			l.L2 = 1e-4
		}
	}
	layers := net.Layers()
	spec.Input = layers[from].In
	spec.Layers = spec.Layers[from:to]
	out, err := nn.New(spec, nn.Settings{Seed: 9})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestFromNetwork: every architecture that a network can express is found again
// from its layers alone, and computes the same.
func TestFromNetwork(t *testing.T) {
	images := showers(20, 3)
	var list []Architecture
	for _, p := range []string{"float", "qkeras-5bit", "cmssw-mainline", "cmssw-fork"} {
		for _, d := range Decoders() {
			list = append(list, Architecture{Precision: p, Decoder: d})
		}
	}
	list = append(list, Architecture{Conditional: true}, Architecture{Decoder: DecoderDense, Output: OutputSquare},
		Architecture{Precision: "qkeras-5bit", WeightBits: 7, LatentBits: 3}, Architecture{Precision: "cmssw-mainline", LatentBits: 5})
	for _, a := range list {
		m, err := a.New(nn.Settings{Seed: 5})
		if err != nil {
			t.Fatal(err)
		}
		theirs := renamed(t, m.net, 0, len(m.net.Layers()))
		for i, p := range theirs.Params() {
			copy(p.Value, m.net.Params()[i].Value)
		}
		got, err := FromNetwork(theirs)
		if err != nil {
			t.Errorf("%v: %v", a, err)
			continue
		}
		if a.Conditional != got.arch.Conditional {
			t.Errorf("%v became %v", a, got.arch)
		}
		d := data{images, make([]float32, len(images)/Cells*ConditionCount)}
		want, err := m.decode(context.Background(), d)
		if err != nil {
			t.Fatal(err)
		}
		have, err := got.decode(context.Background(), d)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(want.Charge, have.Charge) {
			t.Errorf("%v became %v, which decodes differently", a, got.arch)
		}
	}
}

func TestFromNetworkRefuses(t *testing.T) {
	m, err := New(nn.Settings{Seed: 1})
	if err != nil {
		t.Fatal(err)
	}
	end := m.net.LayerIndex(layerLatent) + 1
	for want, net := range map[string]*nn.Network{
		"an encoder alone": renamed(t, m.net, 0, end),
		"a decoder alone":  renamed(t, m.net, end, len(m.net.Layers())),
		"no autoencoder":   renamed(t, m.net, 0, 2),
	} {
		if _, err := FromNetwork(net); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}
