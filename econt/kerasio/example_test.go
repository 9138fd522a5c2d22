package kerasio_test

import (
	"fmt"

	"barrow/econt"
	"barrow/econt/kerasio"
)

func Example() {
	w := new(econt.Weights)
	w.Dense[7][3] = -16 // hidden unit 3 to output 7
	file := kerasio.Encode(w, econt.DenseKeras)
	kernel := file.Weight("encoded_vector", "encoded_vector/kernel:0")
	fmt.Println(kernel.Shape, kernel.Data[3*16+7])
	back, err := kerasio.Decode(file, econt.DenseKeras)
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
