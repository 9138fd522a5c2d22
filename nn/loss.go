package nn

import (
	"fmt"
	"math"
)

// A Loss compares a batch of predictions with its targets.
type Loss interface {
	// Eval returns the mean over all values and stores its gradient with
	// respect to pred in grad, if that is not nil. The slices are of equal
	// length.
	Eval(target, pred, grad []float32) (float64, error)
}

// MSE is the mean squared error.
type MSE struct{}

// Eval implements Loss.
func (MSE) Eval(target, pred, grad []float32) (float64, error) {
	return pointwise(target, pred, grad, func(t, p float64) (float64, float64) {
		d := p - t
		return d * d, 2 * d
	})
}

// Huber is half the squared error up to 1 and linear beyond, as in Keras.
type Huber struct{}

// Eval implements Loss.
func (Huber) Eval(target, pred, grad []float32) (float64, error) {
	const delta = 1.0
	return pointwise(target, pred, grad, func(t, p float64) (float64, float64) {
		d := p - t
		if math.Abs(d) <= delta {
			return d * d / 2, d
		}
		return delta * (math.Abs(d) - delta/2), math.Copysign(delta, d)
	})
}

// MSLE is the mean squared difference of ln(1+max(x, 1e-7)), as in Keras. A
// prediction below 1e-7 gets no gradient.
type MSLE struct{}

// Eval implements Loss.
func (MSLE) Eval(target, pred, grad []float32) (float64, error) {
	const least = 1e-7
	return pointwise(target, pred, grad, func(t, p float64) (float64, float64) {
		d := math.Log1p(math.Max(p, least)) - math.Log1p(math.Max(t, least))
		if p <= least {
			return d * d, 0
		}
		return d * d, 2 * d / (1 + p)
	})
}

func pointwise(target, pred, grad []float32, f func(t, p float64) (value, slope float64)) (float64, error) {
	if len(target) != len(pred) || grad != nil && len(grad) != len(pred) || len(pred) == 0 {
		return 0, fmt.Errorf("nn: loss of %d predictions against %d targets, gradient %d", len(pred), len(target), len(grad))
	}
	sum, n := 0.0, float64(len(pred))
	for i, p := range pred {
		v, s := f(float64(target[i]), float64(p))
		sum += v
		if grad != nil {
			grad[i] = float32(s / n)
		}
	}
	return sum / n, nil
}
