package loss

import (
	"context"
	"math"
)

// A Distance compares N pairs of 48-cell images: e receives the N distances,
// dp and dq (each N×48, or nil) the gradients with respect to the images as
// they were given, before any scaling to sum 1. The exact EMD (emd.Batch) and
// the EMD CNN (surrogate.CNN) are distances.
type Distance interface {
	Gradient(ctx context.Context, p, q, e, dp, dq []float64) error
}

// FromDistance is the mean over a batch of the distance between each image and
// its decoded image.
func FromDistance(name string, d Distance) Loss { return &distance{name: name, d: d} }

type distance struct {
	name        string
	d           Distance
	p, q, e, dq []float64
}

func (l *distance) Name() string { return l.name }

func (l *distance) Eval(ctx context.Context, target, pred, grad []float32) (float64, error) {
	n, err := check(l.name, target, pred, grad)
	if err != nil {
		return 0, err
	}
	l.p, l.q = widen(l.p, target), widen(l.q, pred)
	l.e = resize(l.e, n)
	var dq []float64
	if grad != nil {
		l.dq = resize(l.dq, len(grad))
		dq = l.dq
	}
	if err := l.d.Gradient(ctx, l.p, l.q, l.e, nil, dq); err != nil {
		return math.NaN(), err
	}
	sum := 0.0
	for _, v := range l.e {
		sum += v
	}
	for i, g := range dq {
		grad[i] = float32(g / float64(n))
	}
	return finite(l.name, sum/float64(n))
}

func resize(s []float64, n int) []float64 {
	if cap(s) < n {
		return make([]float64, n)
	}
	return s[:n]
}

func widen(dst []float64, src []float32) []float64 {
	dst = resize(dst, len(src))
	for i, v := range src {
		dst[i] = float64(v)
	}
	return dst
}
