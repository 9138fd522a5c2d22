package drift

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
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
	scale     []float64 // by how much each moves at most
	low, high []float64
	at        []float64 // the vector, where the last step left it
	steps     int

	shapes, deviated []float64
}

// set makes the vector of a kind, of 0, for a detector that sends such frames when it is new.
func (k *knob) set(vector string, sent *frames) {
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
}

// An axis is as long as makes the cost grow by rise, but no number changes along it by more than its
// scale.
const (
	rise  = 3
	probe = 0.2 // of the scales, by which each number is moved to find the axes
)

// axes are directions that do not mix in the cost where the vector is: the principal ones of the squares of
// the deviations' slopes, each number having been moved once.
func (k *knob) axes(f *frames) ([][]float64, error) {
	n := len(k.at)
	rest, err := k.deviations(f, k.at)
	if err != nil {
		return nil, err
	}
	rest = slices.Clone(rest)
	slopes := mat.NewDense(len(rest), n, nil)
	for j := range n {
		p := slices.Clone(k.at)
		step := probe * k.scale[j]
		if p[j]+step > k.high[j] {
			step = -step
		}
		p[j] += step
		d, err := k.deviations(f, p)
		if err != nil {
			return nil, err
		}
		for i, v := range d {
			slopes.Set(i, j, (v-rest[i])/step*k.scale[j])
		}
	}
	square := mat.NewSymDense(n, nil)
	square.SymOuterK(1, slopes.T())
	var eigen mat.EigenSym
	if !eigen.Factorize(square, true) {
		return nil, fmt.Errorf("drift: the cost has no axes where the vector is %v", k.at)
	}
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	axes := make([][]float64, n)
	for j, value := range eigen.Values(nil) {
		axes[j] = make([]float64, n)
		most := 0.0
		for i := range n {
			most = max(most, math.Abs(vectors.At(i, j)))
		}
		length := 1 / most
		if value > 0 {
			length = min(length, math.Sqrt(rise/value))
		}
		for i := range n {
			axes[j][i] = length * vectors.At(i, j) * k.scale[i]
		}
	}
	return axes, nil
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

// deviations are how far what is decoded with a vector is from what it should be. They are good until
// the next call.
func (k *knob) deviations(f *frames, p []float64) ([]float64, error) {
	by := k.shift(p)
	shapes, err := k.decoder.decode(f, by, k.shapes)
	if err != nil {
		return nil, err
	}
	k.shapes = shapes
	k.deviated, err = k.expected.deviations(summarise(f, shapes), by.conditions, k.deviated)
	return k.deviated, err
}

// cost is that of a vector.
func (k *knob) cost(f *frames, p []float64) (float64, error) {
	d, err := k.deviations(f, p)
	return cost(d), err
}

// tune tunes the vector by a step's frames, from where the last one left it, and returns the cost
// there. A vector that costs more than the old one is not taken.
func (k *knob) tune(ctx context.Context, f *frames) (float64, error) {
	before, err := k.cost(f, k.at)
	if err != nil {
		return 0, err
	}
	axes, err := k.axes(f)
	if err != nil {
		return 0, err
	}
	k.steps++
	look := search{Method: k.method, Measurements: k.measurements, Seed: seedOf(k.seed, 0, k.steps), Low: k.low, High: k.high}
	found, err := look.minimise(ctx, func(p []float64) (float64, error) { return k.cost(f, p) }, k.at, axes)
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
