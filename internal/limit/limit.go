// Package limit is the one place that knows what this machine can do: sizes are
// checked here before any work, so that a number too large is an error and not
// a machine that stands still.
package limit

import (
	"fmt"
	"io"
	"os"
	"runtime"
)

// MaxThreads is the most threads that may be asked for. It is the same on every
// machine, so that a command's text does not depend on where it runs.
const MaxThreads = 1024

// Threads turns a setting into a number of threads: 0 means all processors that
// this process may use. Negative numbers and those above MaxThreads are errors.
func Threads(n int) (int, error) {
	switch {
	case n < 0 || n > MaxThreads:
		return 0, fmt.Errorf("%d threads: want 1 to %d, or 0 for all processors", n, MaxThreads)
	case n == 0:
		return runtime.GOMAXPROCS(0), nil
	}
	return n, nil
}

// Count checks a number of things against the most that makes sense: 1 to most.
func Count(what string, n, most int) error {
	if n < 1 || n > most {
		return fmt.Errorf("%s %d: want 1 to %d", what, n, most)
	}
	return nil
}

// Fits checks that n things of bytes each, held at the same time, fit into the
// memory that this process may use, with a third of it left.
func Fits(what string, n int, bytes float64) error {
	need, have := float64(n)*bytes, Memory()
	if need > have*2/3 {
		return fmt.Errorf("%s %d: would take %s, this machine has %s of memory", what, n, size(need), size(have))
	}
	return nil
}

func size(bytes float64) string {
	for _, unit := range []string{"MB", "GB", "TB"} {
		if bytes /= 1e3; bytes < 1e6 {
			return fmt.Sprintf("%.3g %s", bytes/1e3, unit)
		}
	}
	return fmt.Sprintf("%.3g PB", bytes/1e6)
}

// ReadFile reads a file of at most so many bytes. A longer one, a device without
// end among them, is an error that names it and says what it was to be.
func ReadFile(path, what string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() && info.Size() > most {
		return nil, fmt.Errorf("%s: %s of %s? At most %s are read", path, what, size(float64(info.Size())), size(float64(most)))
	}
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > most {
		return nil, fmt.Errorf("%s: %s of more than %s? At most that is read", path, what, size(float64(most)))
	}
	return b, nil
}
