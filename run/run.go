// Package run keeps a run's folder: the configuration it was started with, the
// checkpoints that long work resumes from, and the results that close it. A
// folder belongs to one configuration; it is never written over unless asked.
package run

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"barrow/internal/outfile"
)

// The files of a run. Checkpoints and weights lie in the folder Weights.
const (
	Config  = "config.json"
	Results = "results.json"
	Times   = "times.json"
	Report  = "report.html"
	Weights = "weights"
)

// Names of the weights in the folder Weights. A training in progress has its
// checkpoint under the same name with the ending ".ckpt".
const (
	SurrogateWeights = "emd-cnn"
	EncoderWeights   = "encoder-" // followed by the loss
	WeightsEnding    = ".weights"
	CheckpointEnding = ".ckpt"
)

// WeightsFile finds the weights that a user means by path: the file itself, or
// the named weights in a run's folder.
func WeightsFile(path, name string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("run: %w", err)
	}
	if !info.IsDir() {
		return path, nil
	}
	file := filepath.Join(path, Weights, name+WeightsEnding)
	if !exists(file) {
		return "", fmt.Errorf("run: %s holds no trained %s (no %s)", path, name, file)
	}
	return file, nil
}

// A Folder is an opened run.
type Folder struct {
	path    string
	resumed bool
}

// Open makes the folder of a new run, or opens that of an interrupted one with
// the same configuration, to be resumed. A folder with a finished run, or with
// a run of another configuration, is an error unless force is set, which
// removes that run's files.
func Open(path string, config any, force bool) (*Folder, error) {
	want, err := encode(config)
	if err != nil {
		return nil, fmt.Errorf("run: configuration: %w", err)
	}
	f := &Folder{path: path}
	have, err := os.ReadFile(f.Path(Config))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		err = f.mustBeEmpty()
	case err != nil:
	case force:
		err = f.clean()
	case exists(f.Path(Results)):
		err = fmt.Errorf("%s holds a finished run: choose another folder or give --force", path)
	case !bytes.Equal(have, want):
		err = fmt.Errorf("%s holds an interrupted run with another configuration (%s): repeat that command to resume it, choose another folder, or give --force", path, difference(have, want))
	default:
		f.resumed = true
		return f, nil
	}
	if err == nil {
		err = os.MkdirAll(f.Path(Weights), 0o755)
	}
	if err == nil {
		err = f.Write(Config, func(w io.Writer) error { _, err := w.Write(want); return err })
	}
	if err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	return f, nil
}

// Resumed reports whether Open found an interrupted run to go on with.
func (f *Folder) Resumed() bool { return f.resumed }

// Path is the place of a file in the folder.
func (f *Folder) Path(name ...string) string {
	return filepath.Join(append([]string{f.path}, name...)...)
}

// Write puts a file into the folder in one step, over an older one.
func (f *Folder) Write(name string, fill func(io.Writer) error) error {
	return outfile.Write(f.Path(name), true, fill)
}

// WriteJSON writes v, indented.
func (f *Folder) WriteJSON(name string, v any) error {
	b, err := encode(v)
	if err != nil {
		return fmt.Errorf("run: %s: %w", name, err)
	}
	return f.Write(name, func(w io.Writer) error { _, err := w.Write(b); return err })
}

// ReadJSON reads a file of the folder into v.
func ReadJSON(folder, name string, v any) error {
	path := filepath.Join(folder, name)
	b, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("run: %w", err)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("run: %s: %w", path, err)
	}
	return nil
}

func encode(v any) ([]byte, error) {
	b, err := json.MarshalIndent(v, "", " ")
	return append(b, '\n'), err
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// mustBeEmpty refuses a folder that holds something else than a run: its files
// are not ours to mix with.
func (f *Folder) mustBeEmpty() error {
	entries, err := os.ReadDir(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty and holds no run (no %s): choose another folder", f.path, Config)
	}
	return err
}

// clean removes the files of a run, and only those.
func (f *Folder) clean() error {
	err := os.RemoveAll(f.Path(Weights))
	for _, name := range []string{Results, Times, Report, Config} {
		if e := os.Remove(f.Path(name)); e != nil && !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// difference names the settings in which two configurations differ.
func difference(a, b []byte) string {
	var x, y map[string]json.RawMessage
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return Config + " cannot be read"
	}
	var names []string
	for k := range x {
		if !bytes.Equal(x[k], y[k]) {
			names = append(names, k)
		}
	}
	for k := range y {
		if _, ok := x[k]; !ok {
			names = append(names, k)
		}
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}
