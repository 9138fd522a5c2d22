package evaluate

import (
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
	all := p.Spread*p.Spread + p.Images*p.Images
	half := distuv.UnitNormal.Quantile(0.975) * math.Sqrt(all)
	if p.Spread > 0 {
		// Where the images are all but all of the error, the degrees of freedom have no end.
		if freedom := float64(n-1) * math.Pow(all/(p.Spread*p.Spread), 2); freedom < mostFreedom {
			half = distuv.StudentsT{Sigma: 1, Nu: freedom}.Quantile(0.975) * math.Sqrt(all)
		}
	}
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
