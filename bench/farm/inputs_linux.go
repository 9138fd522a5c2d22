package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"
)

// needs runs the program and says what it needed.
func (t *timed) needs(args ...string) (n need, err error) {
	cmd := exec.CommandContext(t.ctx, t.program, args...)
	cmd.Dir = t.dir
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		return n, err
	}
	// It is counted once it has ended, and before it is waited for, which clears the counts away.
	var text []byte
	for {
		err = unix.Waitid(unix.P_PID, cmd.Process.Pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if err != syscall.EINTR {
			break
		}
	}
	if err == nil {
		text, err = os.ReadFile(fmt.Sprintf("/proc/%d/io", cmd.Process.Pid))
	}
	if e := cmd.Wait(); e != nil {
		return n, fmt.Errorf("%v: %w: %s", args, e, said.String())
	}
	if err == nil {
		_, err = fmt.Sscanf(string(text), "rchar: %d", &n.read)
	}
	n.took = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	return n, err
}
