package run

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type config struct {
	Seed   int `json:"seed"`
	Epochs int `json:"epochs"`
}

func TestOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "run")
	f, err := Open(dir, config{1, 20}, false)
	if err != nil || f.Resumed() {
		t.Fatalf("new folder: %v, resumed %v", err, f.Resumed())
	}
	if f, err = Open(dir, config{1, 20}, false); err != nil || !f.Resumed() {
		t.Fatalf("interrupted run: %v", err)
	}
	if _, err = Open(dir, config{1, 30}, false); err == nil || !strings.Contains(err.Error(), "(epochs)") {
		t.Errorf("another configuration: %v", err)
	}
	checkpoint := f.Path(Weights, "a.ckpt")
	if err := os.WriteFile(checkpoint, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := f.WriteJSON(Results, 1); err != nil {
		t.Fatal(err)
	}
	if _, err = Open(dir, config{1, 20}, false); err == nil || !strings.Contains(err.Error(), "finished run") {
		t.Errorf("finished run: %v", err)
	}
	own := f.Path("notes.txt")
	if err := os.WriteFile(own, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if f, err = Open(dir, config{2, 20}, true); err != nil || f.Resumed() {
		t.Fatalf("force: %v", err)
	}
	if exists(checkpoint) || exists(f.Path(Results)) || !exists(own) {
		t.Error("force must remove the run's files and no others")
	}
	var got config
	if err := ReadJSON(dir, Config, &got); err != nil || got.Seed != 2 {
		t.Errorf("configuration reads back as %v, %v", got, err)
	}
}

func TestOpenForeignFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "thesis.tex"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, force := range []bool{false, true} {
		if _, err := Open(dir, config{}, force); err == nil {
			t.Errorf("a folder with somebody's files was taken, force %v", force)
		}
	}
}

func TestWeightsFile(t *testing.T) {
	dir := t.TempDir()
	f, err := Open(filepath.Join(dir, "run"), config{}, false)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := WeightsFile(f.Path(), "emd-cnn"); err == nil {
		t.Error("weights that are not there were found")
	}
	want := f.Path(Weights, "emd-cnn"+WeightsEnding)
	if err := os.WriteFile(want, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{f.Path(), want} {
		if got, err := WeightsFile(path, "emd-cnn"); err != nil || got != want {
			t.Errorf("WeightsFile(%s) = %s, %v", path, got, err)
		}
	}
	if _, err := WeightsFile(filepath.Join(dir, "nothing"), "emd-cnn"); err == nil {
		t.Error("a missing path was accepted")
	}
}
