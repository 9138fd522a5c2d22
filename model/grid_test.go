package model_test

import (
	"math"
	"testing"

	"barrow/model"
	"barrow/nn"
)

// TestGrid: quantisers with a sign and without, to the nearest and down.
func TestGrid(t *testing.T) {
	for _, c := range []struct {
		layer nn.Layer
		want  model.Grid
		in    []float32
		out   []float32
	}{
		{
			nn.Layer{Kind: nn.KindQuantizedBits, Bits: 4, Integer: 1},
			model.Grid{Step: 0.25, Low: -8, High: 7, Bits: 4, Signed: true},
			[]float32{0.125, 0.375, -0.125, -0.3, 5, -5}, []float32{0, 0.5, 0, -0.25, 1.75, -2},
		},
		{
			nn.Layer{Kind: nn.KindQuantizedBits, Bits: 4, Integer: 1, Rounding: nn.RoundFloor, Unsigned: true},
			model.Grid{Step: 0.125, High: 15, Bits: 4, Floor: true},
			[]float32{0.24, -0.01, 0.125, 5}, []float32{0.125, 0, 0.125, 1.875},
		},
		{
			nn.Layer{Kind: nn.KindQuantizedReLU, Bits: 3, Integer: 4},
			model.Grid{Step: 2, High: 7, Bits: 3},
			[]float32{1, 3, -3, 100}, []float32{0, 4, 0, 14},
		},
		{ // a kernel's
			nn.Layer{Kind: nn.KindDense, Bits: 6, Rounding: nn.RoundFloor},
			model.Grid{Step: 1. / 32, Low: -32, High: 31, Bits: 6, Signed: true, Floor: true},
			[]float32{-0.01, 1, float32(math.Inf(-1))}, []float32{-1. / 32, 31. / 32, -1},
		},
	} {
		g := model.GridOf(c.layer)
		if g != c.want {
			t.Errorf("%+v: %+v, want %+v", c.layer, g, c.want)
		}
		for i, x := range c.in {
			if got := g.Round(x); got != c.out[i] {
				t.Errorf("%+v: %v becomes %v, want %v", c.want, x, got, c.out[i])
			}
		}
	}
}
