package onnx

import (
	"fmt"
	"math"
	"strings"
)

// scales gives the scale and zero point of every number: one for all, or one along an
// axis.
func (c *call) scales() (at func(i int) (scale, zero float64), err error) {
	x, scale, zero := c.in[0], c.in[1], c.input(2)
	if c.int("block_size", 0) != 0 {
		return nil, fmt.Errorf("blocks are not supported")
	}
	if zero != nil && len(zero.data) != len(scale.data) {
		return nil, fmt.Errorf("%d scales and %d zero points", len(scale.data), len(zero.data))
	}
	n, inner := 1, 1
	if len(scale.data) != 1 {
		a, err := axis(c.int("axis", 1), len(x.shape))
		if err != nil {
			return nil, err
		}
		if n = x.shape[a]; n != len(scale.data) {
			return nil, fmt.Errorf("%d scales for %d", len(scale.data), n)
		}
		for _, d := range x.shape[a+1:] {
			inner *= d
		}
	}
	return func(i int) (float64, float64) {
		k := i / inner % n
		if zero == nil {
			return scale.data[k], 0
		}
		return scale.data[k], zero.data[k]
	}, nil
}

func quantize(c *call) (*tensor, error) {
	at, err := c.scales()
	if err != nil {
		return nil, err
	}
	dtype := int64(c.int("output_dtype", 0))
	if dtype == 0 {
		dtype = typeUint8
		if z := c.input(2); z != nil {
			dtype = z.dtype
		}
	}
	kind := numerics[dtype]
	if !kind.whole || kind.size > 2 || dtype == typeBool {
		return nil, fmt.Errorf("quantising to the type %d is not supported; supported are whole numbers of 8 and 16 bits", dtype)
	}
	low, high := limits(dtype)
	out := &tensor{dtype, c.in[0].shape, make([]float64, len(c.in[0].data))}
	for i, v := range c.in[0].data {
		scale, zero := at(i)
		out.data[i] = min(max(math.RoundToEven(settle(c.in[0].dtype, v/scale))+zero, low), high)
	}
	return out, nil
}

func dequantize(c *call) (*tensor, error) {
	at, err := c.scales()
	if err != nil {
		return nil, err
	}
	out := &tensor{c.in[1].dtype, c.in[0].shape, make([]float64, len(c.in[0].data))}
	for i, v := range c.in[0].data {
		scale, zero := at(i)
		out.data[i] = (v - zero) * scale
	}
	return out.settle(), nil
}

// quant4 is QONNX' Quant of x, scale, zero point and bits.
func quant4(c *call) (*tensor, error) {
	x, scale, zero, bits := c.in[0], c.in[1], c.in[2], c.in[3]
	round, err := rounding(c.text("rounding_mode", "ROUND"))
	if err != nil {
		return nil, err
	}
	signed, narrow := c.int("signed", 1) != 0, c.int("narrow", 0) != 0
	shape, err := broadcast(x.shape, scale.shape, zero.shape, bits.shape)
	if err != nil {
		return nil, err
	}
	for _, b := range bits.data {
		if !(b >= 1 && b <= 64) {
			return nil, fmt.Errorf("%g bits, want 1 to 64", b)
		}
	}
	out, err := newTensor(x.dtype, shape...)
	if err != nil {
		return nil, err
	}
	steps := [][]int{spread(x.shape, shape), spread(scale.shape, shape), spread(zero.shape, shape), spread(bits.shape, shape)}
	walk(shape, steps, func(i int, at []int) {
		s, z := scale.data[at[1]], zero.data[at[2]]
		low, high := quantRange(bits.data[at[3]], signed, narrow)
		v := min(max(x.data[at[0]]/s+z, low), high)
		out.data[i] = (round(v) - z) * s
	})
	return out.settle(), nil
}

// quantRange is the smallest and the largest whole number.
func quantRange(bits float64, signed, narrow bool) (low, high float64) {
	high = math.Exp2(bits) - 1
	if signed {
		low, high = -math.Exp2(bits-1), math.Exp2(bits-1)-1
		if narrow {
			low++
		}
	} else if narrow {
		high--
	}
	return low, high
}

func rounding(mode string) (func(float64) float64, error) {
	switch strings.ToUpper(mode) {
	case "ROUND", "HALF_EVEN":
		return math.RoundToEven, nil
	case "FLOOR":
		return math.Floor, nil
	case "CEIL":
		return math.Ceil, nil
	case "ROUND_TO_ZERO", "DOWN":
		return math.Trunc, nil
	case "UP":
		return func(v float64) float64 { return math.Copysign(math.Ceil(math.Abs(v)), v) }, nil
	case "HALF_UP":
		return func(v float64) float64 { return math.Copysign(math.Floor(math.Abs(v)+0.5), v) }, nil
	case "HALF_DOWN":
		return func(v float64) float64 { return math.Copysign(math.Ceil(math.Abs(v)-0.5), v) }, nil
	}
	return nil, fmt.Errorf("rounding_mode %q is not supported", mode)
}

// bipolar gives the scale with the sign of x.
func bipolar(c *call) (*tensor, error) {
	return combine(c.in[0], c.in[1], c.in[0].dtype, func(v, s float64) float64 {
		if v < 0 {
			return -s
		}
		return s
	})
}
