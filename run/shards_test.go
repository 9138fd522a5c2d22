package run

import (
	"errors"
	"os"
	"strings"
	"testing"

	"barrow/run/shard"
)

// TestShards: several processes work in a folder, each on its shard; the whole is for nobody
// while one of them is at work, and finds what they left.
func TestShards(t *testing.T) {
	dir := t.TempDir()
	id := identity(config{Epochs: 2})
	open := func(i, n int) (*Folder, error) {
		return Open(dir, id, Settings{Cut: &Cut{Shard: shard.Shard{I: i, N: n}, Command: "test"}})
	}
	var all [2]*Folder
	for i := range all {
		var err error
		if all[i], err = open(i, 2); err != nil {
			t.Fatal(err)
		}
	}
	var taken *Locked
	if _, err := open(1, 2); !errors.As(err, &taken) {
		t.Errorf("a shard that is at work was begun again: %v", err)
	}
	if _, err := Open(dir, id, Settings{}); !errors.As(err, &taken) {
		t.Errorf("the whole was opened while shards are at work: %v", err)
	}
	if _, ok := Running(dir); !ok {
		t.Error("nobody is at work")
	}
	made := 0
	for i, f := range all {
		for k, part := range []string{"a", "b", "c"} {
			if !f.Mine(k) {
				continue
			}
			if k%2 != i {
				t.Errorf("part %d is of shard %d", k, i)
			}
			var v int
			if err := f.Once(part, k, &v, func() ([]string, error) { made++; v = k; return nil, nil }); err != nil {
				t.Fatal(err)
			}
			if err := f.recorder.add([]Epoch{{Part: part, Epoch: 1}, {Part: part, Epoch: 2}}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if list, err := ReadMetrics(dir); err != nil || len(list) != 6 {
		t.Errorf("%v, %v", list, err)
	}
	var done *ShardDone
	if err := all[1].EndShard(); !errors.As(err, &done) || done.Shard.I != 1 {
		t.Error(err)
	}
	for _, f := range all {
		f.Close()
	}
	var missing *shard.MissingError
	if _, err := shard.Ready(all[0].Path(Shards)); !errors.As(err, &missing) || len(missing.Missing) != 1 || missing.Missing[0] != 0 {
		t.Error(err)
	}
	if _, err := open(0, 3); err == nil || !strings.Contains(err.Error(), "shards 2, now 3") {
		t.Error(err)
	}
	replaced(t, dir)
	f, err := Open(dir, id, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for k, part := range []string{"a", "b", "c"} {
		var v int
		if err := f.Once(part, k, &v, func() ([]string, error) { return nil, errors.New("made again") }); err != nil || v != k || !f.Mine(k) {
			t.Errorf("%s: %d, %v", part, v, err)
		}
	}
	if list, err := ReadMetrics(dir); err != nil || len(list) != 6 || made != 3 || f.EndShard() != nil {
		t.Errorf("%d made, %v, %v", made, list, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "metrics-") || strings.HasPrefix(e.Name(), "shard-") {
			t.Errorf("%s is left", e.Name())
		}
	}
}

// replaced copies a run in shards and replaces it: nothing of it is left.
func replaced(t *testing.T, dir string) {
	t.Helper()
	other := t.TempDir()
	if err := os.CopyFS(other, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	f, err := Open(other, identity(config{Epochs: 3}), Settings{Force: true})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if list, err := ReadMetrics(other); err != nil || len(list) > 0 || Cuts(other) {
		t.Errorf("%v, %v, shards %v", list, err, Cuts(other))
	}
}
