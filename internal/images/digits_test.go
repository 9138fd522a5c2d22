package images

import (
	"math"
	"slices"
	"testing"
)

// Digits are grey values, the same for the same seed, and of most the nearest of a few others
// is the same digit: they look alike, but not all do.
func TestDigits(t *testing.T) {
	const side, each = 14, 12
	var all [][]float64
	for k := range 10 * each {
		v, err := Digit(k%10, side, uint64(k))
		if err != nil {
			t.Fatal(err)
		}
		ink := 0.0
		for _, x := range v {
			if x < 0 || x > 255 || x != math.Trunc(x) {
				t.Fatalf("digit %d: a pixel is %v", k%10, x)
			}
			ink += x
		}
		if ink < 255*side/2 || v[0] != 0 || v[len(v)-1] != 0 {
			t.Errorf("digit %d, seed %d: %v is all, and corners are %v and %v", k%10, k, ink, v[0], v[len(v)-1])
		}
		if again, _ := Digit(k%10, side, uint64(k)); !slices.Equal(v, again) {
			t.Errorf("digit %d: the same seed draws another image", k%10)
		}
		all = append(all, v)
	}
	right := 0
	for i, v := range all {
		least, nearest := math.Inf(1), -1
		for j, w := range all {
			d := 0.0
			for k, x := range v {
				d += (x - w[k]) * (x - w[k])
			}
			if i != j && d < least {
				least, nearest = d, j
			}
		}
		if least == 0 {
			t.Errorf("images %d and %d are the same", i, nearest)
		}
		if nearest%10 == i%10 {
			right++
		}
	}
	if share := float64(right) / float64(len(all)); share < 0.5 || share > 0.97 {
		t.Errorf("the nearest is the same digit for %.0f %%", 100*share)
	}
	if _, err := Digit(10, side, 1); err == nil {
		t.Error("a digit 10")
	}
	if _, err := Digit(1, 0, 1); err == nil {
		t.Error("no pixels: no error")
	}
}
