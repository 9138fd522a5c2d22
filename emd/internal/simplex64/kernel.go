package simplex64

// A Kernel is an implementation of the inner loops.
type Kernel int

// The kernels.
const (
	Portable Kernel = iota
	AVX2
	AVX512
)

// Best is the fastest kernel that this processor can run.
func Best() Kernel { return Portable }
