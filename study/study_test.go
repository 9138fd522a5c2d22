package study

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/run"
)

func TestKinds(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kinds() {
		if k.Name == "" || k.Version < 1 || k.Page == nil || seen[k.Name] {
			t.Errorf("kind %+v: no name, no version, no page, or the name twice", k.Kind)
		}
		seen[k.Name] = true
	}
}

// TestPageOfUnknown: folders that cannot be drawn are errors that say why.
func TestPageOfUnknown(t *testing.T) {
	known := Kinds()[0].Kind
	write := func(dir, name string, v any) {
		b, err := json.Marshal(v)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for want, fill := range map[string]func(dir string){
		"holds no run (no config.json)":            func(string) {},
		"from before runs said theirs":             func(dir string) { write(dir, run.Config, map[string]int{"seed": 1}) },
		"config.json: invalid character":           func(dir string) { os.WriteFile(filepath.Join(dir, run.Config), []byte("x"), 0o644) },
		`the kind "dream", which this Barrow does`: func(dir string) { write(dir, run.Config, run.Kind{Name: "dream", Version: 1}) },
		"made by a newer Barrow":                   func(dir string) { write(dir, run.Config, run.Kind{Name: known.Name, Version: known.Version + 1}) },
		"not finished: the command that began it":  func(dir string) { write(dir, run.Config, known) },
		"(reproduce) failed: too dark": func(dir string) {
			write(dir, run.Config, known)
			write(dir, run.Failure, map[string]string{"error": "too dark"})
		},
		"not finished: process": func(dir string) { open(t, dir, known) },
		"the files are of different runs": func(dir string) {
			write(dir, run.Config, known)
			write(dir, run.Results, run.Kind{Name: "dream", Version: 1})
		},
	} {
		dir := t.TempDir()
		fill(dir)
		if _, err := Page(dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for _, k := range Kinds() {
		dir := t.TempDir()
		f := open(t, dir, k.Kind)
		for _, name := range []string{run.Times, run.Results} {
			if err := f.WriteJSON(name, struct{}{}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := Page(dir); err == nil {
			t.Errorf("%s: empty results were drawn", k.Name)
		}
	}
}

func open(t *testing.T, dir string, k run.Kind) *run.Folder {
	t.Helper()
	f, err := run.Open(dir, run.Identity{Kind: k, Settings: struct{}{}}, run.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}
