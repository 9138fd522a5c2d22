package rntuple

import (
	"io"
	"os"

	"barrow/internal/outfile"
)

// output is where a file is written: one byte after the other, and at the end those at
// its beginning once more, as a ROOT file's header has the sizes of all.
type output interface {
	io.Writer
	io.WriterAt
	// finish is called when all is written, discard when nothing more will be.
	finish() error
	discard()
}

// regular is an output file of the house.
type regular interface {
	io.Writer
	io.WriterAt
	Regular() bool
}

// newOutput writes to out directly where that is possible, else to a temporary file,
// which is beside out's own file if out knows where that is.
func newOutput(out io.Writer) (output, error) {
	if r, ok := out.(regular); ok && r.Regular() {
		return direct{r}, nil
	}
	f, err := outfile.Spool(out)
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name()) // at once where the system lets go of a name in use, so that nothing can leave it behind
	return &spooled{File: f, out: out}, nil
}

type direct struct{ regular }

func (direct) finish() error { return nil }
func (direct) discard()      {}

// spooled is a temporary file that goes to out when it is complete.
type spooled struct {
	*os.File
	out  io.Writer
	gone bool
}

func (s *spooled) finish() error {
	_, err := s.Seek(0, io.SeekStart)
	if err == nil {
		_, err = io.Copy(s.out, s.File)
	}
	return err
}

func (s *spooled) discard() {
	if !s.gone {
		s.gone = true
		s.Close()
		os.Remove(s.Name())
	}
}
