package web

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"barrow/run"
)

// A folder is the only part of the file system that is shown.
type folder struct {
	path    string // absolute, without symbolic links
	root    *os.Root
	scratch scratch // copies of runs' files, while they are read
}

func openFolder(dir string) (*folder, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	if abs, err = filepath.EvalSymlinks(abs); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("web: %s: there is no such folder", dir)
	} else if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fmt.Errorf("web: %s: no folder to serve: %w", dir, err)
	}
	return &folder{path: abs, root: root}, nil
}

func (d *folder) close() error { return errors.Join(d.scratch.close(), d.root.Close()) }

// hide takes the folder's own path out of a message.
func (d *folder) hide(text string) string {
	text = strings.ReplaceAll(d.scratch.hide(text), d.path+string(filepath.Separator), "")
	return strings.ReplaceAll(text, d.path, "the folder")
}

// proper tells whether a name may be one below the folder: with slashes, and nothing that leads up.
func proper(name string) bool {
	return fs.ValidPath(name) && filepath.IsLocal(filepath.FromSlash(name)) && !strings.ContainsAny(name, "\x00\\")
}

// open opens a regular file by its name below the folder, with slashes. What lies outside, by
// whatever way, is not found, also where a link is put in its way meanwhile: what was opened is
// what is read.
func (d *folder) open(name string) (*os.File, fs.FileInfo, error) {
	if !proper(name) {
		return nil, nil, notFound("there is no such file or folder")
	}
	f, err := d.root.OpenFile(filepath.FromSlash(name), os.O_RDONLY|nonblock, 0)
	if err != nil { // among others since it leads outside
		return nil, nil, notFound(name + ": there is no such file or folder")
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, nil, notFound(name + ": is no file")
	}
	return f, info, nil
}

// isRun tells by an error whether a run may be in a folder.
func (d *folder) isRun(name string) error {
	if !proper(name) {
		return notFound("there is no such file or folder")
	}
	info, err := d.root.Stat(filepath.FromSlash(name))
	if err != nil {
		return notFound(name + ": there is no such file or folder")
	}
	if !info.IsDir() {
		return notFound(name + ": is no folder")
	}
	return nil
}

// own are the files of a run's folder that say how it goes, of its shards as well.
func (d *folder) own(name string) []fs.DirEntry {
	entries, _ := fs.ReadDir(d.root.FS(), name) // none where it is gone
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return !run.Tells(e.Name()) })
}

// withRun has a run's own files read, as they were at one moment, by what goes by paths: they are
// copied for as long as it takes, so that no link in the run's folder is followed by anybody else.
func (d *folder) withRun(name string, use func(path string) error) error {
	if err := d.isRun(name); err != nil {
		return err
	}
	var files []string
	for _, e := range d.own(name) {
		files = append(files, e.Name())
	}
	return d.with(name, files, func(dir string) error {
		err := use(dir)
		return renamed(err, dir, name)
	})
}

// withFile does so with a file alone.
func (d *folder) withFile(name string, use func(path string) error) error {
	dir, base := path.Split(name)
	return d.with(path.Clean(dir), []string{base}, func(copied string) error {
		p := filepath.Join(copied, base)
		return renamed(use(p), p, name)
	})
}

// mostCopied of a file are copied: as much as package run reads.
const mostCopied = 256 << 20

// with copies files of a folder.
func (d *folder) with(name string, files []string, use func(dir string) error) error {
	dir, err := d.scratch.make()
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for _, base := range files {
		if err := d.copy(path.Join(name, base), filepath.Join(dir, base)); err != nil {
			return err
		}
	}
	return use(dir)
}

