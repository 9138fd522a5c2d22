package run

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"barrow/run/shard"
)

// Shards is the folder of a run that is made in shards: what they have in common, and the records of
// those that are done.
const Shards = "shards"

// A Cut is one shard of a run, which does its share of the parts and leaves it to whoever puts
// the run together to measure and close it.
type Cut struct {
	Shard   shard.Shard
	Command string            // without the program's name
	Said    map[string]string // settings of the command, for who puts the run together
}

// A ShardDone is the error with which a study ends that was to do a shard, and has.
type ShardDone struct {
	Folder string
	Shard  shard.Shard
}

func (e *ShardDone) Error() string {
	return fmt.Sprintf("run: shard %v of %s is done", e.Shard, e.Folder)
}

// Cuts tells whether a folder holds a run that is done in shards.
func Cuts(folder string) bool { return shard.Folder(filepath.Join(folder, Shards)) }

// cut is a folder's shard.
type cut struct {
	shard.Shard
	piece *shard.Piece
}

// openShard opens the folder for one of several processes, each with a shard of its own.
func (f *Folder) openShard(id Identity, c *Cut) error {
	if err := c.Shard.Check(); err != nil {
		return fmt.Errorf("run: %w", err)
	}
	// The folder's own lock only while the run is begun: another shard may be at that, too.
	whole, err := f.acquireSoon()
	if err != nil {
		return err
	}
	defer whole.release()
	f.lock = whole
	f.cut = &cut{Shard: c.Shard}
	if err := f.begin(id, false); err != nil {
		return err
	}
	digest := sha256.Sum256(f.identity)
	said := map[string]string{"settings": hex.EncodeToString(digest[:])}
	for k, v := range c.Said {
		said[k] = v
	}
	if f.cut.piece, _, err = shard.Begin(f.Path(Shards), c.Shard, shard.Work{Command: c.Command, Settings: said}); err != nil {
		return err
	}
	mine, err := acquire(f.Path(shardLock(c.Shard)))
	if err != nil {
		return err
	}
	f.lock = mine
	return nil
}

// Shards of a run may all begin at once.
const (
	tryEvery = 50 * time.Millisecond
	tryFor   = 30 * time.Second
)

func (f *Folder) acquireSoon() (*lock, error) {
	for begin := time.Now(); ; time.Sleep(tryEvery) {
		l, err := acquire(f.Path(lockName))
		var taken *Locked
		if err == nil || !errors.As(err, &taken) || time.Since(begin) > tryFor {
			return l, err
		}
	}
}

func shardLock(s shard.Shard) string { return fmt.Sprintf("shard-%05d-of-%05d.lock", s.I, s.N) }

// Sharded tells whether this process does a shard of the run.
func (f *Folder) Sharded() bool { return f.cut != nil }

// Mine tells whether part k of parts that do not depend on each other is this process's to do: all
// are, but for a shard.
func (f *Folder) Mine(k int) bool { return f.cut == nil || f.cut.Has(k) }

// Range is which of so many parts in a row are this process's to do, as [shard.Shard.Range] has
// it: all are, but for a shard.
func (f *Folder) Range(parts int) (from, to int) {
	if f.cut == nil {
		return 0, parts
	}
	return f.cut.Range(parts)
}

// EndShard keeps that this shard has done its parts and is a *[ShardDone] then; it is nil for a
// run that is done whole.
func (f *Folder) EndShard() error {
	if f.cut == nil {
		return nil
	}
	if err := f.held(); err != nil {
		return err
	}
	if err := f.cut.piece.Done(0); err != nil {
		return err
	}
	return &ShardDone{f.path, f.cut.Shard}
}

// atWork tells who works on a shard of the run, if anybody does.
func atWork(folder string) (Holder, bool) {
	list, err := filepath.Glob(filepath.Join(escape(folder), shardLocks))
	if err != nil {
		return Holder{}, false
	}
	for _, path := range list {
		if h, ok := holding(path); ok {
			return h, true
		}
	}
	return Holder{}, false
}

// escape takes the meaning from characters that patterns have one for.
func escape(path string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(path)
}

// whole refuses a folder of which shards are at work, and clears away what those that are gone left.
func (f *Folder) whole() error {
	if h, ok := atWork(f.path); ok {
		return &Locked{f.path, h}
	}
	list, err := filepath.Glob(filepath.Join(escape(f.path), shardLocks+"*"))
	for _, path := range list {
		if e := os.Remove(path); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}

// metricsName is the file in which the process keeps its trainings' epochs: a shard has its own.
func (f *Folder) metricsName() string {
	if f.cut == nil {
		return Metrics
	}
	return fmt.Sprintf("metrics-%05d-of-%05d.jsonl", f.cut.I, f.cut.N)
}

// metricsFiles are those of a folder's shards.
func metricsFiles(folder string) ([]string, error) {
	return filepath.Glob(filepath.Join(escape(folder), shardMetrics))
}

// gather puts the epochs of shards to those of the run. The lock is held.
func (f *Folder) gather() error {
	files, err := metricsFiles(f.path)
	if err != nil || len(files) == 0 {
		return err
	}
	all, err := ReadMetrics(f.path)
	if err != nil {
		return err
	}
	if err := f.recorder.rewrite(all); err != nil {
		return err
	}
	for _, path := range files {
		if e := os.Remove(path); !errors.Is(e, fs.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	return err
}
