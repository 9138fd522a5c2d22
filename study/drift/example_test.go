package drift_test

import (
	"fmt"

	"barrow/study/drift"
)

// The drifts that come with the program.
func ExampleRead() {
	for _, name := range drift.Presets() {
		d, err := drift.Read(name)
		if err != nil {
			panic(err)
		}
		fmt.Println(d.Name, d.Gain.Loss, d.Dead.Share, d.Noise.Factor, d.Spot.X, d.PileUp.Mean)
	}
	// Output:
	// ageing 1.5 0.03 2.2 0 0
	// beam-spot 0 0 0 3 0
	// dead 0 0.15 0 0 0
	// gain 2.5 0 0 0 0
	// noise 0 0 3 0 0
	// pile-up 0 0 0 0 80
}
