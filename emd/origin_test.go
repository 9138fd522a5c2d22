package emd

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// Points far from the origin are as those near it: neighbours are those of all pairs.
func TestIndexFarFromTheOrigin(t *testing.T) {
	r := rand.New(rand.NewPCG(71, 72))
	for _, c := range []struct{ origin, step float64 }{{1e15, 0.125}, {1000, 1e-9}, {-1e15, 0.125}, {-9e199, 1e185}} {
		for _, norm := range []Norm{L1, LInf, L2} {
			x := make([]float64, 2*40)
			for k := range x {
				x[k] = c.origin + c.step*float64(r.IntN(64))
			}
			g, err := NewPoints(2, x, Space{Norm: norm})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 40 {
				for j := range 40 {
					d := []float64{math.Abs(x[2*i] - x[2*j]), math.Abs(x[2*i+1] - x[2*j+1])}
					if want := norm.length(d); math.Abs(g.At(i, j)-want) > 1e-15*want {
						t.Fatalf("origin %g: the distance of %d and %d is %v, not %v", c.origin, i, j, g.At(i, j), want)
					}
				}
			}
			q := make([]float64, 300*40) // single cells: their bounds are the distances but for rounding
			for row := range 300 {
				q[row*40+r.IntN(40)] = 1
			}
			s := Settings{Unequal: UnequalNormalise}
			index, err := NewIndex(context.Background(), g, q, s)
			if err != nil {
				t.Fatal(err)
			}
			p := q[:100*40]
			near := make([]Neighbour, 100*3)
			if _, err := index.Nearest(context.Background(), p, 3, near); err != nil {
				t.Fatal(err)
			}
			if want := bruteForce(t, g, s, p, q, 3); !same(near, want) {
				t.Error(fmt.Sprintf("origin %g, norm %d: ", c.origin, norm), "not the neighbours of all pairs")
			}
		}
	}
}

// A coordinate that is the same for all does not hide another one, however small.
func TestPointsOfOneLargeCoordinate(t *testing.T) {
	x := make([]float64, 200)
	for k := range 100 {
		x[2*k], x[2*k+1] = 1e200, 1e-150*float64(k)
	}
	g, err := NewPoints(2, x, Space{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewSolver(g, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	p, q := make([]float64, 100), make([]float64, 100)
	p[0], q[7] = 1, 1
	if e, err := s.Distance(p, q); err != nil || !(math.Abs(e-7e-150) <= 1e-163) {
		t.Error(e, err)
	}
}
