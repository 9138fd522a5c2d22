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
	back, err := registers.Read(file, nil, registers.Reading{Order: econt.DenseKeras, Rounding: econt.RoundNearest})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(*back.Weights == *w, back.Changed.OffGrid, back.Changed.Clipped)
	// Output:
	// [128 16] -0.5
	// true 0 0
}
