//go:build !amd64 || purego

package kernel

import "barrow/internal/simd"

var available = []named{{simd.Portable, encodePortable}}
