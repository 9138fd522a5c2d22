package run

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// A lock is a file that names who works in a folder. Nothing but creating,
// linking and renaming files is relied upon, so that it holds on network file
// systems as on disks. A process that is killed leaves its lock behind; the next
// one takes it over when that process is gone or, if it ran on another machine,
// when its heart has stopped: the holder rewrites the file every beatEvery.
type lock struct {
	file   *os.File
	path   string
	holder Holder
	bytes  []byte
	lost   atomic.Bool
	stop   chan struct{}
	beats  sync.WaitGroup
}

// Times of the heartbeat. Network file systems may show a change a minute late.
// Variables, so that tests need not wait.
var (
	beatEvery  = 15 * time.Second
	silentFrom = 3 * time.Minute
	listenFor  = 45 * time.Second // once more before a silent holder counts as gone
)

// A Holder is the process that a folder is locked by.
type Holder struct {
	Token   string    `json:"token"` // of this lock alone
	Host    string    `json:"host"`
	Machine string    `json:"machine"` // host, boot and name space in which PID means something
	PID     int       `json:"pid"`
	Start   string    `json:"start,omitempty"` // of the process, in clock ticks after boot, where that is known
	Since   time.Time `json:"since"`
}

// Locked is the error where another process works in the folder.
type Locked struct {
	Folder string
	Holder
}

func (e *Locked) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("run: %s is locked by a file %s that cannot be read: if nobody works there, remove it", e.Folder, lockName)
	}
	return fmt.Sprintf("run: %s is in use by process %d on %s since %s: wait for it, or choose another folder",
		e.Folder, e.PID, e.Host, e.Since.Local().Format("2006-01-02 15:04:05"))
}

const lockName = "run.lock"

// acquire takes the lock, or tells in a *Locked who has it.
func acquire(path string) (*lock, error) {
	var heard time.Time
	for range 100 {
		l, now, err := create(path, false)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return l, err
		}
		h, beat, err := holderOf(path)
		switch {
		case errors.Is(err, fs.ErrNotExist): // released just now
			continue
		case err != nil:
			return nil, err
		case h.here() && !h.gone(), !h.here() && now.Sub(beat) < silentFrom:
			return nil, &Locked{filepath.Dir(path), h}
		case !h.here() && !beat.Equal(heard):
			heard = beat
			time.Sleep(listenFor)
			continue
		}
		if l, err = takeOver(path, h); l != nil || err != nil {
			return l, err
		}
	}
	return nil, fmt.Errorf("%s: changes hands too fast", path)
}

// takeOver replaces the lock of a process that is gone. Of several that try,
// the one with the lock named after that process's token does; both results are
// nil where the lock has changed hands in the meantime.
func takeOver(path string, from Holder) (*lock, error) {
	turn, err := acquire(path + "." + from.Token)
	if err != nil {
		return nil, err
	}
	defer turn.release()
	now, _, err := holderOf(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && now.Token != from.Token {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l, _, err := create(path, true)
	return l, err
}

// create makes a lock file complete under a temporary name and puts it in place:
// by linking, which fails where there is one, or by renaming, which replaces it.
// now is the time by the clock of the file system.
func create(path string, replace bool) (l *lock, now time.Time, err error) {
	l = &lock{path: path, holder: describe(), stop: make(chan struct{})}
	if l.bytes, err = json.Marshal(l.holder); err != nil {
		return nil, now, err
	}
	tmp, err := os.CreateTemp(filepath.Dir(path), ".barrow-*.tmp") // swept as outputs are
	if err != nil {
		return nil, now, err
	}
	_, err = tmp.Write(l.bytes)
	if err == nil {
		err = tmp.Chmod(0o644)
	}
	info, statErr := tmp.Stat()
	if err = errors.Join(err, statErr, tmp.Close()); err == nil {
		now = info.ModTime()
		if replace {
			err = os.Rename(tmp.Name(), path)
		} else {
			err = l.link(tmp.Name(), info)
		}
	}
	if e := os.Remove(tmp.Name()); err == nil && !errors.Is(e, fs.ErrNotExist) {
		err = e
	}
	if err == nil {
		l.file, err = os.OpenFile(path, os.O_RDWR, 0)
	}
	if err != nil {
		return nil, now, err
	}
	l.beats.Add(1)
	go l.beat()
	return l, now, nil
}

// hardLink is os.Link, but for tests of file systems without links.
var hardLink = os.Link

// link puts the file at the lock's path if there is none.
func (l *lock) link(tmp string, info fs.FileInfo) error {
	err := hardLink(tmp, l.path)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrExist):
		// A network may lose the answer to a link that was made.
		if there, e := os.Stat(l.path); e == nil && os.SameFile(there, info) {
			return nil
		}
		return err
	}
	// No links on this file system. A kill between the next two lines leaves a
	// lock of nobody, which goes when it is old.
	f, err := os.OpenFile(l.path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(l.bytes)
	return errors.Join(err, f.Close())
}

// beat rewrites the file from time to time. It writes to the file that was made,
// not to what may lie at its path by now.
func (l *lock) beat() {
	defer l.beats.Done()
	tick := time.NewTicker(beatEvery)
	defer tick.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
		if !l.held() {
			l.lost.Store(true)
			return
		}
		if _, err := l.file.WriteAt(l.bytes, 0); err == nil {
			_ = l.file.Sync()
		}
	}
}

