package main

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestDraw: fields are the same again, differ from each other and have storms here and there.
func TestDraw(t *testing.T) {
	fields, again := draw(40, 3), draw(40, 3)
	came, varied := 0.0, 0
	for i, f := range fields {
		if !slices.Equal(f.input, again[i].input) || !slices.Equal(f.storm, again[i].storm) {
			t.Fatalf("field %d is another the second time", i)
		}
		if slices.Equal(f.input, fields[(i+1)%len(fields)].input) {
			t.Errorf("fields %d and the next are the same", i)
		}
		sum := 0.0
		for _, v := range f.storm {
			sum += float64(v)
		}
		came += sum / pixels / float64(len(fields))
		if sum > 0 && sum < pixels {
			varied++
		}
	}
	if came < 0.05 || came > 0.3 || varied < len(fields)*3/4 {
		t.Errorf("storms on %.3f of all pixels, %d of %d fields have some and not everywhere", came, varied, len(fields))
	}
}

// TestWaves: the covariance of the background at two places is that of waves of two lengths from all
// sides, J₀ of both.
func TestWaves(t *testing.T) {
	want := func(distance float64) float64 {
		sum := 0.0
		for _, length := range []float64{20, 6} {
			r := rand.New(rand.NewPCG(1, 1))
			for range 20000 {
				sum += 0.09 / 20000 * math.J0(2*math.Pi*distance/(length*math.Exp(0.2*r.NormFloat64())))
			}
		}
		return sum
	}
	for _, distance := range []float64{0, 3, 5, 10} {
		got, n := 0.0, 4000
		for seed := range n {
			f := waves(rand.New(rand.NewPCG(uint64(seed), 9)))
			got += (f(0, 0)*f(distance, 0) + f(40, 7)*f(40, 7+distance)) / float64(2*n)
		}
		if want := want(distance); math.Abs(got-want) > 0.012 {
			t.Errorf("%v km apart: %.4f, want %.4f", distance, got, want)
		}
	}
}

// at is a field with storms at some pixels.
func at(places ...int) field {
	f := field{storm: make([]float32, pixels)}
	for _, p := range places {
		f.storm[p] = 1
	}
	return f
}

// TestMeasure: scores that can be done by hand.
func TestMeasure(t *testing.T) {
	near := func(what string, got, want scores) {
		t.Helper()
		for k, v := range got {
			if math.Abs(v-want[k]) > 1e-6 {
				t.Errorf("%s: %s is %v, want %v", what, names[k], v, want[k])
			}
		}
	}
	const middle = side*side/2 + side/2
	fields := []field{at(middle), at(middle, 0, 1)}
	exact := append(slices.Clone(fields[0].storm), fields[1].storm...)
	var curve reliability
	got, each := measure(fields, exact, &curve)
	near("exact", got, scores{0, 0, 1, 1, 1, 1, 1})
	if !slices.Equal(each, []float64{0, 0}) {
		t.Errorf("Brier scores %v of an exact forecast", each)
	}

	// A quarter everywhere: none is above ½.
	quarter := slices.Repeat([]float32{0.25}, 2*pixels)
	f := 4. / (2 * pixels)
	curve = reliability{}
	got, each = measure(fields, quarter, &curve)
	brier := f*0.75*0.75 + (1-f)*0.25*0.25
	near("a quarter", got, scores{0.25 - f, brier, 1 - brier/(f*(1-f)), 0, 0, 0, 0})
	if mean := (each[0] + each[1]) / 2; math.Abs(mean-brier) > 1e-9 || each[0] >= each[1] {
		t.Errorf("Brier scores %v by field, of all %v", each, brier)
	}
	curve.finish()
	if curve.Count[2] != 2*pixels || math.Abs(curve.Said[2]-0.25) > 1e-9 || math.Abs(curve.Came[2]-f) > 1e-9 {
		t.Errorf("curve %+v", curve)
	}

	// One pixel off: squares of 3×3 share six of nine pixels, those of 7×7 42 of 49.
	got, _ = measure([]field{at(middle)}, at(middle+1).storm, &curve)
	f = 1. / pixels
	near("one off", got, scores{2 * f, 2 * f, 1 - 2/(1-f), 0, 0, 6. / 9, 42. / 49})
}

// TestCompare: a loss whose forecasts err twice as much in every field has twice the score, the MSE
// itself once.
func TestCompare(t *testing.T) {
	mse := result{Loss: "mse", each: [][]float64{{1, 2, 3, 4}, {2, 3, 4, 6}}}
	other := result{Loss: "l1", each: [][]float64{{2, 4, 6, 8}, {4, 6, 8, 12}}}
	list := []result{other, mse}
	if err := compare(list); err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{2, 1} {
		if p := list[i].Brier; math.Abs(p.Ratio-want) > 1e-9 || math.Abs(p.High-p.Low) > 1e-9 {
			t.Errorf("%s: %+v, want %v", list[i].Loss, p, want)
		}
	}
	alone := []result{other}
	if err := compare(alone); err != nil || alone[0].Brier != nil {
		t.Errorf("without an MSE: %+v, %v", alone[0].Brier, err)
	}
}

// TestRun: a small training foresees storms better than their frequency does; the loss that sees no
// means is worse calibrated. The same again is the same.
func TestRun(t *testing.T) {
	s := setup{train: 100, epochs: 5, rate: 5e-3, threads: 1, seed: 1}
	trained := func(name string) scores {
		var curve reliability
		all, each, err := run(name, s, &curve)
		if err != nil {
			t.Fatal(err)
		}
		if len(each) != 50 || len(all) != len(names) || slices.Max(curve.Count[:]) == 0 {
			t.Fatalf("%s: %d fields, scores %v, curve %v", name, len(each), all, curve)
		}
		return all
	}
	mse, waves := trained("mse"), trained("spectral:shortest=4:longest=24")
	if mse[2] < 0.1 {
		t.Errorf("the MSE's skill is %.3f", mse[2])
	}
	if waves[0] < 2*mse[0] {
		t.Errorf("calibration errors %.4f of the MSE, %.4f of waves without the mean", mse[0], waves[0])
	}
	if again := trained("mse"); !slices.Equal(again, mse) {
		t.Errorf("%v, again %v", mse, again)
	}
	if _, _, err := run("emd", s, &reliability{}); err == nil || !strings.Contains(err.Error(), "of wafers alone") {
		t.Errorf("the EMD on fields: %v", err)
	}
}
