package approx_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"barrow/emd"
	"barrow/emd/approx"
	"barrow/hgcal"
)

func metric(t testing.TB) *emd.Metric {
	t.Helper()
	m, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func sliced(t testing.TB, points [][2]float64, s approx.SlicedSettings) *approx.Sliced {
	t.Helper()
	v, err := approx.NewSliced(points, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func sinkhorn(t testing.TB, m *emd.Metric, s approx.SinkhornSettings) *approx.Sinkhorn {
	t.Helper()
	v, err := approx.NewSinkhorn(m, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// shower is a round image of random place and width; floor fills every cell.
func shower(r *rand.Rand, floor float64) []float64 {
	points := hgcal.Benchmark()
	c, w := points[r.IntN(48)], 0.8+1.5*r.Float64()
	p := make([]float64, 48)
	for i, x := range points {
		d := math.Hypot(x[0]-c[0], x[1]-c[1])
		p[i] = floor*r.ExpFloat64() + 100*math.Exp(-d*d/(2*w*w))*r.ExpFloat64()
		if floor == 0 && p[i] < 2 {
			p[i] = 0
		}
	}
	p[0] += 1e-3
	return p
}

type approximation interface {
	Distance(p, q []float64) (float64, error)
	Gradient(p, q, dp, dq []float64) (float64, error)
}

// Slopes against central differences, for raw inputs.
func TestGradients(t *testing.T) {
	m := metric(t)
	for name, a := range map[string]approximation{
		"sliced":          sliced(t, hgcal.Benchmark(), approx.SlicedSettings{}),
		"sliced, plain":   sliced(t, hgcal.Benchmark(), approx.SlicedSettings{Directions: 5, Plain: true}),
		"max-sliced":      trained(t, hgcal.Benchmark(), 1),
		"frame":           trained(t, hgcal.CMSSW(), 2),
		"five turned":     trained(t, hgcal.Benchmark(), 5),
		"sinkhorn":        sinkhorn(t, m, approx.SinkhornSettings{Tolerance: 1e-12}),
		"sinkhorn, sharp": sinkhorn(t, m, approx.SinkhornSettings{Tolerance: 1e-12, Epsilon: 0.3}),
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			dp, dq := make([]float64, 48), make([]float64, 48)
			for range 2 {
				p, q := shower(r, 1), shower(r, 1)
				if _, err := a.Gradient(p, q, dp, dq); err != nil {
					t.Fatal(err)
				}
				for k := range 6 {
					for side, g := range [][]float64{dp, dq} {
						const h = 1e-4
						x := [][]float64{p, q}[side]
						old := x[8*k+1]
						x[8*k+1] = old + h
						up, errUp := a.Distance(p, q)
						x[8*k+1] = old - h
						down, errDown := a.Distance(p, q)
						x[8*k+1] = old
						if errUp != nil || errDown != nil {
							t.Fatal(errUp, errDown)
						}
						if slope := (up - down) / (2 * h); math.Abs(slope-g[8*k+1]) > 5e-8 {
							t.Errorf("cell %d: slope %.10g, gradient %.10g", 8*k+1, slope, g[8*k+1])
						}
					}
				}
			}
		})
	}
}

// Translations: the sliced distance is right up to the number of directions, and
// the divergence is the entropic cost of nothing but the way.
func TestTranslations(t *testing.T) {
	points := make([][2]float64, 100)
	for i := range points {
		points[i] = [2]float64{float64(i % 10), float64(i / 10)}
	}
	m, err := emd.Euclidean(points)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(3, 4))
	a := sliced(t, points, approx.SlicedSettings{})
	for range 50 {
		dx, dy := r.IntN(4), r.IntN(4)
		p, q := make([]float64, 100), make([]float64, 100)
		for range 9 {
			x, y, w := r.IntN(6), r.IntN(6), r.ExpFloat64()
			p[10*y+x] += w
			q[10*(y+dy)+x+dx] += w
		}
		want := math.Hypot(float64(dx), float64(dy))
		got, err := a.Distance(p, q)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got-want) > 2e-3*want+1e-13 {
			t.Errorf("translation by %v: sliced %v", want, got)
		}
	}
	// One cell to another: the entropic plan is the exact one for any ε.
	s := sinkhorn(t, m, approx.SinkhornSettings{})
	p, q := make([]float64, 100), make([]float64, 100)
	p[0], q[57] = 2, 5
	if got, err := s.Distance(p, q); err != nil || math.Abs(got-m.At(0, 57)) > 1e-9 {
		t.Errorf("cell to cell: %v, %v, want %v", got, err, m.At(0, 57))
	}
}

// On a line one direction is exact.
func TestLine(t *testing.T) {
	points := make([][2]float64, 20)
	for i := range points {
		points[i][1] = float64(i * i)
	}
	m, err := emd.Euclidean(points)
	if err != nil {
		t.Fatal(err)
	}
	exact, err := emd.NewSolver(m, emd.Settings{Unequal: emd.UnequalNormalise})
	if err != nil {
		t.Fatal(err)
	}
	a := sliced(t, points, approx.SlicedSettings{Directions: 1, Plain: true}) // the only angle is a right one
	r := rand.New(rand.NewPCG(5, 6))
	dp, ep := make([]float64, 20), make([]float64, 20)
	for range 100 {
		p, q := make([]float64, 20), make([]float64, 20)
		for i := range p {
			p[i], q[i] = r.Float64(), r.Float64()
		}
		got, err := a.Gradient(p, q, dp, nil)
		if err != nil {
			t.Fatal(err)
		}
		want, err := exact.Gradient(p, q, ep, nil)
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(got-want) > 1e-12 {
			t.Fatalf("%v, exact %v", got, want)
		}
		for k := range dp {
			if math.Abs(dp[k]-ep[k]) > 1e-12 {
				t.Fatalf("slope %v, exact %v", dp[k], ep[k])
			}
		}
	}
}

func TestRandomDirections(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	p, q := shower(r, 0), shower(r, 0)
	fixed, err := sliced(t, hgcal.Benchmark(), approx.SlicedSettings{Directions: 720}).Distance(p, q)
	if err != nil {
		t.Fatal(err)
	}
	var runs [2][]float64
	for k := range runs {
		a := sliced(t, hgcal.Benchmark(), approx.SlicedSettings{Random: true, Seed: 4})
		for range 200 {
			x, err := a.Distance(p, q)
			if err != nil {
				t.Fatal(err)
			}
			runs[k] = append(runs[k], x)
		}
	}
	if !slices.Equal(runs[0], runs[1]) {
		t.Error("the same seed draws other directions")
	}
	if runs[0][0] == runs[0][1] {
		t.Error("two calls use the same directions")
	}
	mean := 0.0
	for _, x := range runs[0] {
		mean += x / 200
	}
	if math.Abs(mean/fixed-1) > 0.02 {
		t.Errorf("random directions average to %v, many fixed ones to %v", mean, fixed)
	}
}

func TestErrors(t *testing.T) {
	m := metric(t)
	good := shower(rand.New(rand.NewPCG(1, 1)), 1)
	bad := slices.Clone(good)
	bad[7] = math.NaN()
	huge := slices.Repeat([]float64{math.MaxFloat64}, 48)
	for name, a := range map[string]approximation{
		"sliced": sliced(t, hgcal.Benchmark(), approx.SlicedSettings{}), "sinkhorn": sinkhorn(t, m, approx.SinkhornSettings{}),
	} {
		for _, c := range []struct {
			p, q []float64
			want string
		}{
			{bad, good, "p[7] = NaN"}, {good, bad, "q[7] = NaN"}, {good[1:], good, "p has 47 cells"},
			{good, make([]float64, 48), "q: no mass"}, {huge, good, "overflows"},
		} {
			if _, err := a.Distance(c.p, c.q); err == nil || !strings.HasPrefix(err.Error(), "approx: ") || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: error %v, want %q", name, err, c.want)
			}
		}
		if _, err := a.Distance(good, make([]float64, 48)); !errors.Is(err, emd.ErrEmpty) {
			t.Error(err)
		}
		if _, err := a.Gradient(good, good, make([]float64, 2), nil); err == nil {
			t.Errorf("%s: room for two derivatives was accepted", name)
		}
		if e, err := a.Distance(good, good); err != nil || math.Abs(e) > 1e-9 {
			t.Errorf("%s: an image is at %v from itself, error %v", name, e, err)
		}
	}
	for _, s := range []approx.SinkhornSettings{{Epsilon: -1}, {Tolerance: math.NaN()}, {MaxIterations: -1}} {
		if _, err := approx.NewSinkhorn(m, s); err == nil {
			t.Errorf("%+v was accepted", s)
		}
	}
	if _, err := sinkhorn(t, m, approx.SinkhornSettings{MaxIterations: 3}).Distance(good, bad[:0:0]); err == nil {
		t.Error("no cells were accepted")
	}
	if _, err := sinkhorn(t, m, approx.SinkhornSettings{MaxIterations: 3}).Distance(good, shower(rand.New(rand.NewPCG(2, 2)), 1)); err == nil || !strings.Contains(err.Error(), "has not reached") {
		t.Errorf("three iterations: %v", err)
	}
	if _, err := approx.NewSliced(nil, approx.SlicedSettings{}); err == nil {
		t.Error("no points were accepted")
	}
	if _, err := approx.NewSliced([][2]float64{{0, math.NaN()}}, approx.SlicedSettings{}); err == nil {
		t.Error("a point nowhere was accepted")
	}
	if _, err := approx.NewSliced(hgcal.Benchmark(), approx.SlicedSettings{Directions: -1}); err == nil {
		t.Error("-1 directions were accepted")
	}
}

