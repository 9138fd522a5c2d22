package compare

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/hgcal"
	"barrow/run"
)

// TestIdentity: a run is known by what is in the files that it reads, not by their
// names, and what differs is said in words.
func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	// A network in two files: what is named is the architecture, what is trained beside it.
	metric, network, trained := filepath.Join(dir, "cells.csv"), filepath.Join(dir, "cnn.json"), filepath.Join(dir, "cnn.h5")
	write := func(stretch float64, weights string) {
		t.Helper()
		var text strings.Builder
		for _, p := range hgcal.Benchmark() {
			fmt.Fprintf(&text, "%v,%v\n", stretch*p[0], p[1])
		}
		for path, content := range map[string]string{metric: text.String(), network: `{"class_name": "Functional"}`, trained: weights} {
			if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	p := small()
	p.Metric, p.CNN, p.Losses = metric, network, []string{"emd-cnn"}
	open := func(want string) {
		t.Helper()
		id, err := p.Identity(Kind())
		if err != nil {
			t.Fatal(err)
		}
		f, err := run.Open(filepath.Join(dir, "run"), id, run.Settings{})
		if err == nil {
			f.Close()
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	write(1, "one")
	open("")
	open("")
	kept := filepath.Join(dir, "run", run.Weights, "kept") // a run that has kept nothing takes other inputs
	if err := os.WriteFile(kept, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	write(1.5, "one")
	open("the metric " + metric + ": other content than before")
	write(1, "two")
	open("the EMD network " + trained + ": other content than before")
	write(1, "one")
	p.Digest = strings.Repeat("0f", 32)
	open("the images: not given before")
	p.Digest = ""
	open("")
	p.Losses, p.CNN = []string{"emd"}, ""
	for _, cnn := range []string{"", BuiltIn} {
		p.CNN = cnn
		if id, err := p.Identity(Kind()); err != nil || len(id.Inputs) != 1+len(cnn)/len(BuiltIn) {
			t.Errorf("network %q: %v, %v", cnn, id.Inputs, err)
		}
	}
}

// TestBuiltInNamed: the network that comes with the program is known by the name that
// commands have for it, too, and is the same run.
func TestBuiltInNamed(t *testing.T) {
	for _, name := range []string{"", "builtin", BuiltIn} {
		p := Default()
		p.Losses, p.CNN = []string{"emd-cnn"}, name
		if load, err := p.Network(); err != nil || load == nil || p.CNN != BuiltIn {
			t.Errorf("%q: %q, %v", name, p.CNN, err)
		}
	}
}
