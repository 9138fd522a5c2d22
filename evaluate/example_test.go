package evaluate_test

import (
	"context"
	"fmt"

	"barrow/emd"
	"barrow/evaluate"
	"barrow/hgcal"
)

// One image with all its charge in cell 5, decoded with all of it in the
// neighbouring cell 9 and a tenth too much.
func ExampleImages() {
	metric, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		fmt.Println(err)
		return
	}
	image, decoded := make([]float64, evaluate.Cells), make([]float64, evaluate.Cells)
	image[5], decoded[9] = 100, 110
	e, err := evaluate.Images(context.Background(), metric, image, decoded, evaluate.Settings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("EMD %.3f, response %.2f\n", e.EMD.Mean, e.Response.Mean)
	// Output: EMD 2.000, response 1.10
}
