package run

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"golang.org/x/sync/errgroup"

	"barrow/run/shard"
)

// TestShare: shards at work at the same time do every part once among them, each has them all in
// the end, and what a shard that fails was at is done by another.
func TestShare(t *testing.T) {
	const shards, parts = 3, 7
	dir := t.TempDir()
	id := identity(config{Epochs: 2})
	var names []string
	for k := range parts {
		names = append(names, fmt.Sprintf("part-%d", k))
	}
	var made [parts]atomic.Int32
	broken := errors.New("broken")
	share := func(i int) error {
		f, err := Open(dir, id, Settings{Cut: &Cut{Shard: shard.Shard{I: i, N: shards}, Command: "test"}})
		if err != nil {
			return err
		}
		defer f.Close()
		var have [parts]int
		err = f.Share(context.Background(), names, 2, func(_ context.Context, k int) error {
			return f.Once(names[k], k, &have[k], func() ([]string, error) {
				if i == 1 {
					return nil, broken
				}
				made[k].Add(1)
				have[k] = k + 1
				return nil, nil
			})
		})
		for k, v := range have {
			if err == nil && v != k+1 {
				return fmt.Errorf("shard %d has %v", i, have)
			}
		}
		return err
	}
	var g errgroup.Group
	for i := range shards {
		g.Go(func() error {
			if err := share(i); i == 1 && err != nil && !errors.Is(err, broken) || i != 1 && err != nil {
				return err
			}
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for k := range made {
		if n := made[k].Load(); n != 1 {
			t.Errorf("part %d was done %d times", k, n)
		}
	}
	f, err := Open(dir, id, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	if err := f.Share(context.Background(), names, 1, func(_ context.Context, k int) error {
		if k != n {
			t.Errorf("part %d as the %d-th", k, n)
		}
		n++
		return nil
	}); err != nil || n != parts {
		t.Error(n, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := f.Share(ctx, names, 1, func(context.Context, int) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
