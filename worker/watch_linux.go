package worker

import (
	"context"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// processEnds waits for the end of a process; it is false if ctx ends first. The system
// wakes it, where it can (Linux 5.3).
func processEnds(ctx context.Context, pid int) bool {
	descriptor, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return true
	}
	if err != nil || unix.SetNonblock(descriptor, true) != nil {
		return lookForEnd(ctx, pid)
	}
	file := os.NewFile(uintptr(descriptor), "process")
	defer file.Close()
	defer context.AfterFunc(ctx, func() { file.Close() })()
	conn, err := file.SyscallConn()
	if err == nil {
		err = conn.Read(func(descriptor uintptr) bool {
			n, err := unix.Poll([]unix.PollFd{{Fd: int32(descriptor), Events: unix.POLLIN}}, 0)
			return n > 0 || err != nil && !errors.Is(err, unix.EINTR)
		})
	}
	if err != nil && ctx.Err() == nil {
		return lookForEnd(ctx, pid)
	}
	return err == nil
}
