package run

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"barrow/internal/outfile"
	"barrow/internal/tfevents"
)

// Board is the folder of a run with a folder of TensorBoard's event files for every training.
const Board = "tensorboard"

// eventsName begins the name of every file that TensorBoard reads.
const eventsName = "events.out.tfevents."

// Names of a training's files end so: those of its epochs, and of what is shown at its end.
const (
	curveEnding = ".curve"
	endEnding   = ".end"
)

// board makes a training's folder and forgets files with an ending in it, and returns the path
// of a new one: later than others by its name, so that a TensorBoard that runs reads on in it.
func (f *Folder) board(part, ending string) (string, error) {
	dir := f.Path(Board, part)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	old, err := boardFile(dir, ending)
	if err != nil {
		return "", err
	}
	at := time.Now().Unix()
	if old != "" {
		var was int64
		if _, err := fmt.Sscanf(strings.TrimPrefix(filepath.Base(old), eventsName), "%d", &was); err == nil {
			at = max(at, was+1)
		}
		if err := os.Remove(old); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
	}
	return filepath.Join(dir, fmt.Sprintf("%s%010d.barrow%s", eventsName, at, ending)), nil
}

// boardFile is a training's file with an ending, "" where there is none.
func boardFile(dir, ending string) (string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	last := ""
	for _, e := range entries {
		if name := e.Name(); strings.HasPrefix(name, eventsName) && strings.HasSuffix(name, ending) {
			last = filepath.Join(dir, name)
		}
	}
	return last, err
}

// beginCurve writes a training's epochs so far into a new file and returns its path.
func (f *Folder) beginCurve(part string, list []Epoch) (string, error) {
	path, err := f.board(part, curveEnding)
	if err != nil {
		return "", err
	}
	return path, outfile.Write(path, true, func(w io.Writer) error {
		events, err := tfevents.NewWriter(w)
		if err == nil {
			err = events.Restart(0)
		}
		if err == nil {
			err = curve(events, list)
		}
		return err
	})
}

// goOnCurve appends epochs to the file of a training.
func goOnCurve(path string, list []Epoch) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	return errors.Join(curve(tfevents.Append(file), list), file.Close())
}

// curve writes what TensorBoard draws of epochs, by epoch.
func curve(w *tfevents.Writer, list []Epoch) error {
	for _, e := range list {
		at, _ := time.Parse(time.RFC3339, e.Time)
		values := []tfevents.Scalar{{Tag: "loss/training", Value: e.Loss}, {Tag: "loss/validation", Value: e.Validation}, {Tag: "rate", Value: e.Rate}}
		if e.EMD != nil {
			values = append(values, tfevents.Scalar{Tag: "emd/validation", Value: *e.EMD})
		}
		if err := w.Scalars(e.Epoch, at, values...); err != nil {
			return err
		}
	}
	return nil
}

// An Ending is what TensorBoard shows of a training that is done.
type Ending struct {
	Settings map[string]any     // numbers (float64), booleans and strings, by which trainings of a run differ
	Figures  map[string]float64 // on held-out images or pairs
	Pictures []Picture
}

// A Picture is an image in PNG's format.
type Picture struct {
	Name          string
	PNG           []byte
	Width, Height int
}

// Show keeps for TensorBoard what a training led to, in place of what was kept before.
func (f *Folder) Show(part string, e Ending) error {
	path, err := f.board(part, endEnding)
	if err == nil {
		err = outfile.Write(path, true, e.write)
	}
	if err != nil {
		return fmt.Errorf("run: %s for TensorBoard: %w", part, err)
	}
	return nil
}

func (e Ending) write(w io.Writer) error {
	events, err := tfevents.NewWriter(w)
	if err != nil {
		return err
	}
	if err := events.HParams(e.Settings); err != nil {
		return err
	}
	var figures []tfevents.Scalar
	for _, name := range slices.Sorted(maps.Keys(e.Figures)) {
		figures = append(figures, tfevents.Scalar{Tag: "held-out/" + name, Value: e.Figures[name]})
	}
	if err := events.Scalars(0, time.Time{}, figures...); err != nil {
		return err
	}
	for _, p := range e.Pictures {
		if err := events.PNG(0, p.Name, p.PNG, p.Width, p.Height); err != nil {
			return err
		}
	}
	return nil
}
