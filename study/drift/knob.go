package drift

import (
	"context"
	"math"
	"slices"
)

// A knob tunes a vector by what arrives. It has decoder, expectation and frames, and nothing of events:
// what was there to measure cannot reach it (TestNoTruth).
type knob struct {
	decoder      *decoder
	expected     *expectation
	method       string
	measurements int
	seed         uint64

	offsets   int       // how many of the vector's numbers are added to outputs, the first ones
	scale     []float64 // by how much each moves
	low, high []float64
	at        []float64 // the vector, where the last step left it
	steps     int
	shapes    []float64
}

// The scale of a number is by how much it has to change for the cost of the new detector's frames to
// grow by rise, at most its usual one, and at least leastScale of that.
const (
	rise       = 3
	leastScale = 0.05
	probe      = 0.2 // of the usual scale, at which the cost's curvature is measured
)

// set makes the vector of a kind, of 0, for a detector that sends such frames when it is new.
func (k *knob) set(vector string, sent *frames) error {
	if vector != onConditions {
		k.scale = spreads(sent)
	}
	k.offsets = len(k.scale)
	for range k.offsets {
		k.low, k.high = append(k.low, math.Inf(-1)), append(k.high, math.Inf(1))
	}
	if vector != onOutputs {
		k.scale = append(k.scale, conditionScale[:]...)
		k.low, k.high = append(k.low, family.low[:]...), append(k.high, family.high[:]...)
	}
	k.at = make([]float64, len(k.scale))
	rest, err := k.cost(sent, k.at)
	if err != nil {
		return err
	}
	for i, usual := range k.scale {
		p := slices.Clone(k.at)
		p[i] = probe * usual
		if k.high[i] < p[i] {
			p[i] = -p[i]
		}
		c, err := k.cost(sent, p)
		if err != nil {
			return err
		}
		bend := (c - rest) / (p[i] * p[i])
		k.scale[i] = usual
		if bend > 0 {
			k.scale[i] = min(usual, max(leastScale*usual, math.Sqrt(rise/bend)))
		}
	}
	return nil
}

// spreads are the outputs' standard deviations, at least one of their steps.
func spreads(f *frames) []float64 {
	out := make([]float64, latent)
	for k := range out {
		a, b, n := 0.0, 0.0, float64(f.len())
		for i := range f.len() {
			v := float64(f.outputs[i*latent+k])
			a, b = a+v/n, b+v*v/n
		}
		out[k] = max(1.0/256, math.Sqrt(max(0, b-a*a)))
	}
	return out
}

// shift is what a vector adds.
func (k *knob) shift(p []float64) shift {
	by := shift{conditions: p[k.offsets:]}
	if k.offsets > 0 {
		by.outputs = p[:k.offsets]
	}
	return by
}

// cost is how far what is decoded with a vector is from what it should be.
func (k *knob) cost(f *frames, p []float64) (float64, error) {
	by := k.shift(p)
	shapes, err := k.decoder.decode(f, by, k.shapes)
	if err != nil {
		return 0, err
	}
	k.shapes = shapes
	return k.expected.cost(summarise(f, shapes), by.conditions)
}

// tune tunes the vector by a step's frames, from where the last one left it, and returns the cost
// there. A vector that costs more than the old one is not taken.
func (k *knob) tune(ctx context.Context, f *frames) (float64, error) {
	before, err := k.cost(f, k.at)
	if err != nil {
		return 0, err
	}
	k.steps++
	look := search{Method: k.method, Measurements: k.measurements, Seed: seedOf(k.seed, 0, k.steps), Low: k.low, High: k.high}
	found, err := look.minimise(ctx, func(p []float64) (float64, error) { return k.cost(f, p) }, k.at, k.scale)
	if err != nil {
		return 0, err
	}
	after, err := k.cost(f, found)
	if err != nil || after >= before {
		return before, err
	}
	k.at = found
	return after, nil
}
