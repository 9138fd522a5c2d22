package loss

import (
	"context"
	"fmt"
	"math"
)

// An Absolute loss compares charges with thresholds, so it has to know what its images are in.
type Absolute interface {
	Loss
	// EvalIn is Eval of images in units of their own: one of image i is units[i] MIP_T.
	// Eval takes all units to be 1.
	EvalIn(ctx context.Context, units []float64, target, pred, grad []float32) (float64, error)
}

// EvalIn evaluates any loss; those that are not Absolute do without units.
func EvalIn(ctx context.Context, l Loss, units []float64, target, pred, grad []float32) (float64, error) {
	if a, ok := l.(Absolute); ok {
		return a.EvalIn(ctx, units, target, pred, grad)
	}
	return l.Eval(ctx, target, pred, grad)
}

// An imageLoss compares one image with its decoded image; one of their unit is unit MIP_T.
// It writes its gradient with respect to p into g.
type imageLoss interface {
	image(t, p, g []float64, unit float64) float64
}

// spatial is the mean over images of an imageLoss.
type spatial struct {
	name    string
	cells   int
	one     imageLoss
	t, p, g []float64
}

func newSpatial(name string, l *Lattice, one imageLoss) Loss {
	s := &spatial{name: name, cells: l.cells, one: one}
	s.t, s.p, s.g = make([]float64, l.cells), make([]float64, l.cells), make([]float64, l.cells)
	return s
}

func (l *spatial) Name() string { return l.name }

func (l *spatial) Eval(ctx context.Context, target, pred, grad []float32) (float64, error) {
	return l.EvalIn(ctx, nil, target, pred, grad)
}

func (l *spatial) EvalIn(_ context.Context, units []float64, target, pred, grad []float32) (float64, error) {
	n, err := checkCells(l.name, l.cells, target, pred, grad)
	if err != nil {
		return 0, err
	}
	if units != nil && len(units) != n {
		return 0, fmt.Errorf("loss: %s: %d units of %d images", l.name, len(units), n)
	}
	sum := 0.0
	for i := range n {
		at, unit := i*l.cells, 1.0
		if units != nil {
			unit = units[i]
		}
		for c := range l.cells {
			l.t[c], l.p[c] = float64(target[at+c]), float64(pred[at+c])
		}
		sum += l.one.image(l.t, l.p, l.g, unit)
		if grad != nil {
			for c, v := range l.g {
				grad[at+c] = float32(v / float64(n))
			}
		}
	}
	return finite(l.name, sum/float64(n))
}

// A score is a term of one cell of an image and its decoded image.
type score struct {
	// of gives its value, and its derivative with respect to p. One of their unit is unit MIP_T.
	of func(t, p, unit float64) (value, slope float64)
	// difference says that it is one of p − t alone, square that it is (p − t)².
	difference, square bool
	thresholds         []float64 // in MIP_T, of one that has any
}

// filtered is a score, mean over what a filter makes of the images.
type filtered struct {
	filter  filter
	score   score
	linear  bool      // the filter
	t, p, s []float64 // filtered images, and the score's slope
}

// A filter makes an image of an image.
type filter interface {
	apply(image, out []float64)
	// back writes into g, of an image, what a gradient s with respect to what apply made of
	// it is with respect to the image.
	back(image, s, g []float64)
}

func newFiltered(l *Lattice, f filter, s score) *filtered {
	_, nonlinear := f.(maxima)
	return &filtered{filter: f, score: s, linear: !nonlinear, t: make([]float64, l.cells), p: make([]float64, l.cells), s: make([]float64, l.cells)}
}

func (l *filtered) image(t, p, g []float64, unit float64) float64 {
	sum, scale := 0.0, 1/float64(len(l.t))
	if l.linear && l.score.difference {
		return l.difference(t, p, g, scale)
	}
	l.filter.apply(t, l.t)
	l.filter.apply(p, l.p)
	for c, v := range l.t {
		value, slope := l.score.of(v, l.p[c], unit)
		sum += value
		l.s[c] = slope * scale
	}
	l.filter.back(p, l.s, g)
	return sum * scale
}

// difference is image where what the filter makes of p − t is all that counts.
func (l *filtered) difference(t, p, g []float64, scale float64) float64 {
	for c, v := range t {
		l.t[c] = p[c] - v
	}
	sum := 0.0
	if l.score.square {
		out := l.p
		_, same := l.filter.(projection)
		if same {
			out = g // filtered again it is the same
		}
		l.filter.apply(l.t, out)
		for c, d := range out {
			sum += d * d
			out[c] = 2 * d * scale
		}
		if !same {
			l.filter.back(nil, out, g)
		}
		return sum * scale
	}
	l.filter.apply(l.t, l.p)
	for c, d := range l.p {
		value, slope := l.score.of(0, d, 1)
		sum += value
		l.s[c] = slope * scale
	}
	l.filter.back(nil, l.s, g)
	return sum * scale
}

// projection is a filter that is its own transpose, as one that keeps some of orthogonal waves.
type projection func(image, out []float64)

func (f projection) apply(image, out []float64) { f(image, out) }
func (f projection) back(_, s, g []float64)     { f(s, g) }

// readScore reads which score of a cell a filter comes before.
func readScore(o *options) func() score {
	name := o.choice("score", "mse", "l1", "weighted-mse", "brier")
	if _, given := o.given["threshold"]; given && name != "brier" {
		o.fail("threshold is of score=brier alone, not of %s", name)
	}
	thresholds := readThresholds(o)
	return func() score {
		switch name {
		case "l1":
			return score{of: absolute, difference: true}
		case "weighted-mse":
			return score{of: chargeWeighted}
		case "brier":
			return brierScore(thresholds)
		}
		return score{of: squares, difference: true, square: true}
	}
}

// squares is (t − p)².
func squares(t, p, _ float64) (value, slope float64) { return (p - t) * (p - t), 2 * (p - t) }

// absolute is |t − p|, whose slope where they are equal is 0.
func absolute(t, p, _ float64) (value, slope float64) {
	switch d := p - t; {
	case d > 0:
		return d, 1
	case d < 0:
		return -d, -1
	}
	return 0, 0
}

// chargeWeighted is (t−p)²·max(|t|, |p|): weighted-mse's, where filters may leave less than 0.
func chargeWeighted(t, p, _ float64) (value, slope float64) {
	d, a := p-t, math.Abs(p)
	if a > math.Abs(t) {
		return d * d * a, 2*d*a + d*d*math.Copysign(1, p)
	}
	return d * d * math.Abs(t), 2 * d * math.Abs(t)
}
