// Package simd names the kernels that the house's assembly comes in and finds
// the one that a setting asks for.
package simd

import (
	"fmt"
	"slices"
	"strings"
)

// The kernels' names, fastest first. Which of them a package has depends on the
// processor, the build and the package.
const (
	AVX512   = "avx512"
	AVX2     = "avx2"
	Portable = "portable" // plain Go, everywhere
)

// Choose returns the kernel that a setting means among those available, fastest
// first: the named one, or the fastest for "".
func Choose(name string, available []string) (string, error) {
	switch {
	case name == "":
		return available[0], nil
	case slices.Contains(available, name):
		return name, nil
	}
	return "", fmt.Errorf("no kernel %q here: this processor and build have %s", name, strings.Join(available, ", "))
}
