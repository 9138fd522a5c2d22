package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"barrow/internal/index"
	"barrow/run"
	"barrow/run/shard"
	"barrow/wafer"
	"barrow/wafer/file"
)

// shardInputs are the files whose rows shards have parts of. The shard that comes first looks them
// through, for all others.
type shardInputs struct {
	given []string // as the command names them
	paths []string // files: those that patterns fit
	// look reads all rows, and finds out where they stand and what else the command needs to know of
	// all of them.
	look func(ctx context.Context, set func(float64, string)) (rows []*index.Index, notes map[string]string, err error)
}

// name makes the inputs a part of what the work is.
func (in *shardInputs) name(w *shard.Work) error {
	if in == nil {
		return nil
	}
	for k, path := range in.given {
		if path == "-" {
			return errors.New("--shard: standard input is not there for all shards: name a file")
		}
		w.Settings["input "+strconv.Itoa(k+1)] = path
	}
	return nil
}

// known is what is known of the inputs, from another shard or by looking.
func (in *shardInputs) known(cmd *cobra.Command, c *common, out string, s shard.Shard, w shard.Work) (of *shard.Inputs, err error) {
	if in == nil {
		return nil, nil
	}
	if err := os.MkdirAll(out+shard.Ending, 0o777); err != nil {
		return nil, err
	}
	bar := newProgress(cmd.ErrOrStderr(), c)
	defer bar.close()
	done := func() (bool, error) {
		var err error
		of, err = shard.Known(cmd.Context(), out, s, w, in.paths)
		return of != nil, err
	}
	err = run.Alone(cmd.Context(), shard.InputsLock(out), done, func() error {
		of, err = in.find(cmd.Context(), bar.set)
		if err != nil {
			return fmt.Errorf("shard %v: %w", s, err)
		}
		if _, _, err := shard.Open(out, s, with(w, of), false); err != nil { // which refuses inputs that were others
			return err
		}
		return of.Keep(out, s, w)
	})
	return of, err
}

// with is work with the digests of its inputs.
func with(w shard.Work, in *shard.Inputs) shard.Work {
	if in == nil {
		return w
	}
	digests := map[string]string{}
	for name, digest := range w.Inputs {
		digests[name] = digest
	}
	for _, f := range in.Files {
		digests[f.Name] = f.Digest
	}
	w.Inputs = digests
	return w
}

// find reads the inputs: for where rows stand and, side by side with that so that what one has
// read is at hand for the other, for their digests.
func (in *shardInputs) find(ctx context.Context, set func(float64, string)) (*shard.Inputs, error) {
	found := &shard.Inputs{}
	all := 0.0
	for _, path := range in.paths {
		f, err := shard.FactOf(path)
		if err != nil {
			return nil, err
		}
		found.Files = append(found.Files, f)
		all += float64(f.Bytes)
	}
	g, ctx := errgroup.WithContext(ctx)
	var looked, digested pace
	g.Go(func() (err error) {
		defer looked.ends()
		found.Rows, found.Notes, err = in.look(ctx, func(share float64, note string) {
			looked.to(ctx, int64(share*all), &digested)
			set(share, note)
		})
		return err
	})
	g.Go(func() (err error) {
		defer digested.ends()
		read := int64(0)
		for k := range found.Files {
			if err == nil {
				found.Files[k].Digest, err = shard.Digest(ctx, found.Files[k].Name, func(n int) {
					read += int64(n)
					digested.to(ctx, read, &looked)
				})
			}
		}
		return err
	})
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for _, f := range found.Files {
		now, err := shard.FactOf(f.Name)
		if err != nil {
			return nil, err
		}
		if now.Digest = f.Digest; now != f {
			return nil, fmt.Errorf("%s was changed while it was read: run the shard again when it is complete", f.Name)
		}
	}
	return found, nil
}

// A pace is how many bytes of the same files one of two has read that read them side by side.
type pace struct{ at atomic.Int64 }

const (
	// window is how far one may be ahead of the other: what fits the memory in which systems keep
	// what was read of files.
	window = 64 << 20
	// lookAgain is how long one waits before it looks whether the other has come on.
	lookAgain = 2 * time.Millisecond
)

// to goes on to so many bytes, and waits for the other if that is too far.
func (p *pace) to(ctx context.Context, bytes int64, other *pace) {
	p.at.Store(bytes)
	for bytes > other.at.Load()+window && ctx.Err() == nil {
		time.Sleep(lookAgain)
	}
}

// ends is when there is nobody to wait for any more.
func (p *pace) ends() { p.at.Store(math.MaxInt64 - window) }

// imageInputs are wafer files that are read as one.
func (f *imageFlags) imageInputs(given ...string) (*shardInputs, error) {
	paths, err := file.Expand(given...)
	if err != nil {
		return nil, err
	}
	return &shardInputs{given, paths, func(ctx context.Context, set func(float64, string)) ([]*index.Index, map[string]string, error) {
		x := &index.Index{}
		return []*index.Index{x}, nil, f.lookThrough(ctx, paths, x, func(*file.Reader) error { return nil }, set)
	}}, nil
}

// lookThrough makes an index of wafer files that are read as one, by a reader that begin has made ready.
func (f *imageFlags) lookThrough(ctx context.Context, paths []string, x *index.Index, begin func(*file.Reader) error, set func(float64, string)) error {
	s, err := f.settings()
	if err != nil {
		return err
	}
	r, err := file.Open(ctx, s, paths...)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := begin(r); err != nil {
		return err
	}
	r.Index(x)
	var part wafer.Set
	for {
		_, err := r.Read(&part, markEvery)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if share, ok := r.Share(); ok {
			set(share, lookingThrough)
		}
	}
}

// markEvery is how many rows are between the places at which a shard can begin to read, at least.
const markEvery = 1024

// lookingThrough is what the first shard does for all.
const lookingThrough = "inputs looked through"
