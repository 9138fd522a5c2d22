package run

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// machine names where a process number means something: the host, and where the
// system tells, its boot and the name space of processes, which differ between
// containers of one host.
func machine(host string) string {
	parts := []string{host}
	if b, err := os.ReadFile("/proc/sys/kernel/random/boot_id"); err == nil {
		parts = append(parts, strings.TrimSpace(string(b)))
	}
	if space, err := os.Readlink("/proc/self/ns/pid"); err == nil {
		parts = append(parts, space)
	}
	return strings.Join(parts, " ")
}

// What /proc says of a process.
type state int

const (
	unknown state = iota
	alive
	ended
)

// startOf is when a process started and how it is, where the system has /proc.
func startOf(pid int) (start string, s state) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", unknown
	}
	// The second field, the program's name in parentheses, may hold anything.
	fields := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	const stateField, startField = 0, 19 // 3 and 22 of proc(5)
	if len(fields) <= startField {
		return "", unknown
	}
	if f := fields[stateField]; f == "Z" || f == "X" {
		return "", ended
	}
	return fields[startField], alive
}

// signalled tells whether there is a process to send a signal to.
func signalled(pid int) bool {
	p, err := os.FindProcess(pid)
	if err != nil {
		return false
	}
	defer p.Release()
	if runtime.GOOS == "windows" {
		return true // FindProcess has opened it
	}
	err = p.Signal(syscall.Signal(0))
	return err == nil || errors.Is(err, os.ErrPermission)
}
