package loss

import "context"

// MSE is the mean squared error over cells and images.
func MSE() Loss { return cellwise{"mse", squared} }

// WeightedMSE is the mean over cells and images of (t−p)²·max(t,p), the
// charge-weighted error of the paper's first baseline.
func WeightedMSE() Loss { return cellwise{"weighted-mse", weighted} }

type cellwise struct {
	name string
	term func(t, p float32) (value, slope float32)
}

func (l cellwise) Name() string { return l.name }

func (l cellwise) Eval(_ context.Context, target, pred, grad []float32) (float64, error) {
	if _, err := check(l.name, target, pred, grad); err != nil {
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

func squared(t, p float32) (value, slope float32) {
	d := p - t
	return d * d, 2 * d
}

// weighted is (t−p)²·max(t,p) and its derivative with respect to p.
func weighted(t, p float32) (value, slope float32) {
	d := p - t
	if d > 0 {
		return d * d * p, d * (2*p + d)
	}
	return d * d * t, 2 * d * t
}
