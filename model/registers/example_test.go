package registers_test

import (
	"fmt"

	"barrow/econt"
	"barrow/model/registers"
)

func ExampleToKeras() {
	w := new(econt.Weights)
	w.Dense[7][3] = -16 // hidden unit 3 to output 7
	file := registers.ToKeras(w, econt.DenseKeras)
	kernel := file.Weight("encoded_vector", "encoded_vector/kernel:0")
	fmt.Println(kernel.Shape, kernel.Data[3*16+7])
	back, err := registers.FromKeras(file, econt.DenseKeras)
	if err != nil {
		fmt.Println(err)
		return
	}
	q, changed, err := back.Quantise(econt.RoundNearest)
	fmt.Println(*q == *w, changed.OffGrid, changed.Clipped, err)
	// Output:
	// [128 16] -0.5
	// true 0 0 <nil>
}
