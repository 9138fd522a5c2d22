package loss_test

import (
	"context"
	"fmt"

	"barrow/emd"
	"barrow/hgcal"
	"barrow/loss"
)

// An image with all its charge in cell 5, decoded with a tenth of it in the
// neighbouring cell 9, two units away.
func ExampleParse() {
	metric, err := emd.Euclidean(hgcal.Benchmark())
	if err != nil {
		fmt.Println(err)
		return
	}
	l, err := loss.Parse("emd", loss.Resources{Metric: metric})
	if err != nil {
		fmt.Println(err)
		return
	}
	image, decoded := make([]float32, loss.Cells), make([]float32, loss.Cells)
	image[5] = 1
	decoded[5], decoded[9] = 0.9, 0.1
	value, err := l.Eval(context.Background(), image, decoded, nil)
	fmt.Printf("%s %.4f %v\n", l.Name(), value, err)
	// Output: emd 0.2000 <nil>
}
