package emd_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"barrow/emd"
)

// masses draws an image of n cells with some mass.
func masses(t *rapid.T, n int, label string) []float64 {
	p := rapid.SliceOfN(rapid.OneOf(rapid.Just(0.0), rapid.Float64Range(0, 1), rapid.Map(rapid.IntRange(0, 5), func(i int) float64 { return float64(i) })), n, n).Draw(t, label)
	if sum(p) == 0 {
		p[rapid.IntRange(0, n-1).Draw(t, label+" cell")] = 1
	}
	return p
}

// sized draws a number of cells for the small or for the large solver.
func sized() *rapid.Generator[int] {
	return rapid.OneOf(rapid.IntRange(1, 64), rapid.IntRange(1, 8), rapid.IntRange(65, 150))
}

func must[T any](v T, err error) func(t *rapid.T) T {
	return func(t *rapid.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

// distance normalises, and certifies as it goes.
func distance(t *rapid.T, m *emd.Metric, p, q []float64) float64 {
	t.Helper()
	s := must(emd.NewSolver(m, emd.Settings{Unequal: emd.UnequalNormalise}))(t)
	c := must(s.Certificate(p, q))(t)
	if err := c.Check(tolerated(len(p))); err != nil {
		t.Fatal(err)
	}
	return must(s.Distance(p, q))(t)
}

// tolerated is the tolerance of a certificate. To the network simplex of more than 64
// points reduced costs below 1e-13 of the largest distance are 0: points so near each other
// are one.
func tolerated(n int) float64 {
	if n > 64 {
		return 2e-13
	}
	return 0
}

func agree(t *rapid.T, what string, got, want, scale float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-13*scale {
		t.Fatalf("%s: %.17g, want %.17g", what, got, want)
	}
}

// On a tree the distance is Σ over edges of length · |mass on the far side of
// one image less that of the other|, since all of that difference must cross.
func TestTreeMetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := sized().Draw(t, "n")
		parent, length := make([]int, n), make([]float64, n)
		d := make([]float64, n*n)
		for i := 1; i < n; i++ {
			parent[i] = rapid.IntRange(max(0, i-5), i-1).Draw(t, "parent")
			length[i] = rapid.Float64Range(0.1, 3).Draw(t, "length")
			for j := range i {
				x := d[parent[i]*n+j] + length[i]
				d[i*n+j], d[j*n+i] = x, x
			}
		}
		m := must(emd.NewMetric(n, d))(t)
		p, q := masses(t, n, "p"), masses(t, n, "q")
		over := make([]float64, n)
		for i := range over {
			over[i] = p[i]/sum(p) - q[i]/sum(q)
		}
		want := 0.0
		for i := n - 1; i > 0; i-- {
			want += length[i] * math.Abs(over[i])
			over[parent[i]] += over[i]
		}
		agree(t, "distance on a tree", distance(t, m, p, q), want, 1+m.Max())
	})
}

// On a circle mass goes around one way or the other: the distance is
// min over c of Σ width·|F_i − c| with F the cumulated difference, the minimum
// being at the median.
func TestCircle(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(3, 90).Draw(t, "n")
		points := make([][2]float64, n)
		for i := range points {
			points[i][0] = float64(i)
		}
		m := must(emd.Periodic(points, float64(n), 0))(t)
		p, q := masses(t, n, "p"), masses(t, n, "q")
		f := make([]float64, n)
		run := 0.0
		for i := range f {
			run += p[i]/sum(p) - q[i]/sum(q)
			f[i] = run
		}
		c := slices.Sorted(slices.Values(f))[n/2]
		want := 0.0
		for _, x := range f {
			want += math.Abs(x - c)
		}
		agree(t, "distance on a circle", distance(t, m, p, q), want, float64(n))
	})
}

// A translation by v moves every unit by |v|, and nothing is cheaper: the
// gradient of a convex function is an optimal map (Y. Brenier, 1991), and a
// constant one is optimal for every cost that is a norm.
func TestTranslation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		dx, dy := rapid.IntRange(0, 3).Draw(t, "dx"), rapid.IntRange(0, 3).Draw(t, "dy")
		const side = 9
		points := make([][2]float64, side*side)
		for i := range points {
			points[i] = [2]float64{float64(i % side), float64(i / side)}
		}
		m := must(emd.Euclidean(points))(t)
		p, q := make([]float64, side*side), make([]float64, side*side)
		for i, x := range masses(t, 36, "image") {
			a, b := i%6, i/6
			p[b*side+a] = x
			q[(b+dy)*side+a+dx] = x
		}
		agree(t, "distance of a translation", distance(t, m, p, q), math.Hypot(float64(dx), float64(dy)), 20)
	})
}

