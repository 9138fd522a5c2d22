package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"barrow/internal/outfile"
)

// What a run's folder says of how far it is.
const (
	StateFinished    = "finished"    // it has results
	StateRunning     = "running"     // a process is at work in it
	StateInterrupted = "interrupted" // neither: the command that began it goes on with it
	StateFailed      = "failed"      // likewise, but it ended by an error: see Problem
	StateUnreadable  = "unreadable"  // its files do not fit each other: see Problem
)

// A Found is a run that [Find] found.
type Found struct {
	Folder string `json:"folder"` // path, beginning with the folder searched
	Kind
	State   string `json:"state"`
	Problem string `json:"problem,omitempty"` // where it is unreadable, or failed
	// Settings and inputs by their keys in [Config], joined by dots where they are nested, as in
	// "budget.epochs" or "inputs.the metric m.csv": numbers, strings, booleans, nil, and lists.
	Settings map[string]any `json:"settings"`
	Began    time.Time      `json:"began"`   // when Config was written
	Changed  time.Time      `json:"changed"` // of the file that was written last
	Bytes    int64          `json:"bytes"`   // of its files, without those of runs in folders within
}

// Find lists the runs in a folder and in those within, ordered by path. Symbolic links are not
// followed; what is no run is left out, and a folder that cannot be read is an error. It only
// reads, and may be called while runs are at work.
func Find(ctx context.Context, dir string) ([]Found, error) {
	if _, err := os.ReadDir(dir); err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	var list []Found
	if err := find(ctx, dir, &list, nil); err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	slices.SortFunc(list, func(a, b Found) int { return strings.Compare(a.Folder, b.Folder) })
	return list, nil
}

// Look is the run in one folder; a folder without one is an error.
func Look(folder string) (Found, error) {
	if _, err := Inspect(folder); err != nil {
		return Found{}, err
	}
	list, err := Find(context.Background(), folder)
	if err != nil {
		return Found{}, err
	}
	for _, f := range list {
		if f.Folder == folder {
			return f, nil
		}
	}
	return Found{}, fmt.Errorf("run: %s holds no run", folder)
}

// find adds the runs in a folder to the list; of is the run around it, if any.
func find(ctx context.Context, dir string, list *[]Found, of *Found) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) { // gone since
		return nil
	}
	if err != nil {
		return err
	}
	if f, ok := look(dir); ok {
		of = &f
		defer func() { *list = append(*list, f) }()
	}
	for _, e := range entries {
		if e.IsDir() {
			if err := find(ctx, filepath.Join(dir, e.Name()), list, of); err != nil {
				return err
			}
			continue
		}
		if info, err := e.Info(); err == nil && of != nil && info.Mode().IsRegular() && !outfile.Temporary(e.Name()) {
			of.Bytes += info.Size()
			if e.Name() != lockName && info.ModTime().After(of.Changed) {
				of.Changed = info.ModTime()
			}
		}
	}
	return nil
}

// look reads what a folder says of its run, if it has one.
func look(dir string) (f Found, ok bool) {
	f.Folder = dir
	config := filepath.Join(dir, Config)
	stat, err := os.Stat(config)
	if err != nil || !stat.Mode().IsRegular() {
		return f, false
	}
	f.Began, f.Changed = stat.ModTime(), stat.ModTime()
	var all map[string]any
	if ReadJSON(dir, Config, &all) != nil {
		return f, false
	}
	name, _ := all["kind"].(string)
	version, numbered := all["version"].(float64)
	if name == "" || !numbered {
		return f, false // somebody else's
	}
	f.Kind = Kind{name, int(version)}
	delete(all, "kind")
	delete(all, "version")
	f.Settings = map[string]any{}
	flatten(f.Settings, "", all)
	info, err := Inspect(dir)
	_, running := Running(dir)
	switch {
	case err != nil:
		f.State, f.Problem = StateUnreadable, err.Error()
	case info.Finished:
		f.State = StateFinished
	case running:
		f.State = StateRunning
	default:
		if f.State, f.Problem = StateInterrupted, failed(dir); f.Problem != "" {
			f.State = StateFailed
		}
	}
	return f, true
}

// flatten puts the values of nested objects under joined keys.
func flatten(out map[string]any, at string, v any) {
	m, ok := v.(map[string]any)
	if !ok {
		out[at] = v
		return
	}
	for key, inner := range m {
		if at != "" {
			key = at + "." + key
		}
		flatten(out, key, inner)
	}
}

// Differing are the keys of settings in which runs differ, ordered. A setting that a run does
// not have differs from any.
func Differing(list []Found) []string {
	keys := map[string]bool{}
	for _, f := range list {
		for key := range f.Settings {
			keys[key] = true
		}
	}
	maps.DeleteFunc(keys, func(key string, _ bool) bool {
		return !slices.ContainsFunc(list, func(f Found) bool { return !reflect.DeepEqual(f.Settings[key], list[0].Settings[key]) })
	})
	return slices.Sorted(maps.Keys(keys))
}

// Text is a setting's value, short enough for a table.
func Text(v any) string {
	if s, ok := v.(string); ok {
		if digest(v) {
			return s[:8]
		}
		return s
	}
	if v == nil {
		return "–"
	}
	b, err := json.Marshal(v)
	if err != nil {
		return "?"
	}
	return strings.ReplaceAll(strings.Trim(string(b), "[]"), `"`, "")
}
