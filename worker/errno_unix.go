//go:build unix

package worker

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// posixName is an error of the system by its name in POSIX, "" if it has none.
func posixName(e syscall.Errno) string { return unix.ErrnoName(e) }
