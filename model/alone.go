package model

import (
	"context"
	"errors"
	"fmt"

	"barrow/autoencoder"
	"barrow/internal/counter"
	"barrow/nn"
	"barrow/wafer"
)

// OfNetwork is a network of another program as formats see it, a model with just the
// part that it is: an encoder, of an image of 8×8×1 or 4×4×3 to 16 numbers, or a
// decoder, of 16 numbers, or 24 with the conditions, to such an image. What the network
// does not say of an encoder's images is assumed: they are arranged as Barrow's and
// normalised by "sumlog2".
func OfNetwork(net *nn.Network) (*Model, error) {
	in, out := net.InputShape(), net.OutputShape()
	for _, l := range net.Layers() {
		if l.Kind == nn.KindConcat {
			in.C += l.Channels
		}
	}
	latent := nn.Vector(autoencoder.Latent)
	switch {
	case image(in) && out == latent:
		return encoderAlone(net), nil
	case image(out) && (in == latent || in == nn.Vector(autoencoder.Latent+autoencoder.ConditionCount)):
		return decoderAlone(net)
	}
	return nil, fmt.Errorf("model: network %q maps %v to %v: neither an encoder (8×8 pixels or 4×4 of three rhombi to 16 numbers) nor a decoder (16 numbers, or 24, to these)", net.Spec().Name, in, out)
}

// image reports whether a shape is that of an encoder's images.
func image(s nn.Shape) bool {
	return s == nn.Shape{H: 8, W: 8, C: 1} || s == nn.Shape{H: 4, W: 4, C: 3}
}

// assumed is how images are normalised where nothing says it.
const assumed = wafer.NormSumLog2

func encoderAlone(net *nn.Network) *Model {
	shape := net.InputShape()
	c := Contract{Normalisation: assumed.String(), Shape: shape, Cells: autoencoder.Arrangement(shape), Layers: Layers(net)}
	m := &Model{encoder: &Encoder{Contract: c, Network: net}, about: c.String()}
	m.parts = []Part{{"encoder", aboutEncoder, net, []Input{{Name: "x", Shape: shape}}, "latent"}}
	m.draw = func(ctx context.Context, n int) (Vectors, error) {
		images := &wafer.Set{Charge: drawCharge(1, n)}
		x, err := autoencoder.Images(images, assumed, shape)
		if err != nil {
			return nil, err
		}
		return m.parts[0].add(ctx, imageVectors(images, x, shape), "the encoder's 16 outputs")
	}
	return m
}

func decoderAlone(net *nn.Network) (*Model, error) {
	p := Part{"decoder", aboutDecoder, net, []Input{{Name: "latent", Shape: nn.Vector(autoencoder.Latent)}}, "y"}
	conditions := Input{Name: "cond", Shape: nn.Vector(autoencoder.ConditionCount)}
	sides := 0
	for i, l := range net.Layers() {
		if l.Kind != nn.KindConcat {
			continue
		}
		if sides++; sides > 1 || l.Channels != conditions.Shape.C {
			return nil, errors.New("model: a decoder with other inputs than 16 numbers and 8 conditions")
		}
		if i > 0 {
			conditions.Side = l.Name
			continue
		}
		var err error // behind the layer that joins them: a network of one input
		if p.Network, err = net.View(1, len(net.Layers()), nn.Settings{}); err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
	}
	if sides > 0 || net.InputShape().C > autoencoder.Latent {
		p.About, p.Inputs = aboutConditional, append(p.Inputs, conditions)
	}
	m := &Model{parts: []Part{p}}
	m.about = fmt.Sprintf("%-14s of another program: %s\n%-14s %v, cells arranged as in Barrow's images of that shape, which is assumed\n", "Model:", p.About, "Image:", net.OutputShape())
	m.draw = func(ctx context.Context, n int) (Vectors, error) {
		v := Vectors{{"latent", "numbers such as an encoder sends", Floats(drawLatent(n), n, autoencoder.Latent)}}
		if len(p.Inputs) > 1 {
			c, err := drawnConditions(&wafer.Set{Charge: drawCharge(1, n)}, n)
			if err != nil {
				return nil, err
			}
			v = append(v, c)
		}
		return m.parts[0].add(ctx, v, "the images as the decoder gives them for latent, channels last")
	}
	return m, nil
}

// drawLatent makes outputs as encoders have them: multiples of 2^-8 below 2, a third 0.
func drawLatent(n int) []float32 {
	out := make([]float32, n*autoencoder.Latent)
	for i := range out {
		s := counter.New(4, uint64(i))
		if s.IntN(3) > 0 {
			out[i] = float32(s.IntN(512)) / 256
		}
	}
	return out
}
