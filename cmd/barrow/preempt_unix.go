//go:build !windows

package main

import (
	"os"
	"syscall"
)

// preempting are signals that batch systems alone send.
var preempting = []os.Signal{syscall.SIGXCPU}
