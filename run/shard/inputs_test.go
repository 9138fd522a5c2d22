package shard_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/internal/index"
	"barrow/run/shard"
)

// inputs are facts of a file with marks at every row.
func inputs(t *testing.T, path string, rows int) *shard.Inputs {
	t.Helper()
	f, err := shard.FactOf(path)
	if err == nil {
		f.Digest, err = shard.Digest(context.Background(), path, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	x := &index.Index{Rows: rows}
	for row := range rows {
		x.Note(index.Mark{Row: row, At: int64(2 * row), Sub: row})
	}
	return &shard.Inputs{Files: []shard.Fact{f}, Rows: []*index.Index{x}, Notes: map[string]string{"eta": "number"}}
}

// TestKnown: what one shard found out about inputs the others believe, unless it is damaged or of other
// work, or an input is not what it was.
func TestKnown(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	name, in := filepath.Join(dir, "out.txt"), filepath.Join(dir, "in.csv")
	if err := os.WriteFile(in, []byte(strings.Repeat("1\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := shard.Shard{I: 1, N: 3}
	w := shard.Work{Command: "emd", Settings: map[string]string{"metric": "cmssw"}, Join: map[string]string{shard.How: shard.Lines, shard.Header: "0"}}
	if k, err := shard.Known(ctx, name, s, w, []string{in}); k != nil || err != nil {
		t.Fatalf("of nothing: %v, %v", k, err)
	}
	if err := os.Mkdir(name+shard.Ending, 0o700); err != nil {
		t.Fatal(err)
	}
	found := inputs(t, in, 100)
	if err := found.Keep(name, s, w); err != nil {
		t.Fatal(err)
	}
	known := func(w shard.Work, files ...string) *shard.Inputs {
		t.Helper()
		k, err := shard.Known(ctx, name, s, w, files)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	k := known(w, in)
	if k == nil || k.Files[0] != found.Files[0] || k.Rows[0].Rows != 100 || k.Notes["eta"] != "number" {
		t.Fatalf("%+v", k)
	}
	if len(k.Rows[0].Marks) != 3 || k.Rows[0].Marks[1].Row != 33 {
		t.Errorf("marks %+v, want those at which shards begin", k.Rows[0].Marks)
	}
	other := w
	other.Settings = map[string]string{"metric": "benchmark"}
	if known(other, in) != nil || known(w, in, in) != nil || known(w) != nil {
		t.Error("what is known of other work or of other files is believed")
	}
	// Whatever byte is damaged or missing, nothing wrong is believed.
	path := filepath.Join(name+shard.Ending, "inputs.json")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for at := range good {
		bad := append([]byte{}, good...)
		if bad[at]++; at%2 == 0 {
			bad = good[:at]
		}
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if k := known(w, in); k != nil && at < len(good)-2 {
			t.Fatalf("byte %d: damaged, and believed: %+v", at, k)
		}
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	// Before the first shard has begun a changed input is found out about again; then it is refused.
	if err := os.WriteFile(in, []byte(strings.Repeat("1\n", 101)), 0o600); err != nil {
		t.Fatal(err)
	}
	if known(w, in) != nil {
		t.Error("an input that changed is believed")
	}
	if err := os.WriteFile(in, []byte(strings.Repeat("1\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	w.Inputs = map[string]string{in: found.Files[0].Digest}
	if _, _, err := shard.Open(name, s, w, false); err != nil {
		t.Fatal(err)
	}
	if known(w, in) == nil { // of another time, and the same content
		t.Error("a copy is not believed")
	}
	if _, err := shard.Known(ctx, name, s, other, []string{in}); err == nil || !strings.Contains(err.Error(), "metric cmssw, now benchmark") {
		t.Error(err)
	}
	for _, text := range []string{strings.Repeat("2\n", 100), "1\n"} {
		if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := shard.Known(ctx, name, s, w, []string{in})
		if err == nil || !strings.Contains(err.Error(), "shard 1/3: ") || !strings.Contains(err.Error(), in+" has other content than before") {
			t.Error(err)
		}
	}
	if err := os.Remove(in); err != nil {
		t.Fatal(err)
	}
	if _, err := shard.Known(ctx, name, s, w, []string{in}); err == nil || !strings.Contains(err.Error(), in) {
		t.Error(err)
	}
	if _, err := shard.FactOf(dir); err == nil || !strings.Contains(err.Error(), "no regular file") {
		t.Error(err)
	}
	// Merging knows these files.
	for _, file := range []string{"inputs.lock", "inputs.lock.0123"} {
		if err := os.WriteFile(filepath.Join(name+shard.Ending, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, err = shard.Merge(ctx, name+shard.Ending, shard.MergeSettings{})
	if err == nil || !strings.Contains(err.Error(), "3 of 3 shards are missing") {
		t.Error(err)
	}
}
