//go:build unix

package worker

import (
	"io"
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// attention is how long a worker looks out for the next request before it sleeps: as long as
// a client takes to copy the results of some hundred pairs and the next ones. Each time that
// it does so in vain it leaves it off for twice as many requests, at most rest.
const (
	attention = 250 * time.Microsecond
	rest      = 127
)

// attentive makes a reader of requests that come one soon after the other, as in a
// loop, see the next one at once: on an idle machine the system takes far longer to
// wake a process, and the processor under it, than a small request takes altogether.
// Where requests come slowly, or others need the processors, that is in vain and so
// seldom tried; where there is one processor, never.
func attentive(r io.Reader) io.Reader {
	if f, ok := r.(*os.File); ok && runtime.GOMAXPROCS(0) > 1 {
		return &lookout{file: f, fds: []unix.PollFd{{Fd: int32(f.Fd()), Events: unix.POLLIN}}}
	}
	return r
}

type lookout struct {
	file *os.File
	fds  []unix.PollFd
	vain int // requests to leave off after one in vain
	rest int
}

func (l *lookout) Read(b []byte) (int, error) {
	switch {
	case l.rest > 0:
		l.rest--
	case l.look():
		l.vain /= 4
	default:
		l.rest = l.vain
		l.vain = min(2*l.vain+1, rest)
	}
	return l.file.Read(b)
}

// look says whether there is something to read within the time of attention.
func (l *lookout) look() bool {
	for start := time.Now(); time.Since(start) < attention; {
		if n, err := unix.Poll(l.fds, 0); n > 0 || err != nil && err != unix.EINTR {
			return true
		}
	}
	return false
}
