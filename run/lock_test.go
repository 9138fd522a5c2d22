package run

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestMain lets the test program play the other process.
func TestMain(m *testing.M) {
	if dir := os.Getenv("RUN_TEST_WORK"); dir != "" {
		os.Exit(work(dir, os.Getenv("RUN_TEST_STEPS")))
	}
	os.Exit(m.Run())
}

// work is a run of some parts, each of which leaves a file and a record.
func work(dir, steps string) int {
	f, err := Open(dir, identity(config{Seed: 1}), Settings{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer f.Close()
	n := 0
	fmt.Sscan(steps, &n)
	sum := 0
	for k := range n {
		name, v := fmt.Sprintf("part%d", k), 0
		done, err := f.recall(name, k, &v)
		if err == nil && !done {
			v = k * k
			if err = f.Write(filepath.Join(Weights, name+WeightsEnding), func(w io.Writer) error {
				_, err := fmt.Fprint(w, strings.Repeat("w", 1000*k))
				return err
			}); err == nil {
				err = f.keep(name, k, v, name+WeightsEnding)
			}
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		sum += v
		fmt.Println(name)
	}
	if n == 0 { // hold the folder until killed
		fmt.Println("open")
		time.Sleep(time.Minute)
	}
	if err := f.WriteJSON(Results, map[string]int{"sum": sum}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func child(dir, steps string) *exec.Cmd {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "RUN_TEST_WORK="+dir, "RUN_TEST_STEPS="+steps)
	return cmd
}

// TestKill kills a run at random moments, in Open and later, and wants that it
// always goes on and ends with the bytes of one that was left alone.
func TestKill(t *testing.T) {
	const steps = "30"
	base := t.TempDir()
	whole := filepath.Join(base, "whole")
	start := time.Now()
	if b, err := child(whole, steps).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, b)
	}
	length := time.Since(start)
	want, err := os.ReadFile(filepath.Join(whole, Results))
	if err != nil {
		t.Fatal(err)
	}
	trials, kills := 25, 0
	if testing.Short() {
		trials = 5
	}
	for i := range trials {
		dir := filepath.Join(base, fmt.Sprint(i))
		for !exists(filepath.Join(dir, Results)) {
			cmd := child(dir, steps)
			var text strings.Builder
			cmd.Stderr = &text
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			timer := time.AfterFunc(time.Duration(rand.Int64N(int64(length))), func() { cmd.Process.Kill() })
			if cmd.Wait() != nil {
				kills++
			}
			timer.Stop()
			if text.Len() > 0 {
				t.Fatalf("folder %d, after %d kills: %s", i, kills, text.String())
			}
		}
		got, err := os.ReadFile(filepath.Join(dir, Results))
		if err != nil || string(got) != string(want) {
			t.Errorf("folder %d: %s, %v", i, got, err)
		}
		// The last process may have been killed before it gave the lock back.
		f, err := Open(dir, identity(config{Seed: 1}), Settings{Force: true})
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		left, err := os.ReadDir(dir)
		if err != nil || len(left) != 2 {
			t.Errorf("folder %d: left %v, %v", i, left, err)
		}
	}
	t.Logf("%d kills", kills)
}

// TestTwo: the second process is refused and told who is at work, until that
// one is killed.
func TestTwo(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	cmd := child(dir, "0")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	host, _ := os.Hostname()
	for _, force := range []bool{false, true} {
		_, err := Open(dir, identity(config{Seed: 2}), Settings{Force: force})
		var l *Locked
		if !errors.As(err, &l) || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d on %s since", cmd.Process.Pid, host)) {
			t.Errorf("force %v: %v", force, err)
		}
	}
	if h, ok := Running(dir); !ok || h.PID != cmd.Process.Pid {
		t.Errorf("running: %+v, %v", h, ok)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if h, ok := Running(dir); ok {
		t.Errorf("running after its end: %+v", h)
	}
	f := open(t, dir, identity(config{Seed: 1}), Settings{})
	if !f.Resumed() {
		t.Error("not resumed")
	}
	f.Close()
	f.Close()
	if exists(f.Path(lockName)) {
		t.Error("the lock is left")
	}
}

// leave puts another process's lock into a folder.
func leave(t *testing.T, path string, h Holder, age time.Duration) {
	t.Helper()
	b, err := json.Marshal(h)
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, string(b))
	at := time.Now().Add(-age)
	if err := os.Chtimes(path, at, at); err != nil {
		t.Fatal(err)
	}
}

// TestStale: whose lock is taken over and whose is not.
func TestStale(t *testing.T) {
	defer func(a time.Duration) { listenFor = a }(listenFor)
	listenFor = 10 * time.Millisecond
	ended := exec.Command(os.Args[0], "-test.run=^$")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	me := self()
	gone, reused, other, older := me, me, me, me
	gone.Token, gone.PID = "1", ended.Process.Pid
	reused.Token, reused.Start = "2", "1"
	other.Token, other.Machine, other.Host = "3", "elsewhere", "elsewhere"
	older.Token = "4"
	for _, c := range []struct {
		name string
		h    Holder
		age  time.Duration
		free bool
	}{
		{"a process that has ended", gone, 0, true},
		{"a process number used again", reused, 0, me.Start != ""},
		{"a process that lives, its heart long silent", older, time.Hour, false},
		{"another machine", other, time.Minute, false},
		{"another machine, silent", other, time.Hour, true},
		{"nobody", Holder{}, time.Minute, false},
		{"nobody, long ago", Holder{}, time.Hour, true},
		{"a name that leads elsewhere", Holder{Token: "../x"}, time.Hour, true},
	} {
		dir := t.TempDir()
		path := filepath.Join(dir, lockName)
		leave(t, path, c.h, c.age)
		l, err := acquire(path)
		if c.free != (err == nil) {
			t.Errorf("%s: %v", c.name, err)
		}
		if err == nil {
			l.release()
		}
		if left, _ := os.ReadDir(dir); c.free && len(left) > 0 {
			t.Errorf("%s: left %v", c.name, left)
		}
	}
}

// TestNoLinks: on a file system without links a lock is one as well.
func TestNoLinks(t *testing.T) {
	defer func() { hardLink = os.Link }()
	hardLink = func(string, string) error { return errors.ErrUnsupported }
	path := filepath.Join(t.TempDir(), lockName)
	l, err := acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	var locked *Locked
	if _, err := acquire(path); !errors.As(err, &locked) || locked.PID != os.Getpid() {
		t.Errorf("a second lock: %v", err)
	}
	l.release()
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
	// A kill between making the file and writing it.
	put(t, path, "")
	if _, err := acquire(path); !errors.As(err, &locked) || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("an empty lock: %v", err)
	}
}

