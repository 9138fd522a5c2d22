package model

import (
	"context"

	"barrow/autoencoder"
	"barrow/internal/counter"
	"barrow/nn"
	"barrow/surrogate"
	"barrow/wafer"
)

// drawCharge makes n images of whole counts: cells hit, from one to all, and their
// charges vary over all that the chip takes.
func drawCharge(stream uint64, n int) []float64 {
	charge := make([]float64, n*autoencoder.Cells)
	for i := range n {
		s := counter.New(stream, uint64(i))
		image := charge[i*autoencoder.Cells:][:autoencoder.Cells]
		scale := 1 << (2 + s.IntN(13))
		for range 1 + i%autoencoder.Cells {
			image[s.IntN(autoencoder.Cells)] += float64(1 + s.IntN(scale))
		}
	}
	return charge
}

// drawConditions adds the columns of which a conditional autoencoder makes its
// conditions: layers, places and types as the detector has them.
func drawConditions(images *wafer.Set) {
	of := []wafer.Known{wafer.Eta, wafer.WaferU, wafer.WaferV, wafer.WaferType, wafer.Layer}
	columns := make([]wafer.Column, len(of))
	for i := range images.Len() {
		s := counter.New(3, uint64(i))
		for k, v := range []float64{1.5 + float64(s.IntN(1500))/1000, float64(s.IntN(25) - 12), float64(s.IntN(25) - 12), float64(s.IntN(3)), float64(1 + s.IntN(47))} {
			columns[k].Name = string(of[k])
			columns[k].Float = append(columns[k].Float, v)
		}
	}
	images.Columns = columns
}

// drawnConditions are the conditions that the drawn columns make.
func drawnConditions(images *wafer.Set, n int) (Vector, error) {
	drawConditions(images)
	c, err := autoencoder.Conditions(images)
	return Vector{"cond", "the 8 conditions that follow the 16 outputs into the decoder", Floats(c, n, autoencoder.ConditionCount)}, err
}

// imageVectors are images, and what an encoder takes of them.
func imageVectors(images *wafer.Set, x []float32, s nn.Shape) Vectors {
	n := images.Len()
	return Vectors{
		{"charge", "whole counts of 48 cells, V9 order", &Array{Float64, []int{n, autoencoder.Cells}, images.Charge}},
		{"x", "the images as the encoder takes them, channels last", Floats(x, n, s.H, s.W, s.C)},
	}
}

// drawImages makes the vectors of an autoencoder.
func drawImages(ctx context.Context, a *autoencoder.Model, m *Model, n int) (Vectors, error) {
	images := &wafer.Set{Charge: drawCharge(1, n)}
	x, err := a.Inputs(images)
	if err != nil {
		return nil, err
	}
	latent, err := a.Encode(ctx, images)
	if err != nil {
		return nil, err
	}
	v := append(imageVectors(images, x, m.encoder.Shape), Vector{"latent", "the encoder's 16 outputs, exactly", Floats(latent, n, autoencoder.Latent)})
	if m.encoder.Conditions != nil {
		c, err := drawnConditions(images, n)
		if err != nil {
			return nil, err
		}
		v = append(v, c)
	}
	return m.Part("decoder").add(ctx, v, "the images as the decoder gives them for latent, channels last, before cells are scaled back")
}

// drawPairs makes the vectors of an EMD CNN.
func drawPairs(ctx context.Context, c *surrogate.CNN, m *Model, n int) (Vectors, error) {
	x, err := c.Inputs(drawCharge(1, n), drawCharge(2, n))
	if err != nil {
		return nil, err
	}
	s := c.Network().InputShape()
	v := Vectors{{"x", "pairs of images as the network takes them, channels last", Floats(x, n, s.H, s.W, s.C)}}
	return m.parts[0].add(ctx, v, "what the network makes of x")
}

// drawFeatures makes the vectors of a network of potentials.
func drawFeatures(ctx context.Context, p *surrogate.Potential, m *Model, n int) (Vectors, error) {
	x, gap, err := p.Inputs(ctx, drawCharge(1, n), drawCharge(2, n))
	if err != nil {
		return nil, err
	}
	v := Vectors{
		{"x", "features of pairs of images", Floats(x, n, len(x)/n)},
		{"x_gap", "features of the bounds that the potentials give", Floats(gap, n, len(gap)/n)},
	}
	for i, about := range []string{"the potentials that the network makes of x", "what the network gap makes of x_gap"} {
		if v, err = m.parts[i].add(ctx, v, about); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// add runs a part on vectors and adds its output to them.
func (p *Part) add(ctx context.Context, v Vectors, about string) (Vectors, error) {
	y, err := p.Run(ctx, v)
	if err != nil {
		return nil, err
	}
	return append(v, Vector{p.Output, about, y}), nil
}

// Run computes what a part makes of those of the vectors that are its inputs.
func (p *Part) Run(ctx context.Context, v Vectors) (*Array, error) {
	out, err := (&network{net: p.Network, inputs: p.Inputs}).Run(ctx, p.Take(v))
	if err != nil {
		return nil, err
	}
	return out[0].Array, nil
}

// vectorShape is the shape of n samples: vectors have two dimensions, images four.
func vectorShape(n int, s nn.Shape) []int {
	if s.H == 1 && s.W == 1 {
		return []int{n, s.C}
	}
	return []int{n, s.H, s.W, s.C}
}
