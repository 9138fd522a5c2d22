// Package wait reads from what may keep a reader waiting, a pipe or a terminal, so
// that the end of a context ends the wait.
package wait

import (
	"context"
	"io"
	"io/fs"
	"os"
)

// Reader is a stream whose reads end with the context. The read that waits then
// is left behind.
func Reader(ctx context.Context, in io.Reader) io.Reader { return &reader{ctx: ctx, in: in} }

type reader struct {
	ctx  context.Context
	in   io.Reader
	buf  []byte
	done chan result
}

type result struct {
	n   int
	err error
}

func (w *reader) Read(p []byte) (int, error) {
	if err := w.ctx.Err(); err != nil { // a read that was left behind may still have the buffer
		return 0, err
	}
	if w.done == nil {
		w.buf, w.done = make([]byte, 64<<10), make(chan result, 1)
	}
	part := w.buf[:min(len(p), len(w.buf))]
	go func() {
		n, err := w.in.Read(part)
		w.done <- result{n, err}
	}()
	select {
	case r := <-w.done:
		return copy(p, part[:r.n]), r.err
	case <-w.ctx.Done():
		return 0, w.ctx.Err()
	}
}

// Open opens a file; a named pipe without a writer would wait for ever.
func Open(ctx context.Context, path string) (*os.File, error) {
	if info, err := os.Stat(path); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return os.Open(path)
	}
	type answer struct {
		f   *os.File
		err error
	}
	done := make(chan answer, 1)
	go func() {
		f, err := os.Open(path)
		done <- answer{f, err}
	}()
	select {
	case a := <-done:
		return a.f, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
