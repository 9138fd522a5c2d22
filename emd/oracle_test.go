package emd_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/emd"
	"barrow/internal/images"
	"barrow/internal/shared"
)

// An oracleSet is pairs of images of all classes on one ground, of whole masses.
type oracleSet struct {
	name string
	g    emd.Ground
	p, q []float64
	grid int64 // 4 or 8 neighbours, where the grid has such
	side int64
}

// oracleSets draws so many pairs of each class for each ground and size. The grounds are
// the grids of all norms, of which some repeat, points in space, and two sets of points
// with squared distances.
func oracleSets(t *testing.T, sides map[int]int) []oracleSet {
	t.Helper()
	r := rand.New(rand.NewPCG(31, 32))
	var list []oracleSet
	for _, side := range slices.Sorted(func(yield func(int) bool) {
		for s := range sides {
			if !yield(s) {
				return
			}
		}
	}) {
		n, pairs := side*side, sides[side]
		places := func() []float64 {
			x := make([]float64, 3*n)
			for k := range x {
				x[k] = float64(side) * r.Float64()
			}
			return x
		}
		grid := func(norm emd.Norm, periodic bool) emd.Ground {
			g, err := emd.NewGrid([]int{side, side}, norm, []bool{periodic, false})
			if err != nil {
				t.Fatal(err)
			}
			return g
		}
		space, err := emd.NewPoints(3, places(), emd.Space{Norm: emd.L2, Periods: []float64{float64(side) / 2, 0, 0}})
		if err != nil {
			t.Fatal(err)
		}
		squares, err := emd.NewPointsBetween(3, places(), places(), emd.Space{Norm: emd.L2, Power: 2})
		if err != nil {
			t.Fatal(err)
		}
		sets := []oracleSet{{name: "L1", g: grid(emd.L1, false), grid: 4}, {name: "LInf", g: grid(emd.LInf, false), grid: 8}, {name: "L2", g: grid(emd.L2, false)},
			{name: "L1 periodic", g: grid(emd.L1, true)}, {name: "LInf periodic", g: grid(emd.LInf, true)},
			{name: "points in space", g: space}, {name: "two sets, squares", g: squares}}
		for k, set := range sets {
			set.name = fmt.Sprintf("%s, %d²", set.name, side)
			set.side = int64(side)
			for c, class := range images.Classes() {
				for i := range pairs {
					seed := uint64(2 * (i + 1000*c + 100000*k))
					set.p = append(set.p, drawn(t, class, side, seed)...)
					set.q = append(set.q, drawn(t, class, side, seed+1)...)
				}
			}
			list = append(list, set)
		}
	}
	return list
}

// hold compares Barrow's values, each with a certificate, with another program's.
func (set *oracleSet) hold(t *testing.T, program string, values []float64) {
	t.Helper()
	n, _ := set.g.Dims()
	s := newSolver(t, set.g, emd.Settings{})
	worst := 0.0
	for k, want := range values {
		got := certified(t, s, set.p[k*n:][:n], set.q[k*n:][:n])
		worst = max(worst, math.Abs(got-want)/want)
		if !near(got, want) {
			t.Errorf("%s, pair %d (%s): %.17g, %s has %.17g", set.name, k, images.Classes()[k*len(images.Classes())/len(values)], got, program, want)
		}
	}
	t.Logf("%s: %d pairs, largest relative difference %.2g from %s", set.name, len(values), worst, program)
}

// costs are all of a ground's.
func costs(g emd.Ground) []float64 {
	n, m := g.Dims()
	c := make([]float64, 0, n*m)
	for i := range n {
		for j := range m {
			c = append(c, g.At(i, j))
		}
	}
	return c
}

// scaled is a copy of total 1 for each image.
func scaled(v []float64) []float64 {
	w := make([]float64, len(v))
	for k, x := range v {
		w[k] = x / images.Total
	}
	return w
}

