package nn

import "barrow/nn/internal/kernel"

// Kernels lists the kernels that this build has for this CPU, fastest first:
// "avx512", "avx2", "portable".
func Kernels() []string { return kernel.Available() }
