//go:build unix

package worker

import (
	"context"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// lookAtProcess is how often a process is looked at where the system does not say that it
// has ended.
const lookAtProcess = time.Second

// lookForEnd is processEnds by looking again and again.
func lookForEnd(ctx context.Context, pid int) bool {
	parent := os.Getppid() == pid // of a parent it can be told from another of the same number
	for tick := time.Tick(lookAtProcess); ; {
		if parent && os.Getppid() != pid || errors.Is(unix.Kill(pid, 0), unix.ESRCH) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-tick:
		}
	}
}
