//go:build unix

package web

import "syscall"

// nonblock opens a pipe without waiting for who writes into it: it is then seen to be none.
const nonblock = syscall.O_NONBLOCK
