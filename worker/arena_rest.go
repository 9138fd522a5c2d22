//go:build !linux

package worker

import "os"

// keepSize does nothing: only Linux can forbid that a file shrinks.
func keepSize(*os.File) error { return nil }
