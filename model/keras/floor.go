package keras

import (
	"math"
	"slices"

	"barrow/nn"
)

// chargeBits are the fractional bits of an image of whole charges that sum to less
// than 2^20, divided by a power of 2.
const chargeBits = 20

// quantisedLayers are a network's layers in terms of what QKeras and hls4ml
// compute alike. An unsigned quantiser becomes a ReLU's, since hls4ml takes every
// quantized_bits for a signed one. A quantiser that rounds down, which QKeras has
// not, becomes one that rounds to the nearest of what is half a step less and
// half of the smallest part of a step more, so that no tie comes up: the bias of the
// layer before it takes that off, or that of a layer put there for it.
func quantisedLayers(n *nn.Network) []layerOut {
	var out []layerOut
	grid := chargeBits // fractional bits of what comes out of the last layer; -1 if any
	for _, l := range plainLayers(n) {
		if l.Name == "input" { // which hls4ml keeps for itself
			l.Name = "input_quantization"
		}
		if l.Kind == nn.KindQuantizedBits && l.Unsigned {
			l.Kind, l.Unsigned = nn.KindQuantizedReLU, false
		}
		if floors := l.Kind == nn.KindQuantizedReLU && l.Rounding == nn.RoundFloor; floors {
			shift(&out, l, grid)
			l.Rounding = nn.RoundNearest
		}
		grid = fraction(l.LayerShape, grid)
		out = append(out, l)
	}
	return out
}

// fraction is how many fractional bits a layer's output has if its input has grid.
func fraction(l nn.LayerShape, grid int) int {
	switch l.Kind {
	case nn.KindQuantizedReLU:
		return l.Bits - l.Integer
	case nn.KindQuantizedBits:
		return l.Bits - l.Integer - 1
	case nn.KindReLU, nn.KindFlatten, nn.KindReshape, nn.KindCrop:
		return grid
	case nn.KindConv2D, nn.KindConv2DTranspose, nn.KindDense:
		if grid >= 0 && l.Bits > 0 {
			return grid + max(0, l.Bits-l.Integer-1)
		}
	}
	return -1
}

// most is how many fractional bits a shifted bias may have: more do not fit into
// float32 beside values of 1 and above.
const most = 22

// shift takes off half a step of the quantiser q, which rounds what has grid
// fractional bits down.
func shift(layers *[]layerOut, q layerOut, grid int) {
	bits := min(grid+1, most)
	if grid < 0 {
		bits = most
	}
	by := math.Exp2(float64(-bits)) - math.Exp2(float64(q.Integer-q.Bits-1))
	at := len(*layers) - 1
	for at >= 0 && slices.Contains([]string{nn.KindReLU, nn.KindFlatten, nn.KindReshape}, (*layers)[at].Kind) {
		at--
	}
	if at < 0 || (*layers)[at].Bits == 0 || len((*layers)[at].weights) < 2 || (*layers)[at].bias != nil {
		*layers = append(*layers, identity(q))
		at = len(*layers) - 1
	}
	l := &(*layers)[at]
	l.bias = &quantizer{kind: nn.KindQuantizedBits, bits: bits + l.Integer + 2, integer: l.Integer + 1}
	b := l.weights[1].Data
	for i, v := range b {
		b[i] = float32(float64(nearest(v, l.Bits, l.Integer)) + by)
	}
}

// nearest rounds a weight as QKeras' quantized_bits does.
func nearest(v float32, bits, integer int) float32 {
	scale := math.Exp2(float64(bits - integer - 1))
	limit := math.Exp2(float64(bits - 1))
	return float32(min(max(math.RoundToEven(float64(v)*scale), -limit), limit-1) / scale)
}

// identity is a layer that changes nothing, for the sake of its bias.
func identity(q layerOut) layerOut {
	c := q.In.C
	kernel := make([]float32, c*c)
	for i := range c {
		kernel[i*c+i] = 1
	}
	l := layerOut{LayerShape: nn.LayerShape{In: q.In, Out: q.In}}
	l.Layer = nn.Layer{Kind: nn.KindConv2D, Name: q.Name + "_down", Filters: c, Kernel: 1, Stride: 1, Padding: nn.PaddingValid, Bits: 3, Integer: 1}
	shape := []int{1, 1, c, c}
	if q.In.H == 1 && q.In.W == 1 {
		l.Layer = nn.Layer{Kind: nn.KindDense, Name: l.Name, Units: c, Bits: l.Bits, Integer: l.Integer}
		shape = shape[2:]
	}
	l.weights = []Weight{{Name: "kernel", Shape: shape, Data: kernel}, {Name: "bias", Shape: []int{c}, Data: make([]float32, c)}}
	return l
}