// TestBias measures the relative error of each approximation, and the cosine of
// its gradient with the exact one (both with respect to q, centred), and holds
// the figures of docs/emd.md to what is stated there.
func TestBias(t *testing.T) {
	m := metric(t)
	exact, err := emd.NewSolver(m, emd.Settings{Unequal: emd.UnequalNormalise})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name               string
		a                  approximation
		pairs              int
		bias, wide, cosine float64 // the least and the largest bias, least cosine
	}{
		{"sliced, 32 fixed directions", sliced(t, hgcal.Benchmark(), approx.SlicedSettings{}), 1000, -0.1, 0.02, 0.97},
		{"sliced, 32 random directions", sliced(t, hgcal.Benchmark(), approx.SlicedSettings{Random: true}), 1000, -0.1, 0.02, 0.97},
		{"max-sliced", trained(t, hgcal.Benchmark(), 1), 1000, -0.6, 0, 0.7},
		{"a trained frame", trained(t, hgcal.Benchmark(), 2), 1000, -0.4, 0, 0.8},
		{"Sinkhorn, ε = 1", sinkhorn(t, m, approx.SinkhornSettings{Epsilon: 1, Tolerance: 1e-6}), 60, -0.75, 0, 0.9},
		{"Sinkhorn, ε = 0.3", sinkhorn(t, m, approx.SinkhornSettings{Epsilon: 0.3, Tolerance: 1e-6}), 60, -0.3, 0, 0.95},
		{"Sinkhorn, ε = 0.1", sinkhorn(t, m, approx.SinkhornSettings{Epsilon: 0.1, Tolerance: 1e-4}), 20, -0.1, 0, 0.99},
	} {
		for _, kind := range []string{"sparse", "dense q", "smeared"} {
			r := rand.New(rand.NewPCG(9, 10))
			var sum, square float64
			var cosines []float64
			var spent time.Duration
			dq, eq := make([]float64, 48), make([]float64, 48)
			for range c.pairs {
				p, q := shower(r, 0), shower(r, 0)
				switch kind {
				case "dense q":
					q = shower(r, 2)
				case "smeared":
					q = smeared(m, p)
				}
				want, err := exact.Gradient(p, q, nil, eq)
				if err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				got, err := c.a.Gradient(p, q, nil, dq)
				if err != nil {
					t.Fatal(err)
				}
				spent += time.Since(start)
				x := (got - want) / want
				sum += x
				square += x * x
				cosines = append(cosines, cosine(dq, eq, q))
			}
			n := float64(c.pairs)
			bias := sum / n
			slices.Sort(cosines)
			median := cosines[len(cosines)/2]
			t.Logf("%-29s %-8s bias %+.3f, spread %.3f, gradient cosine median %.3f, p10 %.3f, %d µs a pair",
				c.name, kind, bias, math.Sqrt(square/n-bias*bias), median, cosines[len(cosines)/10], spent.Microseconds()/int64(c.pairs))
			if bias < c.bias || bias > c.wide || median < c.cosine {
				t.Errorf("%s: bias %v, median gradient cosine %v", c.name, bias, median)
			}
		}
	}
}

