package network_test

import (
	"fmt"

	"barrow/emd/internal/network"
)

// Two plants heat three buildings; a row of costs for each plant.
func ExampleSolver() {
	s := network.New(3, []float64{5, 9, 4, 8, 5, 7})
	s.Reset()
	s.Source(0, 4)
	s.Source(1, 6)
	s.Sink(0, 2)
	s.Sink(1, 6)
	s.Sink(2, 2)
	fmt.Println(s.Solve(100), s.Primal())
	s.Arcs(func(plant, building int, units float64) { fmt.Println(plant, building, units) })
	// Output:
	// true 48
	// 0 0 2
	// 1 1 6
	// 0 2 2
}
