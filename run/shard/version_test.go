package shard

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOtherVersion: shards of one version are neither gone on with nor merged by another, and both are named.
func TestOtherVersion(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.csv")
	dir := name + Ending
	w := Work{Command: "count", Join: map[string]string{How: Lines, Header: "0"}}
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	old := manifest{Form: form, Shards: 2, Program: "v0.9.0 1234567", Work: w}
	old.Sum = old.sum()
	if err := write(filepath.Join(dir, manifestName), old); err != nil {
		t.Fatal(err)
	}
	_, _, errOpen := Open(name, Shard{1, 2}, w, false)
	_, errMerge := Merge(context.Background(), dir, MergeSettings{Force: true})
	_, errReady := Ready(dir)
	for what, err := range map[string]error{
		"shard 1/2: " + dir + " is of other work: Barrow v0.9.0 1234567, now " + program(): errOpen,
		dir + " was made by Barrow v0.9.0 1234567, this is " + program():                   errMerge,
		"was made by Barrow v0.9.0 1234567, this is " + program():                          errReady,
	} {
		if err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%v, want %q", err, what)
		}
	}
	if _, err := os.Stat(name); err == nil {
		t.Error("shards of another version were merged")
	}
}
