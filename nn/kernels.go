package nn

import "barrow/nn/internal/kernel"

// Kernels lists the kernels that this build has for this CPU, best first:
// "avx512", "avx2", "portable".
func Kernels() []string { return kernel.Available() }

// Kernel is the one in use: the best one, unless UseKernel chose another.
func Kernel() string { return kernel.Name() }

// UseKernel forces a kernel, for tests and benchmarks. No network may be
// running meanwhile. Results differ between kernels in their last bits.
func UseKernel(name string) error { return kernel.Use(name) }
