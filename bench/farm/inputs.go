package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"time"
)

// inputs compares one run of commands that read large tables of text with so many shards of it,
// one after the other: in time of processors and in bytes that the program reads.
func inputs(ctx context.Context, s settings, dir string) error {
	if s.barrow == "" {
		return errors.New("--barrow is missing: name the program, built")
	}
	barrow, err := filepath.Abs(s.barrow)
	if err != nil {
		return err
	}
	n := s.shards
	if n == 0 {
		n = 100
	}
	t := &timed{ctx, barrow, dir}
	for k, name := range []string{"a.csv", "b.csv"} {
		if _, err := t.simulate(s.events, name, "--first", strconv.Itoa(k*s.events)); err != nil {
			return err
		}
	}
	info, err := os.Stat(filepath.Join(dir, "a.csv"))
	if err != nil {
		return err
	}
	fmt.Printf("tables of %d images, %.0f MB, on %d processors\n", s.events, float64(info.Size())/1e6, runtime.NumCPU())
	for _, c := range [][]string{{"e.txt", "emd", "a.csv", "b.csv"}, {"x.csv", "econt", "encode", "a.csv", "--etx", "2"}} {
		if s.only != "" && c[1] != s.only {
			continue
		}
		if err := t.cut(n, c[0], c[1:]); err != nil {
			return err
		}
	}
	return nil
}

// cut does a command whole and in shards, and prints what both need.
func (t *timed) cut(n int, out string, command []string) error {
	command = append(command, "--threads", "1", "--quiet", "--out")
	one, err := t.needs(append(command, "one-"+out)...)
	if err != nil {
		return err
	}
	var all, most need
	for i := range n {
		part, err := t.needs(append(command, out, "--shard", fmt.Sprintf("%d/%d", i, n))...)
		if err != nil {
			return err
		}
		all.took, all.read = all.took+part.took, all.read+part.read
		if i == 0 {
			fmt.Printf("%s: one run %v; the first of %d shards %v", command[0], one, n, part)
		} else {
			most.took, most.read = max(most.took, part.took), max(most.read, part.read)
		}
	}
	fmt.Printf(", each other at most %v; all %v\n", most, all)
	if _, err := t.run("merge", out+".shards"); err != nil {
		return err
	}
	a, err := os.ReadFile(filepath.Join(t.dir, out))
	if err != nil {
		return err
	}
	b, err := os.ReadFile(filepath.Join(t.dir, "one-"+out))
	if err == nil && !bytes.Equal(a, b) {
		err = fmt.Errorf("%s: shards make other bytes than one run", command[0])
	}
	return err
}

// A need is the time of processors that a process took, and the bytes that it read of files and
// all else.
type need struct {
	took time.Duration
	read int64
}

func (n need) String() string {
	return fmt.Sprintf("%.2f s and %.1f MB", n.took.Seconds(), float64(n.read)/1e6)
}
