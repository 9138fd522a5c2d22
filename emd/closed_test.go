package emd_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"barrow/emd"
)

// closedGrounds, for closed forms beyond the masks' 64 cells, are grids and points whose costs are a metric.
func closedGrounds(t *testing.T, r *rand.Rand) map[string]emd.Ground {
	t.Helper()
	list := resumeGrounds(t, 12)
	for _, name := range []string{"squares", "function", "metric"} {
		delete(list, name)
	}
	x := make([]float64, 5*140)
	for k := range x {
		x[k] = r.NormFloat64()
	}
	for name, s := range map[string]emd.Space{"five axes": {Norm: emd.L2}, "five axes, L1": {Norm: emd.L1}, "roots": {Norm: emd.L2, Power: 0.5}} {
		g, err := emd.NewPoints(5, x, s)
		if err != nil {
			t.Fatal(err)
		}
		list[name] = g
	}
	return list
}

// From one cell to another, and from one to all.
func TestDiracs(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 1))
	for name, g := range closedGrounds(t, r) {
		n, _ := g.Dims()
		s := newSolver(t, g, emd.Settings{Unequal: emd.UnequalNormalise})
		for range 20 {
			i, j := r.IntN(n), r.IntN(n)
			p, q, all := make([]float64, n), make([]float64, n), cellsOf(r, n, n, r.ExpFloat64)
			p[i], q[j] = 3, 0.7
			if e := certified(t, s, p, q); math.Abs(e-g.At(i, j)) > 1e-13*g.Max() {
				t.Errorf("%s: from cell %d to %d it is %v, not %v", name, i, j, e, g.At(i, j))
			}
			want, total := 0.0, 0.0
			for k, x := range all {
				want, total = want+x*g.At(k, j), total+x
			}
			if e := certified(t, s, all, q); math.Abs(e-want/total) > 1e-13*g.Max() {
				t.Errorf("%s: from all cells to %d it is %v, not %v", name, j, e, want/total)
			}
		}
	}
}

// The degenerate sets are certified everywhere, the same there and back, and 0 for
// identical images.
func TestDegenerateGrounds(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 2))
	for name, g := range closedGrounds(t, r) {
		n, _ := g.Dims()
		s := newSolver(t, g, emd.Settings{Unequal: emd.UnequalNormalise})
		penalty := newSolver(t, g, emd.Settings{Unequal: emd.UnequalPenalty, Penalty: g.Max()})
		for _, set := range degenerateSets {
			for range size(80) {
				p, q := set.draw(r, n)
				e := certified(t, s, p, q)
				if back := certified(t, s, q, p); math.Abs(back-e) > 1e-12*g.Max() {
					t.Errorf("%s, %s: there %v, back %v", name, set.name, e, back)
				}
				if set.name == "identical" && e != 0 {
					t.Errorf("%s, identical: %v", name, e)
				}
				certified(t, penalty, p, q)
			}
		}
	}
}

// onLine is the cost of moving masses on a line in order, which no convex cost is below.
func onLine(x, p, y, q []float64, power float64) float64 {
	order := func(x []float64) []int {
		k := make([]int, len(x))
		for i := range k {
			k[i] = i
		}
		slices.SortFunc(k, func(a, b int) int {
			if x[a] < x[b] {
				return -1
			}
			return 1
		})
		return k
	}
	a, b := order(x), order(y)
	total, left, room := 0.0, p[a[0]], q[b[0]]
	for i, j := 0, 0; ; {
		m := min(left, room)
		total += m * math.Pow(math.Abs(x[a[i]]-y[b[j]]), power)
		left, room = left-m, room-m
		switch {
		case left == 0 && i < len(a)-1:
			i++
			left = p[a[i]]
		case room == 0 && j < len(b)-1:
			j++
			room = q[b[j]]
		default:
			return total
		}
	}
}

// Points on a line in space go in order, for every power from 1 on.
func TestPointsOnLine(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 3))
	direction := [3]float64{2, -3, 6} // of length 7
	for _, power := range []float64{1, 1.5, 2, 3} {
		for range 5 {
			var at, masses, places [2][]float64
			for side := range at {
				n := 70 + r.IntN(60)
				masses[side] = make([]float64, n)
				for range n {
					x := r.NormFloat64()
					at[side] = append(at[side], 7*x)
					for _, d := range direction {
						places[side] = append(places[side], d*x)
					}
				}
				for range 600 {
					masses[side][r.IntN(n)]++
				}
			}
			g, err := emd.NewPointsBetween(3, places[0], places[1], emd.Space{Norm: emd.L2, Power: power})
			if err != nil {
				t.Fatal(err)
			}
			want := onLine(at[0], masses[0], at[1], masses[1], power)
			if e := certified(t, newSolver(t, g, emd.Settings{}), masses[0], masses[1]); math.Abs(e-want) > 1e-12*want {
				t.Errorf("power %v: %v, not %v", power, e, want)
			}
		}
	}
}

