package simd_test

import (
	"fmt"

	"barrow/internal/simd"
)

func ExampleChoose() {
	have := []string{simd.AVX2, simd.Portable}
	for _, name := range []string{"", "portable", "avx512"} {
		fmt.Println(simd.Choose(name, have))
	}
	// Output:
	// avx2 <nil>
	// portable <nil>
	//  no kernel "avx512" here: this processor and build have avx2, portable
}