// TestHeartbeat: a silent holder that shows life while it is listened to keeps
// its lock.
func TestHeartbeat(t *testing.T) {
	defer func(a, b time.Duration) { listenFor, beatEvery = a, b }(listenFor, beatEvery)
	listenFor, beatEvery = 200*time.Millisecond, 10*time.Millisecond
	path := filepath.Join(t.TempDir(), lockName)
	// As seen from another machine, after its network stood still.
	describe = func() Holder {
		h := self()
		h.Machine = "elsewhere"
		return h
	}
	l, err := acquire(path)
	describe = self
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	if _, err := acquire(path); err == nil {
		t.Error("the lock of a living process was taken over")
	}
	// And once it is lost, it is noticed and left alone.
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	next, err := acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if l.lost.Load() {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	f := &Folder{path: filepath.Dir(path), lock: l}
	if err := f.Write("x", func(io.Writer) error { return nil }); err == nil || !strings.Contains(err.Error(), "taken the folder over") {
		t.Errorf("writing without the lock: %v", err)
	}
	l.release()
	if !exists(path) {
		t.Error("somebody else's lock was removed")
	}
	next.release()
}

// TestRace: of many that find a stale lock at once, one at a time has it.
func TestRace(t *testing.T) {
	path := filepath.Join(t.TempDir(), lockName)
	ended := exec.Command(os.Args[0], "-test.run=^$")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	h := self()
	h.Token, h.PID = "0123", ended.Process.Pid
	leave(t, path, h, 0)
	var inside, taken atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				l, err := acquire(path)
				var locked *Locked
				switch {
				case err == nil:
					if inside.Add(1) != 1 {
						t.Error("two have the lock")
					}
					taken.Add(1)
					// Every third is killed: its lock stays and names a process that is gone.
					killed := rand.IntN(3) == 0
					inside.Add(-1)
					if killed {
						close(l.stop)
						l.beats.Wait()
						l.file.Close()
						h := h
						h.Token = l.holder.Token
						b, _ := json.Marshal(h)
						os.WriteFile(path+".new", b, 0o644)
						os.Rename(path+".new", path)
						continue
					}
					l.release()
				case !errors.As(err, &locked):
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	if taken.Load() < 10 {
		t.Errorf("the lock was had %d times", taken.Load())
	}
}
