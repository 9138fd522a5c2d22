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
	l.e = resize(l.e, n)
	if err := l.distances(ctx, target, pred, l.e, grad != nil); err != nil {
		return math.NaN(), err
	}
	sum := 0.0
	for _, v := range l.e {
		sum += v
	}
	for i := range grad {
		grad[i] = float32(l.dq[i] / float64(n))
	}
	return finite(l.name, sum/float64(n))
}

// distances sets those of all images, and leaves their gradients in dq where they are wanted.
func (l *distance) distances(ctx context.Context, target, pred []float32, e []float64, gradient bool) error {
	l.p, l.q = widen(l.p, target), widen(l.q, pred)
	var dq []float64
	if gradient {
		l.dq = resize(l.dq, len(pred))
		dq = l.dq
	}
	return l.d.Gradient(ctx, l.p, l.q, e, nil, dq)
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
