package simplex64

//go:generate go run -tags purego ./gen -out kernel_amd64.s -stubs stubs_amd64.go -pkg simplex64

// A Kernel is an implementation of the inner loops.
type Kernel int

// The kernels, slowest first.
const (
	Portable Kernel = iota
	AVX2
	AVX512
)

// Best is the fastest kernel that this processor can run.
func Best() Kernel { return best }
