package submit

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// awkward are arguments that a shell, a submit file or Kubernetes would read as something else.
var awkward = []string{"simulate", "--out", "a b.csv", "--x='single'", `"double"`, "$HOME ${x} $(id) `id` $$", "*?[a]", "~", "#no", "back\\slash", "new\nline", "ünï", "!x", "a;b|c&d<e>f", "", "=x"}

func posix(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no sh here")
	}
}

// fake is a program that writes its arguments, one after the other with a zero behind each, into
// the file "said", and ends with a code.
func fake(t *testing.T, code int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fake")
	text := fmt.Sprintf("#!/bin/sh\nprintf '%%s\\0' \"$@\" >said\nexit %d\n", code)
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func settings(scheduler string) Settings {
	s := Settings{Scheduler: scheduler, Command: awkward, Out: "a b.csv", Shards: 12, AtOnce: 5, Retries: 2, CPUs: 3, Memory: 1500}
	if scheduler == "k8s" {
		s.Image, s.Claim, s.Mount = "registry/barrow:1", "data", os.TempDir()
	}
	return s
}

// TestShardScript: a shard gets the arguments as they were given, in the folder where they were,
// however both are called; and keeps how it ended.
func TestShardScript(t *testing.T) {
	posix(t)
	here := filepath.Join(t.TempDir(), "it's $HOME")
	if err := os.Mkdir(here, 0o777); err != nil {
		t.Fatal(err)
	}
	t.Chdir(here)
	for _, code := range []int{0, 7} {
		dir := fmt.Sprintf("job \"%d\" $x", code)
		if _, err := Write(dir, settings("condor"), fake(t, code)); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("sh", "shard.sh", "10/12")
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != code {
			t.Fatalf("exit code %d, want %d: %v\n%s", got, code, err, out)
		}
		want := append(slices.Clone(awkward), "--threads", "3", "--shard", "10/12")
		if got := said(t); !slices.Equal(got, want) {
			t.Errorf("arguments\n%q, want\n%q", got, want)
		}
		h, err := readHistory(filepath.Join(dir, logs, "10.state"))
		if err != nil || !h.began || !h.ended || h.code != code {
			t.Errorf("%+v, %v", h, err)
		}
		cmd = exec.Command("sh", "merge.sh")
		cmd.Dir = dir
		_ = cmd.Run() // the code is the program's
		if got, want := said(t), []string{"merge", "--threads", "3", "--", "a b.csv.shards"}; !slices.Equal(got, want) {
			t.Errorf("merge: %q, want %q", got, want)
		}
	}
}

func said(t *testing.T) []string {
	t.Helper()
	b, err := os.ReadFile("said")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Remove("said"); err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(b), "\x00"), "\x00")
}

