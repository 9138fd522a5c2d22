package npz

import (
	"archive/zip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// A File is an archive open for reading.
type File struct {
	archive *zip.ReadCloser
	path    string
}

// Open opens an archive.
func Open(path string) (*File, error) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil, fmt.Errorf("%s: not an NPZ file: %w", path, err)
	}
	return &File{z, path}, nil
}

// Close closes the archive.
func (f *File) Close() error { return f.archive.Close() }

// Names lists the arrays in the order of the file.
func (f *File) Names() []string {
	var names []string
	for _, e := range f.archive.File {
		if name, ok := strings.CutSuffix(e.Name, ".npy"); ok {
			names = append(names, name)
		}
	}
	return names
}

// A Stream reads the numbers of one array.
type Stream struct {
	Type  Type
	Shape []int // with the number of rows in front; none for a single number
	in    io.ReadCloser
	where string
	left  int // numbers
	bytes []byte
}

// Array begins to read an array, which must be C-ordered and hold little-endian
// integers, float32, float64 or truth values. It is closed by the caller.
func (f *File) Array(name string) (*Stream, error) {
	for _, e := range f.archive.File {
		if e.Name != name+".npy" {
			continue
		}
		in, err := e.Open()
		if err != nil {
			return nil, fmt.Errorf("%s: array %s: %w", f.path, name, err)
		}
		s, err := NewStream(in, int64(e.UncompressedSize64), f.path+": array "+name)
		if err != nil {
			in.Close()
			return nil, err
		}
		return s, nil
	}
	return nil, fmt.Errorf("%s: no array %s; there are %s", f.path, name, strings.Join(f.Names(), ", "))
}

// NewStream begins to read an array from an entry of so many bytes. Errors begin
// with where.
func NewStream(in io.ReadCloser, size int64, where string) (*Stream, error) {
	s := &Stream{in: in, where: where}
	if err := s.readHeader(size); err != nil {
		return nil, fmt.Errorf("%s: %w", where, err)
	}
	return s, nil
}

// The text of a header is a Python dictionary, its keys in any order.
var (
	descrField = regexp.MustCompile(`'descr'\s*:\s*'([^']*)'`)
	orderField = regexp.MustCompile(`'fortran_order'\s*:\s*(True|False)`)
	shapeField = regexp.MustCompile(`'shape'\s*:\s*\(([0-9,\sL]*)\)`)
)

// maxHeader bounds the text, whose length version 2.0 of the format gives in 32
// bits.
const maxHeader = 1 << 16

// readHeader sets type and shape from the start of an entry of so many bytes.
func (s *Stream) readHeader(size int64) error {
	start := make([]byte, len(magic)+4)
	if _, err := io.ReadFull(s.in, start); err != nil || string(start[:len(magic)]) != magic {
		return errors.New("not in NumPy's format")
	}
	length, used := int(binary.LittleEndian.Uint16(start[8:])), int64(len(start))
	if start[6] >= 2 {
		var high [2]byte
		if _, err := io.ReadFull(s.in, high[:]); err != nil {
			return errors.New("the header ends early")
		}
		length |= int(binary.LittleEndian.Uint16(high[:])) << 16
		used += 2
	}
	if length > maxHeader {
		return fmt.Errorf("a header of %d bytes", length)
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(s.in, text); err != nil {
		return errors.New("the header ends early")
	}
	descr, order, shape := descrField.FindSubmatch(text), orderField.FindSubmatch(text), shapeField.FindSubmatch(text)
	if descr == nil || order == nil || shape == nil {
		return fmt.Errorf("header %q: want descr (a plain type), fortran_order and shape", strings.TrimSpace(string(text)))
	}
	s.Type, s.left = Type(descr[1]), 1
	if s.Type.size() == 0 {
		return fmt.Errorf("numbers of type %q; convert them, as with astype('<f8')", s.Type)
	}
	available := (size - used - int64(length)) / int64(s.Type.size())
	for _, word := range strings.FieldsFunc(string(shape[1]), func(r rune) bool { return r < '0' || r > '9' }) {
		n, err := strconv.Atoi(word)
		if err != nil || n > 0 && int64(s.left) > available/int64(n) {
			return fmt.Errorf("shape (%s) needs more numbers than the %d that are there", shape[1], available)
		}
		s.Shape = append(s.Shape, n)
		s.left *= n
	}
	if int64(s.left) > available { // one number of no dimension
		return fmt.Errorf("shape (%s) needs more numbers than the %d that are there", shape[1], available)
	}
	if string(order[1]) == "True" && len(s.Shape) > 1 {
		return errors.New("in Fortran order; convert it with numpy.ascontiguousarray")
	}
	return nil
}

// Read fills out with the next numbers as float64 and returns how many; at the
// end, 0 and io.EOF.
func (s *Stream) Read(out []float64) (int, error) {
	n := min(len(out), s.left)
	if n == 0 && len(out) > 0 {
		return 0, io.EOF
	}
	if need := n * s.Type.size(); cap(s.bytes) < need {
		s.bytes = make([]byte, need)
	}
	b := s.bytes[:n*s.Type.size()]
	if _, err := io.ReadFull(s.in, b); err != nil {
		return 0, fmt.Errorf("%s: %w", s.where, err)
	}
	s.Type.decode(out[:n], b)
	s.left -= n
	return n, nil
}

// Close ends reading.
func (s *Stream) Close() error { return s.in.Close() }
