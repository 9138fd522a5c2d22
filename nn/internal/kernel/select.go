package kernel

import (
	"fmt"
	"math"
	"slices"
)

// The kernels' names.
const (
	AVX512   = "avx512"
	AVX2     = "avx2"
	Portable = "portable"
)

const (
	levelPortable = iota
	levelAVX2
	levelAVX512
)

var negInf = float32(math.Inf(-1))

// level is the kernel in use. It is set at start and by Use only.
var level = func() int { return levelOf(detect()[0]) }()

func levelOf(name string) int {
	return slices.Index([]string{Portable, AVX2, AVX512}, name)
}

// Available lists the kernels of this build on this CPU, best first.
func Available() []string { return detect() }

// Name is the kernel in use.
func Name() string { return []string{Portable, AVX2, AVX512}[level] }

// Use forces a kernel, for tests and benchmarks. Nothing may be computing
// meanwhile.
func Use(name string) error {
	if !slices.Contains(detect(), name) {
		return fmt.Errorf("nn: kernel %q is not available here; there is %v", name, detect())
	}
	level = levelOf(name)
	return nil
}
