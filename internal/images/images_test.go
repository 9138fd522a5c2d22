package images

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestEveryClassIsWholeMassesOfOneTotal(t *testing.T) {
	seen := map[string]string{}
	for _, class := range Classes() {
		for _, side := range []int{1, 8, 32} {
			v, err := Draw(class, side, 5)
			if err != nil {
				t.Fatal(err)
			}
			sum := 0.0
			for k, x := range v {
				if x < 0 || x != math.Trunc(x) {
					t.Fatalf("%s of side %d: mass %d is %v", class, side, k, x)
				}
				sum += x
			}
			if len(v) != side*side || sum != Total {
				t.Errorf("%s of side %d: %d masses of total %v", class, side, len(v), sum)
			}
			again, _ := Draw(class, side, 5)
			other, _ := Draw(class, side, 6)
			if !slices.Equal(v, again) {
				t.Errorf("%s of side %d: the same seed draws another image", class, side)
			}
			if side > 1 && slices.Equal(v, other) {
				t.Errorf("%s of side %d: another seed draws the same image", class, side)
			}
			if side == 32 {
				key := fmt.Sprint(v)
				if seen[key] != "" {
					t.Errorf("%s looks as %s", class, seen[key])
				}
				seen[key] = class
			}
		}
	}
}

// The longer the fields' range, the more alike are neighbours.
func TestFieldsHaveTheirRanges(t *testing.T) {
	const side = 64
	last := -1.0
	for _, class := range []string{"white-noise", "rough-field", "moderate-field", "smooth-field"} {
		mean := 0.0
		for seed := range uint64(8) {
			v, err := Draw(class, side, seed)
			if err != nil {
				t.Fatal(err)
			}
			mean += correlation(v, side) / 8
		}
		if mean < last+0.02 {
			t.Errorf("%s: neighbours are correlated by %.3f, in the class before by %.3f", class, mean, last)
		}
		last = mean
	}
}

// correlation is that of pixels with their right neighbours.
func correlation(v []float64, side int) float64 {
	mean := Total / float64(side*side)
	var a, b float64
	for k, x := range v {
		a += (x - mean) * (x - mean)
		if k%side+1 < side {
			b += (x - mean) * (v[k+1] - mean)
		}
	}
	return b / a
}

func TestDrawSaysWhatThereIs(t *testing.T) {
	if _, err := Draw("photo", 8, 1); err == nil || !strings.Contains(err.Error(), "cauchy") {
		t.Errorf("an unknown class: %v", err)
	}
	if _, err := Draw("cauchy", 0, 1); err == nil {
		t.Error("no pixels: no error")
	}
}

func ExampleDraw() {
	v, _ := Draw("white-noise", 2, 1)
	fmt.Println(v[0] + v[1] + v[2] + v[3])
	// Output: 1e+08
}
