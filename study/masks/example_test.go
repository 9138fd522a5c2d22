package masks_test

import (
	"fmt"

	"barrow/study/masks"
)

// What is searched for by default.
func ExampleDefault() {
	p := masks.Default()
	fmt.Println(p.Links, p.Precisions, p.Losses, p.Trial, p.Rounds)
	// Output: [1] [asic] [emd] 60000 4
}
