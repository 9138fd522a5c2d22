package validate

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/wafer"
)

// sample is images of one wafer as a front end writes them.
type sample struct {
	images *wafer.Set
	drop   uint // low bits that the 7-bit format leaves out
	// suppressed says that cells without signal are zero; spectra and
	// correlations then look at the others alone.
	suppressed bool
}

// values are the measured numbers of a sample by name.
type values map[string]float64

// percents are the quantiles of spectra.
var percents = []float64{5, 10, 25, 50, 75, 90, 95, 99, 99.9}

// bands are the upper ends of the distances that correlations are averaged
// over, in half trigger-cell pitches.
var bands = []float64{2.4, 3.6, 6, 9, 14}

// measure computes all numbers of a sample.
func (s *sample) measure() (values, error) {
	v := values{}
	s.spectra(v)
	if s.suppressed {
		s.correlations(v)
	}
	return v, s.distances(v)
}

// errors are the statistical errors of all numbers of the sample, by how they
// differ between parts of it.
func (s *sample) errors() (values, error) {
	const parts = 10
	var sum, squares = values{}, values{}
	n := s.images.Len()
	for k := range parts {
		part := sample{s.images.Slice(n*k/parts, n*(k+1)/parts), s.drop, s.suppressed}
		v, err := part.measure()
		if err != nil {
			return nil, err
		}
		for name, x := range v {
			sum[name] += x
			squares[name] += x * x
		}
	}
	out := values{}
	for name := range sum {
		mean := sum[name] / parts
		out[name] = math.Sqrt(max(squares[name]/parts-mean*mean, 0) / (parts - 1))
	}
	return out, nil
}

func (s *sample) spectra(v values) {
	var sum, peak []float64
	hit := 0.0
	for i := range s.images.Len() {
		image := s.images.Image(i)
		total := wafer.Sum(image)
		if total == 0 {
			continue
		}
		sum = append(sum, total)
		peak = append(peak, slices.Max(image)/total)
		hit += float64(wafer.Occupancy(image, 0))
	}
	v["cells hit"] = hit / float64(s.images.Len())
	for _, p := range percents {
		v[fmt.Sprintf("cell %g %%", p)] = s.cellQuantile(p / 100)
		if p >= 5 && p <= 95 {
			v[fmt.Sprintf("sum %g %%", p)] = quantile(sum, p/100)
			v[fmt.Sprintf("max/sum %g %%", p)] = quantile(peak, p/100)
		}
	}
}

// quantile interpolates between the sorted values.
func quantile(v []float64, p float64) float64 {
	slices.Sort(v)
	x := p * float64(len(v)-1)
	i := min(int(x), len(v)-2)
	return v[i] + (x-float64(i))*(v[i+1]-v[i])
}

// cellQuantile is the quantile of the cells' charges. The 7-bit format has
// steps of an eighth, wider than the tolerances, so every code is spread evenly
// over what it stands for.
func (s *sample) cellQuantile(p float64) float64 {
	count := map[float64]int{}
	total := 0
	for _, c := range s.images.Charge {
		if c > 0 || !s.suppressed {
			count[c]++
			total++
		}
	}
	codes := make([]float64, 0, len(count))
	for c := range count {
		codes = append(codes, c)
	}
	slices.SortFunc(codes, cmp.Compare)
	left := p * float64(total)
	for _, c := range codes {
		if n := float64(count[c]); left <= n {
			width := s.codeWidth(c)
			return c - width/2 + width*left/n
		} else {
			left -= n
		}
	}
	return codes[len(codes)-1]
}

// codeWidth is the range of charges that the 7-bit format writes as c.
func (s *sample) codeWidth(c float64) float64 {
	const mantissa = 3
	exponent := max(bits.Len64(uint64(c)>>s.drop)-mantissa, 1)
	return float64(uint64(1) << (uint(exponent-1) + s.drop))
}

