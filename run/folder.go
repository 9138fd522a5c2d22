package run

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"barrow/internal/limit"
	"barrow/internal/outfile"
	"barrow/internal/version"
)

// ErrTaken is wrapped by Open's error where the folder holds another run, or a
// finished one, and replacing it was not asked for.
var ErrTaken = errors.New("the folder is taken")

// taken is such an error; its text says all.
type taken string

func (t taken) Error() string   { return string(t) }
func (t taken) Is(e error) bool { return e == ErrTaken }

// Settings of how a folder is opened.
type Settings struct {
	Force  bool         // replace the run that the folder holds
	Remark func(string) // told what the user should know; nil for nobody
	Cut    *Cut         // the shard that is to be done; nil for the whole run
}

// A Folder is an opened run. Its methods may be called from several goroutines.
type Folder struct {
	path     string
	identity []byte // the content of config.json
	kind     Kind
	resumed  bool
	lock     *lock
	close    sync.Once
	mu       sync.Mutex
	remark   func(string)
	recorder recorder
	cut      *cut // nil for a whole run
}

// Open makes the folder of a new run, or opens that of an interrupted one with
// the same identity, to be resumed. A folder with a finished run, or with a run
// of another identity that has kept anything, is an error that is [ErrTaken] unless force is
// set, which removes that run's files; one in which another process works is a *[Locked].
// Close gives the folder back.
//
// A process may be killed at any point: the folder can be opened again.
func Open(path string, id Identity, s Settings) (*Folder, error) {
	if id.Name == "" || id.Version < 1 {
		return nil, fmt.Errorf("run: kind %q, version %d: want a name and a version from 1 on", id.Name, id.Version)
	}
	f := &Folder{path: path, kind: id.Kind, remark: s.Remark}
	f.recorder = recorder{folder: f, parts: map[string]*recorded{}}
	var err error
	if f.identity, err = id.encode(); err != nil {
		return nil, fmt.Errorf("run: settings: %w", err)
	}
	// Before anything is written into a folder that may be somebody else's.
	if err := f.mustBeOurs(); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	if s.Cut != nil {
		if s.Force {
			return nil, errors.New("run: a shard cannot replace a run, of which others have done shards: choose another folder")
		}
		if err := f.openShard(id, s.Cut); err != nil {
			return nil, err
		}
		return f, nil
	}
	if f.lock, err = acquire(f.Path(lockName)); err != nil {
		var l *Locked
		if errors.As(err, &l) {
			return nil, err
		}
		return nil, fmt.Errorf("run: %s: cannot be locked: %w", path, err)
	}
	if err := f.begin(id, s.Force); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// begin does what Open does behind the lock.
func (f *Folder) begin(id Identity, force bool) error {
	if err := f.mustBeOurs(); err != nil {
		return err
	}
	if f.cut == nil {
		if err := errors.Join(f.whole(), f.sweep()); err != nil {
			var l *Locked
			if errors.As(err, &l) {
				return l
			}
			return fmt.Errorf("run: %w", err)
		}
	}
	have, err := limit.ReadFile(f.Path(Config), "a run's file", mostJSON)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = nil
	case err != nil:
	case force, !bytes.Equal(have, f.identity) && f.begun(have):
		err = f.clean() // nothing is lost of a run that kept nothing yet
	default:
		if err := f.mayResume(id, have); err != nil {
			return err
		}
		f.resumed = true
	}
	// The configuration first: it makes the folder ours.
	if err == nil && !f.resumed {
		err = f.Write(Config, func(w io.Writer) error { _, err := w.Write(f.identity); return err })
	}
	if err == nil && f.cut == nil {
		if err = os.Remove(f.Path(Failure)); errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
	}
	if err == nil {
		err = os.MkdirAll(f.Path(Weights), 0o777)
	}
	if err == nil && f.cut == nil {
		err = f.gather()
	}
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	return nil
}

// mayResume compares the folder's configuration with the one asked for.
func (f *Folder) mayResume(id Identity, have []byte) error {
	var kind Kind
	if json.Unmarshal(have, &kind) != nil || kind.Name == "" {
		return taken(fmt.Sprintf("run: %s cannot be read as a run's configuration: of an older Barrow, or something else's: choose another folder", f.Path(Config)))
	}
	switch {
	case kind.Name == f.kind.Name && kind.Version > f.kind.Version:
		return taken(fmt.Sprintf("run: %s holds a run of a newer Barrow (%s version %d, this one knows %d): choose another folder", f.path, kind.Name, kind.Version, f.kind.Version))
	case exists(f.Path(Results)):
		return taken(fmt.Sprintf("run: %s holds a finished run (%s): choose another folder", f.path, kind.Name))
	case kind.Name != f.kind.Name:
		return taken(fmt.Sprintf("run: %s holds an interrupted run of another kind (%s): choose another folder", f.path, kind.Name))
	case !bytes.Equal(have, f.identity) && exists(f.Path(Failure)):
		return taken(fmt.Sprintf("run: %s holds a run of another configuration (%s) that failed (%s): choose another folder", f.path, id.difference(have, f.identity), failed(f.path)))
	case !bytes.Equal(have, f.identity):
		return taken(fmt.Sprintf("run: %s holds an interrupted run with another configuration (%s): repeat that command to resume it, choose another folder", f.path, id.difference(have, f.identity)))
	}
	return nil
}

