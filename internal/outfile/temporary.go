package outfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
)

// What the names of temporary files begin and end with. They do not hold the
// target's name, which may be as long as a file system allows.
const (
	temporaryPrefix = ".barrow-"
	temporaryEnding = ".tmp"
)

// Temporary tells whether a file name is that of an output that was never
// completed.
func Temporary(name string) bool {
	return strings.HasPrefix(name, temporaryPrefix) && strings.HasSuffix(name, temporaryEnding)
}

// Sweep removes the temporary files that a killed process left in a folder. The
// caller knows that no other process writes there.
func Sweep(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Type().IsRegular() && Temporary(e.Name()) {
			if e := os.Remove(filepath.Join(folder, e.Name())); !errors.Is(e, fs.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
	}
	return err
}

// temporary makes a new file in the folder of path. os.CreateTemp would not do:
// its mode is always 0600, and only the kernel knows the umask.
func temporary(path string, mode fs.FileMode) (*os.File, error) {
	folder := filepath.Dir(path)
	for range 100 {
		name := filepath.Join(folder, fmt.Sprintf("%s%016x%s", temporaryPrefix, rand.Uint64(), temporaryEnding))
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, mode)
		if p := (*fs.PathError)(nil); errors.As(err, &p) && !errors.Is(err, fs.ErrExist) {
			// The user does not know of the temporary file.
			if _, missing := os.Stat(folder); missing != nil {
				return nil, fmt.Errorf("no folder %s: %w", folder, p.Err)
			}
			return nil, fmt.Errorf("in the folder %s: %w", folder, p.Err)
		}
		if err == nil {
			return f, nil
		}
	}
	return nil, errors.New("no free name for a temporary file")
}
