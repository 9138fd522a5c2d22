package run

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

type config struct {
	Seed   int    `json:"seed"`
	Epochs int    `json:"epochs"`
	Digest string `json:"digest,omitempty" label:"the images"`
	Plan   struct {
		Digest string `json:"digest,omitempty" label:"the other images"`
	} `json:"plan"`
}

func identity(c config, inputs ...Input) Identity {
	return Identity{Kind{"test", 2}, c, inputs}
}

// open opens a folder that the test's end closes.
func open(t *testing.T, dir string, id Identity, s Settings) *Folder {
	t.Helper()
	f, err := Open(dir, id, s)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestOpen(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "run")
	one := identity(config{Seed: 1, Epochs: 20})
	f := open(t, dir, one, Settings{})
	if f.Resumed() {
		t.Error("a new folder was resumed")
	}
	f.Close()
	if f = open(t, dir, one, Settings{}); !f.Resumed() {
		t.Error("an interrupted run was not resumed")
	}
	checkpoint := f.Path(Weights, "a.ckpt")
	put(t, checkpoint, "")
	if err := f.WriteJSON(Results, config{}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if _, err := Open(dir, one, Settings{}); !errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), "finished run (test)") {
		t.Errorf("finished run: %v", err)
	}
	own := f.Path("notes.txt")
	put(t, own, "")
	put(t, f.Path(Tables), "")
	if f = open(t, dir, identity(config{Seed: 2}), Settings{Force: true}); f.Resumed() {
		t.Error("what was to be replaced was resumed")
	}
	if exists(checkpoint) || exists(f.Path(Results)) || exists(f.Path(Tables)) || !exists(own) {
		t.Error("force must remove the run's files and no others")
	}
	var got config
	if err := ReadJSON(dir, Config, &got); err != nil || got.Seed != 2 {
		t.Errorf("configuration reads back as %v, %v", got, err)
	}
	if _, err := Open(dir, Identity{}, Settings{}); err == nil {
		t.Error("a run without a kind was opened")
	}
}

// TestDifference: what differs is said in words, with both values.
func TestDifference(t *testing.T) {
	a, b := strings.Repeat("a", 64), strings.Repeat("b", 64)
	dir := t.TempDir()
	was := config{Seed: 1, Epochs: 20, Digest: a}
	f := open(t, dir, identity(was, Input{"the network x.weights", a}), Settings{})
	put(t, f.Path(Weights, "kept"), "")
	f.Close()
	for want, c := range map[string]Identity{
		"(epochs 20, now 30)":                                   identity(config{Seed: 1, Epochs: 30, Digest: a}, Input{"the network x.weights", a}),
		"(the images: other content than before)":               identity(config{Seed: 1, Epochs: 20, Digest: b}, Input{"the network x.weights", a}),
		"(the network x.weights: other content than before)":    identity(was, Input{"the network x.weights", b}),
		"(seed 1, now 2; the network x.weights: not given now)": identity(config{Seed: 2, Epochs: 20, Digest: a}),
		"of another kind (test)":                                {Kind{"other", 2}, was, nil},
		"(the version of its files 2, now 3)":                   {Kind{"test", 3}, was, []Input{{"the network x.weights", a}}},
		"newer Barrow (test version 2, this one knows 1)":       {Kind{"test", 1}, was, nil},
	} {
		if _, err := Open(dir, c, Settings{}); !errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	c := was
	c.Plan.Digest = b
	if _, err := Open(dir, identity(c), Settings{}); err == nil || !strings.Contains(err.Error(), "the other images: not given before") {
		t.Error(err)
	}
	old := t.TempDir()
	put(t, filepath.Join(old, Config), `{"seed": 1}`)
	if _, err := Open(old, identity(was), Settings{}); !errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), "older Barrow") {
		t.Errorf("a run without a kind: %v", err)
	}
}

