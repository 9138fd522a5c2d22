package model

import (
	"math"

	"barrow/nn"
)

// A Grid is the numbers that a quantised layer makes, or that its kernel and bias are
// rounded to: the multiples of Step from Low·Step to High·Step.
type Grid struct {
	Step, Low, High float32
	Bits            int  // of a number, the sign counted
	Signed          bool // Low is −High − 1, else 0
	Floor           bool // rounded is down, else to the nearest, halves to even
}

// GridOf is the grid of a quantiser, or of the kernel of a layer that has one (Bits is not 0).
func GridOf(l nn.Layer) Grid {
	g := Grid{Bits: l.Bits, Floor: l.Rounding == nn.RoundFloor}
	fraction := l.Bits - l.Integer
	if l.Kind == nn.KindQuantizedReLU || l.Unsigned {
		g.High = float32(math.Exp2(float64(l.Bits)) - 1)
	} else {
		fraction--
		g.Signed = true
		g.High = float32(math.Exp2(float64(l.Bits-1)) - 1)
		g.Low = -g.High - 1
	}
	g.Step = float32(math.Exp2(float64(-fraction)))
	return g
}

// Round brings a number onto the grid; numbers beyond its ends become the ends.
func (g Grid) Round(x float32) float32 {
	v := float64(x) / float64(g.Step)
	if g.Floor {
		v = math.Floor(v)
	} else {
		v = math.RoundToEven(v)
	}
	return float32(max(min(v, float64(g.High)), float64(g.Low))) * g.Step
}
