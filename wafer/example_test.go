package wafer_test

import (
	"fmt"

	"barrow/wafer"
)

func ExampleSet_Split() {
	images := &wafer.Set{Charge: make([]float64, 10*48)}
	parts, err := images.Split(1, 0.6, 0.2, 0.2)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range parts {
		fmt.Print(p.Len(), " ")
	}
	// Output: 6 2 2
}

func ExampleNorm() {
	image := make([]float64, 48)
	image[3], image[7] = 300, 112
	scale := wafer.NormSumLog2.Apply(image, image)
	fmt.Println(scale, image[3], image[7])
	// Output: 256 1.171875 0.4375
}
