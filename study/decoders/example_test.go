package decoders_test

import (
	"fmt"

	"barrow/study/decoders"
)

// What stands in the table by default.
func ExampleDefault() {
	p := decoders.Default()
	fmt.Println(p.Algorithms, p.Links, p.Images, p.Seeds)
	// Output: [bc stc4 stc4-4e3m stc16 ctc ctc-4e3m ts] [1 2 3 4 5] 600000 5
}
