package images

import (
	"math"
	"slices"
	"testing"
)

// TestPatterns: ions and characters are the same for the same seed, and others for another; the mean of
// some images of a pattern is nearest to another mean of the same pattern, but perhaps for one.
func TestPatterns(t *testing.T) {
	const side, each = 16, 12
	for name, draw := range map[string]func(class int, seed uint64) ([]float64, error){
		"ion":       func(class int, seed uint64) ([]float64, error) { return Ion(class, side, 40, seed) },
		"character": func(class int, seed uint64) ([]float64, error) { return Character(class, side, seed) },
	} {
		mean := func(class int, from uint64) []float64 {
			m := make([]float64, side*side)
			for k := range uint64(each) {
				v, err := draw(class, from+k)
				if err != nil {
					t.Fatal(err)
				}
				again, _ := draw(class, from+k)
				other, _ := draw(class, from+k+1)
				if !slices.Equal(v, again) || slices.Equal(v, other) {
					t.Errorf("%s %d: seeds and images do not go together", name, class)
				}
				for i, x := range v {
					if x < 0 || x != math.Trunc(x) {
						t.Fatalf("%s %d: a pixel is %v", name, class, x)
					}
					m[i] += x
				}
			}
			return m
		}
		var first [][]float64
		wrong := 0
		for class := range Ions() {
			first = append(first, mean(class, 0))
		}
		for class := range first {
			m := mean(class, 1000)
			least, nearest := math.Inf(1), -1
			for j, w := range first {
				d := 0.0
				for k, x := range m {
					d += (x - w[k]) * (x - w[k])
				}
				if d < least {
					least, nearest = d, j
				}
			}
			if nearest != class {
				t.Logf("%s %d looks like %d", name, class, nearest)
				wrong++
			}
		}
		if wrong > 1 {
			t.Errorf("%d of %d %ss look like others", wrong, len(first), name)
		}
	}
	for _, err := range []error{func() error { _, err := Ion(Ions(), 8, 1, 1); return err }(), func() error { _, err := Ion(0, 8, math.NaN(), 1); return err }(), func() error { _, err := Character(-1, 8, 1); return err }()} {
		if err == nil {
			t.Error("no error")
		}
	}
}
