package web

import (
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"barrow/run"
)

// A folder is the only part of the file system that is shown.
type folder struct {
	path string // absolute, without symbolic links
	root *os.Root
}

func openFolder(dir string) (*folder, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	if abs, err = filepath.EvalSymlinks(abs); err != nil {
		return nil, fmt.Errorf("web: %w", err)
	}
	root, err := os.OpenRoot(abs)
	if err != nil {
		return nil, fmt.Errorf("web: %s: is no folder to serve: %w", dir, err)
	}
	return &folder{abs, root}, nil
}

func (d *folder) close() error { return d.root.Close() }

// hide takes the folder's own path out of a message.
func (d *folder) hide(text string) string {
	text = strings.ReplaceAll(text, d.path+string(filepath.Separator), "")
	return strings.ReplaceAll(text, d.path, "the folder")
}

// resolve is the path of a file or folder by its name below the folder, with slashes. What
// lies outside, by whatever way, is not found.
func (d *folder) resolve(name string) (string, fs.FileInfo, error) {
	if !fs.ValidPath(name) || !filepath.IsLocal(filepath.FromSlash(name)) || strings.ContainsAny(name, "\x00\\") {
		return "", nil, notFound("there is no such file or folder")
	}
	info, err := d.root.Stat(filepath.FromSlash(name))
	if err != nil { // among others since it leads outside
		return "", nil, notFound(name + ": there is no such file or folder")
	}
	p, err := filepath.EvalSymlinks(filepath.Join(d.path, filepath.FromSlash(name)))
	if err != nil {
		return "", nil, notFound(name + ": there is no such file or folder")
	}
	if rel, err := filepath.Rel(d.path, p); err != nil || !filepath.IsLocal(rel) {
		return "", nil, notFound(name + ": there is no such file or folder")
	}
	return p, info, nil
}

// file is the path of a regular file.
func (d *folder) file(name string) (string, fs.FileInfo, error) {
	p, info, err := d.resolve(name)
	if err == nil && !info.Mode().IsRegular() {
		err = notFound(name + ": is no file")
	}
	return p, info, err
}

// run is the path of a run's folder, of which no file leads outside.
func (d *folder) run(name string) (string, error) {
	p, info, err := d.resolve(name)
	if err != nil {
		return "", err
	}
	if !info.IsDir() {
		return "", notFound(name + ": is no folder")
	}
	for _, e := range d.own(name) {
		if e.Type()&fs.ModeSymlink == 0 {
			continue
		}
		if _, _, err := d.file(path.Join(name, e.Name())); err != nil {
			return "", notFound(name + ": " + e.Name() + " leads out of the folder that is served, or nowhere")
		}
	}
	return p, nil
}

// own are the files of a run's folder that say how it goes, of its shards as well.
func (d *folder) own(name string) []fs.DirEntry {
	entries, _ := fs.ReadDir(d.root.FS(), name) // none where it is gone
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		return e.Name() != run.Modules && !slices.Contains([]string{".json", ".jsonl", ".lock"}, path.Ext(e.Name()))
	})
}

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
