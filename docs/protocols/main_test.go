package main

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/study/compare"
)

// TestTable: a run's contenders are the rows, with all columns, in the order of the protocol.
func TestTable(t *testing.T) {
	dir := t.TempDir()
	protocol := filepath.Join(dir, "own.toml")
	text := "rate_step = 2.0\n[settings]\nevents = 200\nprecisions = [\"asic\"]\nlinks = [3]\nepochs = 1\nseeds = 2\n[[contender]]\nalgorithm = \"bc\"\n[[contender]]\nloss = \"mse\"\n[[contender]]\nloss = \"l1\"\n"
	if err := os.WriteFile(protocol, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := compare.ReadProtocol(protocol, false)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "run")
	if _, _, err := compare.Start(context.Background(), folder, compare.Kind(), p, compare.Settings{Threads: 2}); err != nil {
		t.Fatal(err)
	}
	b, err := table(folder, "", "today")
	if err != nil {
		t.Fatal(err)
	}
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	if f.Command != "barrow compare --protocol own" || !strings.HasPrefix(f.Measured, "today; 2 seeds, 1 epochs, ") || len(f.Columns) != 16 || len(f.Rows) != 3 {
		t.Fatalf("%d columns, %d rows: %s", len(f.Columns), len(f.Rows), b)
	}
	for i, name := range []string{"best choice", "MSE", "L1"} {
		if len(f.Rows[i]) != len(f.Columns) || f.Rows[i]["c0"] != name {
			t.Errorf("row %d: %v", i, f.Rows[i])
		}
	}
	if _, err := table(dir, "", ""); err == nil {
		t.Error("a folder without a run has a table")
	}
}
