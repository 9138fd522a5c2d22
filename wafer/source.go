package wafer

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync/atomic"
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

	spool *spool
}

// spool is a temporary file that counts what is read of it.
type spool struct {
	*os.File
	read atomic.Int64
}

func (s *spool) ReadAt(p []byte, off int64) (int, error) {
	n, err := s.File.ReadAt(p, off)
	s.read.Add(int64(n))
	return n, err
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
	os.Remove(f.Name()) // at once where the system lets go of a name in use, so that nothing can leave it behind
	s.spool = &spool{File: f}
	n, err := io.Copy(f, s.Stream)
	if err != nil {
		return nil, 0, errors.Join(fmt.Errorf("%s: after %d bytes: %w", s.Name, n, err), s.Close())
	}
	s.At, s.Size = s.spool, n
	return s.At, n, nil
}

// Spooled is how much has been read of the temporary file that File made, and its
// size; 0 and 0 where there is none.
func (s *Source) Spooled() (read, size int64) {
	if s.spool == nil || s.At == nil {
		return 0, 0
	}
	return s.spool.read.Load(), s.Size
}

// Close frees what File made. The stream stays open.
func (s *Source) Close() error {
	if s.spool == nil {
		return nil
	}
	err := s.spool.Close()
	if gone := os.Remove(s.spool.Name()); !errors.Is(gone, fs.ErrNotExist) {
		err = errors.Join(err, gone)
	}
	s.spool, s.At = nil, nil
	return err
}
