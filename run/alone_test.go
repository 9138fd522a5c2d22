package run

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
)

// TestAlone: of many that are to do something one does it, another if that one fails, and nobody stays
// locked out.
func TestAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.lock")
	var tries, at atomic.Int32
	var isDone atomic.Bool
	broken := errors.New("broken")
	var failed atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := Alone(context.Background(), path, func() (bool, error) { return isDone.Load(), nil }, func() error {
				if at.Add(1) != 1 {
					t.Error("two at once")
				}
				defer at.Add(-1)
				if tries.Add(1) == 1 {
					return broken
				}
				isDone.Store(true)
				return nil
			})
			if err != nil {
				failed.Add(1)
			}
		})
	}
	all.Wait()
	if tries.Load() != 2 || failed.Load() != 1 {
		t.Errorf("%d tries, %d failed", tries.Load(), failed.Load())
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("the lock is left: %v", err)
	}
	isDone.Store(false)
	held, err := acquire(path)
	if err != nil {
		t.Fatal(err)
	}
	defer held.release()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := Alone(ctx, path, func() (bool, error) { return false, nil }, func() error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
