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
	at        []float64     // the vector, where the last step left it
	spread    *mat.SymDense // the covariance with which it is known, in units of the scales
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
	k.at, k.spread = make([]float64, len(k.scale)), mat.NewSymDense(len(k.scale), nil)
}

// In units of the scales: by how much each number is moved to find the slopes, and by how much it is
// expected to walk from one step to the next.
const (
	probe = 0.5
	walk  = 0.15
)

// A goal is what a step's vector is looked for by: least deviations, not far from where it was.
type goal struct {
	from, scale []float64     // where the vector was, and its units
	narrow      *mat.SymDense // inverse of the covariance with which it is expected there, in these units
	axes        [][]float64   // directions that do not mix in the cost
	guess       []float64     // where the cost would be least if the deviations were linear
}

// cost is that of a vector with the deviations there.
func (g *goal) cost(deviations, p []float64) float64 {
	d, r := mat.NewVecDense(len(deviations), deviations), mat.NewVecDense(len(p), nil)
	for i := range p {
		r.SetVec(i, (p[i]-g.from[i])/g.scale[i])
	}
	return mat.Dot(d, d) + mat.Inner(r, g.narrow, r)
}

// slopes are the deviations where the vector is, and what they change by with each of its numbers, in units of
// the scales, each having been moved once.
func (k *knob) slopes(f *frames) (rest *mat.VecDense, slopes *mat.Dense, err error) {
	d, err := k.deviations(f, k.at)
	if err != nil {
		return nil, nil, err
	}
	rest = mat.NewVecDense(len(d), slices.Clone(d))
	slopes = mat.NewDense(len(d), len(k.at), nil)
	for j := range k.at {
		p, step := slices.Clone(k.at), probe
		if p[j]+step*k.scale[j] > k.high[j] {
			step = -step
		}
		p[j] += step * k.scale[j]
		if d, err = k.deviations(f, p); err != nil {
			return nil, nil, err
		}
		for i, v := range d {
			slopes.Set(i, j, (v-rest.AtVec(i))/step)
		}
	}
	return rest, slopes, nil
}

// aim makes a step's goal by the slopes of the deviations, and takes down how well the vector will then be
// known: as by a Kalman filter, from the step before and from what the slopes say.
func (k *knob) aim(f *frames) (*goal, error) {
	rest, slopes, err := k.slopes(f)
	if err != nil {
		return nil, err
	}
	n := len(k.at)
	for j := range n {
		k.spread.SetSym(j, j, k.spread.At(j, j)+walk*walk)
	}
	g := &goal{from: slices.Clone(k.at), scale: k.scale, narrow: mat.NewSymDense(n, nil)}
	total := mat.NewSymDense(n, nil)
	total.SymOuterK(1, slopes.T())
	var before, after mat.Cholesky
	var eigen mat.EigenSym
	ok := before.Factorize(k.spread) && before.InverseTo(g.narrow) == nil
	total.AddSym(total, g.narrow)
	if !ok || !eigen.Factorize(total, true) || !after.Factorize(total) || after.InverseTo(k.spread) != nil {
		return nil, fmt.Errorf("drift: the cost has no axes where the vector is %v", k.at)
	}
	var step mat.VecDense
	step.MulVec(slopes.T(), rest)
	step.MulVec(k.spread, &step)
	for i := range n {
		v := k.at[i] - max(-1, min(1, step.AtVec(i)))*k.scale[i]
		g.guess = append(g.guess, max(k.low[i], min(k.high[i], v)))
	}
	g.axes = k.axes(&eigen, mat.Dot(rest, rest))
	return g, nil
}

// axes are the principal directions of the cost, as long as makes it twice what it is, but such that no
// number changes along one by more than its scale.
func (k *knob) axes(eigen *mat.EigenSym, cost float64) [][]float64 {
	n := len(k.at)
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	axes := make([][]float64, n)
	for j, value := range eigen.Values(nil) {
		most := 0.0
		for i := range n {
			most = max(most, math.Abs(vectors.At(i, j)))
		}
		length := min(1/most, math.Sqrt(cost/value))
		for i := range n {
			axes[j] = append(axes[j], length*vectors.At(i, j)*k.scale[i])
		}
	}
	return axes
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
	k.deviated, err = k.expected.deviations(summarise(f, shapes, false), by.conditions, k.deviated)
	return k.deviated, err
}

// tune tunes the vector by a step's frames, from where the last one left it or, if that costs less, from
// where the slopes point, and returns the cost there. A vector that costs more than the old one is not taken.
func (k *knob) tune(ctx context.Context, f *frames) (float64, error) {
	g, err := k.aim(f)
	if err != nil {
		return 0, err
	}
	cost := func(p []float64) (float64, error) {
		d, err := k.deviations(f, p)
		if err != nil {
			return 0, err
		}
		return g.cost(d, p), nil
	}
	least, err := cost(k.at)
	if err != nil {
		return 0, err
	}
	guessed, err := cost(g.guess)
	if err != nil {
		return 0, err
	}
	if guessed < least {
		k.at, least = g.guess, guessed
	}
	k.steps++
	look := search{Method: k.method, Measurements: k.measurements, Seed: seedOf(k.seed, 0, k.steps), Low: k.low, High: k.high}
	found, err := look.minimise(ctx, cost, k.at, g.axes)
	if err != nil {
		return 0, err
	}
	after, err := cost(found)
	if err != nil || after >= least {
		return least, err
	}
	k.at = found
	return after, nil
}
