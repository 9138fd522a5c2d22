package file

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"barrow/internal/wait"
	"barrow/wafer"
)

// Input is a file by its path, or a stream or an open file with a name to call it by, which has the
// ending by which formats are told apart where the content is not enough.
type Input struct {
	Name   string
	Stream io.Reader // nil for the file at Name
	File   *os.File  // a regular file, open at its beginning, in place of the one at Name; the caller closes it
}

// size is the number of bytes of an input, -1 where it is not known.
func (in Input) size() (int64, error) {
	if in.Stream != nil {
		return -1, nil
	}
	stat := func() (fs.FileInfo, error) { return os.Stat(in.Name) }
	if in.File != nil {
		stat = in.File.Stat
	}
	info, err := stat()
	switch {
	case err != nil:
		return 0, pathError(err)
	case info.IsDir():
		return 0, fmt.Errorf("wafer/file: %s: is a folder; name a file", printable(in.Name))
	case !info.Mode().IsRegular():
		return -1, nil
	}
	return info.Size(), nil
}

// source is an input under way, unpacked where it is compressed.
type source struct {
	wafer.Source
	format wafer.Format
	file   *os.File // nil for a stream, and for what the caller opened
	bytes  *counted // of the file as it lies; nil where its size is not known
	size   int64    // of the file as it lies
	packed io.Closer
}

// openSource opens an input of that size and tells its format. A cancelled context
// ends reads.
func openSource(ctx context.Context, in Input, size int64) (o *source, err error) {
	o = &source{Source: wafer.Source{Name: printable(in.Name), Size: size}, size: size}
	defer func() {
		if err != nil {
			o.close()
		}
	}()
	stream, at := in.Stream, (*os.File)(nil)
	if stream == nil {
		if at = in.File; at == nil {
			if o.file, err = wait.Open(ctx, in.Name); err != nil {
				return o, pathError(err)
			}
			at = o.file
		}
		stream = at
	}
	if size < 0 {
		stream = wait.Reader(ctx, stream)
	} else {
		o.bytes = &counted{ctx: ctx, Reader: stream, at: at}
		stream, o.At = o.bytes, o.bytes
	}
	buffered := bufio.NewReaderSize(stream, wafer.SniffLength)
	head, err := peek(buffered, o.Name)
	if err != nil {
		return o, err
	}
	if p := packing(head); p != nil {
		unpacked, err := p.unpack(buffered)
		if err != nil {
			return o, fmt.Errorf("wafer/file: %s: damaged, or cut off: unpacking by %s: %w", o.Name, p.name, err)
		}
		o.packed, o.At, o.Size = unpacked, nil, -1
		buffered = bufio.NewReaderSize(&said{unpacked, p.name}, wafer.SniffLength)
		if head, err = peek(buffered, o.Name); err != nil {
			return o, err
		}
	}
	o.Stream = buffered
	if o.bytes != nil && o.packed == nil {
		o.Stream = seekable{buffered, o.bytes}
	}
	o.format, err = recognise(head, in.Name)
	return o, err
}

func peek(r *bufio.Reader, name string) ([]byte, error) {
	head, err := r.Peek(wafer.SniffLength)
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("wafer/file: %s: %w", name, err)
	}
	return head, nil
}

// share is how much of the input is read, by its bytes.
func (o *source) share() float64 {
	read, size := int64(0), o.size
	if o.bytes != nil {
		read = o.bytes.n.Load()
	}
	if n, whole := o.Spooled(); whole > 0 {
		read, size = n, whole
	}
	if size <= 0 {
		return 1
	}
	return min(float64(read)/float64(size), 1)
}

func (o *source) close() error {
	err := o.Close()
	if o.packed != nil {
		o.packed.Close() // what it says, reading said before
	}
	if o.file != nil {
		err = errors.Join(err, o.file.Close())
	}
	return err
}

// A packer is a compression that files of any format may have.
type packer struct {
	name, ending, magic string
	unpack              func(io.Reader) (io.ReadCloser, error)
	pack                func(io.Writer) (io.WriteCloser, error)
}

// window is how far back zstd may refer: more than 128 MiB its own program does not
// unpack unasked, either.
const window = 128 << 20

func packers() []packer {
	return []packer{
		{"gzip", ".gz", "\x1f\x8b",
			func(r io.Reader) (io.ReadCloser, error) { return gzip.NewReader(r) },
			func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil }},
		{"Zstandard", ".zst", "\x28\xb5\x2f\xfd",
			func(r io.Reader) (io.ReadCloser, error) {
				z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(window), zstd.WithDecoderMaxMemory(1<<63-1))
				if err != nil {
					return nil, err
				}
				return z.IOReadCloser(), nil
			},
			func(w io.Writer) (io.WriteCloser, error) {
				return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(1<<20))
			}},
	}
}

// packing tells by a file's first bytes how it is compressed; nil if it is not.
func packing(head []byte) *packer {
	for _, p := range packers() {
		if bytes.HasPrefix(head, []byte(p.magic)) {
			return &p
		}
	}
	return nil
}

// said is a stream whose errors say how it is compressed.
type said struct {
	io.Reader
	by string
}

func (s *said) Read(p []byte) (int, error) {
	n, err := s.Reader.Read(p)
	if err != nil && err != io.EOF && !errors.Is(err, context.Canceled) {
		err = fmt.Errorf("damaged, or cut off: unpacking by %s: %w", s.by, err)
	}
	return n, err
}

// counted counts the bytes that are read of a file.
type counted struct {
	ctx context.Context
	io.Reader
	at    *os.File
	n     atomic.Int64
	after func() // called after every read of the stream, unless nil
}

func (c *counted) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.Reader.Read(p)
	c.n.Add(int64(n))
	if c.after != nil {
		c.after()
	}
	return n, err
}

func (c *counted) ReadAt(p []byte, off int64) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.at.ReadAt(p, off)
	c.n.Add(int64(n))
	return n, err
}

// seekable is a file as a stream that can go on elsewhere.
type seekable struct {
	*bufio.Reader
	of *counted
}

func (s seekable) Seek(offset int64, whence int) (int64, error) {
	at, err := s.of.at.Seek(offset, whence)
	if err == nil {
		s.of.n.Store(at)
		s.Reset(s.of)
	}
	return at, err
}

// pathError is an error of the file system with a path that can be printed.
func pathError(err error) error {
	if p := (*fs.PathError)(nil); errors.As(err, &p) {
		return &openError{p}
	}
	return fmt.Errorf("wafer/file: %w", err)
}

// An openError keeps the file system's own error, with the path as it is.
type openError struct{ of *fs.PathError }

func (e *openError) Error() string { return fmt.Sprintf("open %s: %v", printable(e.of.Path), e.of.Err) }
func (e *openError) Unwrap() error { return e.of }

// printable is a name as a message may hold it: in quotation marks where it has
// characters that a terminal would obey.
func printable(name string) string {
	for _, c := range name {
		if !strconv.IsPrint(c) {
			return strconv.Quote(name)
		}
	}
	return name
}
