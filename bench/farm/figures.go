package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync/atomic"
	"time"

	"barrow/run/shard"
	"barrow/run/submit"
)

// A timed program is called in a folder, and the time of processors taken that it needs.
type timed struct {
	ctx          context.Context
	program, dir string
}

func (t *timed) run(args ...string) (time.Duration, error) {
	cmd := exec.CommandContext(t.ctx, t.program, args...)
	cmd.Dir = t.dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%v: %w: %s", args, err, out)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), nil
}

func (t *timed) simulate(events int, more ...string) (time.Duration, error) {
	return t.run(append([]string{"simulate", "--events", strconv.Itoa(events), "--threads", "1", "--quiet", "--out"}, more...)...)
}

// whole does all in one run, and says what was made.
func (t *timed) whole(events int) (took time.Duration, bytes int64, digest [sha256.Size]byte, err error) {
	if took, err = t.simulate(events, "one.csv"); err == nil {
		bytes, digest, err = consume(filepath.Join(t.dir, "one.csv"))
	}
	return took, bytes, digest, err
}

// pieces does the shards, each after the start of the program for one image.
func (t *timed) pieces(events, n int) (start, cut time.Duration, err error) {
	for i := range n {
		a, err := t.simulate(1, "start.csv", "--force")
		if err != nil {
			return 0, 0, err
		}
		b, err := t.simulate(events, "cut.csv", "--shard", fmt.Sprintf("%d/%d", i, n))
		if err != nil {
			return 0, 0, err
		}
		start, cut = start+a, cut+b
	}
	return start, cut, nil
}

// overhead compares one run with so many shards of it, one after the other, and with the start of
// so many processes: of the same command, with one image. What is compared is the time of
// processors, which other work on the machine changes little; the one run is done before and after.
func overhead(ctx context.Context, s settings, dir string) error {
	if s.barrow == "" {
		return errors.New("--barrow is missing: name the program, built")
	}
	barrow, err := filepath.Abs(s.barrow)
	if err != nil {
		return err
	}
	n := s.shards
	if n == 0 {
		n = 1000
	}
	t := &timed{ctx, barrow, dir}
	before, size, want, err := t.whole(s.events)
	if err != nil {
		return err
	}
	start, cut, err := t.pieces(s.events, n)
	if err != nil {
		return err
	}
	merged, err := t.run("merge", "cut.csv.shards", "--quiet")
	if err != nil {
		return err
	}
	_, got, err := consume(filepath.Join(dir, "cut.csv"))
	if err == nil && got != want {
		err = errors.New("shards made other bytes")
	}
	if err := errors.Join(err, os.RemoveAll(filepath.Join(dir, "cut.csv.shards"))); err != nil {
		return err
	}
	after, _, _, err := t.whole(s.events)
	if err != nil {
		return err
	}
	one := (before + after) / 2
	over := cut + merged - one
	share := func(d time.Duration) float64 { return 100 * d.Seconds() / one.Seconds() }
	fmt.Printf("%d images, %.0f MB, seconds of processors: one run %.2f and %.2f; %d shards %.2f, merge %.2f; start of so many processes %.2f, %.1f ms each\n",
		s.events, float64(size)/1e6, before.Seconds(), after.Seconds(), n, cut.Seconds(), merged.Seconds(), start.Seconds(), 1e3*start.Seconds()/float64(n))
	fmt.Printf("over one run %.1f %%: start %.1f %%, merge %.1f %%, the rest %.1f %%\n", share(over), share(start), share(merged), share(over-start-merged))
	return nil
}

// consume reads a file and removes it: disks are small.
func consume(path string) (bytes int64, digest [sha256.Size]byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, digest, err
	}
	defer f.Close()
	h := sha256.New()
	if bytes, err = io.Copy(h, f); err != nil {
		return 0, digest, err
	}
	return bytes, [sha256.Size]byte(h.Sum(nil)), os.Remove(path)
}

// merge makes pieces of text of so many bytes in all, and puts them together.
func merge(ctx context.Context, s settings, dir string) error {
	n := s.shards
	if n == 0 {
		n = 1000
	}
	const line = "12.345,678.9,0,0.25,17\n"
	const header = "a,b,c,d,e\n"
	rows := int(s.bytes) / n / len(line)
	piece := append([]byte(header), bytes.Repeat([]byte(line), rows)...)
	name := filepath.Join(dir, "a.csv")
	w := shard.Work{Command: "bench", Join: map[string]string{shard.How: shard.Lines, shard.Header: "1"}}
	for i := range n {
		p, _, err := shard.Open(name, shard.Shard{I: i, N: n}, w, false)
		if err != nil {
			return err
		}
		if err := errors.Join(os.WriteFile(p.Path(), piece, 0o666), p.Done(rows)); err != nil {
			return err
		}
	}
	piece = nil
	runtime.GC()
	var most atomic.Uint64
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most.Store(max(most.Load(), m.HeapInuse))
		}
	}()
	began := time.Now()
	m, err := shard.Merge(ctx, name+shard.Ending, shard.MergeSettings{})
	took := time.Since(began)
	close(stop)
	if err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	fmt.Printf("%d shards, %d rows, %.2f GB: %.2f s, %.0f MB/s, %.1f MB of memory at most\n", n, m.Rows, float64(info.Size())/1e9, took.Seconds(), float64(info.Size())/1e6/took.Seconds(), float64(most.Load())/1e6)
	return read(name)
}

// read says how fast the file can be read, which merging cannot exceed by much.
func read(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	began := time.Now()
	n, err := io.Copy(struct{ io.Writer }{io.Discard}, f)
	if err != nil {
		return err
	}
	took := time.Since(began)
	fmt.Printf("reading it alone: %.0f MB/s\n", float64(n)/1e6/took.Seconds())
	return nil
}

// status makes the folder of a job of which nine in ten shards are done and the rest at work, and
// asks how far it is.
func status(_ context.Context, s settings, dir string) error {
	n := s.shards
	if n == 0 {
		n = 10_000
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	if err := os.Chdir(dir); err != nil {
		return err
	}
	of := submit.Settings{Scheduler: "condor", Command: []string{"simulate", "--out", "a.csv"}, Out: "a.csv", Shards: n, AtOnce: 100, CPUs: 1, Memory: 1000}
	if _, err := submit.Write("job", of, program); err != nil {
		return err
	}
	began := time.Now().Add(-time.Hour).Unix()
	for i := range n {
		state := fmt.Sprintf("begin %d node%d\n", began+int64(i%100), i%100)
		if i%10 != 0 {
			p, _, err := shard.Open("a.csv", shard.Shard{I: i, N: n}, shard.Work{Command: "simulate"}, false)
			if err != nil {
				return err
			}
			if err := errors.Join(os.WriteFile(p.Path(), []byte("1\n"), 0o666), p.Done(1)); err != nil {
				return err
			}
			state += fmt.Sprintf("end %d 0\n", began+600)
		}
		if err := os.WriteFile(filepath.Join("job", "logs", strconv.Itoa(i)+".state"), []byte(state), 0o666); err != nil {
			return err
		}
	}
	for range 3 {
		at := time.Now()
		st, err := submit.ReadStatus("job", time.Now(), nil)
		if err != nil {
			return err
		}
		fmt.Printf("%d shards, %d done, %d at work: %.3f s\n", n, st.Done, st.Running, time.Since(at).Seconds())
	}
	return nil
}
