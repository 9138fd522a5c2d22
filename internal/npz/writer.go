package npz

import (
	"archive/zip"
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"barrow/internal/outfile"
)

// An Array describes an array that is written: N rows, N being known only in the
// end, each of the given shape (none: one number a row).
type Array struct {
	Name string
	Type Type
	Row  []int
}

// A Writer collects arrays and writes them as one file, which appears complete or
// not at all. An array's header states N in front of the numbers, so these are
// spooled to temporary files, and copied behind their headers when N is known.
type Writer struct {
	out    *outfile.File
	arrays []*spool
	bytes  []byte
}

type spool struct {
	Array
	width int // numbers a row
	rows  int
	file  *os.File
	*bufio.Writer
}

// Create starts a file with the given arrays, in that order. Without force, an
// existing file is an error.
func Create(path string, force bool, arrays ...Array) (*Writer, error) {
	out, err := outfile.Create(path, force)
	if err != nil {
		return nil, err
	}
	w := &Writer{out: out}
	for _, a := range arrays {
		s := &spool{Array: a, width: 1}
		for _, n := range a.Row {
			s.width *= n
		}
		if a.Type.size() == 0 || s.width < 1 || w.find(a.Name) != nil {
			w.Abort()
			return nil, fmt.Errorf("npz: array %q of type %q and rows of shape %v: unknown type, empty rows or a name used twice", a.Name, a.Type, a.Row)
		}
		if s.file, err = out.Spool(); err != nil {
			w.Abort()
			return nil, err
		}
		s.Writer = bufio.NewWriterSize(s.file, 1<<18)
		w.arrays = append(w.arrays, s)
	}
	return w, nil
}

func (w *Writer) find(name string) *spool {
	if i := slices.IndexFunc(w.arrays, func(s *spool) bool { return s.Name == name }); i >= 0 {
		return w.arrays[i]
	}
	return nil
}

// Append adds rows to an array: values is a slice of the array's type
// ([]float64 for Float64, and so on), whole rows one after the other.
func (w *Writer) Append(name string, values any) error {
	s := w.find(name)
	if s == nil {
		return fmt.Errorf("npz: no array %q", name)
	}
	b, err := s.Type.encode(w.bytes[:0], values)
	if err != nil {
		return fmt.Errorf("npz: array %q: %w", name, err)
	}
	w.bytes = b
	n := len(b) / s.Type.size()
	if n%s.width != 0 {
		return fmt.Errorf("npz: array %q: %d numbers are no whole rows of %d", name, n, s.width)
	}
	s.rows += n / s.width
	_, err = s.Write(b)
	return err
}

// Commit writes the archive and puts it in place.
func (w *Writer) Commit() error {
	defer w.Abort()
	archive := zip.NewWriter(w.out)
	for _, s := range w.arrays {
		if err := s.copyTo(archive); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	return errors.Join(w.out.Commit(), w.remove())
}

// copyTo makes an entry, stored as numpy.savez does.
func (s *spool) copyTo(archive *zip.Writer) error {
	if err := s.Flush(); err != nil {
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	entry, err := archive.CreateHeader(&zip.FileHeader{Name: s.Name + ".npy", Method: zip.Store})
	if err != nil {
		return err
	}
	if _, err := entry.Write(header(s.Type, append([]int{s.rows}, s.Row...))); err != nil {
		return err
	}
	_, err = io.Copy(entry, s.file)
	return err
}

// Abort throws away what is not committed; after Commit it does nothing.
func (w *Writer) Abort() {
	w.out.Abort()
	w.remove()
}

func (w *Writer) remove() error {
	var err error
	for _, s := range w.arrays {
		if s.file != nil {
			err = errors.Join(err, s.file.Close(), os.Remove(s.file.Name()))
			s.file = nil
		}
	}
	return err
}
