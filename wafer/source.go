package wafer

import (
	"errors"
	"fmt"
	"io"
	"os"
)

// Source is what a Format reads from.
type Source struct {
	// Name stands for the source in errors.
	Name string
	// Stream has all bytes from the first.
	Stream io.Reader
	// At has the same bytes in any order; nil where there is only a stream: see File.
	At io.ReaderAt
	// Size is the number of bytes, -1 where it is not known.
	Size int64

	spool *os.File
}

// File gives the source's bytes in any order, and their number. What is only a
// stream is copied to a temporary file first, which Close removes.
func (s *Source) File() (io.ReaderAt, int64, error) {
	if s.At != nil {
		return s.At, s.Size, nil
	}
	f, err := os.CreateTemp("", "barrow-*")
	if err != nil {
		return nil, 0, fmt.Errorf("%s: no place to unpack it to: %w", s.Name, err)
	}
	s.spool = f
	n, err := io.Copy(f, s.Stream)
	if err != nil {
		return nil, 0, fmt.Errorf("%s: after %d bytes: %w", s.Name, n, err)
	}
	s.At, s.Size = f, n
	return f, n, nil
}

// Close frees what File made. The stream stays open.
func (s *Source) Close() error {
	if s.spool == nil {
		return nil
	}
	err := errors.Join(s.spool.Close(), os.Remove(s.spool.Name()))
	s.spool, s.At = nil, nil
	return err
}
