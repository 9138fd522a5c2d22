//go:build unix

package worker

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestProcessEnds waits for processes that end, that have ended, and that live on.
func TestProcessEnds(t *testing.T) {
	for name, ends := range map[string]func(context.Context, int) bool{"told": processEnds, "looking": lookForEnd} {
		t.Run(name, func(t *testing.T) {
			sleep := exec.Command("sleep", "3600")
			if err := sleep.Start(); err != nil {
				t.Skip(err)
			}
			told := make(chan bool, 1)
			go func() { told <- ends(context.Background(), sleep.Process.Pid) }()
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
			defer cancel()
			if ends(ctx, os.Getpid()) {
				t.Error("this process has ended")
			}
			select {
			case <-told:
				t.Error("told before its end")
			default:
			}
			sleep.Process.Kill()
			sleep.Wait()
			select {
			case ended := <-told:
				if !ended {
					t.Error("the end is told as none")
				}
			case <-time.After(time.Minute):
				t.Error("not told")
			}
			if !ends(context.Background(), sleep.Process.Pid) {
				t.Error("a process that has ended has not")
			}
		})
	}
}

// TestClientEnds has a client whose process ends while another holds its end of the pipe,
// and a parent that never greets.
func TestClientEnds(t *testing.T) {
	sleep := exec.Command("sleep", "3600")
	if err := sleep.Start(); err != nil {
		t.Skip(err)
	}
	for _, pid := range []string{"0", "-3", "4294967296"} {
		_, err := raw(t, fresh()).ask(typeHello, 0, "", nil, nil, `{"client":"test","descriptor":0,"pid":`+pid+`}`)
		if err == nil || !strings.Contains(err.Error(), "pid") {
			t.Errorf("pid %s: %v", pid, err)
		}
	}
	c := raw(t, fresh())
	greeting := strings.TrimSuffix(c.greeting(t), "}")
	if _, err := c.ask(typeHello, 0, "", nil, nil, greeting+`,"pid":`+strconv.Itoa(sleep.Process.Pid)+`,"later":[1]}`); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ask(typeCall, 0, "version", nil, nil, ""); err != nil {
		t.Fatal(err)
	}
	sleep.Process.Kill()
	sleep.Wait()
	if err := <-c.ends; err != nil {
		t.Errorf("the client's end: %v", err)
	}
	s := fresh()
	s.patience = time.Millisecond
	if err := <-raw(t, s).ends; !errors.Is(err, errSilent) {
		t.Errorf("no greeting: %v", err)
	}
	s = fresh()
	s.patience = 50 * time.Millisecond
	c = dial(t, s)
	time.Sleep(2 * s.patience)
	if _, err := c.ask(typeCall, 0, "version", nil, nil, ""); err != nil {
		t.Errorf("after the greeting: %v", err)
	}
}