// Between Gaussians on lines: squared distances are those of the means and of the widths, and
// distances those of the means where the widths are equal; on rows of a grid as on points.
func TestGaussians(t *testing.T) {
	const n = 400
	gauss := func(mean, width float64) []float64 {
		p := make([]float64, n)
		for k := range p {
			z := (float64(k) - mean) / width
			p[k] = math.Exp(-z * z / 2)
		}
		return p
	}
	x := make([]float64, n)
	for k := range x {
		x[k] = float64(k)
	}
	squares, err := emd.NewPointsBetween(1, x, x, emd.Space{Norm: emd.L2, Power: 2})
	if err != nil {
		t.Fatal(err)
	}
	line, err := emd.NewPoints(1, x, emd.Space{Norm: emd.L2})
	if err != nil {
		t.Fatal(err)
	}
	row, err := emd.NewGrid([]int{1, n}, emd.L1, nil)
	if err != nil {
		t.Fatal(err)
	}
	set := emd.Settings{Unequal: emd.UnequalNormalise}
	for _, c := range [][4]float64{{150, 12, 250, 12}, {120, 8, 260, 20}, {200, 25, 200, 11}} {
		p, q := gauss(c[0], c[1]), gauss(c[2], c[3])
		want := (c[0]-c[2])*(c[0]-c[2]) + (c[1]-c[3])*(c[1]-c[3])
		// Masses on whole numbers are off by half of one at most, in place of a line.
		if e := certified(t, newSolver(t, squares, set), p, q); math.Abs(e-want) > 0.25+1e-3 {
			t.Errorf("%v: squares %v, not %v", c, e, want)
		}
		for _, g := range []emd.Ground{line, row} {
			e := certified(t, newSolver(t, g, set), p, q)
			if want := math.Abs(c[0] - c[2]); c[1] == c[3] && math.Abs(e-want) > 1e-9 {
				t.Errorf("%v: %v, not %v", c, e, want)
			}
			if want := math.Abs(c[1]-c[3]) * math.Sqrt(2/math.Pi); c[0] == c[2] && math.Abs(e-want) > 1e-2 {
				t.Errorf("%v: %v, not %v", c, e, want)
			}
		}
	}
}

// Points that all move by less than half of what separates them stay partners, in any order.
func TestPermuted(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 4))
	const side = 12
	order := r.Perm(side * side)
	for _, power := range []float64{1, 2} {
		var x []float64
		y := make([]float64, 2*side*side)
		want := 0.0
		for k := range side * side {
			at := [2]float64{float64(k % side), float64(k / side)}
			x = append(x, at[:]...)
			dx, dy := 0.6*(r.Float64()-0.5), 0.6*(r.Float64()-0.5)
			y[2*order[k]], y[2*order[k]+1] = at[0]+dx, at[1]+dy
			want += math.Pow(math.Hypot(dx, dy), power)
		}
		g, err := emd.NewPointsBetween(2, x, y, emd.Space{Norm: emd.L2, Power: power})
		if err != nil {
			t.Fatal(err)
		}
		ones := slices.Repeat([]float64{1}, side*side)
		if e := certified(t, newSolver(t, g, emd.Settings{}), ones, ones); math.Abs(e-want) > 1e-11 {
			t.Errorf("power %v: %v, not %v", power, e, want)
		}
	}
}

// Certificates close at every number of cells, on a line of cells and on points.
func TestCertifiedAtEveryN(t *testing.T) {
	r := rand.New(rand.NewPCG(41, 5))
	for n := 2; n <= 150; n++ {
		x := make([]float64, 2*n)
		for k := range x {
			x[k] = r.Float64()
		}
		points, err := emd.NewPoints(2, x, emd.Space{Norm: emd.L2})
		if err != nil {
			t.Fatal(err)
		}
		grid, err := emd.NewGrid([]int{n}, emd.L1, []bool{n%2 == 0})
		if err != nil {
			t.Fatal(err)
		}
		ones := make([]float64, n)
		for k := range n / 2 {
			ones[2*k] = 1
		}
		other := slices.Clone(ones)
		slices.Reverse(other)
		for _, g := range []emd.Ground{points, grid} {
			s := newSolver(t, g, emd.Settings{Unequal: emd.UnequalNormalise})
			certified(t, s, cellsOf(r, n, n, r.ExpFloat64), cellsOf(r, n, n, r.ExpFloat64))
			certified(t, s, ones, other) // equal masses
		}
	}
}
