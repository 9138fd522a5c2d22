package evaluate

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestCompareSeedsCovers: of intervals over five seeds, drawn with a known ratio, 95 % hold it, where
// the seeds or the images are most of the error.
func TestCompareSeedsCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct{ seeds, images float64 }{{0.05, 0.1}, {0.002, 0.6}, {0.02, 0.4}} {
		const tries, n = 600, 150
		held := 0
		for range tries {
			a, b := make([][]float64, 5), make([][]float64, 5)
			image := make([]float64, n)
			for i := range image {
				image[i] = c.images * rng.NormFloat64()
			}
			for s := range a {
				a[s], b[s] = make([]float64, n), make([]float64, n)
				up := c.seeds * rng.NormFloat64()
				for i := range n {
					b[s][i] = 1
					a[s][i] = 0.9 * (1 + image[i]) * math.Exp(up)
				}
			}
			p, err := CompareSeeds(a, b, 100, rng.Uint64())
			if err != nil {
				t.Fatal(err)
			}
			if p.Low <= 0.9 && 0.9 <= p.High {
				held++
			}
		}
		if share := float64(held) / tries; share < 0.92 || share > 0.98 {
			t.Errorf("%+v: %.3f of the intervals hold the ratio, want 0.95", c, share)
		}
	}
}

// TestCompareSeeds: a contender with itself is 1 exactly; one without seeds meets each seed of the
// other; what does not pair is refused.
func TestCompareSeeds(t *testing.T) {
	a := [][]float64{{1, 2, 3}, {2, 2, 4}}
	if p, err := CompareSeeds(a, a, 50, 1); err != nil || p.Ratio != 1 || p.Low != 1 || p.High != 1 {
		t.Errorf("%+v, %v", p, err)
	}
	one := [][]float64{{4, 4, 8}}
	p, err := CompareSeeds(one, a, 50, 1)
	if want := math.Sqrt(16.0 / 6 * 16 / 8); err != nil || math.Abs(p.Ratio-want) > 1e-12 || p.Seeds != 2 || !(p.Low < want && want < p.High) {
		t.Errorf("%+v, %v, want the ratio %v", p, err, want)
	}
	if p, err := CompareSeeds(one, a[:1], 50, 1); err != nil || p.Spread != 0 || !(p.Images > 0) {
		t.Errorf("one seed: %+v, %v", p, err)
	}
	for want, b := range map[string][][]float64{"do not pair": {{1}, {1}, {1}}, "no positive number": {{0, 0, 0}}, "2 and 3 images": {{1, 2}, {1, 2, 3}}} {
		if _, err := CompareSeeds(a, b, 50, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// TestCompareSeedsPairs: what images have in common in both is no error of the ratio. Images differ by a
// lot, all ratios by little, and contenders meet images in ways of their own from every seed: the interval
// is that of what is left, and still holds the ratio. Without pairing it would be several times as wide.
func TestCompareSeedsPairs(t *testing.T) {
	rng := rand.New(rand.NewPCG(7, 8))
	const tries, n, seeds = 400, 150, 5
	held, width, apart := 0, 0.0, 0.0
	for range tries {
		a, b := make([][]float64, seeds), make([][]float64, seeds)
		hard, own := make([]float64, n), make([]float64, n)
		for i := range hard {
			hard[i], own[i] = math.Exp(0.6*rng.NormFloat64()), 0.1*rng.NormFloat64()
		}
		for s := range a {
			luck := 0.01 * rng.NormFloat64()
			for i := range n {
				a[s] = append(a[s], 0.9*hard[i]*(1+own[i]+0.2*rng.NormFloat64())*math.Exp(luck))
				b[s] = append(b[s], hard[i]*(1+0.2*rng.NormFloat64()))
			}
		}
		p, err := CompareSeeds(a, b, 100, rng.Uint64())
		if err != nil {
			t.Fatal(err)
		}
		if p.Low <= 0.9 && 0.9 <= p.High {
			held++
		}
		width += (p.High - p.Low) / tries
		// The same with images that do not belong together.
		for s := range b {
			b[s] = append(slices.Clone(b[s][n/2:]), b[s][:n/2]...)
		}
		if p, err = CompareSeeds(a, b, 100, rng.Uint64()); err != nil {
			t.Fatal(err)
		}
		apart += (p.High - p.Low) / tries
	}
	// What is added for seeds and images counts their interaction twice: a little wide.
	if share := float64(held) / tries; share < 0.93 {
		t.Errorf("%.3f of the intervals hold the ratio, want 0.95 or a little more", share)
	}
	if width > 0.1 || width > apart/2.5 {
		t.Errorf("the mean interval is %.3f wide, of images that do not belong together %.3f", width, apart)
	}
}

// TestCompareSeedsFreedom: seeds that are all but the same leave the interval of the images, however
// little they differ.
func TestCompareSeedsFreedom(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	a, b := make([][]float64, 2), make([][]float64, 2)
	for range 200 {
		x := 1 + rng.Float64()
		for s := range a {
			a[s], b[s] = append(a[s], x), append(b[s], 1)
		}
	}
	same, err := CompareSeeds(a[:1], b[:1], 200, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, little := range []float64{1e-4, 1e-6, 1e-9, 1e-12} {
		for i := range a[1] {
			a[1][i] = a[0][i] * (1 + little)
		}
		p, err := CompareSeeds(a, b, 200, 1)
		if err != nil || !(p.Spread > 0) || math.Abs((p.High-p.Low)/(same.High-same.Low)-1) > 0.01 {
			t.Errorf("%v apart: %+v, want about %+v; %v", little, p, same, err)
		}
	}
}

// TestNotBelow: at the ends of the interval the probability is 2.5 %; without an error it is certain.
func TestNotBelow(t *testing.T) {
	a := [][]float64{{1, 2, 3}, {2, 2, 4}, {1, 2, 2}}
	p, err := CompareSeeds(a, [][]float64{{3, 4, 6}}, 200, 1)
	if err != nil || math.Abs(p.NotBelow(p.High)-0.025) > 1e-9 || math.Abs(p.NotBelow(p.Low)-0.975) > 1e-9 || math.Abs(p.NotBelow(p.Ratio)-0.5) > 1e-9 {
		t.Errorf("%+v, %v", p, err)
	}
	if p = (Paired{Ratio: 1}); p.NotBelow(1) != 1 || p.NotBelow(1.1) != 0 {
		t.Errorf("%v, %v", p.NotBelow(1), p.NotBelow(1.1))
	}
}

// TestHolm: the k-th smallest is held to the level over as many as are left, the first that is too
// large ends it.
func TestHolm(t *testing.T) {
	for _, c := range []struct {
		p    []float64
		want []bool
	}{
		{nil, []bool{}}, {[]float64{0.04}, []bool{true}}, {[]float64{0.04, 0.02}, []bool{true, true}}, {[]float64{0.03, 0.03}, []bool{false, false}},
		{[]float64{0.01, 0.04, 0.03, 0.005}, []bool{true, false, false, true}},
	} {
		if got := Holm(c.p, 0.05); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v", c.p, got)
		}
	}
}
