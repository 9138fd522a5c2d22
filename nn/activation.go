package nn

import (
	"math"

	"barrow/nn/internal/kernel"
)

// activation is a layer that acts on each value alone.
type activation struct {
	in, out *edge
	level   kernel.Level
	kind    string
	q       quantiser
	total   int
	fwd     func(int)
	bwd     func(int)
}

// valueChunk is how many values one task of an elementwise layer covers.
const valueChunk = 8192

func newActivation(level kernel.Level, l LayerShape, in, out *edge) *activation {
	o := &activation{in: in, out: out, level: level, kind: l.Kind, q: newQuantiser(l.Layer)}
	o.fwd = func(i int) {
		lo, hi := i*valueChunk, min((i+1)*valueChunk, o.total)
		o.apply(out.val[lo:hi], in.val[lo:hi])
	}
	o.bwd = func(i int) {
		lo, hi := i*valueChunk, min((i+1)*valueChunk, o.total)
		o.gradient(in.grad[lo:hi], out.grad[lo:hi], in.val[lo:hi], out.val[lo:hi])
	}
	return o
}

func (o *activation) trainable() bool { return false }

func (o *activation) forward(n *Network) {
	o.total = o.out.size(n.n)
	n.team.run((o.total+valueChunk-1)/valueChunk, o.fwd)
}

func (o *activation) backward(n *Network, input, _ bool) {
	if input {
		n.team.run((o.total+valueChunk-1)/valueChunk, o.bwd)
	}
}

func (o *activation) apply(y, x []float32) {
	switch o.kind {
	case KindReLU:
		for i, v := range x {
			y[i] = max(v, 0)
		}
	case KindSigmoid:
		o.level.Sigmoid(y, x)
	case KindSiLU:
		o.level.SiLU(y, x)
	case KindSquare:
		for i, v := range x {
			y[i] = v * v
		}
	case KindTanh:
		for i, v := range x {
			y[i] = float32(math.Tanh(float64(v)))
		}
	default:
		o.q.apply(o.level, y, x)
	}
}

func (o *activation) gradient(dx, dy, x, y []float32) {
	switch o.kind {
	case KindReLU:
		kernel.MaskReLU(dx, dy, y)
	case KindSigmoid:
		o.level.SigmoidGrad(dx, dy, y)
	case KindSiLU:
		o.level.SiLUGrad(dx, dy, x)
	case KindSquare:
		for i, v := range x {
			dx[i] = 2 * v * dy[i]
		}
	case KindTanh:
		for i, v := range y {
			dx[i] = dy[i] * (1 - v*v)
		}
	case KindQuantizedReLU:
		top := o.q.high * o.q.step
		for i, v := range x {
			if v > 0 && v <= top {
				dx[i] = dy[i]
			} else {
				dx[i] = 0
			}
		}
	default: // quantized_bits: straight through
		copy(dx, dy)
	}
}

// A quantiser rounds to multiples of step between low·step and high·step.
type quantiser struct {
	step, low, high float32
	floor           bool
}

// newQuantiser follows QKeras' quantized_bits(bits, integer, keep_negative,
// alpha=1), for weights too, and quantized_relu(bits, integer).
func newQuantiser(l Layer) quantiser {
	fraction := l.Bits - l.Integer - 1
	q := quantiser{floor: l.Rounding == RoundFloor}
	if l.Kind == KindQuantizedReLU || l.Unsigned {
		fraction++
		q.high = float32(math.Exp2(float64(l.Bits)) - 1)
	} else {
		q.high = float32(math.Exp2(float64(l.Bits-1)) - 1)
		q.low = -float32(math.Exp2(float64(l.Bits - 1)))
	}
	q.step = float32(math.Exp2(float64(-fraction)))
	return q
}

func (q quantiser) apply(level kernel.Level, y, x []float32) {
	level.Quantise(y, x, q.step, q.low, q.high, q.floor)
}
