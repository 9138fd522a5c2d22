package images_test

import (
	"context"
	"fmt"

	"barrow/study/images"
)

// Without files a study's images are simulated.
func ExampleInput_Read() {
	in := images.Default(20)
	in.Preset = "pileup200"
	set, source, err := in.Read(context.Background(), images.Settings{Seed: 1})
	fmt.Println(set.Len(), source, err)
	in.Preset = "pileup"
	fmt.Println(in.Check())
	// Output:
	// 20 20 simulated images (pileup200) <nil>
	// images: preset = "pileup": it may be mixed, pileup200, electrons, photons, pions; did you mean pileup200?
}
