package nn

import (
	"math"
)

// batchNorm normalises each channel over the batch and the pixels, and does
// the ReLU that may follow it.
type batchNorm struct {
	in, out     *edge
	l           LayerShape
	relu        bool
	folded      bool // outside training the layer before does this one's work
	gamma, beta *Param
	mean, vari  *Param // running

	// Per channel, of the pass under way.
	centre, scale []float32
	inverse       []float64 // 1/√(variance+ε)
	coefA, coefB  []float32

	// Per piece of the batch and channel, for reductions in a fixed order.
	part1, part2 []float32

	rows, parts int
	tasks       struct{ stats, apply, reduce, spread func(int) }
}

// statChunk is how many rows of one pixel are summed at once. It shows in the
// bits of the results.
const statChunk = 128

func newBatchNorm(n *Network, l LayerShape, in, out *edge, relu bool) *batchNorm {
	c := l.In.C
	o := &batchNorm{
		in: in, out: out, l: l, relu: relu,
		gamma: n.byName[l.Name+"/gamma"], beta: n.byName[l.Name+"/beta"],
		mean: n.byName[l.Name+"/moving_mean"], vari: n.byName[l.Name+"/moving_variance"],
		centre: make([]float32, c), scale: make([]float32, c),
		inverse: make([]float64, c), coefA: make([]float32, c), coefB: make([]float32, c),
	}
	pieces := in.groups() * ((in.rows(n.settings.MaxBatch) + statChunk - 1) / statChunk)
	o.part1, o.part2 = make([]float32, pieces*c), make([]float32, pieces*c)
	o.tasks.stats = func(i int) {
		lo, hi := o.piece(i)
		n.level.Moments(o.part1[i*c:(i+1)*c], o.part2[i*c:(i+1)*c], in.val[lo:hi])
	}
	o.tasks.apply = func(i int) {
		lo, hi := o.piece(i)
		n.level.Affine(out.val[lo:hi], in.val[lo:hi], o.centre, o.scale, o.beta.Value, relu)
	}
	o.tasks.reduce = func(i int) {
		lo, hi := o.piece(i)
		var y []float32
		if relu {
			y = out.val[lo:hi]
		}
		n.level.Correlate(o.part1[i*c:(i+1)*c], o.part2[i*c:(i+1)*c], out.grad[lo:hi], in.val[lo:hi], y, o.centre)
	}
	o.tasks.spread = func(i int) {
		lo, hi := o.piece(i)
		n.level.NormGrad(in.grad[lo:hi], out.grad[lo:hi], in.val[lo:hi], o.centre, o.scale, o.coefA, o.coefB)
	}
	return o
}

func (o *batchNorm) piece(i int) (lo, hi int) {
	c := o.l.In.C
	g, r0 := i/o.parts, i%o.parts*statChunk
	return (g*o.rows + r0) * c, (g*o.rows + min(r0+statChunk, o.rows)) * c
}

// aim sets the pieces for the batch under way and returns their number.
func (o *batchNorm) aim(n *Network) int {
	o.rows = o.in.rows(n.n)
	o.parts = (o.rows + statChunk - 1) / statChunk
	return o.in.groups() * o.parts
}

func (o *batchNorm) trainable() bool { return true }

func (o *batchNorm) forward(n *Network) {
	if o.folded && n.mode != Training {
		return // the layer before did it
	}
	pieces := o.aim(n)
	if n.mode == Training {
		n.team.run(pieces, o.tasks.stats)
		o.batchStatistics(pieces)
	} else {
		o.fix()
	}
	n.team.run(pieces, o.tasks.apply)
}

// fix sets the channels by the running statistics.
func (o *batchNorm) fix() {
	for c := range o.scale {
		o.setChannel(c, float64(o.mean.Value[c]), float64(o.vari.Value[c]))
	}
}

func (o *batchNorm) setChannel(c int, mean, variance float64) {
	inv := 1 / math.Sqrt(variance+o.l.Epsilon)
	scale := float64(o.gamma.Value[c]) * inv
	o.inverse[c] = inv
	o.centre[c] = float32(mean)
	o.scale[c] = float32(scale)
}

// batchStatistics merges the pieces' means and squared deviations in their
// order (Chan, Golub & LeVeque 1979) and moves the running statistics, whose
// variance is the biased one as in Keras.
func (o *batchNorm) batchStatistics(pieces int) {
	channels, keep := o.l.In.C, o.l.Momentum
	for c := range channels {
		count, mean, dev := 0.0, 0.0, 0.0
		for i := range pieces {
			lo, hi := o.piece(i)
			m := float64((hi - lo) / channels)
			delta := float64(o.part1[i*channels+c]) - mean
			total := count + m
			mean += delta * m / total
			dev += float64(o.part2[i*channels+c]) + delta*delta*count*m/total
			count = total
		}
		variance := dev / count
		o.setChannel(c, mean, variance)
		o.mean.Value[c] = float32(keep*float64(o.mean.Value[c]) + (1-keep)*mean)
		o.vari.Value[c] = float32(keep*float64(o.vari.Value[c]) + (1-keep)*variance)
	}
}

func (o *batchNorm) backward(n *Network, input, weights bool) {
	if o.folded && n.mode != Training {
		return
	}
	pieces := o.aim(n)
	n.team.run(pieces, o.tasks.reduce)
	count := float64(o.rows * o.in.groups())
	channels := o.l.In.C
	for c := range channels {
		o.coefA[c], o.coefB[c] = 0, 0
		if !weights {
			continue // running statistics are constants
		}
		var sum, dot float64
		for i := range pieces {
			sum += float64(o.part1[i*channels+c])
			dot += float64(o.part2[i*channels+c])
		}
		inv, scale := o.inverse[c], float64(o.scale[c])
		o.beta.Grad[c] += float32(sum)
		o.gamma.Grad[c] += float32(dot * inv)
		o.coefA[c] = float32(-scale * inv * inv * dot / count)
		o.coefB[c] = float32(-scale * sum / count)
	}
	if input {
		n.team.run(pieces, o.tasks.spread)
	}
}
