package fewshot

import (
	"context"
	"fmt"
	"math"

	"barrow/autoencoder"
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
	along []float64   // rates·λ
	skip  []float64
	turn  []float64 // the Hessian's product
}

// productCost is what a product with a Hessian counts in passes: those forward and backward, and their tangents.
const productCost = 3

// cost is what a task costs, in wafers forward and backward.
func (o *outer) cost() float64 {
	steps := float64(o.plan.Steps * o.plan.Inner)
	switch o.method {
	case MAML:
		return steps*(1+productCost) + float64(o.plan.Query)
	case Reptile:
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
	for k := range p.Steps {
		on := inner
		if o.method == Reptile {
			on = turning(index, k*p.Inner, p.Inner)
		}
		g := o.slope[k]
		clear(g)
		if _, err := o.l.gradient(ctx, o.path[k], t.task.bits(), t.images, on, 1, g); err != nil {
			return err
		}
		step(o.path[k+1], o.path[k], rates, g)
	}
	if o.method == Reptile {
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

// unroll goes back through the steps: from weights u' = u − rates·g(u), λ becomes λ − H·(rates·λ), and a rate's
// logarithm gets −rate·g·λ. The first order leaves the Hessian H out.
func (o *outer) unroll(ctx context.Context, rates []float64, t *lesson, inner []int, scale float64) error {
	for k := o.plan.Steps - 1; k >= 0; k-- {
		for i, v := range o.back {
			o.along[i] = rates[i] * v
			o.rates[i] -= scale * o.along[i] * o.slope[k][i]
		}
		if o.method != MAML {
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
			o.back[i] -= v
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
	for _, v := range []*[]float64{&o.back, &o.along, &o.skip, &o.turn} {
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

// step takes weights down a gradient.
func step(to, from, rates, grad []float64) {
	for i, w := range from {
		to[i] = w - rates[i]*grad[i]
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

// A tuning is a way to tune a start on a task: a method and its rate.
type tuning struct {
	// Way is "rates", the start's own; "sgd"; "adam", from nothing; or "warm", Adam with the second moments that
	// training has left.
	Way  string  `json:"way"`
	Rate float64 `json:"rate"` // of rates, times what they are
}

// String is the tuning in words.
func (t tuning) String() string {
	switch t.Way {
	case "rates":
		return fmt.Sprintf("its own rates × %g", t.Rate)
	case "sgd":
		return fmt.Sprintf("plain steps at %g", t.Rate)
	case "adam":
		return fmt.Sprintf("Adam at %g", t.Rate)
	}
	return fmt.Sprintf("Adam at %g, with the moments of training", t.Rate)
}

// tunings are what is tried of every start; its own rates where it has some.
func (s *state) tunings() (list []tuning) {
	if s.Base != nil {
		list = append(list, tuning{"rates", 1})
	}
	for _, t := range []struct {
		way   string
		rates []float64
	}{{"sgd", []float64{1e-3, 3e-3, 1e-2, 3e-2}}, {"adam", []float64{1e-4, 3e-4, 1e-3}}, {"warm", []float64{3e-5, 1e-4, 3e-4, 1e-3}}} {
		for _, r := range t.rates {
			list = append(list, tuning{t.way, r})
		}
	}
	return list
}

// tune steps from a start on wafers of a task; see gets the weights before the first step and after each.
func (l *learner) tune(ctx context.Context, s *state, by tuning, task Task, images *autoencoder.Prepared, index []int, steps int, see func(weights []float64) error) error {
	w := append([]float64{}, s.Weights...)
	grad, rates := make([]float64, l.size), make([]float64, l.size)
	if by.Way == "rates" {
		rates = s.rates()
	}
	for i := range rates {
		switch by.Way {
		case "rates":
			rates[i] *= by.Rate
		case "sgd":
			rates[i] = by.Rate
		}
	}
	var a adam
	moments := s.Adam.V
	for k := 0; ; k++ {
		if err := see(w); err != nil || k == steps {
			return err
		}
		clear(grad)
		if _, err := l.gradient(ctx, w, task.bits(), images, index, 1, grad); err != nil {
			return err
		}
		switch by.Way {
		case "adam":
			a.update(w, grad, by.Rate)
		case "warm":
			for i, g := range grad {
				rates[i] = by.Rate
				if i < len(moments) {
					rates[i] /= math.Sqrt(moments[i]) + leastGradient
				}
				w[i] -= rates[i] * g
			}
		default:
			step(w, w, rates, grad)
		}
	}
}
