package run

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestTail: read on while lines come, while files of shards appear, and after a training was
// taken up again in a new file, a tail has what one who reads all of it has; what it has read it
// does not read again.
func TestTail(t *testing.T) {
	dir := t.TempDir()
	line := func(part string, epoch int) string {
		return fmt.Sprintf(`{"part":%q,"epoch":%d,"of":9,"loss":1}`+"\n", part, epoch)
	}
	add := func(name, text string) {
		t.Helper()
		f, err := os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o666)
		if err == nil {
			_, err = f.WriteString(text)
			f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var tail Tail
	same := func(when string, n int) {
		t.Helper()
		got, err := tail.Read(os.DirFS(dir))
		want, err2 := ReadMetrics(dir)
		if err != nil || err2 != nil || len(got) != n || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v %v, want %v %v", when, got, err, want, err2)
		}
	}
	same("nothing", 0)
	add(Metrics, line("a", 1)+line("a", 2)+`{"part":"a",`)
	same("half a line", 2)
	add(Metrics, strings.TrimPrefix(line("a", 3), `{"part":"a",`)+line("b", 1))
	same("the other half", 4)
	add("metrics-00001-of-00002.jsonl", line("c", 1)+line("a", 2))
	same("a shard's", 5)

	// What was read before is not looked at again.
	path := filepath.Join(dir, Metrics)
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(b), `"loss":1`, `"loss":7`, 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	add(Metrics, line("a", 4))
	if got, err := tail.Read(os.DirFS(dir)); err != nil || len(got) != 6 || got[0].Loss != 1 {
		t.Errorf("in the same file: %v %v", got, err)
	}

	// A new file is another.
	tmp := filepath.Join(dir, "tmp")
	if err := os.WriteFile(tmp, []byte(strings.Repeat(" ", 1000)+line("z", 1)), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(tmp, path); err != nil {
		t.Fatal(err)
	}
	same("a new file", 3)
	add(Metrics, "no epoch\n")
	if _, err := tail.Read(os.DirFS(dir)); err == nil || !strings.Contains(err.Error(), Metrics+":2:") {
		t.Errorf("a damaged line: %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	same("gone", 2)
}

// TestTells: every file that a run is known by, and no other.
func TestTells(t *testing.T) {
	for name, want := range map[string]bool{Config: true, Results: true, Metrics: true, lockName: true, "metrics-00001-of-00002.jsonl": true, "shard-00001-of-00002.lock": true,
		Report: false, Modules: false, "metrics.json": false, "config.json.bak": false, "other.json": false} {
		if got := Tells(name); got != want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
