package kernel_test

import (
	"fmt"

	"barrow/nn/internal/kernel"
)

// Two rows of A times a matrix of two columns, plus a bias.
func ExampleLevel_Run() {
	c := make([]float32, 4)
	kernel.Named("portable").Run(&kernel.Product{
		A: []float32{1, 2, 3, 4, 5, 6}, ARow: 3, ACol: 1,
		B: []float32{1, 0, 0, 1, 1, 1}, BRow: 2,
		C: c, CRow: 2, M: 2, N: 2,
		Bias: []float32{10, 20}, Taps: []kernel.Tap{{K: 3}},
	})
	fmt.Println(c)
	// Output: [14 25 20 31]
}
