package simulate_test

import (
	"fmt"

	"barrow/simulate"
	"barrow/wafer"
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

func ExampleEvents() {
	e, err := simulate.NewEvents(simulate.EventSettings{Seed: 1, Class: simulate.Electron, PtMin: 20, PtMax: 50, PileUp: 200})
	if err != nil {
		fmt.Println(err)
		return
	}
	// Only what is around the electron is drawn.
	electron := e.Particles(7)[0]
	var set wafer.Set
	e.Draw(7, []simulate.Cone{electron.Around(0.04)}, &set)
	fmt.Printf("%v of %.1f GeV at η %.2f: %d of the endcap's wafers\n", electron.Class, electron.Pt, electron.Eta, set.Len())
	// Output: electron of 24.7 GeV at η 2.17: 195 of the endcap's wafers
}
