package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"barrow/run"
)

// TestNext: what an interruption says is what it left.
func TestNext(t *testing.T) {
	err := context.Canceled
	wrote := &output{w: io.Discard}
	fmt.Fprint(wrote, "1\n")
	for want, got := range map[string]string{
		"no output was left: the same command starts anew":                                     next(err, &output{}),
		"what was printed is not all: the same command starts anew":                            next(err, wrote),
		"everything so far is saved in r: the same command goes on from there":                 next(saved{err, "r", false}, wrote),
		"everything so far is saved in r: the same command without --force goes on from there": next(saved{err, "r", true}, wrote),
		"e is complete but not verified: the same command with --force starts anew":            next(left{err, "e is complete but not verified"}, wrote),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

// countdown is a context that is cancelled when it has been asked so often whether it is.
type countdown struct {
	context.Context
	cancel func()
	left   atomic.Int64
}

func newCountdown(t *testing.T, n int) *countdown {
	c := &countdown{}
	c.Context, c.cancel = context.WithCancel(t.Context())
	c.left.Store(int64(n))
	return c
}

func (c *countdown) Err() error {
	if c.left.Add(-1) < 0 {
		c.cancel()
	}
	return c.Context.Err()
}

// TestInterrupted: whenever an evaluation is stopped, its output is there only when all is
// done; an export's is there, and is said to be.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	command := func(ctx context.Context, args ...string) error {
		root := newRoot()
		root.SetArgs(append(args, "--threads", "1", "--quiet"))
		root.SetOut(io.Discard)
		root.SetErr(io.Discard)
		return root.ExecuteContext(ctx)
	}
	if err := command(t.Context(), "encoder", "train", "--precision", "asic", "--events", "300", "--epochs", "1", "--loss", "telescope", "--out", in("run")); err != nil {
		t.Fatal(err)
	}
	if err := command(t.Context(), "simulate", "--events", "40", "--out", in("images.csv")); err != nil {
		t.Fatal(err)
	}
	// stops runs a command, stopped ever later until it is not.
	stops := func(made string, args ...string) (says int) {
		for n := 0; ; n = n*5/4 + 1 {
			err := command(newCountdown(t, n), args...)
			_, none := os.Stat(in(made))
			if err == nil {
				if none != nil {
					t.Errorf("%v: no %s", args, made)
				}
				return says
			}
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("%v, stopped after %d: %v", args, n, err)
			}
			var l left
			if said := errors.As(err, &l); said != (none == nil) {
				t.Fatalf("%v, stopped after %d: %v, and %s: %v", args, n, err, made, none)
			} else if said {
				says++
				if err := os.RemoveAll(filepath.Dir(in(made))); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	stops("decoded.csv", "encoder", "eval", "--weights", in("run"), "--out", in("decoded.csv"), in("images.csv"))
	if stops("exported/README.txt", "encoder", "export", in("run"), "--format", "onnx", "--out", in("exported"), "--verify") == 0 {
		t.Error("no export was stopped while it was verified")
	}
}

// TestExplain: a run is saved where there is one that the command goes on with.
func TestExplain(t *testing.T) {
	f := runFlags{out: t.TempDir()}
	config := filepath.Join(f.out, run.Config)
	put := func(name, text string) os.FileInfo {
		t.Helper()
		path := filepath.Join(f.out, name)
		os.Remove(path)
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info
	}
	says := func() string { return next(f.explain(context.Canceled), &output{}) }
	const anew, goesOn = "no output was left", "the same command goes on"
	if got := says(); !strings.HasPrefix(got, anew) {
		t.Error("no folder:", got)
	}
	kept := filepath.Join(t.TempDir(), "before")
	id, err := run.Open(f.out, run.Identity{Kind: run.Kind{Name: "encoder", Version: 1}}, run.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	id.Close()
	if got := says(); !strings.Contains(got, goesOn) {
		t.Error("begun:", got)
	}
	if f.before, err = os.Stat(config); err != nil {
		t.Fatal(err)
	}
	if got := says(); !strings.Contains(got, goesOn) {
		t.Error("resumed:", got)
	}
	f.force = true
	if got := says(); !strings.HasPrefix(got, anew) {
		t.Error("to be replaced, but not yet:", got)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(config, kept); err != nil { // its number stays taken
		t.Fatal(err)
	}
	put(run.Config, string(text))
	if got := says(); !strings.Contains(got, "without --force goes on") {
		t.Error("replaced:", got)
	}
	f.force = false
	f.before = put(run.Config, string(text))
	put(run.Results, "{}")
	if got := says(); !strings.HasPrefix(got, anew) {
		t.Error("another's, finished:", got)
	}
}
