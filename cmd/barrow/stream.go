package main

import (
	"io"

	"github.com/spf13/cobra"

	"barrow/internal/wait"
	"barrow/wafer"
)

// counted is an input of which it is known how much has been read.
type counted struct {
	io.Reader
	io.Closer
	read, size int64
	after      func() // called after every read, unless nil
}

// openCounted opens a file, or the command's standard input for "-". An interrupt
// ends the wait for what does not come.
func openCounted(cmd *cobra.Command, path string) (*counted, error) {
	ctx := cmd.Context()
	if path == "-" {
		return &counted{Reader: wait.Reader(ctx, cmd.InOrStdin()), Closer: io.NopCloser(nil)}, nil
	}
	f, err := wait.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	c := &counted{Reader: f, Closer: f}
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		c.size = info.Size()
	} else {
		c.Reader = wait.Reader(ctx, f)
	}
	return c, nil
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += int64(n)
	if c.after != nil {
		c.after()
	}
	return n, err
}

// share is how much of the input was read, 0 where its size is not known.
func (c *counted) share() float64 {
	if c.size == 0 {
		return 0
	}
	return min(float64(c.read)/float64(c.size), 1)
}

// watchedReader says after every batch how many images it had.
type watchedReader struct {
	wafer.Reader
	after func(n int)
}

func (w watchedReader) Read(s *wafer.Set, n int) (int, error) {
	got, err := w.Reader.Read(s, n)
	if err == nil {
		w.after(got)
	}
	return got, err
}
