package network_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"barrow/emd/internal/network"
)

// TestProof solves random problems, some from potentials of a similar one: what each optimum
// must have is there. The flow brings what is asked for, costs what is said, and no cost lies below
// the difference of its ends' potentials, which is met where there is flow.
func TestProof(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	for range 300 {
		rows, cols := 1+r.IntN(30), 1+r.IntN(30)
		cost := make([]float64, rows*cols)
		for k := range cost {
			cost[k] = float64(r.IntN(20)) - 5 // ties, and below 0
		}
		s := network.New(cols, cost)
		var guide []float64
		for range 3 {
			left := place(s, r, rows, cols)
			s.Guide(guide)
			if !s.Solve(1e6) {
				t.Fatal("given up")
			}
			total := 0.0
			s.Arcs(func(i, j int, flow float64) {
				left[i] -= flow
				left[rows+j] -= flow
				total += flow * cost[i*cols+j]
				if flow <= 0 {
					t.Fatalf("a flow of %g", flow)
				}
			})
			for x, y := range left {
				if y != 0 {
					t.Fatalf("%g is left at node %d", y, x)
				}
			}
			if math.Abs(total-s.Primal()) > 1e-9*(1+math.Abs(total)) {
				t.Fatalf("the flow costs %g, not %g", total, s.Primal())
			}
			guide = prove(t, s, cost, cols, total)
		}
	}
}

// place hands in masses of some cells of either side, and returns what each has.
func place(s *network.Solver, r *rand.Rand, rows, cols int) []float64 {
	left := make([]float64, rows+cols)
	for range 1 + r.IntN(200) {
		left[r.IntN(rows)]++
		left[rows+r.IntN(cols)]++
	}
	s.Reset()
	for i, y := range left[:rows] {
		if y > 0 {
			s.Source(i, y)
		}
	}
	for j, y := range left[rows:] {
		if y > 0 {
			s.Sink(j, y)
		}
	}
	return left
}

// prove holds the potentials to the costs and their value to that of the flow, which no other flow
// can then be below. It returns those of the sinks' cells as a guide.
func prove(t *testing.T, s *network.Solver, cost []float64, cols int, total float64) []float64 {
	t.Helper()
	flows := map[[2]int]bool{}
	s.Arcs(func(i, j int, _ float64) { flows[[2]int{i, j}] = true })
	guide := make([]float64, cols)
	for x := range s.Nodes() {
		if cell, pot := s.Node(x); x >= s.Sources() {
			guide[cell] = -pot
		}
	}
	for x := range s.Sources() {
		i, f := s.Node(x)
		for y := s.Sources(); y < s.Nodes(); y++ {
			j, h := s.Node(y)
			slack := cost[i*cols+j] - f + h
			if slack < -1e-9 || flows[[2]int{i, j}] && slack > 1e-9 {
				t.Fatalf("cost %g between potentials %g and %g, flow: %v (all in all %g)", cost[i*cols+j], f, h, flows[[2]int{i, j}], total)
			}
		}
	}
	return guide
}

// TestLimit: after so many pivots it gives up.
func TestLimit(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 2))
	cost := make([]float64, 40*40)
	for k := range cost {
		cost[k] = r.Float64()
	}
	s := network.New(40, cost)
	place(s, r, 40, 40)
	if s.Solve(1) || s.Pivots != 1 {
		t.Errorf("%d pivots", s.Pivots)
	}
	if !s.Solve(1e6) || s.Pivots < 2 {
		t.Errorf("%d pivots", s.Pivots)
	}
}