// All distances equal to 1: the distance is the total variation.
func TestDiscreteMetric(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := sized().Draw(t, "n")
		d := make([]float64, n*n)
		for i := range d {
			if i/n != i%n {
				d[i] = 1
			}
		}
		m := must(emd.NewMetric(n, d))(t)
		p, q := masses(t, n, "p"), masses(t, n, "q")
		want := 0.0
		for i := range p {
			want += math.Abs(p[i]/sum(p)-q[i]/sum(q)) / 2
		}
		agree(t, "total variation", distance(t, m, p, q), want, 1)
	})
}

// A distance between images: symmetric, triangle inequality, convex, linear in
// mass and in length, and one cell to another is the ground distance.
func TestMetricProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := sized().Draw(t, "n")
		points := make([][2]float64, n)
		for i := range points {
			points[i] = [2]float64{rapid.Float64Range(-5, 5).Draw(t, "x"), rapid.Float64Range(-5, 5).Draw(t, "y")}
		}
		m := must(emd.Euclidean(points))(t)
		p, q, r := masses(t, n, "p"), masses(t, n, "q"), masses(t, n, "r")
		pq, qr, pr := distance(t, m, p, q), distance(t, m, q, r), distance(t, m, p, r)
		agree(t, "back", distance(t, m, q, p), pq, 15)
		if pr > pq+qr+1e-12 {
			t.Fatalf("%v by way of q is shorter than %v", pq+qr, pr)
		}
		i, j := rapid.IntRange(0, n-1).Draw(t, "i"), rapid.IntRange(0, n-1).Draw(t, "j")
		a, b := make([]float64, n), make([]float64, n)
		a[i], b[j] = 3, 7
		agree(t, "cell to cell", distance(t, m, a, b), m.At(i, j), 15)

		balanced := must(emd.NewSolver(m, emd.Settings{}))(t)
		u, v := normalised(p), normalised(q)
		for k := range u {
			u[k] *= 1000
			v[k] *= 1000
		}
		agree(t, "a thousand units", must(balanced.Distance(u, v))(t), 1000*pq, 15000)
		twice := slices.Clone(points)
		for k := range twice {
			twice[k][0], twice[k][1] = 2*twice[k][0], 2*twice[k][1]
		}
		agree(t, "twice as far", distance(t, must(emd.Euclidean(twice))(t), p, q), 2*pq, 30)
	})
}

// With a penalty of at least half the largest distance the energy mover's
// distance is a metric on images of any total; and where the heavier image
// contains the lighter one, only the penalty is paid.
func TestPenaltyProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := sized().Draw(t, "n")
		points := make([][2]float64, n)
		for i := range points {
			points[i] = [2]float64{rapid.Float64Range(-5, 5).Draw(t, "x"), rapid.Float64Range(-5, 5).Draw(t, "y")}
		}
		m := must(emd.Euclidean(points))(t)
		r := max(m.Max()/2, 0.1) * rapid.Float64Range(1, 3).Draw(t, "R")
		s := must(emd.NewSolver(m, emd.Settings{Unequal: emd.UnequalPenalty, Penalty: r}))(t)
		solve := func(p, q []float64) float64 {
			c := must(s.Certificate(p, q))(t)
			if err := c.Check(tolerated(n + 1)); err != nil { // with the penalty's cell
				t.Fatal(err)
			}
			return must(s.Distance(p, q))(t)
		}
		p, q, z := masses(t, n, "p"), masses(t, n, "q"), masses(t, n, "z")
		scale := (1 + r) * (sum(p) + sum(q) + sum(z))
		if a, b, c := solve(p, z), solve(p, q), solve(q, z); a > b+c+1e-13*scale {
			t.Fatalf("%v by way of q is shorter than %v", b+c, a)
		}
		more := make([]float64, n)
		for k := range more {
			more[k] = p[k] + q[k]
		}
		agree(t, "contained", solve(p, more), r*sum(q), scale)
	})
}
