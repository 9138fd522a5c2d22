package nn

import "barrow/nn/internal/kernel"

// A fork lets the output of a layer be used twice: by the next layer, and by
// those that add it later on. Its two edges share their values; the gradient
// of the first is the sum of what comes back.
type fork struct {
	in, out *edge
	adds    []*add
	total   int
	bwd     func(int)
}

func newFork(level kernel.Level, in, out *edge) *fork {
	o := &fork{in: in, out: out}
	o.bwd = func(i int) {
		lo, hi := i*valueChunk, min((i+1)*valueChunk, o.total)
		copy(in.grad[lo:hi], out.grad[lo:hi])
		for _, a := range o.adds {
			level.Blend(in.grad[lo:hi], a.out.grad[lo:hi], 1, 1)
		}
	}
	return o
}

func (o *fork) trainable() bool { return false }

func (o *fork) forward(*Network) {}

func (o *fork) backward(n *Network, input, _ bool) {
	if input {
		o.total = o.in.size(n.n)
		n.team.run((o.total+valueChunk-1)/valueChunk, o.bwd)
	}
}

// add adds the values of a fork's edge. It leaves the gradient of its output as
// it is: the fork reads it.
type add struct {
	in, out, from *edge
	total         int
	fwd, bwd      func(int)
}

func newAdd(level kernel.Level, in, out, from *edge) *add {
	o := &add{in: in, out: out, from: from}
	o.fwd = func(i int) {
		lo, hi := i*valueChunk, min((i+1)*valueChunk, o.total)
		copy(out.val[lo:hi], in.val[lo:hi])
		level.Blend(out.val[lo:hi], from.val[lo:hi], 1, 1)
	}
	o.bwd = func(i int) {
		lo, hi := i*valueChunk, min((i+1)*valueChunk, o.total)
		copy(in.grad[lo:hi], out.grad[lo:hi])
	}
	return o
}

func (o *add) trainable() bool { return false }

func (o *add) forward(n *Network) {
	o.total = o.out.size(n.n)
	n.team.run((o.total+valueChunk-1)/valueChunk, o.fwd)
}

func (o *add) backward(n *Network, input, _ bool) {
	if input {
		n.team.run((o.total+valueChunk-1)/valueChunk, o.bwd)
	}
}
