package ageing

import (
	"math"
	"testing"

	"barrow/hgcal"
	"barrow/internal/counter"
	"barrow/wafer"
)

// TestFakes: an empty cell has the mean of what a normal distribution has above the threshold: n sensor cells times
// σ'·φ(cut/σ') in excess, with the threshold at 3 σ. What a new module has is the simulation's.
func TestFakes(t *testing.T) {
	e := SensorsOf(hgcal.GeometryV11.Modules()[0])
	e.Sigma = 1000 // so that whole counts do not matter
	const growth = 2.5
	c := New()
	from, to := make([]float64, hgcal.Cells), make([]float64, hgcal.Cells)
	var sum, n float64
	for i := range uint64(2000) {
		s := counter.New(3, i)
		c.Measure(&s, e.Fakes(growth), 0, from, to)
		sum, n = sum+wafer.Sum(to), n+hgcal.Cells
	}
	x := e.Cut / growth
	density := math.Exp(-x*x/2) / math.Sqrt(2*math.Pi)
	above := 0.5 * math.Erfc(x/math.Sqrt2)
	want := e.Fakes(growth).Rate * e.Sigma * growth * density / above
	if got := sum / n; math.Abs(got/want-1) > 0.02 {
		t.Errorf("mean noise %v, want %v", got, want)
	}
	s := counter.New(3, 1)
	if c.Measure(&s, e.Fakes(1), 0, from, to); wafer.Sum(to) != 0 {
		t.Errorf("a new module has noise beyond the simulation's: %v", to)
	}
}

// TestMeasure: dead cells are dark whatever the noise, hot ones have their mean, and the rest what the gain leaves with
// noise about it, in whole counts and nothing below the least.
func TestMeasure(t *testing.T) {
	c := New()
	c.Hot = make([]float64, hgcal.Cells)
	c.Gain[0], c.Gain[1], c.Hot[1], c.Gain[2] = 0, 0, 100, 0.5
	const n, sigma, least = 4000, 5, 40
	var mean, variance, hot float64
	for i := range uint64(n) {
		s := counter.New(1, i)
		image := make([]float64, hgcal.Cells)
		image[0], image[1], image[2] = 200, 200, 200
		c.Measure(&s, Normal(sigma), least, image, image)
		for k, v := range image {
			if v != math.Floor(v) || v != 0 && v < least {
				t.Fatalf("cell %d: %v", k, v)
			}
		}
		if image[0] != 0 || image[3] != 0 {
			t.Fatalf("a dead cell and an empty one: %v", image[:4])
		}
		hot += image[1] / n
		mean, variance = mean+image[2]/n, variance+(image[2]-100)*(image[2]-100)/n
	}
	if want := (100 + least) * math.Exp(-least/100.0); math.Abs(hot-want) > 8 {
		t.Errorf("a hot cell has %v above %v, want %v", hot, least, want)
	}
	if math.Abs(mean-99.5) > 0.4 || math.Abs(math.Sqrt(variance)-sigma) > 0.3 {
		t.Errorf("half of 200 is %v ± %v", mean, math.Sqrt(variance))
	}
}
