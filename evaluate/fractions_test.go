package evaluate

import (
	"math"
	"slices"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/wafer"
)

// TestFractions: a charge that moves by one step is lost at radius 0 and mostly found at larger
// ones, in the numbers that the discs give; what stays is found whole.
func TestFractions(t *testing.T) {
	near := hgcal.Neighbours()
	at := slices.IndexFunc(near[:], func(n []int) bool { return len(n) == 6 })
	next := near[at][0]
	image, moved := make([]float64, Cells), make([]float64, Cells)
	image[at], moved[next] = 100, 100
	add := func(a, b []float64) []float64 {
		f, err := NewFractions(MIP, 3)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Add(&wafer.Set{Charge: a}, &wafer.Set{Charge: b}); err != nil {
			t.Fatal(err)
		}
		return f.Scores()
	}
	if got := add(image, image); !slices.Equal(got, []float64{1, 1, 1, 1}) {
		t.Errorf("the image itself scores %v", got)
	}
	got := add(image, moved)
	if got[0] != 0 || !(got[1] > 0.5 && got[2] > got[1] && got[3] > got[1]) { // at the rim discs are cut
		t.Errorf("moved by a step: %v", got)
	}
	// Radius 1 by hand: of every cell the share of its disc.
	apart, both := 0.0, 0.0
	for c := range near {
		share := func(cell int) float64 {
			if cell == c || slices.Contains(near[c], cell) {
				return 1 / float64(len(near[c])+1)
			}
			return 0
		}
		u, v := share(at), share(next)
		apart, both = apart+(u-v)*(u-v), both+u*u+v*v
	}
	if want := 1 - apart/both; math.Abs(got[1]-want) > 1e-12 {
		t.Errorf("radius 1: %v, want %v", got[1], want)
	}
	if got := add(make([]float64, Cells), make([]float64, Cells)); got[0] != 1 {
		t.Errorf("nothing at all scores %v", got)
	}
	for want, make := range map[string]func() error{
		"charge of NaN":   func() error { _, err := NewFractions(math.NaN(), 1); return err },
		"within 48 steps": func() error { _, err := NewFractions(1, 48); return err },
		"1 images and 0": func() error {
			f, err := NewFractions(1, 1)
			if err != nil {
				return err
			}
			return f.Add(&wafer.Set{Charge: image}, &wafer.Set{})
		},
	} {
		if err := make(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
