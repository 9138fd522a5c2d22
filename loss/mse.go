package loss

import "context"

var _ = registerCellwise("mse", Traits{
	Label: "MSE", Help: "cell by cell: mean squared error", Sees: SeesCharges, Cost: 1,
}, squared)

// squared is (t−p)² and its derivative with respect to p.
func squared(t, p float32) (value, slope float32) {
	d := p - t
	return d * d, 2 * d
}

// cellwise is the mean over cells and images of a term.
type cellwise struct {
	name  string
	cells int
	term  func(t, p float32) (value, slope float32)
}

func (l cellwise) Name() string { return l.name }

func (l cellwise) Eval(_ context.Context, target, pred, grad []float32) (float64, error) {
	if _, err := checkCells(l.name, l.cells, target, pred, grad); err != nil {
		return 0, err
	}
	sum, scale := 0.0, 1/float32(len(target))
	for i, t := range target {
		v, d := l.term(t, pred[i])
		sum += float64(v)
		if grad != nil {
			grad[i] = d * scale
		}
	}
	return finite(l.name, sum/float64(len(target)))
}
