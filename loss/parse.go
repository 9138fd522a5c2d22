package loss

import (
	"context"
	"fmt"
	"sync"

	"barrow/emd"
	"barrow/hgcal"
)

// Resources are what losses need beyond the images. Traits.CNN says which needs a
// network; one without the metric that it needs is an error of Parse.
type Resources struct {
	Metric *emd.Metric // ground metric of the exact EMD, 48 points
	// Threads are the goroutines of the losses that share a batch out, 0 for all
	// processors; they never change a value.
	Threads int
	CNN     Distance // the EMD CNN; nil where there is none
	// Points are the cells' places, for sliced; the benchmark's where nil.
	Points []hgcal.Point
	// Lattice is where the cells of images lie; the wafer's where nil. Losses that know
	// wafers alone are an error on another.
	Lattice *Lattice
}

// wafers is the lattice of images where nothing else is said.
var wafers = sync.OnceValue(Wafer)

// Parse builds a loss from its name, or from a weighted sum of names such as
// "emd+0.1*telescope".
func Parse(text string, r Resources) (Loss, error) {
	lattice := r.Lattice
	if lattice == nil {
		lattice = wafers()
	}
	terms, err := split(text, lattice)
	if err != nil {
		return nil, err
	}
	sum := &weightedSum{name: spell(terms), cells: lattice.cells}
	for _, t := range terms {
		l, err := t.loss(r, lattice)
		if err != nil {
			return nil, err
		}
		sum.terms = append(sum.terms, l)
		sum.weights = append(sum.weights, t.weight)
	}
	if len(terms) == 1 && terms[0].weight == 1 {
		return sum.terms[0], nil
	}
	return sum, nil
}

// loss builds the term's loss.
func (t term) loss(r Resources, l *Lattice) (Loss, error) {
	if t.build != nil {
		return newSpatial(t.name, l, t.build(l)), nil
	}
	k := kinds[t.kind]
	switch {
	case k.term != nil:
		return cellwise{t.kind, l.cells, k.term}, nil
	case !l.wafer:
		return nil, fmt.Errorf("loss: %s is of wafers alone, not of %s", t.kind, l)
	}
	return t.make(r)
}

// weightedSum is Σ weight·loss.
type weightedSum struct {
	name    string
	cells   int
	terms   []Loss
	weights []float64
	part    []float32
}

func (l *weightedSum) Name() string { return l.name }

func (l *weightedSum) Eval(ctx context.Context, target, pred, grad []float32) (float64, error) {
	return l.EvalIn(ctx, nil, target, pred, grad)
}

func (l *weightedSum) EvalIn(ctx context.Context, units []float64, target, pred, grad []float32) (float64, error) {
	if _, err := checkCells(l.name, l.cells, target, pred, grad); err != nil {
		return 0, err
	}
	if grad != nil {
		clear(grad)
		if cap(l.part) < len(grad) {
			l.part = make([]float32, len(grad))
		}
		l.part = l.part[:len(grad)]
	}
	sum := 0.0
	for i, term := range l.terms {
		var part []float32
		if grad != nil {
			part = l.part
		}
		v, err := EvalIn(ctx, term, units, target, pred, part)
		if err != nil {
			return v, err
		}
		sum += l.weights[i] * v
		w := float32(l.weights[i])
		for k, g := range part {
			grad[k] += w * g
		}
	}
	return finite(l.name, sum)
}
