package shard_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/run/shard"
)

func ExampleShard_Range() {
	for i := range 3 {
		from, to := shard.Shard{I: i, N: 3}.Range(10)
		fmt.Print(from, "–", to, " ")
	}
	// Output: 0–3 3–6 6–10
}

// TestRange: parts follow each other, of lengths that differ by at most one, also of numbers whose
// products do not fit.
func TestRange(t *testing.T) {
	for _, things := range []int{0, 1, 7, 99_999, 1_000_000_007, 1<<62 - 1} {
		for _, n := range []int{1, 2, 3, 7, 100, 99_991} {
			at := 0
			for i := range n {
				from, to := shard.Shard{I: i, N: n}.Range(things)
				if from != at || to-from < things/n || to-from > things/n+1 {
					t.Fatalf("%d things, shard %d/%d: %d to %d", things, i, n, from, to)
				}
				at = to
			}
			if at != things {
				t.Fatalf("%d things in %d shards end at %d", things, n, at)
			}
		}
	}
}

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text, env, want string
	}{
		{"2/5", "", "2/5"},
		{"0/1", "", "0/1"},
		{"5/5", "", "want 0/5 to 4/5"},
		{"-1/5", "", "want 0/5"},
		{"1/0", "", "of 1 to 100000 shards"},
		{"1/1000000", "", "of 1 to 100000 shards"},
		{"1", "", "want i/n"},
		{"a/b", "", "want i/n"},
		{"auto", "", "neither SLURM_ARRAY_TASK_ID nor"},
		{"auto", "SLURM_ARRAY_TASK_ID=3 SLURM_ARRAY_TASK_MIN=0 SLURM_ARRAY_TASK_COUNT=6", "3/6"},
		{"auto", "SLURM_ARRAY_TASK_ID=14 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_COUNT=6 SLURM_ARRAY_TASK_STEP=2", "2/6"},
		{"auto", "SLURM_ARRAY_TASK_ID=13 SLURM_ARRAY_TASK_MIN=10 SLURM_ARRAY_TASK_COUNT=6 SLURM_ARRAY_TASK_STEP=2", "is none of an array"},
		{"auto", "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=3", "BARROW_SHARDS says how many"},
		{"auto", "SLURM_ARRAY_TASK_ID=7 SLURM_ARRAY_TASK_MIN=1 SLURM_ARRAY_TASK_COUNT=3 BARROW_SHARDS=10", "7/10"},
		{"auto", "SLURM_ARRAY_TASK_ID=x", "is no number"},
		{"auto", "SLURM_ARRAY_TASK_ID=1", "SLURM_ARRAY_TASK_MIN is not set"},
		{"auto", "JOB_COMPLETION_INDEX=1", "BARROW_SHARDS is not set"},
		{"auto", "JOB_COMPLETION_INDEX=1 BARROW_SHARDS=4", "1/4"},
		{"auto", "BARROW_SHARD=2 BARROW_SHARDS=4 SLURM_ARRAY_TASK_ID=9", "2/4"},
	} {
		env := map[string]string{}
		for _, e := range strings.Fields(c.env) {
			name, value, _ := strings.Cut(e, "=")
			env[name] = value
		}
		s, err := shard.Parse(c.text, func(name string) (string, bool) { v, ok := env[name]; return v, ok })
		if got := s.String(); err == nil && got != c.want || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q with %q: %v, %v; want %q", c.text, c.env, s, err, c.want)
		}
	}
}

var work = shard.Work{
	Command: "count", Settings: map[string]string{"events": "10"}, Inputs: map[string]string{"a.csv": "12ab"},
	Join: map[string]string{shard.How: shard.Lines, shard.Header: "1"},
}

