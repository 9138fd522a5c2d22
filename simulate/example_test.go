package simulate_test

import (
	"fmt"

	"barrow/simulate"
)

func ExampleGenerate() {
	images, err := simulate.Generate(1000, simulate.Settings{Preset: "electrons", Seed: 1, EnergyMin: 20, EnergyMax: 50})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(images.Len(), "images of layers 5 to 13, the first of an", images.Column("class").Value(0))
	// Output: 1000 images of layers 5 to 13, the first of an electron
}
