package approx_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"barrow/emd"
	"barrow/emd/approx"
	"barrow/hgcal"
)

func trained(t testing.TB, points [][2]float64, directions int) *approx.Trained {
	t.Helper()
	a, err := approx.NewTrained(points, approx.TrainedSettings{Directions: directions})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// lines is the sum of the distances along so many lines at equal angles from one on, by
// sorting.
func lines(t *testing.T, points [][2]float64, count int, angle float64, p, q []float64) float64 {
	t.Helper()
	sum := 0.0
	for k := range count {
		sin, cos := math.Sincos(angle + math.Pi*float64(k)/float64(count))
		turned := make([][2]float64, len(points))
		for i, x := range points { // the only line of a Sliced of one goes along y
			turned[i] = [2]float64{0, x[0]*cos + x[1]*sin}
		}
		v, err := sliced(t, turned, approx.SlicedSettings{Directions: 1, Plain: true}).Distance(p, q)
		if err != nil {
			t.Fatal(err)
		}
		sum += v
	}
	return sum
}

// The trained angle is a largest value: no other of the 32 lines, none beside it, is above,
// and the exact distance is never below.
func TestTrained(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	m := metric(t)
	exact, err := emd.NewSolver(m, emd.Settings{Unequal: emd.UnequalNormalise})
	if err != nil {
		t.Fatal(err)
	}
	points := hgcal.Benchmark()
	for _, count := range []int{1, 2, 3} {
		a, factor, tops := trained(t, points, count), math.Sin(math.Pi/float64(2*count)), 0
		for range 20 {
			p, q := shower(r, 0), shower(r, 0)
			got, err := a.Distance(p, q)
			if err != nil {
				t.Fatal(err)
			}
			emd, err := exact.Distance(p, q)
			if err != nil || got > emd*(1+1e-12) {
				t.Errorf("%d lines: %v of an EMD of %v, %v", count, got, emd, err)
			}
			most := 0.0
			for k := range 360 {
				most = max(most, factor*lines(t, points, count, math.Pi*float64(k)/360/float64(count), p, q))
			}
			if got > most*0.999999 {
				tops++
			}
			if got < 0.98*most {
				t.Errorf("%d lines: %v, at another angle %v", count, got, most)
			}
		}
		if tops < 16 { // a climb may end on a lower top, seldom
			t.Errorf("%d lines: the largest of 360 angles was reached %d times of 20", count, tops)
		}
	}
}

// The gradient is that of the sum along the trained lines, held where they are.
func TestTrainedHeld(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	points, held := hgcal.Benchmark(), 0
	for _, count := range []int{1, 2} {
		a, factor := trained(t, points, count), math.Sin(math.Pi/float64(2*count))
		for range 3 {
			p, q := shower(r, 1), shower(r, 1)
			dq := make([]float64, 48)
			top, err := a.Gradient(p, q, nil, dq)
			if err != nil {
				t.Fatal(err)
			}
			// The angle is the one at which the lines reach the value: found by halving.
			angle, step := 0.0, math.Pi/float64(count)/720
			for k := range 720 {
				if x := step * float64(k); lines(t, points, count, x, p, q) > lines(t, points, count, angle, p, q) {
					angle = x
				}
			}
			for ; step > 1e-9; step *= 0.6 {
				for _, x := range []float64{angle - step, angle + step} {
					if lines(t, points, count, x, p, q) > lines(t, points, count, angle, p, q) {
						angle = x
					}
				}
			}
			if got := factor * lines(t, points, count, angle, p, q); math.Abs(got-top) > 1e-9*top {
				continue // a climb that ended on another top
			}
			held++
			for c := 1; c < 48; c += 9 {
				const h = 1e-4
				at := func(d float64) float64 {
					moved := append([]float64(nil), q...)
					moved[c] += d
					return factor * lines(t, points, count, angle, p, moved)
				}
				if slope := (at(h) - at(-h)) / (2 * h); math.Abs(slope-dq[c]) > 1e-5 {
					t.Errorf("%d lines, cell %d: gradient %v, with the angle held %v", count, c, dq[c], slope)
				}
			}
		}
	}
	if held < 4 {
		t.Errorf("the angle was found %d times of 6", held)
	}
}

// Translations are right, equal images 0 with gradients 0, points in one place too.
func TestTrainedTranslations(t *testing.T) {
	points := make([][2]float64, 100)
	for i := range points {
		points[i] = [2]float64{float64(i % 10), float64(i / 10)}
	}
	r := rand.New(rand.NewPCG(3, 4))
	dp := make([]float64, 100)
	for _, count := range []int{1, 2, 4} {
		a := trained(t, points, count)
		for range 30 {
			dx, dy := r.IntN(4), r.IntN(4)
			p, q := make([]float64, 100), make([]float64, 100)
			for range 9 {
				x, y, w := r.IntN(6), r.IntN(6), r.ExpFloat64()
				p[10*y+x] += w
				q[10*(y+dy)+x+dx] += w
			}
			// Along an angle that is not trained to the end it would be less.
			want := math.Hypot(float64(dx), float64(dy))
			if got, err := a.Distance(p, q); err != nil || math.Abs(got-want) > 1e-9 {
				t.Errorf("%d lines: translation by %v: %v, %v", count, want, got, err)
			}
			if got, err := a.Gradient(p, p, dp, nil); err != nil || got != 0 {
				t.Errorf("equal images: %v, %v", got, err)
			}
			for _, g := range dp {
				if g != 0 {
					t.Fatalf("equal images have a gradient: %v", dp)
				}
			}
		}
	}
	if got, err := trained(t, [][2]float64{{1, 2}, {1, 2}}, 1).Gradient([]float64{1, 0}, []float64{0, 1}, dp[:2], nil); err != nil || got != 0 {
		t.Errorf("two cells in one place: %v, %v", got, err)
	}
	if _, err := approx.NewTrained(make([][2]float64, 129), approx.TrainedSettings{}); err == nil {
		t.Error("129 points")
	}
	if _, err := approx.NewTrained(points, approx.TrainedSettings{Directions: 33}); err == nil {
		t.Error("33 directions")
	}
}
