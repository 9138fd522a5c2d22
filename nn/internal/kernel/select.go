package kernel

import (
	"math"
	"slices"

	"barrow/internal/simd"
)

// A Level says which of the routines compute. The zero value is the portable
// ones.
type Level uint8

const (
	portable Level = iota
	avx2
	avx512
)

var negInf = float32(math.Inf(-1))

// Available lists the kernels of this build on this CPU by internal/simd's
// names, fastest first.
func Available() []string { return detect() }

// Named is the available kernel of that name; any other name means the portable
// one.
func Named(name string) Level {
	switch {
	case !slices.Contains(detect(), name):
		return portable
	case name == simd.AVX512:
		return avx512
	case name == simd.AVX2:
		return avx2
	}
	return portable
}
