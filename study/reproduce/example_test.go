package reproduce_test

import (
	"fmt"

	"barrow/hgcal"
	"barrow/study/reproduce"
	"barrow/wafer"
)

// A run's configuration follows from the images and a budget: few images get
// more epochs, so that every encoder sees as many.
func ExampleConfig_For() {
	images := &wafer.Set{Charge: make([]float64, 5000*hgcal.Cells)}
	c := reproduce.Quick().For(images, "my wafers")
	fmt.Println(c.Epochs, c.Batch, c.Losses)
	// Output: 56 20 [weighted-mse telescope emd-cnn emd emd+energy]
}