// begun reports whether a run that can be read has kept nothing yet: its settings may change.
func (f *Folder) begun(have []byte) bool {
	var kind Kind
	if json.Unmarshal(have, &kind) != nil || kind.Name != f.kind.Name || kind.Version > f.kind.Version || !f.emptyWeights() {
		return false
	}
	entries, err := os.ReadDir(f.path)
	for _, e := range entries {
		if name := e.Name(); name != Config && name != Weights && name != Failure && name != lockName && !outfile.Temporary(name) {
			return false
		}
	}
	return err == nil
}

// Close gives the folder to others. It may be called again.
func (f *Folder) Close() {
	f.close.Do(func() {
		f.recorder.close()
		f.lock.release()
	})
}

// failure is what Failure holds.
type failure struct {
	Error string `json:"error"`
}

// End is Close, to be deferred by who works in the folder: if the work ended with an error that is
// no interruption, the folder says so, in [Failure], until the run is gone on with; that of a shard names it.
func (f *Folder) End(err *error) {
	var done *ShardDone
	switch {
	case *err == nil || errors.Is(*err, context.Canceled) || errors.As(*err, &done):
	case f.cut != nil:
		*err = fmt.Errorf("shard %v: %w", f.cut.Shard, *err)
	default:
		if e := f.WriteJSON(Failure, failure{(*err).Error()}); e != nil {
			f.say("%s: that the run failed could not be noted: %v", f.path, e)
		}
	}
	f.Close()
}

// failed is why the run failed, "" where it did not.
func failed(folder string) string {
	var f failure
	if ReadJSON(folder, Failure, &f) != nil {
		return ""
	}
	return cmp.Or(f.Error, "no reason is said")
}

// Resumed reports whether Open found an interrupted run to go on with.
func (f *Folder) Resumed() bool { return f.resumed }

// Path is the place of a file in the folder.
func (f *Folder) Path(name ...string) string {
	return filepath.Join(append([]string{f.path}, name...)...)
}

// Write puts a file into the folder in one step, over an older one.
func (f *Folder) Write(name string, fill func(io.Writer) error) error {
	if err := f.held(); err != nil {
		return err
	}
	return outfile.Write(f.Path(name), true, fill)
}

// held is an error where the folder is no longer this process's.
func (f *Folder) held() error {
	if f.lock.lost.Load() {
		return fmt.Errorf("run: %s: another process has taken the folder over while this one stood still", f.path)
	}
	return nil
}

// WriteJSON writes v, a struct, indented, behind the run's kind and version; in
// Results the program is named as well. Results close a run: they come last.
func (f *Folder) WriteJSON(name string, v any) error {
	head := any(f.kind)
	if name == Results {
		head = closing{f.kind, version.Current()}
	}
	b, err := encode(head, v)
	if err != nil {
		return fmt.Errorf("run: %s: %w", name, err)
	}
	return f.Write(name, func(w io.Writer) error { _, err := w.Write(b); return err })
}

// say tells the user something.
func (f *Folder) say(format string, a ...any) {
	if f.remark == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.remark(fmt.Sprintf(format, a...))
}

// mustBeOurs refuses a folder that holds something else than a run: its files
// are not ours to mix with. What a killed process leaves of a run that it has
// hardly begun is ours.
func (f *Folder) mustBeOurs() error {
	entries, err := os.ReadDir(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	var foreign string
	for _, e := range entries {
		name := e.Name()
		switch {
		case name == Config:
			return nil
		case outfile.Temporary(name), name == lockName, strings.HasPrefix(name, lockName+"."):
		case name == Weights && e.IsDir() && f.emptyWeights():
		default:
			foreign = name
		}
	}
	if foreign != "" {
		return fmt.Errorf("run: %s is not empty (%s) and holds no run (no %s): choose another folder", f.path, foreign, Config)
	}
	return nil
}

func (f *Folder) emptyWeights() bool {
	entries, err := os.ReadDir(f.Path(Weights))
	for _, e := range entries {
		if !outfile.Temporary(e.Name()) {
			return false
		}
	}
	return err == nil
}

// sweep removes what processes that were killed left behind. The lock is held.
func (f *Folder) sweep() error {
	err := outfile.Sweep(f.path)
	if e := outfile.Sweep(f.Path(Weights)); !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	turns, e := filepath.Glob(f.Path(lockName) + ".*")
	err = errors.Join(err, e)
	for _, path := range turns {
		if e := os.Remove(path); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// clean removes the files of a run, and only those; the configuration last, so
// that what is left of a removal cut short is still a run's.
func (f *Folder) clean() error {
	files, err := metricsFiles(f.path)
	for _, path := range files {
		if e := os.Remove(path); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	for _, name := range []string{Results, Times, Metrics, Report, Tables, Modules, Clusters, Failure} {
		if e := os.Remove(f.Path(name)); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	if err = errors.Join(err, os.RemoveAll(f.Path(Registers)), os.RemoveAll(f.Path(Board)), os.RemoveAll(f.Path(Shards)), os.RemoveAll(f.Path(Weights))); err != nil {
		return err
	}
	return os.Remove(f.Path(Config))
}
