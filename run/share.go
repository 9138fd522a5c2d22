package run

import (
	"context"
	"errors"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// shareAgain is how long a shard waits before it asks again for parts that others are at.
const shareAgain = time.Second

// Share has parts done that whoever calls it needs all of, as many at a time as there are threads.
// Shards of a run share them: one at which another shard is at work is left to that one and waited
// for, and done here if that one goes. do is called for every part, and must find by [Folder.Once]
// that it is done already. The parts' names are those of Once.
func (f *Folder) Share(ctx context.Context, parts []string, threads int, do func(ctx context.Context, k int) error) error {
	s := &sharing{}
	for k := range parts {
		if f.cut != nil { // not all begin with the same
			k = (k + f.cut.I) % len(parts)
		}
		s.left = append(s.left, k)
	}
	g, ctx := errgroup.WithContext(ctx)
	for range min(threads, len(parts)) {
		g.Go(func() error {
			for {
				k, all := s.next()
				if all {
					return nil
				}
				mine, err := f.claim(ctx, parts[k], func() error { return do(ctx, k) })
				if err == nil && !mine {
					err = s.later(ctx, k)
				}
				if err != nil {
					return err
				}
			}
		})
	}
	return g.Wait()
}

// sharing is which parts nobody here has begun yet.
type sharing struct {
	mutex sync.Mutex
	left  []int
	taken int // parts in a row that others were at
}

// next takes a part, unless there are none left.
func (s *sharing) next() (k int, all bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.left) == 0 {
		return 0, true
	}
	k, s.left = s.left[0], s.left[1:]
	return k, false
}

// later gives a part back that another shard is at, and waits once there are none but such.
func (s *sharing) later(ctx context.Context, k int) error {
	s.mutex.Lock()
	s.left = append(s.left, k)
	if s.taken++; s.taken < len(s.left) {
		s.mutex.Unlock()
		return ctx.Err()
	}
	s.taken = 0
	s.mutex.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(shareAgain):
		return nil
	}
}

// claim does a part unless another shard is at it.
func (f *Folder) claim(ctx context.Context, part string, do func() error) (mine bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	if f.cut == nil {
		return true, do()
	}
	l, err := acquire(f.Path(partLock(part)))
	var taken *Locked
	if errors.As(err, &taken) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer l.release()
	return true, do()
}

// Alone does what one of many processes has to do for all of them, under a lock in the file at path:
// done tells whether one has. Those that find another at it wait, and take over if that one goes.
func Alone(ctx context.Context, path string, done func() (bool, error), do func() error) error {
	for wait := tryEvery; ; wait = min(2*wait, beatEvery) {
		if ok, err := done(); ok || err != nil {
			return err
		}
		mine, err := alone(path, done, do)
		if mine || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// alone does it if nobody else is at it.
func alone(path string, done func() (bool, error), do func() error) (mine bool, err error) {
	if _, held := holding(path); held { // found out without writing anything
		return false, nil
	}
	l, err := acquire(path)
	var taken *Locked
	if errors.As(err, &taken) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer l.release()
	if ok, err := done(); ok || err != nil {
		return true, err
	}
	return true, do()
}

func partLock(part string) string { return "shard-at-" + part + ".lock" }
