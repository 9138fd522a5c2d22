package onnx

import (
	"errors"
	"fmt"
	"math"

	"barrow/model"
	"barrow/nn"
)

// errProducts is of what Barrow writes of the chip's encoders.
var errProducts = errors.New("it rounds without limits, as exports of the precision asic do with single products, which no layer does: run the model as it stands (model run), or take Barrow's own weights file or the chip's registers")

// integerBits is how many bits a number of a grid has before the point, the sign not counted.
func integerBits(g model.Grid) int {
	i := g.Bits + int(math.Round(math.Log2(float64(g.Step))))
	if g.Signed {
		i--
	}
	return i
}

func powerOfTwo(v float64) bool {
	f, _ := math.Frexp(v)
	return v > 0 && f == 0.5
}

// gridFor is the grid of steps between two whole numbers; an error where no number
// format has it.
func gridFor(step, low, high float64, floor bool) (model.Grid, error) {
	g := model.Grid{Step: float32(step), Low: float32(low), High: float32(high), Floor: floor, Signed: low < 0}
	n := high + 1
	if g.Signed {
		n *= 2
	}
	if !powerOfTwo(step) || !powerOfTwo(n) || n < 2 || g.Signed && low != -high-1 || low > 0 {
		return g, fmt.Errorf("it rounds to steps of %v from %v to %v of them: supported are steps of a power of two, and all numbers of some bits, with a sign or without", step, low, high)
	}
	g.Bits = int(math.Round(math.Log2(n)))
	return g, nil
}

// quantGrid is the grid of a Quant node of QONNX.
func (l *lowering) quantGrid(n *node) (model.Grid, error) {
	c := &call{node: n}
	scale, ok := l.scalar(n, 1)
	zero, ok2 := l.scalar(n, 2)
	bits, ok3 := l.scalar(n, 3)
	switch {
	case !ok || !ok2 || !ok3:
		return model.Grid{}, errors.New("a scale, zero point or number of bits for each channel, or computed: supported is one number of each")
	case zero != 0:
		return model.Grid{}, fmt.Errorf("the zero point is %v: supported is 0", zero)
	case c.int("narrow", 0) != 0:
		return model.Grid{}, errors.New("narrow is not supported: no number format lacks the lowest number")
	}
	mode := c.text("rounding_mode", "ROUND")
	if mode != "ROUND" && mode != "FLOOR" {
		return model.Grid{}, fmt.Errorf("rounding_mode %q is not supported: supported are ROUND and FLOOR", mode)
	}
	low, high := quantRange(bits, c.int("signed", 1) != 0, false)
	return gridFor(scale, low, high, mode == "FLOOR")
}

func (l *lowering) quant(n *node, v *flow) (*flow, error) {
	g, err := l.quantGrid(n)
	if err != nil {
		return nil, err
	}
	return l.rounded(n, v, g)
}

// rounded adds a quantiser's layer. One without a sign behind a ReLU is that of a
// quantised ReLU.
func (l *lowering) rounded(n *node, v *flow, g model.Grid) (*flow, error) {
	y := &layer{Layer: nn.Layer{Kind: nn.KindQuantizedBits, Name: l.named(n), Unsigned: !g.Signed}}
	if at := len(v.layers) - 1; !g.Signed && at >= 0 {
		switch v.layers[at].Kind {
		case nn.KindReLU:
			w := *v
			w.layers = v.layers[:at]
			v = &w
			y.Kind, y.Unsigned = nn.KindQuantizedReLU, false
		case nn.KindConv2D, nn.KindConv2DTranspose, nn.KindDense, nn.KindBatchNorm:
			y.Kind, y.Unsigned = nn.KindQuantizedReLU, false
		}
	}
	y.format(g)
	return v.with(y)
}

// quantizeLinear rounds to whole numbers of 8 bits, which must be brought back at once.
func (l *lowering) quantizeLinear(n *node, v *flow) (*flow, error) {
	scale, ok := l.scalar(n, 1)
	end := l.only(n, "DequantizeLinear")
	if !ok || end == nil {
		return nil, errors.New("supported is one scale, and DequantizeLinear directly behind it")
	}
	for _, m := range []*node{n, end} {
		zero, _ := l.scalar(m, 2)
		if s, ok := l.scalar(m, 1); !ok || s != scale || zero != 0 {
			return nil, errors.New("supported is the same scale before and behind, and the zero point 0")
		}
	}
	low, high := 0.0, 255.0
	if t := l.constant(n, 2); t != nil && t.dtype == typeInt8 {
		low, high = -128, 127
	} else if t != nil && t.dtype != typeUint8 || t == nil && n.attr("output_dtype") != nil {
		return nil, errors.New("supported are whole numbers of 8 bits")
	}
	g, err := gridFor(scale, low, high, false)
	if err != nil {
		return nil, err
	}
	if v, err = l.rounded(end, v, g); err != nil {
		return nil, err
	}
	l.done[end] = true
	l.values[end.out[0]] = v
	return v, nil
}

// chain recognises a quantiser of single operations: a multiplication by 1/step,
// rounding, limits, and a division by it, or each the other way round.
func (l *lowering) chain(n *node, v *flow, unit float64) (*flow, bool, error) {
	round := l.only(n, "Round", "Floor")
	if round == nil {
		if clip := l.only(n, "Clip"); clip == nil || l.only(clip, "Round", "Floor") == nil {
			return nil, false, nil
		}
	}
	low, high := math.Inf(-1), math.Inf(1)
	floor := false
	last := n
	for range 2 {
		next := l.only(last, "Round", "Floor", "Clip")
		if next == nil {
			break
		}
		if next.op == "Clip" {
			low, high = l.limits(next)
		} else {
			floor = next.op == "Floor"
		}
		last = next
		l.done[next] = true
	}
	end := l.only(last, "Div", "Mul")
	if end == nil {
		return nil, true, errProducts
	}
	back, ok := l.scalar(end, 1)
	if !ok {
		back, ok = l.scalar(end, 0)
	}
	if end.op == "Mul" {
		back = 1 / back
	}
	if math.IsInf(low, 0) || math.IsInf(high, 0) {
		return nil, true, errProducts
	}
	if !ok || back != unit {
		return nil, true, fmt.Errorf("numbers are rounded behind it, but not brought back by the same factor")
	}
	l.done[end] = true
	g, err := gridFor(1/unit, low, high, floor)
	if err != nil {
		return nil, true, err
	}
	v, err = l.rounded(end, v, g)
	if err == nil {
		l.values[end.out[0]] = v
	}
	return v, true, err
}

// limits are those of a Clip.
func (l *lowering) limits(n *node) (low, high float64) {
	c := &call{node: n}
	low, high = c.float("min", math.Inf(-1)), c.float("max", math.Inf(1))
	if v, ok := l.scalar(n, 1); ok {
		low = v
	}
	if v, ok := l.scalar(n, 2); ok {
		high = v
	}
	return low, high
}

func (l *lowering) clip(n *node, v *flow) (*flow, error) {
	low, high := l.limits(n)
	if low == 0 && high >= math.MaxFloat32 {
		return l.each(n, v, nn.KindReLU)
	}
	if low <= -math.MaxFloat32 && high >= math.MaxFloat32 {
		return v, nil
	}
	return nil, fmt.Errorf("it keeps numbers between %v and %v, which no layer does but a quantiser", low, high)
}

// rounding that belongs to no quantiser.
func (l *lowering) rounding(*node, *flow) (*flow, error) {
	return nil, errProducts
}
