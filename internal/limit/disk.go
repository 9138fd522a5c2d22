package limit

import (
	"fmt"
	"os"
	"path/filepath"
)

// Disk checks that so many bytes can be written into a folder that is there or will be made,
// before the work that makes them. Where the system does not say what is free, it passes.
func Disk(what, folder string, bytes float64) error {
	for {
		if _, err := os.Stat(folder); err == nil {
			break
		}
		up := filepath.Dir(folder)
		if up == folder {
			return nil
		}
		folder = up
	}
	if free, ok := free(folder); ok && bytes > free {
		return fmt.Errorf("%s needs some %.1f GB in %s, of which %.1f are free", what, bytes/1e9, folder, free/1e9)
	}
	return nil
}