// held tells whether the lock is still this one. A network that does not answer
// is no loss.
func (l *lock) held() bool {
	mine, err := l.file.Stat()
	if err != nil {
		return true
	}
	there, err := os.Stat(l.path)
	if errors.Is(err, fs.ErrNotExist) {
		return false
	}
	return err != nil || os.SameFile(mine, there)
}

// release gives the lock back.
func (l *lock) release() {
	close(l.stop)
	l.beats.Wait()
	ours := l.held()
	l.file.Close()
	if ours {
		os.Remove(l.path)
	}
}

// holderOf reads a lock file and when its holder last showed life. What cannot
// be understood belongs to a holder without a process.
func holderOf(path string) (h Holder, beat time.Time, err error) {
	info, err := os.Stat(path)
	if err != nil {
		return h, beat, err
	}
	b, err := readFile(path, "a run's lock")
	if err != nil {
		return h, beat, err
	}
	if json.Unmarshal(b, &h) != nil || h.Token == "" || filepath.Base(h.Token) != h.Token {
		h = Holder{Token: fmt.Sprintf("unreadable-%d", info.ModTime().UnixNano())}
	}
	return h, info.ModTime(), nil
}

// describe is self, but for tests.
var describe = self

// self describes this process as a holder.
func self() Holder {
	var token [8]byte
	rand.Read(token[:])
	host, err := os.Hostname()
	if err != nil {
		host = "unknown"
	}
	start, _ := startOf(os.Getpid())
	return Holder{Token: hex.EncodeToString(token[:]), Host: host, Machine: machine(host), PID: os.Getpid(), Start: start, Since: time.Now().UTC().Truncate(time.Second)}
}

// here tells whether the holder's process would be seen from this one.
func (h Holder) here() bool { return h.Machine != "" && h.Machine == machine(h.Host) }

// gone tells whether the holder's process, of this machine, has ended.
func (h Holder) gone() bool {
	start, state := startOf(h.PID)
	switch {
	case state == ended, state == unknown && !signalled(h.PID):
		return true
	}
	// Another process may have the number by now.
	return start != "" && h.Start != "" && start != h.Start
}

// Running tells who works in a folder, if anybody does. It only reads.
func Running(folder string) (Holder, bool) {
	if h, ok := holding(filepath.Join(folder, lockName)); ok {
		return h, true
	}
	return atWork(folder)
}

// holding tells who holds a lock, if anybody does.
func holding(path string) (Holder, bool) {
	h, beat, err := holderOf(path)
	if err != nil {
		return Holder{}, false
	}
	if h.here() {
		return h, !h.gone()
	}
	return h, time.Since(beat) < silentFrom
}
