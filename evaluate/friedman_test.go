package evaluate

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// demsar are the areas under the curve of J. Demšar's example (J. Mach. Learn. Res. 7 (2006) 1,
// table 6), less one each, so that the smallest is best; each row is a data set.
var demsar = [][4]float64{
	{0.763, 0.768, 0.771, 0.798}, {0.599, 0.591, 0.590, 0.569}, {0.954, 0.971, 0.968, 0.967}, {0.628, 0.661, 0.654, 0.657},
	{0.882, 0.888, 0.886, 0.898}, {0.936, 0.931, 0.916, 0.931}, {0.661, 0.668, 0.609, 0.685}, {0.583, 0.583, 0.563, 0.625},
	{0.775, 0.838, 0.866, 0.875}, {1, 1, 1, 1}, {0.940, 0.962, 0.965, 0.962}, {0.619, 0.666, 0.614, 0.669},
	{0.972, 0.981, 0.978, 0.975}, {0.957, 0.978, 0.946, 0.970},
}

func byContender(rows [][4]float64) [][]float64 {
	values := make([][]float64, 4)
	for _, row := range rows {
		for i, v := range row {
			values[i] = append(values[i], 1-v)
		}
	}
	return values
}

// TestFriedman holds ranks and critical difference to Demšar's example: mean ranks 3.143, 2.000,
// 2.893 and 1.964, χ² = 9.28 and F = 3.69 without a correction for ties, critical difference 1.25.
func TestFriedman(t *testing.T) {
	r, err := Friedman(byContender(demsar))
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{3.143, 2, 2.893, 1.964} {
		if math.Abs(r.Ranks[i]-want) > 5e-4 {
			t.Errorf("mean rank %d is %v, want %v", i, r.Ranks[i], want)
		}
	}
	// Σ(t³−t) is 6 for each of three pairs and 60 for the four that are equal.
	const untied = 1 - (3*6.0+60)/(14*4*15)
	if plain := r.ChiSquare * untied; math.Abs(plain-9.28) > 0.01 {
		t.Errorf("χ² = %v, without the correction %v, want 9.28", r.ChiSquare, plain)
	}
	if math.Abs(r.Critical-1.25) > 0.005 || r.Blocks != 14 {
		t.Errorf("critical difference %v over %d blocks, want 1.25 over 14", r.Critical, r.Blocks)
	}
	// The critical value of F(3, 39) at 5 % is 2.85.
	if !(r.P > 0.005 && r.P < 0.02) || !(r.F > 3.69) {
		t.Errorf("F = %v, p = %v", r.F, r.P)
	}
}

// TestNemenyi holds the critical values to Demšar's table 5.
func TestNemenyi(t *testing.T) {
	for k, want := range map[int][2]float64{
		2: {1.960, 1.645}, 3: {2.343, 2.052}, 4: {2.569, 2.291}, 5: {2.728, 2.459}, 6: {2.850, 2.589}, 7: {2.949, 2.693},
		8: {3.031, 2.780}, 9: {3.102, 2.855}, 10: {3.164, 2.920},
	} {
		for i, level := range []float64{0.05, 0.10} {
			if got := nemenyi(k, level); math.Abs(got-want[i]) > 1.1e-3 {
				t.Errorf("%d contenders at %v: %v, want %v", k, level, got, want[i])
			}
		}
	}
}

