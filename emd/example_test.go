package emd_test

import (
	"context"
	"fmt"
	"log"

	"barrow/emd"
)

func ExampleSolver_Gradient() {
	metric, err := emd.Euclidean([][2]float64{{0, 0}, {3, 0}, {3, 4}})
	if err != nil {
		log.Fatal(err)
	}
	solver, err := emd.NewSolver(metric, emd.Settings{Unequal: emd.UnequalNormalise})
	if err != nil {
		log.Fatal(err)
	}
	p := []float64{10, 0, 0}
	q := []float64{1, 3, 0} // a quarter stays, three quarters move by 3
	dq := make([]float64, 3)
	distance, err := solver.Gradient(p, q, nil, dq)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("distance %.4g, derivative %.4g\n", distance, dq)
	// Output:
	// distance 2.25, derivative [-0.5625 0.1875 -0.0625]
}

func ExampleNewGrid() {
	grid, err := emd.NewGrid([]int{28, 28}, emd.L1, nil)
	if err != nil {
		log.Fatal(err)
	}
	solver, err := emd.NewSolver(grid, emd.Settings{})
	if err != nil {
		log.Fatal(err)
	}
	p, q := make([]float64, 28*28), make([]float64, 28*28)
	for y := range 10 {
		for x := range 10 {
			p[(4+y)*28+x] = 1
			q[(7+y)*28+x+2] = 1 // the same square, 3 lower and 2 to the right
		}
	}
	distance, err := solver.Distance(p, q)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.6g\n", distance)
	// Output:
	// 500
}

func ExampleSolver_Flow() {
	metric, err := emd.Euclidean([][2]float64{{0, 0}, {1, 0}, {2, 0}})
	if err != nil {
		log.Fatal(err)
	}
	solver, err := emd.NewSolver(metric, emd.Settings{})
	if err != nil {
		log.Fatal(err)
	}
	plan, distance, err := solver.Flow([]float64{2, 1, 0}, []float64{0, 1, 2}, nil)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(distance, plan)
	// Output:
	// 4 [{1 1 1} {0 2 2}]
}

func ExampleBatch() {
	metric, err := emd.Euclidean([][2]float64{{0, 0}, {1, 0}})
	if err != nil {
		log.Fatal(err)
	}
	batch, err := emd.NewBatch(metric, emd.Settings{Unequal: emd.UnequalPenalty, Penalty: 2, Threads: 2})
	if err != nil {
		log.Fatal(err)
	}
	p := []float64{1, 0 /* second pair */, 3, 1}
	q := []float64{0, 1 /* second pair */, 0, 1}
	e := make([]float64, 2)
	if err := batch.Distance(context.Background(), p, q, e); err != nil {
		log.Fatal(err)
	}
	fmt.Println(e)
	// Output:
	// [1 6]
}

func ExampleIndex() {
	grid, err := emd.NewGrid([]int{1, 8}, emd.L1, nil)
	if err != nil {
		log.Fatal(err)
	}
	set := []float64{
		9, 0, 0, 0, 0, 0, 0, 0,
		0, 0, 5, 5, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 7, 0,
	}
	ctx := context.Background()
	index, err := emd.NewIndex(ctx, grid, set, emd.Settings{Unequal: emd.UnequalNormalise})
	if err != nil {
		log.Fatal(err)
	}
	near := make([]emd.Neighbour, 2)
	search, err := index.Nearest(ctx, []float64{0, 0, 0, 1, 1, 0, 0, 0}, 2, near)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(near)
	fmt.Printf("%d of %d distances solved\n", search.Solved, search.Pairs)
	// Output:
	// [{1 1} {2 2.5}]
	// 2 of 3 distances solved
}
