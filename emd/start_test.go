package emd_test

import (
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"barrow/emd"
	"barrow/internal/images"
)

// pointsIn makes points a ground.
func pointsIn(t *testing.T, points [][2]float64, s emd.Space) *emd.Points {
	t.Helper()
	var x []float64
	for _, p := range points {
		x = append(x, p[:]...)
	}
	g, err := emd.NewPoints(2, x, s)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// TestNewStart demands the same optimum from any potentials, and that one from the optimum's own
// needs fewer pivots than the usual one.
func TestNewStart(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 3))
	const n = 120
	points := make([][2]float64, n)
	for i := range points {
		points[i] = [2]float64{rng.Float64(), rng.Float64()}
	}
	metric, err := emd.Euclidean(points)
	if err != nil {
		t.Fatal(err)
	}
	c := make([]float64, n*n)
	for k := range c {
		c[k] = rng.Float64()
	}
	p, q := somePairs(rng, 1, n, n)
	for name, g := range map[string]emd.Ground{"metric": metric, "costs": newCost(t, n, n, c), "points": pointsIn(t, points, emd.Space{Norm: emd.L2}),
		"squares": pointsIn(t, points, emd.Space{Norm: emd.L2, Power: 2})} {
		for _, set := range []emd.Settings{{}, {Unequal: emd.UnequalPenalty, Penalty: 3}} {
			s := newSolver(t, g, set)
			f, h := make([]float64, n), make([]float64, n)
			e, err := s.Potentials(p, q, f, h)
			if err != nil {
				t.Fatal(err)
			}
			var own *emd.Start
			for k, start := range [][2][]float64{{f, h}, {h, f}, {make([]float64, n), c[:n]}} {
				at, err := emd.NewStart(g, start[0], start[1])
				if err != nil || s.Resume(at) != nil {
					t.Fatal(err)
				}
				if got, err := s.Distance(p, q); err != nil || math.Abs(got-e) > 1e-13 {
					t.Errorf("%s: %v (%v) from another start, want %v", name, got, err, e)
				}
				if k == 0 {
					own = at
				}
			}
			cold, warm := pivotsOf(t, g, set, nil, p, q), pivotsOf(t, g, set, own, p, q)
			t.Logf("%s: %d pivots cold, %d warm", name, cold, warm)
			if warm >= cold {
				t.Errorf("%s: %d pivots from the optimum's potentials, %d from nothing", name, warm, cold)
			}
		}
	}
	for _, bad := range [][]float64{nil, c[:n-1], append([]float64{math.NaN()}, c[:n-1]...)} {
		if _, err := emd.NewStart(metric, c[:n], bad); err == nil {
			t.Errorf("no error for %d potentials", len(bad))
		}
	}
	if _, err := emd.NewStart(nil, c[:n], c[:n]); err == nil {
		t.Error("a start of no ground")
	}
}

// TestResumeAllocations: one Start and one Solver serve a training without allocating; nor does a plan on a
// Grid, where there is room for it.
func TestResumeAllocations(t *testing.T) {
	rng := rand.New(rand.NewPCG(19, 4))
	for name, g := range resumeGrounds(t, 12) {
		if name == "function" {
			continue
		}
		s := newSolver(t, g, emd.Settings{})
		p, q := somePairs(rng, 1, 144, 144)
		var at emd.Start
		var plan []emd.Arc
		step := func() {
			if s.Resume(&at) != nil {
				t.Fatal("no start")
			}
			var err error
			if plan, _, err = s.Flow(p, q, plan[:0]); err != nil {
				t.Fatal(err)
			}
			s.Save(&at)
		}
		for range 3 {
			step()
		}
		if got := testing.AllocsPerRun(5, step); got > 4 {
			t.Errorf("%s: %v allocations a step", name, got)
		}
	}
}

// pivotsOf counts those of a solve by halving the bound.
func pivotsOf(t *testing.T, g emd.Ground, set emd.Settings, at *emd.Start, p, q []float64) int {
	t.Helper()
	lo, hi := 0, 1<<20
	for lo+1 < hi {
		set.MaxPivots = (lo + hi) / 2
		s := newSolver(t, g, set)
		if err := s.Resume(at); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Distance(p, q); err == nil {
			hi = set.MaxPivots
		} else {
			lo = set.MaxPivots
		}
	}
	return hi
}

// grounds of images, and of the same cells as others.
func resumeGrounds(t *testing.T, side int) map[string]emd.Ground {
	t.Helper()
	list := map[string]emd.Ground{}
	var points [][2]float64
	for k := range side * side {
		points = append(points, [2]float64{float64(k % side), float64(k / side)})
	}
	for name, norm := range map[string]emd.Norm{"L1": emd.L1, "LInf": emd.LInf, "L2": emd.L2} {
		for _, periodic := range []bool{false, true} {
			g, err := emd.NewGrid([]int{side, side}, norm, []bool{periodic, false})
			if err != nil {
				t.Fatal(err)
			}
			if periodic {
				name += " periodic"
			}
			list[name] = g
		}
	}
	metric, err := emd.Euclidean(points)
	if err != nil {
		t.Fatal(err)
	}
	list["metric"] = metric
	list["squares"] = pointsIn(t, points, emd.Space{Norm: emd.L2, Power: 2})
	list["function"] = pointsIn(t, points, emd.Space{Cost: func(x, y []float64) float64 { return math.Sin(x[0]) - y[1] + math.Hypot(x[0]-y[0], x[1]-y[1]) }})
	return list
}

