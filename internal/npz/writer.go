package npz

import (
	"archive/zip"
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"unicode/utf8"

	"barrow/internal/outfile"
)

// An Array describes an array that is written: N rows, N being known only in the
// end, each of the given shape (none: one item a row).
type Array struct {
	Name string
	Type Type
	Row  []int
}

// A Writer collects arrays and writes them as one file. An array's header states N in
// front of the items, so these are spooled to temporary files, and copied behind their
// headers when N is known.
type Writer struct {
	out    io.Writer
	file   *outfile.File // of Create
	bare   bool          // one array without an archive
	arrays []*spool
	words  []word
	bytes  []byte
}

// A word is an array of no dimension that holds a text.
type word struct{ name, text string }

type spool struct {
	Array
	width int // items a row
	rows  int
	chars int // of the longest text
	file  *os.File
	*bufio.Writer
}

// NewWriter starts an archive.
func NewWriter(out io.Writer) *Writer { return &Writer{out: out} }

// NewBare starts an array without an archive.
func NewBare(out io.Writer, a Array) (*Writer, error) {
	w := &Writer{out: out, bare: true}
	return w, w.Add(a)
}

// Create starts a file with the given arrays, in that order, which appears complete or
// not at all. Without force, an existing file is an error.
func Create(path string, force bool, arrays ...Array) (*Writer, error) {
	out, err := outfile.Create(path, force)
	if err != nil {
		return nil, err
	}
	w := &Writer{out: out, file: out}
	for _, a := range arrays {
		if err := w.Add(a); err != nil {
			w.Abort()
			return nil, err
		}
	}
	return w, nil
}

// Add adds an array behind the others.
func (w *Writer) Add(a Array) error {
	s := &spool{Array: a, width: 1}
	for _, n := range a.Row {
		s.width *= n
	}
	if k := a.Type.Kind(); k != Whole && k != Real && a.Type != Text || s.width < 1 || w.find(a.Name) != nil {
		return fmt.Errorf("npz: array %q of type %q and rows of shape %v: unknown type, empty rows or a name used twice", a.Name, string(a.Type), a.Row)
	}
	var err error
	if s.file, err = outfile.Spool(w.out); err != nil {
		return fmt.Errorf("npz: no place for array %q until its length is known: %w", a.Name, err)
	}
	os.Remove(s.file.Name()) // at once where the system lets go of a name in use, so that nothing can leave it behind
	s.Writer = bufio.NewWriterSize(s.file, 1<<16)
	w.arrays = append(w.arrays, s)
	return nil
}

// Word adds an array of no dimension that holds a text, behind all others.
func (w *Writer) Word(name, text string) { w.words = append(w.words, word{name, text}) }

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
	var n int
	var err error
	if text, ok := values.([]string); ok && s.Type == Text {
		n, w.bytes = len(text), s.texts(w.bytes[:0], text)
	} else if w.bytes, err = s.Type.encode(w.bytes[:0], values); err != nil {
		return fmt.Errorf("npz: array %q: %w", name, err)
	} else {
		n = len(w.bytes) / s.Type.size()
	}
	if n%s.width != 0 {
		return fmt.Errorf("npz: array %q: %d items are no whole rows of %d", name, n, s.width)
	}
	s.rows += n / s.width
	if _, err = s.Write(w.bytes); err != nil {
		return fmt.Errorf("npz: array %q: %w", name, err)
	}
	return nil
}

// texts appends texts as they are spooled, each with its length in front.
func (s *spool) texts(b []byte, text []string) []byte {
	for _, v := range text {
		b = append(binary.AppendUvarint(b, uint64(len(v))), v...)
		s.chars = max(s.chars, utf8.RuneCountInString(v))
	}
	return b
}

// maxText bounds the bytes that the texts of an array may take when all are as wide as
// the longest, beyond sixteen times what they have.
const maxText = 1 << 30

// Commit writes what was collected and, of Create, puts the file in place.
func (w *Writer) Commit() error {
	defer w.Abort()
	if err := w.write(); err != nil {
		return err
	}
	err := w.remove()
	if w.file != nil {
		err = errors.Join(w.file.Commit(), err)
	}
	return err
}

func (w *Writer) write() error {
	if w.bare {
		return w.arrays[0].copyTo(w.out)
	}
	archive := zip.NewWriter(w.out)
	for _, s := range w.arrays {
		entry, err := create(archive, s.Name)
		if err != nil {
			return err
		}
		if err := s.copyTo(entry); err != nil {
			return fmt.Errorf("npz: array %q: %w", s.Name, err)
		}
	}
	for _, v := range w.words {
		entry, err := create(archive, v.name)
		if err != nil {
			return err
		}
		chars := max(1, utf8.RuneCountInString(v.text))
		b := header(wide(chars), nil)
		if _, err := entry.Write(widen(b, v.text, chars)); err != nil {
			return err
		}
	}
	return archive.Close()
}

// create makes an entry, stored as numpy.savez does.
func create(archive *zip.Writer, name string) (io.Writer, error) {
	return archive.CreateHeader(&zip.FileHeader{Name: name + ".npy", Method: zip.Store})
}

// copyTo writes header and items.
func (s *spool) copyTo(out io.Writer) error {
	if err := s.Flush(); err != nil {
		return err
	}
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	t := s.Type
	if t == Text {
		s.chars = max(1, s.chars)
		t = wide(s.chars)
	}
	if _, err := out.Write(header(t, append([]int{s.rows}, s.Row...))); err != nil {
		return err
	}
	if s.Type == Text {
		return s.widen(out)
	}
	_, err := io.Copy(out, s.file)
	return err
}

// wide is the type of texts of so many characters.
func wide(chars int) Type { return Type(fmt.Sprintf("%s%d", Text, chars)) }

// widen writes the texts, all of one width.
func (s *spool) widen(out io.Writer) error {
	info, err := s.file.Stat()
	if err != nil {
		return err
	}
	if n := int64(s.rows) * int64(s.width) * int64(s.chars) * 4; s.chars > maxRow/4/s.width || n > maxText && n/16 > info.Size() {
		return fmt.Errorf("one of its texts has %d characters; NumPy gives all %d the room of the longest: leave the column out", s.chars, s.rows)
	}
	in := bufio.NewReaderSize(s.file, 1<<16)
	var text, b []byte
	for range s.rows * s.width {
		n, err := binary.ReadUvarint(in)
		if err != nil {
			return err
		}
		text = slices.Grow(text[:0], int(n))[:n]
		if _, err := io.ReadFull(in, text); err != nil {
			return err
		}
		if b = widen(b, string(text), s.chars); len(b) >= 1<<16 {
			if _, err := out.Write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	_, err = out.Write(b)
	return err
}

// widen appends a text in UTF-32, filled up with zeros.
func widen(b []byte, text string, chars int) []byte {
	to := len(b) + 4*chars
	for _, c := range text {
		b = binary.LittleEndian.AppendUint32(b, uint32(c))
	}
	for len(b) < to {
		b = append(b, 0, 0, 0, 0)
	}
	return b
}

// Abort throws away what is not committed; after Commit it does nothing.
func (w *Writer) Abort() {
	if w.file != nil {
		w.file.Abort()
	}
	w.remove()
}

func (w *Writer) remove() error {
	var err error
	for _, s := range w.arrays {
		if s.file != nil {
			err = errors.Join(err, s.file.Close())
			if gone := os.Remove(s.file.Name()); !errors.Is(gone, fs.ErrNotExist) {
				err = errors.Join(err, gone)
			}
			s.file = nil
		}
	}
	return err
}
