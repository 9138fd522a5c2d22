//go:build !amd64 || purego

package kernel

var available = []named{{Portable, encodePortable}}
