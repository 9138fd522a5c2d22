// Package outfile writes result files so that nothing is lost and nothing is
// left half written: the content goes to a temporary name in the same folder
// and is renamed over the target only when it is complete.
package outfile

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrExists is wrapped by the error returned where a file is already there
// and overwriting was not asked for.
var ErrExists = errors.New("file exists")

// Check reports early, before long work starts, whether Write to path could
// succeed: the folder exists and is writable, and the file is absent unless
// force is set.
func Check(path string, force bool) error {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return fmt.Errorf("%s: is a folder; name a file", path)
	case err == nil && !force:
		return fmt.Errorf("%s: %w; choose another name or give --force", path, ErrExists)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	probe, err := os.CreateTemp(filepath.Dir(path), ".barrow-*")
	if err != nil {
		return fmt.Errorf("%s: cannot be written: %w", path, err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// Write calls fill with a buffered writer and, if it succeeds, puts the result
// at path in one step. On any error path is left as it was. Without force an
// existing file is an error that wraps ErrExists.
func Write(path string, force bool, fill func(io.Writer) error) error {
	f, err := Create(path, force)
	if err != nil {
		return err
	}
	defer f.Abort()
	if err := fill(f); err != nil {
		return err
	}
	return f.Commit()
}

// A File is an output under a temporary name. Commit puts it in place; Abort
// throws it away and does nothing after a Commit.
type File struct {
	*bufio.Writer
	tmp  *os.File
	path string
	done bool
}

// Create starts an output that will be put at path by Commit.
func Create(path string, force bool) (*File, error) {
	if err := Check(path, force); err != nil {
		return nil, err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be written: %w", path, err)
	}
	return &File{Writer: bufio.NewWriterSize(tmp, 1<<16), tmp: tmp, path: path}, nil
}

// Commit flushes, syncs and renames the file to its final name.
func (f *File) Commit() error {
	f.done = true
	err := f.Flush()
	if err == nil {
		err = f.tmp.Chmod(0o644)
	}
	if err == nil {
		err = f.tmp.Sync()
	}
	err = errors.Join(err, f.tmp.Close())
	if err == nil {
		err = os.Rename(f.tmp.Name(), f.path)
	}
	if err != nil {
		os.Remove(f.tmp.Name())
		return fmt.Errorf("%s: not written: %w", f.path, err)
	}
	return nil
}

// Abort removes the temporary file unless Commit was called.
func (f *File) Abort() {
	if f.done {
		return
	}
	f.done = true
	f.tmp.Close()
	os.Remove(f.tmp.Name())
}
