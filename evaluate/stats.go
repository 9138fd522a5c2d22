package evaluate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"sort"

	"gonum.org/v1/gonum/stat"

	"barrow/internal/stats"
)

// Summary describes a sample by the figures the paper quotes.
type Summary struct {
	N      int     `json:"n"`
	Mean   float64 `json:"mean"`
	Std    float64 `json:"std"`
	Median float64 `json:"median"`
	P16    float64 `json:"p16"`
	P84    float64 `json:"p84"`
}

// Summarise describes values; an empty sample gives a zero Summary.
func Summarise(values []float64) Summary {
	if len(values) == 0 {
		return Summary{}
	}
	sorted := append([]float64(nil), values...)
	sort.Float64s(sorted)
	mean, std := stat.PopMeanStdDev(values, nil)
	return Summary{
		N: len(values), Mean: mean, Std: std,
		Median: stats.Quantile(sorted, 0.5), P16: stats.Quantile(sorted, 0.16), P84: stats.Quantile(sorted, 0.84),
	}
}

// A Bin is a Summary of the values whose abscissa lies in [Low, High).
type Bin struct {
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
	Centre float64 `json:"centre"` // mean abscissa of the bin's values
	Summary
}

// Profile bins values by abscissa x between the given edges and leaves out
// bins with fewer than minimum values.
func Profile(x, values, edges []float64, minimum int) []Bin {
	var bins []Bin
	for k := 0; k+1 < len(edges); k++ {
		var in []float64
		centre := 0.0
		for i, v := range x {
			if v >= edges[k] && v < edges[k+1] {
				in = append(in, values[i])
				centre += v
			}
		}
		if len(in) < max(1, minimum) {
			continue
		}
		bins = append(bins, Bin{edges[k], edges[k+1], centre / float64(len(in)), Summarise(in)})
	}
	return bins
}

// Interval is a central 95 % bootstrap interval.
type Interval struct {
	Low  float64 `json:"low"`
	High float64 `json:"high"`
}

// A Versus compares two encoders on the same images by their EMDs.
type Versus struct {
	Ratio    float64  `json:"ratio"`    // mean(a)/mean(b)
	Interval Interval `json:"interval"` // of the ratio
	Worse    float64  `json:"worse"`    // share of images with a larger EMD under a than under b
	// P is the one-sided significance: the share of bootstrap draws, with one
	// added to both counts, in which a's mean is not below b's.
	P float64 `json:"p"`
}

// Compare compares a with b, N values each of the same images, by a paired
// bootstrap.
func Compare(a, b []float64, draws int, seed uint64) (Versus, error) {
	ratios, err := bootstrap(a, b, draws, seed)
	if err != nil {
		return Versus{}, err
	}
	v := Versus{Interval: central(ratios)}
	sa, sb := 0.0, 0.0
	for i := range a {
		sa += a[i]
		sb += b[i]
		if a[i] > b[i] {
			v.Worse++
		}
	}
	v.Ratio, v.Worse = sa/sb, v.Worse/float64(len(a))
	notBelow := draws - sort.Search(draws, func(i int) bool { return ratios[i] >= 1 })
	v.P = float64(notBelow+1) / float64(draws+1)
	return v, nil
}

// RatioOfMeans is the bootstrap interval of mean(a)/mean(b) where a[i] and
// b[i] belong to the same image, so that images are drawn in pairs.
func RatioOfMeans(a, b []float64, draws int, seed uint64) (Interval, error) {
	ratios, err := bootstrap(a, b, draws, seed)
	if err != nil {
		return Interval{}, err
	}
	return central(ratios), nil
}

// central is the central 95 % of sorted draws.
func central(sorted []float64) Interval {
	return Interval{stats.Quantile(sorted, 0.025), stats.Quantile(sorted, 0.975)}
}

// bootstrap draws ratios of means, sorted.
func bootstrap(a, b []float64, draws int, seed uint64) ([]float64, error) {
	if len(a) != len(b) || len(a) == 0 {
		return nil, fmt.Errorf("evaluate: a paired bootstrap needs two samples of one length, not %d and %d values", len(a), len(b))
	}
	rng := rand.New(rand.NewPCG(seed, 0x626f6f74))
	ratios := make([]float64, draws)
	for d := range ratios {
		sa, sb := 0.0, 0.0
		for range a {
			i := rng.IntN(len(a))
			sa += a[i]
			sb += b[i]
		}
		ratios[d] = sa / sb
	}
	sort.Float64s(ratios)
	if draws < 1 || !(ratios[draws-1] <= math.MaxFloat64) || math.IsNaN(ratios[0]) {
		return nil, fmt.Errorf("evaluate: the ratio of means is undefined: the second sample sums to 0")
	}
	return ratios, nil
}
