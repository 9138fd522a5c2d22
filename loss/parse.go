package loss

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"barrow/emd"
	"barrow/hgcal"
)

// Resources are what losses need beyond the images.
type Resources struct {
	Metric  *emd.Metric // ground metric of the exact EMD, 48 points
	Threads int         // goroutines of the exact EMD, 0 = all processors; never changes a value
	CNN     Distance    // the EMD CNN; nil where there is none

	// Points are the cells' places, for sliced; the benchmark's where nil.
	Points []hgcal.Point
}

var builders = map[string]func(Resources) (Loss, error){
	"mse":             func(Resources) (Loss, error) { return MSE(), nil },
	"weighted-mse":    func(Resources) (Loss, error) { return WeightedMSE(), nil },
	"telescope":       func(Resources) (Loss, error) { return Telescope(hgcal.Published), nil },
	"telescope-equal": func(Resources) (Loss, error) { return Telescope(hgcal.Equal), nil },
	"energy":          func(Resources) (Loss, error) { return Energy(), nil },
	"emd":             exact,
	"sliced":          sliced,
	"sinkhorn":        sinkhorn,
	"emd-cnn": func(r Resources) (Loss, error) {
		if r.CNN == nil {
			return nil, fmt.Errorf("loss: emd-cnn needs the weights of a trained EMD CNN; train one with \"barrow surrogate train\" and name it")
		}
		return FromDistance("emd-cnn", r.CNN), nil
	},
}

// Names lists the losses Parse knows, sorted.
func Names() []string {
	names := make([]string, 0, len(builders))
	for name := range builders {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// OfShapes reports whether a loss compares shapes alone, scaled images, with or
// without the energy beside them, so that nothing in it asks a cell for its own
// charge.
func OfShapes(text string) bool {
	shapes := false
	for _, term := range strings.Split(text, "+") {
		if _, name, ok := strings.Cut(term, "*"); ok {
			term = name
		}
		switch strings.TrimSpace(term) {
		case "emd", "emd-cnn", "sliced", "sinkhorn":
			shapes = true
		case "energy":
		default:
			return false
		}
	}
	return shapes
}

// exact is the exact EMD between image and decoded image, both scaled to sum
// 1, on the ground metric; its gradient is made of the dual potentials.
func exact(r Resources) (Loss, error) {
	if r.Metric == nil || r.Metric.Len() != Cells {
		return nil, fmt.Errorf("loss: emd needs a ground metric of %d cells", Cells)
	}
	b, err := emd.NewBatch(r.Metric, emd.Settings{Unequal: emd.UnequalNormalise, Threads: r.Threads})
	if err != nil {
		return nil, fmt.Errorf("loss: emd: %w", err)
	}
	return FromDistance("emd", b), nil
}

// Parse builds a loss from its name, or from a weighted sum of names such as
// "emd+0.1*telescope".
func Parse(text string, r Resources) (Loss, error) {
	var sum weightedSum
	for _, term := range strings.Split(text, "+") {
		weight, name := 1.0, strings.TrimSpace(term)
		if w, rest, ok := strings.Cut(name, "*"); ok {
			v, err := strconv.ParseFloat(strings.TrimSpace(w), 64)
			if err != nil || !(v > 0) || v > 1e12 {
				return nil, fmt.Errorf("loss: %q: the weight %q is not a positive number", text, w)
			}
			weight, name = v, strings.TrimSpace(rest)
		}
		build, ok := builders[name]
		if !ok {
			return nil, fmt.Errorf("loss: unknown loss %q; the losses are %s, or a weighted sum such as emd+0.1*telescope", name, strings.Join(Names(), ", "))
		}
		l, err := build(r)
		if err != nil {
			return nil, err
		}
		sum.terms = append(sum.terms, l)
		sum.weights = append(sum.weights, weight)
	}
	if len(sum.terms) == 1 && sum.weights[0] == 1 {
		return sum.terms[0], nil
	}
	sum.name = strings.ReplaceAll(text, " ", "")
	return &sum, nil
}

// weightedSum is Σ weight·loss.
type weightedSum struct {
	name    string
	terms   []Loss
	weights []float64
	part    []float32
}

func (l *weightedSum) Name() string { return l.name }

func (l *weightedSum) Eval(ctx context.Context, target, pred, grad []float32) (float64, error) {
	if _, err := check(l.name, target, pred, grad); err != nil {
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
		v, err := term.Eval(ctx, target, pred, part)
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
