package stats

import (
	"fmt"
	"math"
	"testing"
)

func TestQuantile(t *testing.T) {
	// numpy.quantile([1, 2, 4, 8], [0, .1, .16, .5, .84, 1])
	x := []float64{1, 2, 4, 8}
	for p, want := range map[float64]float64{0: 1, 0.1: 1.3, 0.16: 1.48, 0.5: 3, 0.84: 6.08, 1: 8} {
		if got := Quantile(x, p); got < want-1e-12 || got > want+1e-12 {
			t.Errorf("Quantile(%v) = %v, want %v", p, got, want)
		}
	}
	if got := Quantile([]float64{3}, 0.7); got != 3 {
		t.Errorf("one value: %v", got)
	}
}

func TestRanks(t *testing.T) {
	for want, v := range map[string][]float64{"[3.5 1 3.5 2]": {3, 1, 3, 2}, "[2 2 2]": {5, 5, 5}, "[1 3 2]": {-1, 7, 0.5}, "[]": nil} {
		if got := fmt.Sprint(Ranks(v)); got != want {
			t.Errorf("ranks %v of %v, want %v", got, v, want)
		}
	}
}

func ExampleQuantile() {
	fmt.Println(Quantile([]float64{0.8, 1.0, 1.6}, 0.25))
	// Output: 0.9
}

func TestStudent95(t *testing.T) {
	// scipy.stats.t.interval(0.95, 3, 2.5, scipy.stats.sem([1, 2, 3, 4]))
	mean, half := Student95([]float64{1, 2, 3, 4})
	if mean != 2.5 || math.Abs(half-(2.5-0.445739743239121)) > 1e-9 {
		t.Errorf("%v ± %v", mean, half)
	}
	if mean, half := Student95([]float64{7}); mean != 7 || !math.IsNaN(half) {
		t.Errorf("one value: %v ± %v", mean, half)
	}
}
