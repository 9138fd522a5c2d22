package fewshot_test

import (
	"fmt"

	"barrow/study/fewshot"
)

// What a start is learned for by default.
func ExampleDefault() {
	p := fewshot.Default()
	fmt.Println(p.Methods, p.Precisions, p.Test, p.Shots, p.Steps)
	// Output: [fomaml] [asic] 48 32 5
}
