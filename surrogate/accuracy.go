package surrogate

import (
	"context"
	"fmt"
	"math"
	"sort"

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

// Compare measures an estimator on N pairs p, q (N×48, rows with positive
// sums). The estimator and the exact EMD get both rows scaled to sum 1. The exact
// EMD is computed with s, whose Unequal does not count.
func Compare(ctx context.Context, est loss.Distance, m *emd.Metric, p, q []float64, s emd.Settings) (*Comparison, error) {
	p, err := normalised(p)
	if err != nil {
		return nil, fmt.Errorf("surrogate: first images: %w", err)
	}
	q, err = normalised(q)
	if err != nil {
		return nil, fmt.Errorf("surrogate: second images: %w", err)
	}
	if len(p) != len(q) || len(p) == 0 {
		return nil, fmt.Errorf("surrogate: %d first images, %d second ones; the same number is needed, at least one", len(p)/Cells, len(q)/Cells)
	}
	s.Unequal = emd.UnequalNormalise
	exact, err := emd.NewBatch(m, s)
	if err != nil {
		return nil, err
	}
	n := len(p) / Cells
	c := &Comparison{Exact: make([]float64, n), Predicted: make([]float64, n)}
	want, got := make([]float64, len(p)), make([]float64, len(p))
	if err := exact.Gradient(ctx, p, q, c.Exact, nil, want); err != nil {
		return nil, err
	}
	if err := est.Gradient(ctx, p, q, c.Predicted, nil, got); err != nil {
		return nil, err
	}
	for i, v := range c.Predicted {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fmt.Errorf("surrogate: the estimate of pair %d is %v: the network's weights are damaged, or its training diverged (train it again at a lower learning rate)", i, v)
		}
	}
	c.Accuracy = summarise(c.Exact, c.Predicted, q, want, got)
	return c, nil
}

// equal is the EMD below which two images count as the same.
const equal = 1e-9

func summarise(exact, predicted, q, want, got []float64) Accuracy {
	a := Accuracy{N: len(exact)}
	var rel, cos, xs, ys []float64
	abs := 0.0
	for i, e := range exact {
		if e <= equal {
			a.EqualPairs++
			continue
		}
		rel = append(rel, (predicted[i]-e)/e)
		xs, ys = append(xs, e), append(ys, predicted[i])
		abs += math.Abs(predicted[i] - e)
		row := func(s []float64) []float64 { return s[i*Cells : (i+1)*Cells] }
		if c, ok := cosine(row(q), row(want), row(got)); ok {
			cos = append(cos, c)
		} else {
			a.NoGradientPair++
		}
	}
	if len(rel) == 0 {
		return a
	}
	a.Bias, a.Spread = stat.PopMeanStdDev(rel, nil)
	a.MAE = abs / float64(len(rel))
	if r := stat.Correlation(xs, ys, nil); len(xs) > 1 && !math.IsNaN(r) { // there is none with a constant
		a.Correlation = r
	}
	if len(cos) > 0 {
		sort.Float64s(cos)
		a.CosineMedian, a.CosineP10 = stats.Quantile(cos, 0.5), stats.Quantile(cos, 0.1)
	}
	return a
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