// TestCorrected: settings may be corrected as long as nothing was kept.
func TestCorrected(t *testing.T) {
	dir := t.TempDir()
	open(t, dir, identity(config{Seed: 1}), Settings{}).Close()
	f := open(t, dir, identity(config{Seed: 2}), Settings{})
	if f.Resumed() {
		t.Error("a run with other settings was resumed")
	}
	put(t, f.Path(Weights, "kept"), "")
	f.Close()
	if _, err := Open(dir, identity(config{Seed: 1}), Settings{}); !errors.Is(err, ErrTaken) {
		t.Errorf("what was kept was given up: %v", err)
	}
}

// TestEnd: a run that ended by an error is told from one that was interrupted, until it is gone on with.
func TestEnd(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	end := func(seed int, err error) {
		f := open(t, dir, identity(config{Seed: seed}), Settings{})
		put(t, f.Path(Weights, "kept"), "")
		f.End(&err)
	}
	look := func() Found {
		found, err := Look(dir)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	end(1, fmt.Errorf("training: %w", context.Canceled))
	if found := look(); found.State != StateInterrupted {
		t.Errorf("%+v", found)
	}
	end(1, errors.New("image 3 is bad"))
	if found := look(); found.State != StateFailed || found.Problem != "image 3 is bad" {
		t.Errorf("%+v", found)
	}
	if _, err := Open(dir, identity(config{Seed: 2}), Settings{}); !errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), "(seed 1, now 2) that failed (image 3 is bad)") {
		t.Error(err)
	}
	end(1, context.Canceled)
	if found := look(); found.State != StateInterrupted || found.Problem != "" {
		t.Errorf("gone on with: %+v", found)
	}
	end(1, errors.New("again"))
	f := open(t, dir, identity(config{Seed: 2}), Settings{Force: true})
	if f.Resumed() || exists(f.Path(Failure)) {
		t.Error("a run that replaces one that failed has that one's failure")
	}
}

func TestOpenForeignFolder(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "thesis.tex"), "")
	for _, force := range []bool{false, true} {
		if _, err := Open(dir, identity(config{}), Settings{Force: force}); err == nil || !strings.Contains(err.Error(), "thesis.tex") {
			t.Errorf("a folder with somebody's files, force %v: %v", force, err)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("something was written there: %v", entries)
	}
}

// TestLeftovers: what a kill leaves of a run that has no configuration yet is
// no obstacle, and is cleared away; other people's weights are.
func TestLeftovers(t *testing.T) {
	for _, force := range []bool{false, true} {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, Weights), 0o755); err != nil {
			t.Fatal(err)
		}
		left := []string{".barrow-0123456789abcdef.tmp", filepath.Join(Weights, ".barrow-1.tmp"), lockName + ".0123"}
		for _, name := range left {
			put(t, filepath.Join(dir, name), "")
		}
		f := open(t, dir, identity(config{}), Settings{Force: force})
		for _, name := range left {
			if exists(f.Path(name)) {
				t.Errorf("%s is left", name)
			}
		}
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, Weights), 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, Weights, "theirs.h5"), "")
	if _, err := Open(dir, identity(config{}), Settings{}); err == nil {
		t.Error("a folder with somebody's weights was taken")
	}
}

// TestHeader: every file says what it is of before it says anything else.
func TestHeader(t *testing.T) {
	f := open(t, t.TempDir(), identity(config{Seed: 3}), Settings{})
	if info, err := Inspect(f.Path()); err != nil || info.Finished || info.Kind != (Kind{"test", 2}) {
		t.Errorf("a run under way: %+v, %v", info, err)
	}
	for name, want := range map[string]string{
		Config:  "{\n \"kind\": \"test\",\n \"version\": 2,\n \"seed\": 3,",
		Times:   "{\n \"kind\": \"test\",\n \"version\": 2,\n \"seed\": 4,",
		Results: "{\n \"kind\": \"test\",\n \"version\": 2,\n \"program\": {\n  \"version\": ",
	} {
		if name != Config {
			if err := f.WriteJSON(name, config{Seed: 4}); err != nil {
				t.Fatal(err)
			}
		}
		b, err := os.ReadFile(f.Path(name))
		if err != nil || !strings.HasPrefix(string(b), want) || !json.Valid(b) {
			t.Errorf("%s: %v\n%s", name, err, b)
		}
	}
	if info, err := Inspect(f.Path()); err != nil || !info.Finished || info.Program.Go == "" {
		t.Errorf("a finished run: %+v, %v", info, err)
	}
	put(t, f.Path(Results), `{"kind": "other", "version": 2}`)
	if _, err := Inspect(f.Path()); err == nil || !strings.Contains(err.Error(), "different runs") {
		t.Errorf("files of two runs: %v", err)
	}
	for _, v := range []any{1, []int{1}, map[string]int{"kind": 1}} {
		if err := f.WriteJSON(Times, v); err == nil {
			t.Errorf("%v was written", v)
		}
	}
	if err := f.WriteJSON(Times, struct{}{}); err != nil {
		t.Error(err)
	}
	for _, dir := range []string{f.Path("no"), t.TempDir()} {
		if _, err := Inspect(dir); err == nil {
			t.Errorf("%s holds a run", dir)
		}
	}
}