// smeared spreads every cell by a Gaussian of width 1.2, and adds 0.002 to every
// cell of the normalised image.
func smeared(m *emd.Metric, p []float64) []float64 {
	total := 0.0
	for _, x := range p {
		total += x
	}
	q := make([]float64, len(p))
	for j, x := range p {
		sum := 0.0
		for i := range q {
			sum += math.Exp(-m.At(i, j) * m.At(i, j) / (2 * 1.2 * 1.2))
		}
		for i := range q {
			q[i] += x / total / sum * math.Exp(-m.At(i, j)*m.At(i, j)/(2*1.2*1.2))
		}
	}
	for i := range q {
		q[i] += 0.002
	}
	return q
}

// cosine of two vectors on the support of q, centred there.
func cosine(a, b, q []float64) float64 {
	var n, ma, mb float64
	for k, x := range q {
		if x > 0 {
			n, ma, mb = n+1, ma+a[k], mb+b[k]
		}
	}
	var ab, aa, bb float64
	for k, x := range q {
		if x > 0 {
			u, v := a[k]-ma/n, b[k]-mb/n
			ab, aa, bb = ab+u*v, aa+u*u, bb+v*v
		}
	}
	return ab / math.Sqrt(aa*bb)
}

func ExampleSliced() {
	s, err := approx.NewSliced([][2]float64{{0, 0}, {3, 4}}, approx.SlicedSettings{Directions: 180})
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := s.Distance([]float64{1, 0}, []float64{0, 1})
	fmt.Printf("%.3f %v\n", e, err)
	// Output: 5.000 <nil>
}

func ExampleSinkhorn() {
	m, err := emd.Euclidean([][2]float64{{0, 0}, {3, 4}})
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := approx.NewSinkhorn(m, approx.SinkhornSettings{Epsilon: 0.5})
	if err != nil {
		fmt.Println(err)
		return
	}
	e, err := s.Distance([]float64{1, 0}, []float64{0, 1})
	fmt.Printf("%.3f %v\n", e, err)
	// Output: 5.000 <nil>
}
