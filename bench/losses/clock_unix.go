//go:build unix

package main

import (
	"time"

	"golang.org/x/sys/unix"
)

// now is how long the processors have worked for this program: others on the machine do not
// count.
func now() time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return time.Duration(time.Now().UnixNano())
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