// HiGHS, a solver of linear programmes, and POT agree on images of all classes on grids of
// all norms and on points; 10,000 pairs each with BARROW_LONG set.
func TestAgainstHiGHSAndPOT(t *testing.T) {
	if testing.Short() {
		t.Skip("no other programs with -short")
	}
	for _, program := range []string{"highs", "pot"} {
		t.Run(program, func(t *testing.T) {
			sides := map[int]int{4: 1, 9: 1}
			switch {
			case long && program == "highs":
				sides = map[int]int{3: 50, 5: 60, 8: 34, 11: 1}
			case long:
				sides = map[int]int{4: 50, 8: 60, 12: 30, 16: 6, 24: 1}
			}
			sets := oracleSets(t, sides)
			var in bytes.Buffer
			pairs := 0
			for _, set := range sets {
				n, m := set.g.Dims()
				pairs += len(set.p) / n
				for _, v := range []any{[]int64{int64(n), int64(m), int64(len(set.p) / n)}, costs(set.g), scaled(set.p), scaled(set.q)} {
					if err := binary.Write(&in, binary.LittleEndian, v); err != nil {
						t.Fatal(err)
					}
				}
			}
			file, out := filepath.Join(t.TempDir(), "pairs"), filepath.Join(t.TempDir(), "values")
			if err := os.WriteFile(file, in.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
			shared.Python(t, "oracles", filepath.Join("testdata", "oracle.py"), program, file, out)
			text, err := os.ReadFile(out)
			if err != nil {
				t.Fatal(err)
			}
			values := make([]float64, pairs)
			if err := binary.Read(bytes.NewReader(text), binary.LittleEndian, values); err != nil {
				t.Fatal(err)
			}
			for k := range values {
				values[k] *= images.Total
			}
			t.Logf("%d pairs", pairs)
			for _, set := range sets {
				n, _ := set.g.Dims()
				set.hold(t, program, values[:len(set.p)/n])
				values = values[len(set.p)/n:]
			}
		})
	}
}

// LEMON's network simplex agrees, on all arcs between cells and on those between
// neighbours; 10,000 pairs with BARROW_LONG set. It solves in whole numbers.
func TestAgainstLEMON(t *testing.T) {
	if testing.Short() {
		t.Skip("no other programs with -short")
	}
	driver := lemonDriver(t)
	sides := map[int]int{4: 1, 9: 1, 15: 1}
	if long {
		sides = map[int]int{5: 60, 9: 60, 14: 20, 20: 5, 32: 1}
	}
	pairs := 0
	for _, set := range oracleSets(t, sides) {
		n, _ := set.g.Dims()
		count := int64(len(set.p) / n)
		heads := [][]any{{[]int64{0, int64(n), int64(n), 0, count}, costs(set.g)}}
		if set.grid > 0 {
			heads = append(heads, []any{[]int64{set.grid, set.side, set.side, 1, count}})
		}
		for _, head := range heads {
			if n > 800 && len(head) > 1 {
				continue // all arcs take too long there
			}
			var in bytes.Buffer
			for _, v := range append(head, set.p, set.q, []int64{0, count, 0}) {
				if err := binary.Write(&in, binary.LittleEndian, v); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), driver)
			cmd.Stdin, cmd.Stderr = &in, os.Stderr
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s: %v", set.name, err)
			}
			values := make([]float64, 1+count) // seconds first
			if err := binary.Read(bytes.NewReader(out), binary.LittleEndian, values); err != nil {
				t.Fatal(err)
			}
			set.hold(t, "LEMON", values[1:])
			pairs += int(count)
		}
	}
	t.Logf("%d pairs", pairs)
}

// lemonDriver compiles the driver of bench/emd, or skips the test.
func lemonDriver(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "lemon")
	text, err := exec.CommandContext(t.Context(), "g++", "-std=c++17", "-O2", "-o", binary, filepath.Join("..", "bench", "emd", "lemon", "driver.cpp")).CombinedOutput()
	switch {
	case err == nil:
		return binary
	case len(text) == 0 || strings.Contains(string(text), "lemon/network_simplex.h: No such file"):
		t.Skip("no LEMON here: apt-get install g++ liblemon-dev")
	}
	t.Fatalf("%v\n%s", err, text)
	return ""
}