// TestFriedmanFew: of few blocks that all rank alike the probability is that of as many orders, which
// is what the last of them might as well have; a critical difference that it never falls below 5 %
// with is none. Of ten blocks of two contenders it is the sign test's.
func TestFriedmanFew(t *testing.T) {
	alike := func(k, n, against int) [][]float64 {
		values := make([][]float64, k)
		for i := range values {
			for b := range n {
				values[i] = append(values[i], float64(i))
				if b < against {
					values[i][b] = float64(-i)
				}
			}
		}
		return values
	}
	for _, c := range []struct {
		k, n, against int
		p             float64
		by            string
		groups        int
	}{
		{2, 2, 0, 0.5, ByArrangements, 1}, {2, 5, 0, 0.0625, ByArrangements, 1}, {2, 6, 0, 0.03125, ByArrangements, 0}, {3, 2, 0, 1.0 / 6, ByArrangements, 1},
		{3, 3, 0, 1.0 / 36, ByArrangements, 2}, {2, 10, 1, 22.0 / 1024, ByArrangements, 0}, {2, 10, 2, 112.0 / 1024, ByArrangements, 1},
		{2, 10, 5, 1, ByArrangements, 1},
	} {
		r, err := Friedman(alike(c.k, c.n, c.against))
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(r.P-c.p) > 1e-12 || r.By != c.by || len(r.Cliques()) != c.groups || (r.Critical == 0) != (c.against == 0 && c.p > rankLevel) {
			t.Errorf("%+v: p = %v by %s, critical difference %v, %v", c, r.P, r.By, r.Critical, r.Cliques())
		}
	}
	// Draws are the same each time, near the F distribution where there are many blocks, and least with
	// as many as there are.
	r, err := Friedman(byContender(demsar))
	again, _ := Friedman(byContender(demsar))
	if err != nil || r.By != ByDraws || r.P != again.P || r.P < 0.012 || r.P > 0.022 {
		t.Errorf("%+v, %v", r, again)
	}
	if r, err = Friedman(alike(5, 8, 0)); err != nil || r.P != 1.0/(arrangementDraws+1) {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err = Friedman(alike(2, 100, 0)); err != nil || r.By != ByF && r.By != ByDraws {
		t.Errorf("%+v, %v", r, err)
	}
	if r, err = Friedman(alike(2, 1000, 500)); err != nil || r.By != ByF || r.P != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

// TestFriedmanLevel: of contenders that are the same no more than 5 % of rankings tell any two apart,
// however few the blocks.
func TestFriedmanLevel(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for _, c := range [][2]int{{2, 5}, {2, 7}, {3, 3}, {3, 4}, {4, 3}} {
		const tries = 300
		found, small := 0, 0
		for range tries {
			values := make([][]float64, c[0])
			for i := range values {
				for range c[1] {
					values[i] = append(values[i], rng.Float64())
				}
			}
			r, err := Friedman(values)
			if err != nil {
				t.Fatal(err)
			}
			order := r.Order()
			if r.Critical > 0 && r.Ranks[order[len(order)-1]]-r.Ranks[order[0]] >= r.Critical-rounding {
				found++
			}
			if r.P <= 0.05 {
				small++
			}
		}
		// 0.05 and three standard deviations.
		if most := 0.088 * tries; float64(found) > most || float64(small) > most {
			t.Errorf("%d contenders, %d blocks: %d of %d told apart, %d with p ≤ 0.05", c[0], c[1], found, tries, small)
		}
	}
}

// TestFriedmanEnds: contenders that are the same everywhere differ in nothing, those that rank
// alike in every block in all.
func TestFriedmanEnds(t *testing.T) {
	same := [][]float64{{1, 2, 3}, {1, 2, 3}, {1, 2, 3}}
	r, err := Friedman(same)
	if err != nil || r.ChiSquare != 0 || r.F != 0 || r.P != 1 || r.Ranks[0] != 2 || len(r.Cliques()) != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	var apart [][]float64
	for i := range 3 {
		row := make([]float64, 40)
		for b := range row {
			row[b] = float64(10 - i)
		}
		apart = append(apart, row)
	}
	r, err = Friedman(apart)
	if err != nil || !math.IsInf(r.F, 1) || !(r.P > 0 && r.P < 1e-4) || r.Order()[0] != 2 || len(r.Cliques()) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	for want, values := range map[string][][]float64{
		"1 contenders":               {{1, 2}},
		"1 blocks":                   {{1}, {2}},
		"contender 2 has 1 blocks":   {{1, 2}, {2}},
		"values that are no numbers": {{1, 2}, {2, math.NaN()}},
	} {
		if _, err := Friedman(values); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}

// Four classifiers on 14 data sets: the example of Demšar's paper.
func ExampleFriedman() {
	r, err := Friedman(byContender(demsar))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%.2f, critical difference %.2f, not told apart %v\n", r.Ranks, r.Critical, r.Cliques())
	// Output: [3.14 2.00 2.89 1.96], critical difference 1.25, not told apart [[3 1 2 0]]
}