// count makes a shard of a file of numbers behind a header.
func count(t *testing.T, name string, s shard.Shard, w shard.Work) (*shard.Piece, bool, error) {
	t.Helper()
	p, done, err := shard.Open(name, s, w, false)
	if err != nil || done {
		return p, done, err
	}
	text := "n\n"
	from, to := s.Range(10)
	for k := from; k < to; k++ {
		text += fmt.Sprintln(k)
	}
	if to > from {
		if err := os.WriteFile(p.Path(), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return p, false, p.Done(to - from)
}

// TestMerge: shards in any order, some without rows, give the file of one; what is missing, foreign
// or changed is named, and nothing is written then.
func TestMerge(t *testing.T) {
	const n = 13 // more than there are rows
	want := "n\n0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n"
	name := filepath.Join(t.TempDir(), "a.csv")
	merge := func(force bool) (*shard.Merged, error) {
		return shard.Merge(context.Background(), name+shard.Ending, shard.MergeSettings{Force: force})
	}
	for k := range n {
		i := k * 5 % n
		if _, done, err := count(t, name, shard.Shard{I: i, N: n}, work); err != nil || done {
			t.Fatal(done, err)
		}
		if k < n-1 {
			var missing *shard.MissingError
			if _, err := merge(false); !errors.As(err, &missing) || len(missing.Missing) != n-1-k {
				t.Fatal(err)
			}
		}
	}
	m, err := merge(false)
	if err != nil || m.Rows != 10 || m.There {
		t.Fatal(m, err)
	}
	if b, _ := os.ReadFile(name); string(b) != want {
		t.Errorf("%q", b)
	}
	if m, err := merge(false); err != nil || !m.There {
		t.Error(m, err)
	}
	if _, done, err := count(t, name, shard.Shard{I: 3, N: n}, work); !done || err != nil {
		t.Error("a shard that is done is made again", err)
	}
	put := func(file, text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	put(name, "other")
	if _, err := merge(false); err == nil || !strings.Contains(err.Error(), "is another than the shards make") {
		t.Error(err)
	}
	if _, err := merge(true); err != nil {
		t.Error(err)
	}
	dir := name + shard.Ending
	piece := filepath.Join(dir, "00012-of-00013-a.csv")
	manifest := filepath.Join(dir, "manifest.json")
	for _, c := range []struct{ file, from, to, want string }{
		{piece, "9", "8", "00012-of-00013-a.csv is not what its shard left"},
		{strings.TrimSuffix(piece, "-a.csv") + ".json", `"rows": 1`, `"rows": 2`, "shard 12/13: "},
		{manifest, `"10"`, `"11"`, "was changed after it was written"},
		{manifest, `"shards_version": 2`, `"shards_version": 1`, "is of form 1"},
		{manifest, `"shards": 13`, `"shards": 12`, "was changed"},
	} {
		was, err := os.ReadFile(c.file)
		if err != nil || !strings.Contains(string(was), c.from) {
			t.Fatalf("%s: %v\n%s", c.file, err, was)
		}
		put(c.file, strings.Replace(string(was), c.from, c.to, 1))
		if _, err := merge(true); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.to, err, c.want)
		}
		put(c.file, string(was))
	}
	put(filepath.Join(dir, "00003-of-00020-a.csv"), "n\n7\n")
	if _, err := merge(true); err == nil || !strings.Contains(err.Error(), "00003-of-00020-a.csv: of no shard") {
		t.Error(err)
	}
	if b, _ := os.ReadFile(name); string(b) != want {
		t.Errorf("after errors: %q", b)
	}
}

// TestOtherWork: a shard of other work is refused in words.
func TestOtherWork(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.csv")
	if _, _, err := count(t, name, shard.Shard{I: 0, N: 2}, work); err != nil {
		t.Fatal(err)
	}
	other := func(change func(*shard.Work)) shard.Work {
		w := work
		w.Settings, w.Inputs = map[string]string{"events": "10"}, map[string]string{"a.csv": "12ab"}
		change(&w)
		return w
	}
	for want, w := range map[string]shard.Work{
		"events 10, now 11":                      other(func(w *shard.Work) { w.Settings["events"] = "11" }),
		"seed not given, now 2":                  other(func(w *shard.Work) { w.Settings["seed"] = "2" }),
		"a.csv has other content than before":    other(func(w *shard.Work) { w.Inputs["a.csv"] = "34cd" }),
		"b.csv was not read before":              other(func(w *shard.Work) { w.Inputs["b.csv"] = "34cd" }),
		"command count, now draw":                other(func(w *shard.Work) { w.Command = "draw" }),
		"pieces are put together in another way": other(func(w *shard.Work) { w.Join = map[string]string{shard.How: "images"} }),
	} {
		if _, _, err := shard.Open(name, shard.Shard{I: 1, N: 2}, w, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, _, err := shard.Open(name, shard.Shard{I: 1, N: 3}, work, false); err == nil || !strings.Contains(err.Error(), "shards 2, now 3") {
		t.Error(err)
	}
}
