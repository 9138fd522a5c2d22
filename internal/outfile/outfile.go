// Package outfile writes result files so that nothing is lost and nothing is
// left half written: the content goes to a temporary name in the same folder
// and is renamed over the target only when it is complete.
//
// Only regular files are replaced. A symbolic link stays and what it points to
// is replaced; devices and pipes are written through, since a rename would put a
// file in their place. A file that is replaced keeps its permissions, a new one
// gets those that the umask leaves.
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
	t, err := find(path, force)
	if err != nil || t.through {
		return err
	}
	probe, err := temporary(t.path, t.mode)
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
// throws it away and does nothing after a Commit. What goes to a device or a
// pipe cannot be taken back.
type File struct {
	*bufio.Writer
	out    *os.File
	target target
	name   string // as the caller gave it
	force  bool
	done   bool
}

// bufferSize is that of a write: whole pages of a file, so that none is written in two parts. Larger ones
// were not faster, and some took several times as long where the kernel had no such memory at hand.
const bufferSize = 1 << 15

// Create starts an output that will be put at path by Commit.
func Create(path string, force bool) (*File, error) {
	t, err := find(path, force)
	if err != nil {
		return nil, err
	}
	open := func() (*os.File, error) { return temporary(t.path, t.mode) }
	if t.through {
		open = t.open
	}
	out, err := open()
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be written: %w", path, err)
	}
	return &File{Writer: bufio.NewWriterSize(named{out, path}, bufferSize), out: out, target: t, name: path, force: force}, nil
}

// named writes to a file and calls it in errors what the caller does, who does not know of a temporary one.
type named struct {
	file *os.File
	name string
}

func (n named) Write(p []byte) (int, error) {
	k, err := n.file.Write(p)
	if e := (*fs.PathError)(nil); errors.As(err, &e) {
		err = &fs.PathError{Op: e.Op, Path: n.name, Err: e.Err}
	}
	return k, err
}

// Spool makes a temporary file for what cannot be written yet: beside the output,
// where there is room for it, or among the system's temporary files where the output
// is a device or a pipe. The caller closes and removes it.
func (f *File) Spool() (*os.File, error) {
	path := f.target.path
	if f.target.through {
		path = filepath.Join(os.TempDir(), "spool")
	}
	return temporary(path, 0o600)
}

// Spool makes a temporary file for what cannot be written to out yet: beside out's own
// file where out knows it, as a File does, else among the system's. The caller closes
// and removes it.
func Spool(out io.Writer) (*os.File, error) {
	if beside, ok := out.(interface{ Spool() (*os.File, error) }); ok {
		return beside.Spool()
	}
	return os.CreateTemp("", "barrow-*")
}

// Regular tells whether the output is a file, whose bytes WriteAt can replace; what went
// to a device or a pipe is gone.
func (f *File) Regular() bool { return !f.target.through }

// Temporary is the name that the file has until Commit, "" where it has none: for whoever
// clears up after a process that was killed.
func (f *File) Temporary() string {
	if f.target.through {
		return ""
	}
	return f.out.Name()
}

// WriteAt replaces bytes that were written, in a Regular output.
func (f *File) WriteAt(p []byte, offset int64) (int, error) {
	if f.target.through {
		return 0, fmt.Errorf("%s: bytes that are gone cannot be replaced: %w", f.name, errors.ErrUnsupported)
	}
	if err := f.Flush(); err != nil {
		return 0, err
	}
	return f.out.WriteAt(p, offset)
}

// Commit flushes, syncs and renames the file to its final name.
func (f *File) Commit() error {
	f.done = true
	err := f.Flush()
	if !f.target.through {
		err = errors.Join(err, f.settle())
	}
	err = errors.Join(err, f.close())
	if err == nil && !f.target.through {
		err = f.rename()
	}
	if err != nil {
		f.remove()
		return fmt.Errorf("%s: not written: %w", f.name, err)
	}
	return nil
}

// settle gives the temporary file the permissions of the one it replaces and
// sees it to the disk.
func (f *File) settle() error {
	if f.target.exists {
		if err := f.out.Chmod(f.target.mode); err != nil {
			return err
		}
	}
	return f.out.Sync()
}

func (f *File) rename() error {
	if !f.force {
		// Another process may have put a file there since.
		if _, err := os.Lstat(f.target.path); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(ErrExists, err)
		}
	}
	return os.Rename(f.out.Name(), f.target.path)
}

// Abort removes the temporary file unless Commit was called.
func (f *File) Abort() {
	if f.done {
		return
	}
	f.done = true
	f.close()
	f.remove()
}

// close leaves the process's own standard streams open.
func (f *File) close() error {
	if f.out == os.Stdout || f.out == os.Stderr {
		return nil
	}
	return f.out.Close()
}

func (f *File) remove() {
	if !f.target.through {
		os.Remove(f.out.Name())
	}
}

// A target is where an output really goes.
type target struct {
	path    string      // behind all symbolic links
	through bool        // written directly: there is nothing to replace
	exists  bool        // a regular file is there
	mode    fs.FileMode // permissions of that file, or those asked for
	stream  *os.File    // of this process, where path names one
}

// find follows symbolic links to what path means and refuses what cannot be
// written, or not without force.
func find(path string, force bool) (target, error) {
	t := target{path: path, mode: 0o666}
	for range 40 {
		if t.stream, t.through = stream(t.path); t.through {
			return t, nil
		}
		info, err := os.Lstat(t.path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return t, nil
		case err != nil:
			return t, err
		case info.Mode()&fs.ModeSymlink != 0:
			if t.path, err = follow(t.path); err != nil {
				return t, fmt.Errorf("%s: %w", path, err)
			}
			continue
		case info.IsDir():
			return t, fmt.Errorf("%s: is a folder; name a file", path)
		case info.Mode().IsRegular() && !force:
			return t, fmt.Errorf("%s: %w", path, ErrExists)
		case info.Mode().IsRegular():
			t.exists, t.mode = true, info.Mode().Perm()
		case info.Mode()&(fs.ModeCharDevice|fs.ModeNamedPipe) != 0:
			t.through = true
		default:
			return t, fmt.Errorf("%s: is neither a file nor a pipe (%v); name another", path, info.Mode())
		}
		return t, nil
	}
	return t, fmt.Errorf("%s: too many symbolic links", path)
}

// stream tells whether a path names an open file of this process. Opening it
// anew would begin at the start of a file that a shell appends to.
func stream(path string) (*os.File, bool) {
	switch filepath.ToSlash(path) {
	case "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1":
		return os.Stdout, true
	case "/dev/stderr", "/dev/fd/2", "/proc/self/fd/2":
		return os.Stderr, true
	}
	// Others, such as those that a shell makes for >(…): never replaced.
	switch filepath.ToSlash(filepath.Dir(path)) {
	case "/dev/fd", "/proc/self/fd":
		return nil, true
	}
	return nil, false
}

// follow reads one symbolic link. The link's own folder counts with its links
// resolved, because ".." in the target means the real parent.
func follow(path string) (string, error) {
	to, err := os.Readlink(path)
	if err != nil || filepath.IsAbs(to) {
		return to, err
	}
	dir, err := filepath.EvalSymlinks(filepath.Dir(path))
	return filepath.Join(dir, to), err
}

// open opens a device, a pipe or a stream of the process for writing.
func (t target) open() (*os.File, error) {
	if t.stream != nil {
		return t.stream, nil
	}
	return os.OpenFile(t.path, os.O_WRONLY|os.O_APPEND, 0)
}
