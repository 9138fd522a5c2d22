package submit

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"barrow/run/shard"
)

func TestStatus(t *testing.T) {
	t.Chdir(t.TempDir())
	s := settings("slurm")
	s.Time = time.Hour
	if _, err := Write("job", s, fake(t, 0)); err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1_000_000, 0)
	for i, text := range map[int]string{
		0: "begin 990000 a\nend 990100 0 41\n",
		1: "begin 990000 a\nend 990100 1 41\nbegin 990200 b\nend 990500 0 41\n",
		2: "begin 990000 a\nend 990100 1 41\n",
		3: "begin 999000 a\n",
		4: "begin 990000 a\n", // over an hour ago
		5: "begin 990000 a\nend 990100 1 41\nbegin 999500 a b\n",
		6: "begin 990000 a\nend 990100 0 41\n", // and has left nothing
		7: "beg",                               // the machine went down
		8: "begin 990000 a\nend 990100 85 \n",
	} {
		if err := os.WriteFile(fmt.Sprintf("job/logs/%d.state", i), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	finish(t, s.Shards, 0, 1, 11)
	got, err := ReadStatus("job", now, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := &Status{
		Out: "a b.csv", Scheduler: "slurm", Shards: 12, Done: 3, Running: 2, Waiting: 3, Known: true, Seen: time.Unix(999500, 0),
		Failed: []Failure{
			{2, "ended with the code 1 on a"}, {4, "began 2h47m0s ago on a and has not said that it ended"},
			{6, "ended well, and what it made is gone or is of other work"}, {8, "ended with the code 85 on a"},
		},
		Seconds: (100 + 400 + 100) / 3. * 5 / 2,
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, want\n%+v", got, want)
	}
}

// TestStatusAsked: what Slurm has is at work or waits, whatever files say, and what it does not
// have any more is not at work.
func TestStatusAsked(t *testing.T) {
	posix(t)
	t.Chdir(t.TempDir())
	if _, err := Write("job", settings("slurm"), fake(t, 0)); err != nil {
		t.Fatal(err)
	}
	if q, err := Ask(t.Context(), "nothing"); err == nil {
		t.Errorf("%+v of no job", q)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir("bin", 0o777); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", filepath.Join(here, "bin")+":"+os.Getenv("PATH"))
	squeue := func(text string, code int) {
		script := fmt.Sprintf("#!/bin/sh\necho \"$@\" >asked\ncat <<'end'\n%send\n[ %d = 0 ] || echo no answer >&2\nexit %d\n", text, code, code)
		if err := os.WriteFile("bin/squeue", []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	squeue(strings.ReplaceAll(`barrow-job|2|PENDING|BeginTime|HERE
barrow-job|3|RUNNING|None|HERE
barrow-job|3|PENDING|Resources|HERE
barrow-job|4|COMPLETING|None|HERE
barrow-job|5|PENDING|Resources|HERE
barrow-job|6|RUNNING|None|/elsewhere
barrow-job|N/A|RUNNING|None|HERE
barrow-job-merge|N/A|PENDING|Dependency|HERE
`, "HERE", filepath.Join(here, "job")), 0)
	for i, text := range map[int]string{
		0: "begin 990000 a\nend 990100 0 41\n", // done, and Slurm does not know it any more
		2: "begin 990000 a\nend 990100 1 41\n", // is tried again
		5: "begin 990000 a\n",                  // whose machine went down, and that was queued again
		6: "begin 990000 a\n",                  // whose machine went down, and that was not
		7: "begin 990000 a\nend 990100 1 41\n", // for good
	} {
		if err := os.WriteFile(fmt.Sprintf("job/logs/%d.state", i), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	finish(t, 12, 0)
	q, err := Ask(t.Context(), "job")
	if err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile("asked"); !strings.Contains(string(b), "--name=barrow-job,barrow-job-merge") {
		t.Errorf("squeue %s", b)
	}
	got, err := ReadStatus("job", time.Unix(1_000_000, 0), q)
	if err != nil {
		t.Fatal(err)
	}
	want := &Status{
		Out: "a b.csv", Scheduler: "slurm", Shards: 12, Done: 1, Running: 2, Waiting: 7, Known: true, Seen: time.Unix(990100, 0), Seconds: 100 * 9 / 2.,
		Failed: []Failure{
			{6, "began on a and has not said that it ended, and slurm does not have it any more"},
			{7, "ended with the code 1 on a"},
		},
		Queued: &Queued{Reasons: map[string]int{"BeginTime": 1, "Resources": 1}, Absent: 5, Whole: "PENDING (Dependency)"},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v %+v, want\n%+v %+v", got, got.Queued, want, want.Queued)
	}
	squeue("", 1)
	if q, err := Ask(t.Context(), "job"); err == nil || !strings.Contains(err.Error(), "no answer") {
		t.Errorf("%+v, %v", q, err)
	}
	squeue("what?\n", 0)
	if q, err := Ask(t.Context(), "job"); err == nil {
		t.Errorf("%+v", q)
	}
}

// TestAskNobody: schedulers whose commands are not here, and those that are not asked, say nothing.
func TestAskNobody(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, scheduler := range Schedulers() {
		if _, err := Write(scheduler, settings(scheduler), fake(t, 0)); err != nil {
			t.Fatal(err)
		}
		t.Setenv("PATH", "")
		if q, err := Ask(t.Context(), scheduler); q != nil || err != nil {
			t.Errorf("%s: %+v, %v", scheduler, q, err)
		}
	}
}

// finish makes shards of the file that are done.
func finish(t *testing.T, n int, shards ...int) {
	t.Helper()
	for _, i := range shards {
		p, _, err := shard.Open("a b.csv", shard.Shard{I: i, N: n}, shard.Work{Command: "simulate"}, false)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Done(0); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStatusOther: shards of another number are said.
func TestStatusOther(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := Write("job", settings("slurm"), fake(t, 0)); err != nil {
		t.Fatal(err)
	}
	finish(t, 13, 0)
	if s, err := ReadStatus("job", time.Now(), nil); err == nil {
		t.Errorf("%+v", s)
	}
	if err := os.WriteFile(filepath.Join("job", jobName), []byte("{}"), 0o666); err != nil {
		t.Fatal(err)
	}
	if s, err := ReadStatus("job", time.Now(), nil); err == nil {
		t.Errorf("%+v", s)
	}
}

// BenchmarkStatus looks at a job of 10,000 shards, of which most have begun.
func BenchmarkStatus(b *testing.B) {
	b.Chdir(b.TempDir())
	s := settings("slurm")
	s.Shards = 10_000
	if _, err := Write("job", s, "/dev/null"); err != nil {
		b.Fatal(err)
	}
	for i := range s.Shards {
		if err := os.WriteFile(fmt.Sprintf("job/logs/%d.state", i), []byte("begin 990000 a\nend 990100 0 41\n"), 0o666); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := ReadStatus("job", time.Unix(1_000_000, 0), nil); err != nil {
			b.Fatal(err)
		}
	}
}
