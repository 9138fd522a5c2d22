package surrogate

import (
	"context"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"barrow/emd"
	"barrow/internal/stats"
	"barrow/loss"
)

// Accuracy compares an estimator with the exact EMD over pairs of images. The
// relative difference is (predicted−exact)/exact; the cosine is the one
// between the predicted and the exact gradient with respect to q, both taken
// on the support of q and centred to mean zero there.
type Accuracy struct {
	N              int     `json:"n"`                      // pairs
	Bias           float64 `json:"bias"`                   // mean relative difference
	Spread         float64 `json:"spread"`                 // its standard deviation
	MAE            float64 `json:"mae"`                    // mean |predicted−exact|
	Correlation    float64 `json:"correlation"`            // Pearson, predicted with exact
	CosineMedian   float64 `json:"gradient_cosine_median"` // median cosine
	CosineP10      float64 `json:"gradient_cosine_p10"`    // its 10th percentile
	EqualPairs     int     `json:"equal_pairs"`            // pairs of EMD 0, left out of all figures but n
	NoGradientPair int     `json:"no_gradient_pairs"`      // pairs without a gradient on the support of q
}

// A Comparison holds the pairs' values behind an Accuracy, for plots.
type Comparison struct {
	Accuracy
	Exact, Predicted []float64 // N values each
}

// A Meter compares an estimator with the exact EMD, pairs batch by batch: it keeps
// the values of a pair, not its images.
type Meter struct {
	est        loss.Distance
	exact      *emd.Batch
	pairs      Comparison
	cosines    []float64
	noGradient int
}

// NewMeter measures against the exact EMD on a ground metric of 48 points, computed
// with s, whose Unequal does not count.
func NewMeter(est loss.Distance, m *emd.Metric, s emd.Settings) (*Meter, error) {
	s.Unequal = emd.UnequalNormalise
	exact, err := emd.NewBatch(m, s)
	if err != nil {
		return nil, err
	}
	return &Meter{est: est, exact: exact}, nil
}

// Add measures N pairs p, q (N×48, rows with positive sums). The estimator and the
// exact EMD get both rows scaled to sum 1.
func (t *Meter) Add(ctx context.Context, p, q []float64) error {
	p, err := normalised(p)
	if err != nil {
		return fmt.Errorf("surrogate: first images: %w", err)
	}
	q, err = normalised(q)
	if err != nil {
		return fmt.Errorf("surrogate: second images: %w", err)
	}
	if len(p) != len(q) || len(p) == 0 {
		return fmt.Errorf("surrogate: %d first images, %d second ones; the same number is needed, at least one", len(p)/Cells, len(q)/Cells)
	}
	n, before := len(p)/Cells, len(t.pairs.Exact)
	t.pairs.Exact, t.pairs.Predicted = append(t.pairs.Exact, make([]float64, n)...), append(t.pairs.Predicted, make([]float64, n)...)
	exact, predicted := t.pairs.Exact[before:], t.pairs.Predicted[before:]
	want, got := make([]float64, len(p)), make([]float64, len(p))
	if err := t.exact.Gradient(ctx, p, q, exact, nil, want); err != nil {
		return err
	}
	if err := t.est.Gradient(ctx, p, q, predicted, nil, got); err != nil {
		return err
	}
	row := func(s []float64, i int) []float64 { return s[i*Cells : (i+1)*Cells] }
	for i, v := range predicted {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return fmt.Errorf("surrogate: the estimate of pair %d is %v: the network's weights are damaged, or its training diverged (train it again at a lower learning rate)", before+i+1, v)
		}
		if exact[i] <= equal {
			continue
		}
		if c, ok := cosine(row(q, i), row(want, i), row(got, i)); ok {
			t.cosines = append(t.cosines, c)
		} else {
			t.noGradient++
		}
	}
	return nil
}

// equal is the EMD below which two images count as the same.
const equal = 1e-9

// Comparison is what has been measured so far. Figures that there are none of, as
// the correlation with a constant, are NaN.
func (t *Meter) Comparison() *Comparison {
	c := &Comparison{Exact: t.pairs.Exact, Predicted: t.pairs.Predicted}
	none := math.NaN()
	a := Accuracy{N: len(c.Exact), NoGradientPair: t.noGradient, Bias: none, Spread: none, MAE: none, Correlation: none, CosineMedian: none, CosineP10: none}
	var rel, xs, ys []float64
	abs := 0.0
	for i, e := range c.Exact {
		if e <= equal {
			a.EqualPairs++
			continue
		}
		rel = append(rel, (c.Predicted[i]-e)/e)
		xs, ys = append(xs, e), append(ys, c.Predicted[i])
		abs += math.Abs(c.Predicted[i] - e)
	}
	if len(rel) > 0 {
		a.Bias, a.Spread = stat.PopMeanStdDev(rel, nil)
		a.MAE = abs / float64(len(rel))
	}
	if len(xs) > 1 {
		a.Correlation = stat.Correlation(xs, ys, nil)
	}
	if len(t.cosines) > 0 {
		sorted := slices.Sorted(slices.Values(t.cosines))
		a.CosineMedian, a.CosineP10 = stats.Quantile(sorted, 0.5), stats.Quantile(sorted, 0.1)
	}
	c.Accuracy = a
	return c
}

// Compare measures an estimator on N pairs p, q: a [Meter] of one batch.
func Compare(ctx context.Context, est loss.Distance, m *emd.Metric, p, q []float64, s emd.Settings) (*Comparison, error) {
	t, err := NewMeter(est, m, s)
	if err != nil {
		return nil, err
	}
	if err := t.Add(ctx, p, q); err != nil {
		return nil, err
	}
	return t.Comparison(), nil
}

// cosine is the cosine of two gradients on the cells where q > 0, each centred
// to mean zero there. It reports false where one of them vanishes, as where q
// has a single cell.
func cosine(q, a, b []float64) (float64, bool) {
	n, ma, mb := 0, 0.0, 0.0
	for c, v := range q {
		if v > 0 {
			n++
			ma += a[c]
			mb += b[c]
		}
	}
	if n < 2 {
		return 0, false
	}
	ma, mb = ma/float64(n), mb/float64(n)
	ab, aa, bb := 0.0, 0.0, 0.0
	for c, v := range q {
		if v > 0 {
			x, y := a[c]-ma, b[c]-mb
			ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
		}
	}
	if aa == 0 || bb == 0 {
		return 0, false
	}
	return ab / math.Sqrt(aa*bb), true
}
