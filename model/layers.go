package model

import (
	"fmt"
	"math"

	"barrow/nn"
)

// A Layer is a layer or an operation of a model, as a reader is told of it.
type Layer struct {
	Name            string `json:"name"`
	Kind            string `json:"kind"`
	Shape           []int  `json:"shape"` // of what it makes of one sample; nil where it is not known
	Parameters      int    `json:"parameters"`
	Multiplications int    `json:"multiplications"`     // of numbers with parameters, a sample
	Quantiser       string `json:"quantiser,omitempty"` // how its weights or its results are rounded
}

// A Describer is a Runner that can tell of the model's layers.
type Describer interface {
	Runner
	Layers() []Layer
}

// Layers tells of the layers of a network.
func Layers(net *nn.Network) []Layer {
	var out []Layer
	for _, l := range net.Layers() {
		d := Layer{Name: l.Name, Kind: l.Kind, Shape: vectorShape(0, l.Out)[1:], Multiplications: multiplications(l), Quantiser: quantiser(l)}
		for _, part := range []string{"kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"} {
			if p := net.Param(l.Name + "/" + part); p != nil {
				d.Parameters += len(p.Value)
			}
		}
		out = append(out, d)
	}
	return out
}

func (r *network) Layers() []Layer { return Layers(r.net) }

// multiplications counts those with weights, padding counted as pixels. Within a pair
// a layer works twice.
func multiplications(l nn.LayerShape) int {
	n := 0
	switch l.Kind {
	case nn.KindConv2D:
		n = l.Kernel * l.Kernel * l.In.C * l.Out.Size()
	case nn.KindConv2DTranspose:
		n = l.Kernel * l.Kernel * l.Out.C * l.In.Size()
	case nn.KindDense:
		n = l.In.Size() * l.Units
	case nn.KindBatchNorm:
		n = l.Out.Size()
	}
	if l.Doubled {
		n *= 2
	}
	return n
}

func quantiser(l nn.LayerShape) string {
	if l.Bits == 0 {
		return ""
	}
	g, of := GridOf(l.Layer), "weights"
	if l.Kind == nn.KindQuantizedReLU || l.Kind == nn.KindQuantizedBits {
		of = "results"
	}
	sign, rounding := "not negative", "to the nearest"
	if g.Signed {
		sign = "signed"
	}
	if g.Floor {
		rounding = "down"
	}
	return fmt.Sprintf("%s of %d bits, %s, in steps of 2^%d, rounded %s", of, g.Bits, sign, math.Ilogb(float64(g.Step)), rounding)
}
