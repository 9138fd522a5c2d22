package evaluate

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Paired compares two kinds of encoders, each trained from several seeds, on the same images: what
// holds for other trainings and for other images, not for those at hand alone.
type Paired struct {
	Ratio float64 `json:"ratio"` // of the mean EMDs: the geometric mean over the seeds
	Interval
	Seeds int `json:"seeds"`
	// Spread and Images are the standard errors of the ratio's logarithm by the choice of the
	// seeds and of the images.
	Spread float64 `json:"error_by_seeds"`
	Images float64 `json:"error_by_images"`
}

// mostFreedom is where Student's distribution is the normal one, to six digits, while its quantile
// can still be had.
const mostFreedom = 1e6

// err is the standard error of the ratio's logarithm.
func (p *Paired) err() float64 { return math.Hypot(p.Spread, p.Images) }

// distribution is that of the logarithm's error, in standard errors.
func (p *Paired) distribution() interface {
	CDF(float64) float64
	Quantile(float64) float64
} {
	// Where the images are all but all of the error, the degrees of freedom have no end.
	if p.Spread > 0 {
		if freedom := float64(p.Seeds-1) * math.Pow(p.err()/p.Spread, 4); freedom < mostFreedom {
			return distuv.StudentsT{Sigma: 1, Nu: freedom}
		}
	}
	return distuv.UnitNormal
}

// NotBelow is the probability of a ratio as small or smaller if the true one were the bound: one-sided.
func (p *Paired) NotBelow(bound float64) float64 {
	d := math.Log(p.Ratio / bound)
	switch e := p.err(); {
	case e > 0:
		return p.distribution().CDF(d / e)
	case d < 0:
		return 0
	}
	return 1
}

// Holm tells which of several probabilities are small enough that none of them all is so by chance
// with more than the level: S. Holm, Scand. J. Stat. 6 (1979) 65.
func Holm(p []float64, level float64) []bool {
	order := make([]int, len(p))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(p[i], p[j]) })
	small := make([]bool, len(p))
	for k, i := range order {
		if !(p[i] <= level/float64(len(p)-k)) {
			break
		}
		small[i] = true
	}
	return small
}

// CompareSeeds compares a with b, of which a[s] and b[s] are the values, image by image, of the seed
// s. Either may have one row only, of a contender without a seed. The interval is Student's at 95 %
// of the seeds' logarithms of ratios, whose variance over seeds and, by a paired bootstrap of the
// images, over images are added; its degrees of freedom are Welch's and Satterthwaite's. With one
// seed it is of the images alone.
func CompareSeeds(a, b [][]float64, draws int, seed uint64) (Paired, error) {
	n := max(len(a), len(b))
	if n == 0 || len(a) != n && len(a) != 1 || len(b) != n && len(b) != 1 {
		return Paired{}, fmt.Errorf("evaluate: %d and %d seeds do not pair", len(a), len(b))
	}
	logs := make([]float64, n)
	for s := range logs {
		x, y := stat.Mean(a[s%len(a)], nil), stat.Mean(b[s%len(b)], nil)
		if logs[s] = math.Log(x / y); math.IsNaN(logs[s]) || math.IsInf(logs[s], 0) {
			return Paired{}, fmt.Errorf("evaluate: seed %d: the ratio of the means %v and %v is no positive number", s+1, x, y)
		}
	}
	x, err := overSeeds(a)
	if err != nil {
		return Paired{}, err
	}
	y, err := overSeeds(b)
	if err != nil {
		return Paired{}, err
	}
	ratios, err := bootstrap(x, y, draws, seed)
	if err != nil {
		return Paired{}, err
	}
	for i, r := range ratios {
		ratios[i] = math.Log(r)
	}
	centre := stat.Mean(logs, nil)
	p := Paired{Ratio: math.Exp(centre), Seeds: n}
	if len(ratios) > 1 {
		p.Images = stat.StdDev(ratios, nil)
	}
	if n > 1 {
		p.Spread = stat.StdDev(logs, nil) / math.Sqrt(float64(n))
	}
	half := p.distribution().Quantile(0.975) * p.err()
	p.Interval = Interval{math.Exp(centre - half), math.Exp(centre + half)}
	return p, nil
}

// overSeeds is, image by image, the mean over the seeds.
func overSeeds(seeds [][]float64) ([]float64, error) {
	mean := slices.Clone(seeds[0])
	for _, v := range seeds[1:] {
		if len(v) != len(mean) {
			return nil, fmt.Errorf("evaluate: seeds with %d and %d images", len(mean), len(v))
		}
		for i, x := range v {
			mean[i] += x
		}
	}
	for i := range mean {
		mean[i] /= float64(len(seeds))
	}
	return mean, nil
}