// TestResume demands the same optimum, proven, from where other pairs ended, and far fewer
// pivots where these were like it.
func TestResume(t *testing.T) {
	const side, n = 16, 256
	rng := rand.New(rand.NewPCG(19, 4))
	grounds := resumeGrounds(t, side)
	for _, name := range slices.Sorted(maps.Keys(grounds)) {
		g := grounds[name]
		for _, set := range []emd.Settings{{Unequal: emd.UnequalNormalise}, {Unequal: emd.UnequalPenalty, Penalty: g.Max()}} {
			s, cold := newSolver(t, g, set), newSolver(t, g, set)
			var at emd.Start
			for k, class := range []string{"cauchy", "shapes", "white-noise"} {
				p, q := drawn(t, class, side, 1), drawn(t, class, side, 2)
				like := append([]float64(nil), p...)
				for i := range like {
					like[i] *= 1 + 0.003*rng.Float64()
				}
				// Each pair starts from the one before, which is like it or not at all.
				for _, v := range [][]float64{p, like, q, drawn(t, class, side, 3), p} {
					want, err := cold.Distance(v, q)
					if err != nil {
						t.Fatal(err)
					}
					c, err := s.Certificate(v, q)
					if err != nil {
						t.Fatal(err)
					}
					if err := c.Check(0); err != nil {
						t.Fatalf("%s, %+v, %s: %v", name, set, class, err)
					}
					if got, err := s.Distance(v, q); err != nil || math.Abs(got-want) > 1e-12*max(1, g.Max(), math.Abs(want)) {
						t.Fatalf("%s, %+v, %s: %v (%v) from another start, want %v", name, set, class, got, err, want)
					}
					s.Save(&at)
					if err := s.Resume(&at); err != nil {
						t.Fatal(err)
					}
				}
				if k > 0 || set.Unequal == emd.UnequalPenalty {
					continue
				}
				usual, resumed := pivotsOf(t, g, set, nil, like, q), pivotsOf(t, g, set, &at, like, q)
				t.Logf("%s: %d pivots, %d from the start of a like pair", name, usual, resumed)
				if 2*resumed > usual {
					t.Errorf("%s: %d pivots from the start of a like pair, %d else", name, resumed, usual)
				}
			}
			p, q := drawn(t, "scene", side, 1), drawn(t, "scene", side, 2)
			if got := testing.AllocsPerRun(5, func() {
				if _, err := s.Distance(p, q); err != nil {
					t.Error(err)
				}
				s.Save(&at)
				if err := s.Resume(&at); err != nil {
					t.Error(err)
				}
			}); got != 0 && name != "function" {
				t.Errorf("%s: %v allocations to resume", name, got)
			}
		}
	}
}

func drawn(t *testing.T, class string, side int, seed uint64) []float64 {
	t.Helper()
	v, err := images.Draw(class, side, seed)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestResumeNothing: a Start that says nothing is the usual start, and one of another ground
// an error.
func TestResumeNothing(t *testing.T) {
	for name, g := range resumeGrounds(t, 9) {
		s := newSolver(t, g, emd.Settings{})
		var at emd.Start
		for _, start := range []*emd.Start{nil, &at} {
			if err := s.Resume(start); err != nil {
				t.Error(err)
			}
		}
		same := make([]float64, 81)
		same[0] = 1
		if _, err := s.Distance(same, same); err != nil {
			t.Fatal(err)
		}
		s.Save(&at)
		if err := s.Resume(&at); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		other := make([]float64, 81)
		other[80] = 1
		if _, err := s.Distance(same, other); err != nil {
			t.Fatal(err)
		}
		s.Save(&at)
		if err := newSolver(t, resumeGrounds(t, 9)[name], emd.Settings{}).Resume(&at); err == nil {
			t.Errorf("%s: no error for a start of another ground", name)
		}
	}
}

// An image changes a little, as from one step of a training to the next.
func ExampleSolver_Resume() {
	g, _ := emd.NewGrid([]int{1, 100}, emd.L1, nil)
	solver, _ := emd.NewSolver(g, emd.Settings{Unequal: emd.UnequalNormalise})
	p, q := make([]float64, 100), make([]float64, 100)
	p[10], q[30], q[90] = 2, 1, 1
	e, _ := solver.Distance(p, q)
	fmt.Println(e)
	var at emd.Start
	solver.Save(&at)
	p[11] = 2
	if err := solver.Resume(&at); err != nil {
		fmt.Println(err)
	}
	e, _ = solver.Distance(p, q)
	fmt.Println(e)
	// Output:
	// 50
	// 49.5
}
