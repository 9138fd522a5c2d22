package loss

import (
	"context"
	"fmt"

	"barrow/emd"
)

// An imagewise loss has a way of its own to evaluate images one by one.
type imagewise interface {
	each(ctx context.Context, units []float64, target, pred []float32, values []float64, grad []float32) error
}

// Each evaluates a loss image by image: values gets that of each of the N images, whose mean
// is Eval's, and grad, which may be nil, the gradient of each with respect to its own decoded
// image. units, which may be nil, are those of EvalIn. What is wrong with an image is an
// [emd.RowError].
func Each(ctx context.Context, l Loss, units []float64, target, pred []float32, values []float64, grad []float32) error {
	n := len(values)
	if n == 0 || len(target)%n != 0 || len(pred) != len(target) || grad != nil && len(grad) != len(target) || units != nil && len(units) != n {
		return fmt.Errorf("loss: %s: %d values of %d charges and %d decoded ones, %d in the gradient, %d units", l.Name(), n, len(target), len(pred), len(grad), len(units))
	}
	if w, ok := l.(imagewise); ok {
		return w.each(ctx, units, target, pred, values, grad)
	}
	cells := len(target) / n
	var g []float32
	var unit []float64
	for i := range n {
		if i%1024 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if grad != nil {
			g = grad[i*cells : (i+1)*cells]
		}
		if units != nil {
			unit = units[i : i+1]
		}
		var err error
		if values[i], err = EvalIn(ctx, l, unit, target[i*cells:(i+1)*cells], pred[i*cells:(i+1)*cells], g); err != nil {
			return &emd.RowError{Row: i, Err: err}
		}
	}
	return nil
}

func (l *distance) each(ctx context.Context, _ []float64, target, pred []float32, values []float64, grad []float32) error {
	if _, err := check(l.name, target, pred, grad); err != nil {
		return err
	}
	if err := l.distances(ctx, target, pred, values, grad != nil); err != nil {
		return err
	}
	for i := range grad {
		grad[i] = float32(l.dq[i])
	}
	for i, v := range values {
		if _, err := finite(l.name, v); err != nil {
			return &emd.RowError{Row: i, Err: err}
		}
	}
	return nil
}

func (l *weightedSum) each(ctx context.Context, units []float64, target, pred []float32, values []float64, grad []float32) error {
	var part []float32
	if grad != nil {
		part = make([]float32, len(grad))
	}
	one := make([]float64, len(values))
	clear(values)
	clear(grad)
	for i, term := range l.terms {
		if err := Each(ctx, term, units, target, pred, one, part); err != nil {
			return err
		}
		for k, v := range one {
			values[k] += l.weights[i] * v
		}
		for k, g := range part {
			grad[k] += float32(l.weights[i]) * g
		}
	}
	return nil
}
