package study_test

import (
	"fmt"

	"barrow/study"
)

func ExampleKinds() {
	for _, k := range study.Kinds() {
		fmt.Println(k.Name, k.Version)
	}
	// Output:
	// reproduce 1
	// reproduce-full 1
	// compare 2
	// encoder 1
	// decoder 1
	// emd-cnn 1
	// surrogate-scan 1
	// physics 1
	// decoders 1
	// plan 2
	// meta 1
	// drift 2
	// mask 1
	// cluster 2
}
