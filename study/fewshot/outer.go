package fewshot

import (
	"context"
)

// An outer adds up, over tasks, the gradient of the loss after the steps inside with respect to the start and to the
// logarithms of the steps' rates.
type outer struct {
	*course
	method         string
	weights, rates []float64

	path  [][]float64 // the weights at every step inside
	slope [][]float64 // the gradients there
	back  []float64   // λ: the gradient with respect to the weights at a step
	push  []float64   // μ: the same with respect to the step's shift; forward, the shift
	along []float64   // rates·μ
	skip  []float64
	turn  []float64 // the Hessian's product
}

// productCost is what a product with a Hessian counts in passes: those forward and backward, and their tangents.
const productCost = 3

// cost is what a task costs, in wafers forward and backward.
func (o *outer) cost() float64 {
	steps := float64(o.plan.Steps * o.plan.Inner)
	switch o.method {
	case byMAML:
		return steps*(1+productCost) + float64(o.plan.Query)
	case byReptile:
		return steps
	}
	return steps + float64(o.plan.Query)
}

// add adds a task's gradients, with a weight. The first of the wafers with these numbers are stepped on, the others
// judge; Reptile, which does not judge, steps on all of them in turn.
func (o *outer) add(ctx context.Context, start, rates []float64, t *lesson, index []int, scale float64) error {
	p := o.plan
	o.prepare(len(start))
	inner, query := index[:p.Inner], index[p.Inner:]
	copy(o.path[0], start)
	clear(o.push)
	for k := range p.Steps {
		on := inner
		if o.method == byReptile {
			on = turning(index, k*p.Inner, p.Inner)
		}
		g := o.slope[k]
		clear(g)
		if _, err := o.l.gradient(ctx, o.path[k], t.task.bits(), t.images, on, 1, g); err != nil {
			return err
		}
		step(o.path[k+1], o.path[k], o.push, rates, g, p.Momentum)
	}
	if o.method == byReptile {
		for i, w := range o.path[p.Steps] {
			o.weights[i] += scale * (start[i] - w)
		}
		return nil
	}
	clear(o.back)
	if _, err := o.l.gradient(ctx, o.path[p.Steps], t.task.bits(), t.images, query, 1, o.back); err != nil {
		return err
	}
	return o.unroll(ctx, rates, t, inner, scale)
}

// unroll goes back through the steps. Of a step u' = u − m', m' = β·m + ρ·g(u), the shift's gradient is
// μ = β·μ' − λ', and λ = λ' + H·(ρ·μ); a rate's logarithm gets ρ·g·μ. The first order leaves the Hessian H out.
func (o *outer) unroll(ctx context.Context, rates []float64, t *lesson, inner []int, scale float64) error {
	clear(o.push)
	for k := o.plan.Steps - 1; k >= 0; k-- {
		for i, v := range o.back {
			o.push[i] = o.plan.Momentum*o.push[i] - v
			o.along[i] = rates[i] * o.push[i]
			o.rates[i] += scale * o.along[i] * o.slope[k][i]
		}
		if o.method != byMAML {
			continue
		}
		c, err := o.curvatureOf(t.task)
		if err != nil {
			return err
		}
		if _, err := c.hessian(ctx, o.path[k], o.along, t.images, inner, o.skip, o.turn); err != nil {
			return err
		}
		for i, v := range o.turn {
			o.back[i] += v
		}
	}
	for i, v := range o.back {
		o.weights[i] += scale * v
	}
	return nil
}

func (o *outer) prepare(size int) {
	if o.path != nil {
		return
	}
	for range o.plan.Steps + 1 {
		o.path, o.slope = append(o.path, make([]float64, size)), append(o.slope, make([]float64, size))
	}
	for _, v := range []*[]float64{&o.back, &o.push, &o.along, &o.skip, &o.turn} {
		*v = make([]float64, size)
	}
}

// curvatureOf is that of the networks on the task's links.
func (c *course) curvatureOf(t Task) (*curvature, error) {
	bits := t.bits()
	if c.l.arch.Precision == "float" {
		bits = 0
	}
	if have := c.curve[bits]; have != nil {
		return have, nil
	}
	a := c.l.arch
	a.LatentBits = bits
	made, err := newCurvature(a, c.metric)
	if err != nil {
		return nil, err
	}
	if c.curve == nil {
		c.curve = map[int]*curvature{}
	}
	c.curve[bits] = made
	return made, nil
}

// step takes weights down a gradient, with what is left of the shift of the step before.
func step(to, from, shift, rates, grad []float64, momentum float64) {
	for i, w := range from {
		shift[i] = momentum*shift[i] + rates[i]*grad[i]
		to[i] = w - shift[i]
	}
}

// turning are k of the numbers from the at-th on, the first again behind the last.
func turning(index []int, at, k int) []int {
	out := make([]int, k)
	for i := range out {
		out[i] = index[(at+i)%len(index)]
	}
	return out
}
