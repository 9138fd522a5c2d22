package run

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
)

// Tells reports whether a file of that name in a run's folder is one of those by which the run is
// known: what [Inspect], [Look], [Running] and [ReadMetrics] read, and what its page is drawn from.
func Tells(name string) bool {
	shards := func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	}
	switch name {
	case Config, Results, Times, Metrics, lockName:
		return true
	}
	return shards(shardMetrics) || shards(shardLocks)
}

// Patterns of the files of a folder's shards.
const (
	shardMetrics = "metrics-*.jsonl"
	shardLocks   = "shard-*.lock"
)

// A Tail reads what [ReadMetrics] does, again and again, each time only what is new in the
// files. It is for one run's folder, and for one reader at a time.
type Tail struct{ files map[string]*tailed }

// tailed is what was read of a file.
type tailed struct {
	info fs.FileInfo
	at   int64 // where the lines end that were read
	list []Epoch
}

// Read reads on in a run's folder, which may be anyone's view of it: a file that is another than
// at the last time, or shorter, is read anew. What it returns is the caller's.
func (t *Tail) Read(folder fs.FS) ([]Epoch, error) {
	names, err := fs.Glob(folder, shardMetrics)
	if err != nil {
		return nil, fmt.Errorf("run: %w", err)
	}
	next := map[string]*tailed{}
	var lists [][]Epoch
	for _, name := range append([]string{Metrics}, names...) {
		now, err := t.files[name].on(folder, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("run: %w", err)
		}
		next[name] = now
		lists = append(lists, now.list)
	}
	t.files = next
	return joined(lists), nil
}

// on is what a file holds, given what was read of it before, nil where that was nothing.
func (was *tailed) on(folder fs.FS, name string) (*tailed, error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s: a run's metrics that is no regular file", name)
	}
	now := &tailed{info: info}
	if was != nil && os.SameFile(was.info, info) && info.Size() >= was.at {
		if s, ok := f.(io.Seeker); ok {
			if _, err := s.Seek(was.at, io.SeekStart); err != nil {
				return nil, err
			}
			now.at, now.list = was.at, was.list
		}
	}
	b, err := io.ReadAll(io.LimitReader(f, mostJSON+1))
	if err != nil {
		return nil, err
	}
	if len(b) > mostJSON {
		return nil, fmt.Errorf("%s: a run's metrics of more than %d MB", name, mostJSON>>20)
	}
	b = b[:bytes.LastIndexByte(b, '\n')+1]
	more, err := decodeMetrics(name, len(now.list)+1, b)
	if err != nil {
		return nil, err
	}
	now.at += int64(len(b))
	now.list = append(now.list[:len(now.list):len(now.list)], more...)
	return now, nil
}

// joined are the epochs of several files, each of a training once.
func joined(lists [][]Epoch) (all []Epoch) {
	seen := map[string]int{} // epochs of each training
	for _, list := range lists {
		for _, e := range list {
			if e.Epoch > seen[e.Part] {
				all, seen[e.Part] = append(all, e), e.Epoch
			}
		}
	}
	return all
}