// correlations are Pearson's, of a cell being hit with another, averaged over
// the pairs of cells in each band of distance.
func (s *sample) correlations(v values) {
	n := float64(s.images.Len())
	var p [hgcal.Cells]float64
	var both [hgcal.Cells][hgcal.Cells]float64
	for i := range s.images.Len() {
		var lit []int
		for c, q := range s.images.Image(i) {
			if q > 0 {
				p[c] += 1 / n
				lit = append(lit, c)
			}
		}
		for _, a := range lit {
			for _, b := range lit {
				both[a][b] += 1 / n
			}
		}
	}
	at := hgcal.Benchmark()
	sum, pairs := make([]float64, len(bands)), make([]float64, len(bands))
	for a := range p {
		for b := range a {
			d := math.Hypot(at[a][0]-at[b][0], at[a][1]-at[b][1])
			k, _ := slices.BinarySearch(bands, d)
			sum[k] += (both[a][b] - p[a]*p[b]) / math.Sqrt(p[a]*(1-p[a])*p[b]*(1-p[b]))
			pairs[k]++
		}
	}
	for k := range bands {
		v[bandName(k)] = sum[k] / pairs[k]
	}
}

func bandName(k int) string {
	low := 0.0
	if k > 0 {
		low = bands[k-1]
	}
	return fmt.Sprintf("correlation %g–%g", low, bands[k])
}

// keeps are the numbers of cells that best choice keeps.
var keeps = []int{4, 6, 9, 14}

// distances are exact earth mover's distances on the benchmark metric.
func (s *sample) distances(v values) error {
	metric, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		return err
	}
	solver, err := emd.NewSolver(metric, emd.Settings{Unequal: emd.UnequalNormalise})
	if err != nil {
		return err
	}
	set, _ := s.images.NonZero()
	flat := make([]float64, hgcal.Cells)
	for i := range flat {
		flat[i] = 1
	}
	all := map[string][]float64{}
	for i := range set.Len() {
		image := set.Image(i)
		others := map[string][]float64{
			"EMD of pairs":   set.Image((7*i + 1) % set.Len()),
			"EMD to uniform": flat,
			"EMD of STC4":    superTriggerCells(image, 2),
			"EMD of STC16":   superTriggerCells(image, 4),
		}
		for _, k := range keeps {
			others[fmt.Sprintf("EMD of BC%d", k)] = bestChoice(image, k, false)
			others[fmt.Sprintf("EMD of BC%d, rest spread", k)] = bestChoice(image, k, true)
		}
		for name, other := range others {
			e, err := solver.Distance(image, other)
			if err != nil {
				return err
			}
			all[name] = append(all[name], e)
		}
	}
	for name, e := range all {
		sum := 0.0
		for _, x := range e {
			sum += x
		}
		v[name] = sum / float64(len(e))
		v[name+", 5 %"], v[name+", 95 %"] = quantile(e, 0.05), quantile(e, 0.95)
	}
	return nil
}

// bestChoice keeps the k largest charges, the lower cell first among equal
// ones. The chip also sends the sum of the rest, which spread puts back in
// equal parts on the cells that were not kept.
func bestChoice(image []float64, k int, spread bool) []float64 {
	order := make([]int, len(image))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(image[b], image[a]) })
	out := make([]float64, len(image))
	rest := 0.0
	for n, i := range order {
		if n < k {
			out[i] = image[i]
		} else {
			rest += image[i]
		}
	}
	if spread {
		for _, i := range order[k:] {
			out[i] = rest / float64(len(image)-k)
		}
	}
	return out
}

// superTriggerCells puts the charge of each group of side×side cells on its
// largest, the highest among equal ones.
func superTriggerCells(image []float64, side int) []float64 {
	type group struct{ k, r, c int }
	at, sum := map[group]int{}, map[group]float64{}
	for i, q := range image {
		k, r, c := hgcal.Place(i)
		g := group{k, r / side, c / side}
		if best, ok := at[g]; !ok || q >= image[best] {
			at[g] = i
		}
		sum[g] += q
	}
	out := make([]float64, len(image))
	for g, i := range at {
		out[i] = sum[g]
	}
	return out
}
