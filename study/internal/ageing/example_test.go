package ageing_test

import (
	"fmt"

	"barrow/internal/counter"
	"barrow/study/internal/ageing"
)

// A module of which one cell is dead and one has lost half of its gain.
func Example() {
	cells := ageing.New()
	cells.Gain[0], cells.Gain[1] = 0, 0.5
	image := make([]float64, len(cells.Gain))
	image[0], image[1], image[2] = 100, 100, 100
	s := counter.New(1, 0)
	cells.Measure(&s, ageing.Normal(0), 0, image, image)
	fmt.Println(image[:4])
	// Output: [0 50 100 0]
}
