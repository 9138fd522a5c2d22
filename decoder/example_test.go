package decoder_test

import (
	"context"
	"fmt"

	"barrow/decoder"
	"barrow/econt"
	"barrow/loss"
	"barrow/wafer"
)

// Wafers hit in two neighbouring cells, of which best choice on one link sends the larger
// charge and the sum of all others: a decoder learns that the rest is next to it, and
// leaves the charge sent as it is.
func ExampleTrain() {
	config, err := econt.BaselineConfig(econt.BestChoice, 1, false, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	chip, err := econt.NewBaseline(config, econt.BaselineSettings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	images := &wafer.Set{}
	for cell := range decoder.Cells - 1 {
		image := make([]float64, decoder.Cells)
		image[cell], image[cell+1] = 240, 120
		images.Charge = append(images.Charge, image...)
	}
	source, err := decoder.Given(images)
	if err != nil {
		fmt.Println(err)
		return
	}
	mse, err := loss.Parse("mse", loss.Resources{})
	if err != nil {
		fmt.Println(err)
		return
	}
	model, _, err := decoder.Train(context.Background(), [2]*econt.Baseline{chip, chip}, source, images, mse,
		decoder.Settings{Seed: 1, Budget: decoder.Budget{Epochs: 150, Batch: 12}})
	if err != nil {
		fmt.Println(err)
		return
	}
	byHand, learned := make([]float64, decoder.Cells), make([]float64, decoder.Cells)
	if _, err := chip.Encode(images.Image(20), byHand); err != nil {
		fmt.Println(err)
		return
	}
	if err := model.Decode(context.Background(), []econt.Decoded{*chip.Decoded()}, nil, learned); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(byHand[20], byHand[21])
	fmt.Printf("%v %v %.1f\n", learned[20], learned[21] > 100, wafer.Sum(learned))
	// Output:
	// 247.5 0
	// 247.5 true 371.0
}