// TestSignal: a shard that is told to end passes it on and keeps the program's code, whether the
// program takes its time or is told as well, as by Slurm, and ends at once.
func TestSignal(t *testing.T) {
	posix(t)
	t.Chdir(t.TempDir())
	for k, c := range []struct {
		trap string
		all  bool
	}{{"sleep 0.2; exit 85", false}, {"exit 85", false}, {"sleep 0.2; exit 85", true}, {"exit 85", true}} {
		program := filepath.Join(t.TempDir(), "slow")
		text := fmt.Sprintf("#!/bin/sh\ntrap '' INT\ntrap \"trap '' TERM; %s\" TERM\necho >begun\nwhile :; do sleep 0.02; done\n", c.trap)
		if err := os.WriteFile(program, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		dir := fmt.Sprint("job", k)
		if _, err := Write(dir, settings("condor"), program); err != nil {
			t.Fatal(err)
		}
		for range 5 {
			if code := terminated(t, filepath.Join(dir, "shard.sh"), c.all); code != stopped {
				t.Errorf("%+v: exit code %d", c, code)
			}
		}
	}
}

// terminated begins a shard, ends it once its program has begun, or all processes of it, and returns
// the exit code.
func terminated(t *testing.T, script string, all bool) int {
	t.Helper()
	cmd := exec.Command("setsid", "sh", script, "0/12")
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	for begin := time.Now(); os.Remove("begun") != nil; time.Sleep(5 * time.Millisecond) {
		if time.Since(begin) > 20*time.Second {
			t.Fatal("the program did not begin")
		}
	}
	whom := fmt.Sprint(cmd.Process.Pid)
	if all {
		whom = "-" + whom
	}
	if out, err := exec.Command("kill", "-TERM", "--", whom).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	_ = cmd.Wait() // the code is looked at
	return cmd.ProcessState.ExitCode()
}

// TestRequeue: a task of Slurm that fails is queued again so often as was asked for, one that was
// stopped in time whenever its run goes on. The last task of an array, whose number is the array's own, asks for itself alone.
func TestRequeue(t *testing.T) {
	posix(t)
	for _, c := range []struct {
		folder     bool
		code, runs int
		requeued   int
	}{
		{false, 0, 1, 0}, {false, 7, 5, 2}, {false, stopped, 5, 2}, {true, stopped, 5, 5}, {true, 7, 5, 2}, {true, 0, 1, 0},
	} {
		t.Run(fmt.Sprintf("%v %d", c.folder, c.code), func(t *testing.T) {
			t.Chdir(t.TempDir())
			if err := os.WriteFile("scontrol", []byte("#!/bin/sh\necho \"$@\" >>asked\n"), 0o755); err != nil {
				t.Fatal(err)
			}
			here, err := os.Getwd()
			if err != nil {
				t.Fatal(err)
			}
			t.Setenv("PATH", here+":"+os.Getenv("PATH"))
			t.Setenv("SLURM_JOB_ID", "41")
			t.Setenv("SLURM_ARRAY_JOB_ID", "41")
			t.Setenv("SLURM_ARRAY_TASK_ID", "3")
			s := settings("slurm")
			s.Folder = c.folder
			if _, err := Write("job", s, fake(t, c.code)); err != nil {
				t.Fatal(err)
			}
			for range c.runs {
				_ = exec.Command("sh", "job/shard.sh", "3/12").Run() // the code is the program's
			}
			asked, _ := os.ReadFile("asked")
			if got := strings.Count(string(asked), "requeue 41_3\n"); got != c.requeued {
				t.Errorf("queued again %d times, want %d", got, c.requeued)
			}
		})
	}
}

// TestWarn: a shard of Slurm is told in time, but not as soon as it begins.
func TestWarn(t *testing.T) {
	for time, want := range map[time.Duration]int{0: 120, time.Second: 15, time.Minute: 15, 2 * time.Minute: 30, 8 * time.Minute: 120, time.Hour: 120} {
		d := data{Settings: Settings{Time: time}}
		if got := d.Warn(); got != want {
			t.Errorf("%v: %d s before, want %d", time, got, want)
		}
	}
}

// TestSyntax: shells can read all that is written for them.
func TestSyntax(t *testing.T) {
	posix(t)
	t.Chdir(t.TempDir())
	for _, scheduler := range Schedulers() {
		for k, change := range []func(*Settings){
			func(*Settings) {},
			func(s *Settings) { s.Folder, s.Time = true, time.Hour },
			func(s *Settings) { s.Image, s.Force = "docker://a b", true },
		} {
			s := settings(scheduler)
			change(&s)
			dir := fmt.Sprint(scheduler, k)
			script, err := Write(dir, s, fake(t, 0))
			if err != nil {
				t.Fatal(err)
			}
			if script != filepath.Join(dir, "submit.sh") {
				t.Errorf("script %s", script)
			}
			list, _ := filepath.Glob(filepath.Join(dir, "*.s[hb]*"))
			for _, path := range list {
				if out, err := exec.Command("sh", "-n", path).CombinedOutput(); err != nil {
					t.Errorf("%s: %v: %s", path, err, out)
				}
			}
		}
	}
}

// TestKubernetes: a dollar of an argument is two, as $(NAME) stands for a variable.
func TestKubernetes(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := Write("job", settings("k8s"), ""); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile("job/shards.yaml")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(b), " args: ")
	line, _, _ := strings.Cut(rest, "\n")
	var got []string
	if err := json.Unmarshal([]byte(line), &got); !ok || err != nil {
		t.Fatal(err)
	}
	for k := range got {
		got[k] = strings.ReplaceAll(got[k], "$$", "$")
	}
	if want := append(slices.Clone(awkward), "--threads", "3", "--shard", "auto"); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestRefused(t *testing.T) {
	t.Chdir(t.TempDir())
	for want, change := range map[string]func(*Settings){
		`no scheduler "pbs"`:              func(s *Settings) { s.Scheduler = "pbs" },
		"0 shards: want 1 to 100000":      func(s *Settings) { s.Shards = 0 },
		"no command":                      func(s *Settings) { s.Command = nil },
		"an argument --":                  func(s *Settings) { s.Command = []string{"emd", "--", "-a", "b"} },
		"flavours are of HTCondor":        func(s *Settings) { s.Flavour = "workday" },
		"for Kubernetes an image":         func(s *Settings) { s.Scheduler = "k8s" },
		"are for Kubernetes":              func(s *Settings) { s.Claim = "x" },
		"want one line":                   func(s *Settings) { s.Options = []string{"a\nb"} },
		"is no text":                      func(s *Settings) { s.Command = []string{"emd", "a\x00b"} },
		"want at least 1, 1, 1, 0 and 0":  func(s *Settings) { s.Memory = 0 },
		"a flavour and a time":            func(s *Settings) { s.Scheduler, s.Flavour, s.Time = "condor", "workday", time.Hour },
		`no flavour "weekend": want espr`: func(s *Settings) { s.Scheduler, s.Flavour = "condor", "weekend" },
	} {
		s := settings("slurm")
		change(&s)
		if _, err := Write("job", s, fake(t, 0)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if _, err := Write("job", settings("slurm"), "no such program"); err == nil {
		t.Error("no program, and no error")
	}
	if list, _ := os.ReadDir("."); len(list) > 0 {
		t.Errorf("an error left %v", list)
	}
	for range 2 {
		_, err := Write("job", settings("slurm"), fake(t, 0))
		if _, there := os.Stat("job"); there != nil {
			t.Fatal(err)
		}
	}
	if _, err := Write("job", settings("slurm"), fake(t, 0)); err == nil || !strings.Contains(err.Error(), "job is there already") {
		t.Errorf("%v", err)
	}
}
