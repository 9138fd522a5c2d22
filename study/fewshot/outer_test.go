package fewshot

import (
	"math"
	"slices"
	"testing"

	"barrow/autoencoder"
	"barrow/internal/counter"
)

// newOuter is an outer of a method on a bench, with rates that move the loss.
func newOuter(t *testing.T, b *bench, method string, p *Plan) (*outer, []float64) {
	t.Helper()
	c := &course{plan: p, l: b.learner, metric: benchmark(t)}
	rates := make([]float64, b.size)
	s := counter.New(4, 4)
	for i := range rates {
		rates[i] = 4e-2 * (0.5 + s.Float64())
	}
	return &outer{course: c, method: method, weights: make([]float64, b.size), rates: make([]float64, b.size)}, rates
}

// unrolled is the loss on the last wafers after steps on the first, all of it in float64.
func unrolled(t *testing.T, c *curvature, b *bench, p *Plan, start, rates []float64) float64 {
	t.Helper()
	w, shift := slices.Clone(start), make([]float64, b.size)
	zero, grad, skip := make([]float64, b.size), make([]float64, b.size), make([]float64, b.size)
	for range p.Steps {
		if _, err := c.hessian(t.Context(), w, zero, b.images, b.index[:p.Inner], grad, skip); err != nil {
			t.Fatal(err)
		}
		step(w, w, shift, rates, grad, p.Momentum)
	}
	v, err := c.hessian(t.Context(), w, zero, b.images, b.index[p.Inner:], grad, skip)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestMAMLGradient: in the second order, the gradients with respect to start and rates are those of the whole inner
// loop, by finite differences; the first order's is another.
func TestMAMLGradient(t *testing.T) {
	p := &Plan{Steps: 3, Inner: 8, Query: 8, Batch: 1, Momentum: 0.5}
	b := newBench(t, autoencoder.Architecture{}, 16)
	c, err := newCurvature(b.arch, benchmark(t))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]float64{}
	for _, method := range []string{byMAML, byFOMAML} {
		o, rates := newOuter(t, b, method, p)
		if err := o.add(t.Context(), b.weights, rates, &lesson{b.task, b.images}, b.index, 1); err != nil {
			t.Fatal(err)
		}
		found[method] = o.weights
		if method != byMAML {
			continue
		}
		const size = 1e-6
		want := (unrolled(t, c, b, p, moved(b.weights, b.direction, size), rates) - unrolled(t, c, b, p, moved(b.weights, b.direction, -size), rates)) / (2 * size)
		got := dot(o.weights, b.direction)
		if d := math.Abs(got - want); d > 2e-3*math.Abs(want) {
			t.Errorf("start: %v along the direction, %v by differences", got, want)
		}
		// The logarithms of the rates, along the same direction.
		scaled := func(step float64) []float64 {
			r := make([]float64, b.size)
			for i := range r {
				r[i] = rates[i] * math.Exp(step*b.direction[i])
			}
			return r
		}
		const wide = 1e-4
		want = (unrolled(t, c, b, p, b.weights, scaled(wide)) - unrolled(t, c, b, p, b.weights, scaled(-wide))) / (2 * wide)
		if got := dot(o.rates, b.direction); math.Abs(got-want) > 5e-3*math.Abs(want) {
			t.Errorf("rates: %v along the direction, %v by differences", got, want)
		}
	}
	if d := norm(moved(found[byMAML], found[byFOMAML], -1)); d < 1e-2*norm(found[byMAML]) {
		t.Errorf("first and second order differ by %v of %v", d, norm(found[byMAML]))
	}
}

// TestReptileOfOneStep is the gradient, times the rates.
func TestReptileOfOneStep(t *testing.T) {
	for _, a := range []autoencoder.Architecture{{}, {Precision: "asic"}} {
		b := newBench(t, a, 8)
		p := &Plan{Steps: 1, Inner: 8, Query: 0, Batch: 1}
		o, rates := newOuter(t, b, byReptile, p)
		if err := o.add(t.Context(), b.weights, rates, &lesson{b.task, b.images}, b.index, 1); err != nil {
			t.Fatal(err)
		}
		grad := make([]float64, b.size)
		if _, err := b.gradient(t.Context(), b.weights, b.task.bits(), b.images, b.index, 1, grad); err != nil {
			t.Fatal(err)
		}
		for i, g := range grad {
			if d := math.Abs(o.weights[i] - rates[i]*g); d > 1e-12 {
				t.Fatalf("%v: weight %d: %v, the gradient %v", a, i, o.weights[i], rates[i]*g)
			}
		}
	}
}

// TestReptileTurns: its steps are on all wafers in turn.
func TestReptileTurns(t *testing.T) {
	if got := turning([]int{5, 6, 7}, 2, 4); !slices.Equal(got, []int{7, 5, 6, 7}) {
		t.Error(got)
	}
}

// TestCosts: a task costs the wafers that its steps and what judges them take.
func TestCosts(t *testing.T) {
	p := &Plan{Steps: 5, Inner: 32, Query: 16}
	for method, want := range map[string]float64{byMAML: 5*32*4 + 16, byFOMAML: 5*32 + 16, byReptile: 5 * 32} {
		o := &outer{course: &course{plan: p}, method: method}
		if o.cost() != want {
			t.Errorf("%s: %v, want %v", method, o.cost(), want)
		}
	}
}
