package autoencoder

import (
	"fmt"
	"slices"

	"barrow/nn"
)

// FromNetwork is a model with the weights of a network that another program
// left: one whose layers, whatever their names, are those of an architecture
// here, encoder and decoder together. A network does not say how its images are
// normalised: "sumlog2" is assumed, as in the paper, and a decoded cell of at
// most 1 (Range). The chip's preset "asic" is never found, since no network
// truncates single products. An autoencoder of other layers or number formats that
// makes 16 numbers on the way is a model of the precision Custom, whose layers
// stay as they are.
func FromNetwork(net *nn.Network) (*Model, error) {
	layers := plain(net.Layers())
	for _, a := range candidates(layers) {
		spec, err := a.Spec()
		if err != nil || spec.Input != net.InputShape() {
			continue
		}
		want, err := spec.Check()
		if err != nil || !slices.Equal(layers, plain(want)) {
			continue
		}
		m, err := a.New(net.Settings())
		if err != nil {
			return nil, err
		}
		from, to := net.Params(), m.net.Params()
		for i, p := range to {
			if err := m.net.SetParam(p.Name, from[i].Value); err != nil {
				return nil, fmt.Errorf("autoencoder: %w", err)
			}
		}
		return m, nil
	}
	if isImage(net.InputShape()) && net.OutputShape() == net.InputShape() {
		m, err := asRead(net)
		if err != nil {
			return nil, fmt.Errorf("autoencoder: network %q: %w", net.Spec().Name, err)
		}
		return m, nil
	}
	return nil, fmt.Errorf("autoencoder: network %q maps %v to %v by %d layers: %s", net.Spec().Name, net.InputShape(), net.OutputShape(), len(layers), misfit(net))
}

// misfit says what a network is instead of an autoencoder.
func misfit(net *nn.Network) string {
	in := net.InputShape()
	switch {
	case EncoderAlone(net):
		return "an encoder alone, without its decoder; an autoencoder is wanted, whole"
	case in == nn.Vector(Latent) || in == nn.Vector(Latent+ConditionCount):
		return "a decoder alone, without its encoder; an autoencoder is wanted, whole"
	}
	return "no autoencoder of wafer images (8×8 pixels or 4×4 of three rhombi to the same)"
}

// candidates are the architectures that layers could be: each preset with each
// decoder, with the widths that the layers have.
func candidates(layers []nn.LayerShape) []Architecture {
	var weights, latent int
	conditional := false
	for _, l := range layers {
		switch {
		case l.Kind == nn.KindConcat:
			conditional = true
		case l.Kind == nn.KindDense && l.Units == Latent:
			weights = l.Bits
		case l.Kind == nn.KindQuantizedReLU && l.Out == nn.Vector(Latent):
			latent = l.Bits
		}
	}
	var out []Architecture
	for _, p := range Presets() {
		if p.Chip {
			continue
		}
		widths := []int{0}
		switch {
		case p.Latent.Unlimited: // the layer does not tell the width
			widths = widths[:0]
			for bits := 1; bits <= maxLatentBits; bits++ {
				widths = append(widths, bits)
			}
		case p.Latent.Bits > 0:
			widths[0] = latent
		}
		a := Architecture{Precision: p.Name, Conditional: conditional}
		if p.Weights.Bits > 0 && p.Weights.Bits != weights {
			a.WeightBits = weights
		}
		for _, a.Decoder = range Decoders() {
			for _, a.Output = range Outputs() {
				for _, a.LatentBits = range widths {
					out = append(out, a.withDefaults())
				}
			}
		}
	}
	return out
}

// plain are layers without what does not change what they compute: names and
// penalties. Layers that are referred to keep their place.
func plain(layers []nn.LayerShape) []nn.LayerShape {
	at := map[string]int{}
	out := make([]nn.LayerShape, 0, len(layers))
	for _, l := range layers {
		if l.Kind == nn.KindReshape && l.Height == 1 && l.Width == 1 {
			l.Layer = nn.Layer{Kind: nn.KindFlatten, Name: l.Name}
		}
		if l.Kind == nn.KindQuantizedBits && l.Unsigned { // the same of other files
			l.Kind, l.Unsigned = nn.KindQuantizedReLU, false
		}
		if l.Kind == nn.KindFlatten && l.In == l.Out { // already a vector
			continue
		}
		at[l.Name] = len(out)
		if l.From != "" {
			l.From = fmt.Sprint(at[l.From])
		}
		l.Name, l.L2 = "", 0
		if l.Rounding == nn.RoundNearest {
			l.Rounding = ""
		}
		out = append(out, l)
	}
	return out
}