// copy copies a file with the time of its last change, by which locks are known to live.
func (d *folder) copy(name, to string) error {
	from, info, err := d.open(name)
	if err != nil {
		if _, gone := d.root.Lstat(filepath.FromSlash(name)); errors.Is(gone, fs.ErrNotExist) {
			return nil // since the folder was read
		}
		return notFound(name + ": is no file of the folder that is served")
	}
	defer from.Close()
	if info.Size() > mostCopied {
		return failure{http.StatusUnprocessableEntity, fmt.Sprintf("%s: of more than %d MB is not shown", name, mostCopied>>20)}
	}
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("web: %w", err)
	}
	_, err = io.Copy(f, io.LimitReader(from, mostCopied))
	if err = errors.Join(err, f.Close(), os.Chtimes(to, info.ModTime(), info.ModTime())); err != nil {
		return fmt.Errorf("web: %w", err)
	}
	return nil
}

// renamed is an error of what was read in a copy, by the name that a reader knows.
func renamed(err error, path, name string) error {
	var f failure
	switch {
	case err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.As(err, &f):
		return failure{f.status, strings.ReplaceAll(f.text, path, name)}
	}
	return errors.New(strings.ReplaceAll(err.Error(), path, name))
}

// runFiles is a run's folder as a file system.
type runFiles struct {
	d    *folder
	name string
}

// Open implements [fs.FS].
func (v runFiles) Open(name string) (fs.File, error) {
	f, _, err := v.d.open(path.Join(v.name, name))
	if err != nil {
		if _, gone := v.d.root.Lstat(filepath.FromSlash(path.Join(v.name, name))); gone != nil {
			return nil, gone
		}
		return nil, err
	}
	return f, nil
}

// ReadDir implements [fs.ReadDirFS].
func (v runFiles) ReadDir(string) ([]fs.DirEntry, error) { return v.d.own(v.name), nil }

// What is looked for below the folder.
const (
	deepest   = 5      // folders below one another
	mostSeen  = 50_000 // files and folders in all
	mostFiles = 2_000  // listed
)

// listing is what the folder holds, by names with slashes, in order.
type listing struct {
	runs  []string
	files []string // that may be of wafers
	all   bool     // nothing was left out
}

// list looks through the folder. It does not follow links to folders, and what lies in
// a run's folder is that run's.
func (d *folder) list() listing {
	l := listing{all: true}
	seen := 0
	fs.WalkDir(d.root.FS(), ".", func(name string, e fs.DirEntry, err error) error {
		if seen++; seen > mostSeen {
			l.all = false
			return fs.SkipAll
		}
		switch {
		case err != nil:
			if e != nil && e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case name != "." && strings.HasPrefix(path.Base(name), "."):
			if e.IsDir() {
				return fs.SkipDir
			}
			return nil
		case e.IsDir():
			if _, err := d.root.Lstat(filepath.FromSlash(path.Join(name, run.Config))); err == nil {
				l.runs = append(l.runs, name)
				if name != "." {
					return fs.SkipDir
				}
			}
			if strings.Count(name, "/") >= deepest {
				l.all = false
				return fs.SkipDir
			}
		case ofWafers(name):
			if len(l.files) < mostFiles {
				l.files = append(l.files, name)
			} else {
				l.all = false
			}
		}
		return nil
	})
	slices.Sort(l.runs)
	slices.Sort(l.files)
	return l
}

// ofWafers tells by its ending whether a file may hold images.
func ofWafers(name string) bool {
	name = strings.ToLower(path.Base(name))
	if strings.HasPrefix(name, run.Modules) {
		return false
	}
	for _, packed := range []string{".gz", ".zst"} {
		name = strings.TrimSuffix(name, packed)
	}
	return slices.Contains([]string{".csv", ".txt", ".npz", ".npy", ".parquet", ".root", ".h5", ".hdf5"}, path.Ext(name))
}

// weights are a run's trained networks of a sort, by the names of their files.
func (d *folder) weights(name, prefix string) (list []string) {
	entries, err := fs.ReadDir(d.root.FS(), path.Join(name, run.Weights))
	if err != nil {
		return nil
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), prefix) && strings.HasSuffix(e.Name(), run.WeightsEnding) && e.Type().IsRegular() {
			list = append(list, path.Join(name, run.Weights, e.Name()))
		}
	}
	return list
}

// name is what the folder is called.
func (d *folder) name() string { return filepath.Base(d.path) }
