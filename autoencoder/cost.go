package autoencoder

import (
	"fmt"

	"barrow/nn"
)

// Cost is what an encoder costs on the detector.
type Cost struct {
	Weights         int `json:"weights"`
	Multiplications int `json:"multiplications"` // a wafer, without those by masked pixels
}

// Cost counts the encoder's weights and multiplications.
func (a Architecture) Cost() (Cost, error) {
	spec, err := a.Spec()
	if err != nil {
		return Cost{}, err
	}
	layers, err := spec.Check()
	if err != nil {
		return Cost{}, fmt.Errorf("autoencoder: %w", err)
	}
	var c Cost
	for _, l := range layers {
		switch l.Name {
		case layerConv:
			taps := l.Kernel * l.Kernel * l.In.C * l.Filters
			c.Weights += taps + l.Filters
			c.Multiplications += l.Filters * l.In.C * reached(l)
		case layerDense:
			c.Weights += (l.In.Size() + 1) * l.Units
			c.Multiplications += l.In.Size() * l.Units
		}
	}
	return c, nil
}

// reached counts the pairs of a kernel's tap and a pixel with a cell behind it.
func reached(l nn.LayerShape) int {
	real := make([]bool, l.In.Positions())
	for _, at := range cellsAt(l.In) {
		real[at.pixel] = true
	}
	n := 0
	pad := max((l.Out.H-1)*l.Stride+l.Kernel-l.In.H, 0) / 2
	for y := range l.Out.H {
		for x := range l.Out.W {
			for ky := range l.Kernel {
				for kx := range l.Kernel {
					py, px := y*l.Stride+ky-pad, x*l.Stride+kx-pad
					if py >= 0 && py < l.In.H && px >= 0 && px < l.In.W && real[py*l.In.W+px] {
						n++
					}
				}
			}
		}
	}
	return n
}