// TestRecord: a part is done if its record is of the same settings and its
// files are as they were, and not otherwise.
func TestRecord(t *testing.T) {
	type value struct{ Curve [][2]float64 }
	dir := t.TempDir()
	var said []string
	s := Settings{Remark: func(text string) { said = append(said, text) }}
	id := identity(config{Epochs: 20})
	f := open(t, dir, id, s)
	put(t, f.Path(Weights, "a.weights"), "weights")
	want := value{[][2]float64{{1.0 / 3, 0.1}}}
	keep := func() {
		put(t, f.Path(Weights, "a.weights"), "weights")
		if err := f.keep("a", 7, want, "a.weights"); err != nil {
			t.Fatal(err)
		}
		said = nil
	}
	recall := func(part string, made any) bool {
		var got value
		done, err := f.recall(part, made, &got)
		if err != nil {
			t.Fatal(err)
		}
		if done && (len(got.Curve) != 1 || got.Curve[0] != want.Curve[0]) {
			t.Errorf("recalled %v", got)
		}
		return done
	}
	if recall("a", 7) || len(said) > 0 {
		t.Errorf("a part that was never done: %v", said)
	}
	keep()
	if !recall("a", 7) || len(said) > 0 {
		t.Errorf("a part that is done: %v", said)
	}
	record := f.Path(Weights, "a.json")
	b, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	put(t, f.Path(Weights, "b.json"), string(b))
	for _, c := range []struct {
		part  string
		made  any
		spoil func()
		want  string
	}{
		{"a", 8, func() {}, "other settings"},
		{"b", 7, func() {}, "other settings"},
		{"a", 7, func() { put(t, f.Path(Weights, "a.weights"), "weight5") }, "a.weights is not what it was"},
		{"a", 7, func() { os.Remove(f.Path(Weights, "a.weights")) }, "a.weights is gone"},
		{"a", 7, func() { put(t, record, string(b[:len(b)/2])) }, "damaged"},
		{"a", 7, func() { put(t, record, strings.Replace(string(b), "0.1", "0.2", 1)) }, "damaged"},
		{"a", 7, func() { put(t, record, strings.Replace(string(b), "\"a.weights\"", "\"c.weights\"", 1)) }, "damaged"},
	} {
		keep()
		c.spoil()
		if recall(c.part, c.made) || len(said) != 1 || !strings.Contains(said[0], c.want) {
			t.Errorf("said %q, want %q", said, c.want)
		}
	}
	keep()
	f.Close()
	id.Settings = config{Epochs: 30}
	f = open(t, dir, id, Settings{Force: true})
	put(t, record, string(b))
	put(t, f.Path(Weights, "a.weights"), "weights")
	if recall("a", 7) {
		t.Error("the record of a run with other settings was taken over")
	}
}

// TestEndless: a folder that is named may hold anything.
func TestEndless(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, Config)
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, 3<<30); err != nil {
		t.Skip("no sparse files here:", err)
	}
	if _, err := Inspect(dir); err == nil || !strings.Contains(err.Error(), "a run's file of 3.22 GB") {
		t.Error(err)
	}
}
