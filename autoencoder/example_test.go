package autoencoder_test

import (
	"context"
	"fmt"

	"barrow/autoencoder"
	"barrow/loss"
	"barrow/wafer"
)

// Two images, the second a shift of the first, are enough to see the loss
// fall.
func ExampleTrain() {
	images := &wafer.Set{Charge: make([]float64, 2*autoencoder.Cells)}
	for c := range 10 {
		images.Charge[c], images.Charge[autoencoder.Cells+20+c] = 100, 100
	}
	weighted, err := loss.Parse("weighted-mse", loss.Resources{})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, history, err := autoencoder.Train(context.Background(), images, images, weighted,
		autoencoder.Settings{Seed: 1, Budget: autoencoder.Budget{Epochs: 50}})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(history.Epochs), history.Best < history.Epochs[0].Validation)
	// Output: 50 true
}
