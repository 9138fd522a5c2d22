package npzio

import (
	"bytes"
	"encoding/binary"
	"io"

	"barrow/internal/npz"
	"barrow/wafer"
)

// Archive is .npz as one of the formats of wafer files.
type Archive struct{}

// Array is .npy as one of the formats of wafer files.
type Array struct{}

var (
	_ wafer.Creator   = Archive{}
	_ wafer.Inspector = Archive{}
	_ wafer.Creator   = Array{}
	_ wafer.Inspector = Array{}
)

// Name is npz.
func (Archive) Name() string { return "npz" }

// Name is npy.
func (Array) Name() string { return "npy" }

// Endings is .npz.
func (Archive) Endings() []string { return []string{".npz"} }

// Endings is .npy.
func (Array) Endings() []string { return []string{".npy"} }

// Sniff takes ZIP files whose first entry is an array.
func (Archive) Sniff(head []byte) bool {
	const nameLength, fixed = 26, 30 // of an entry's header: where its name's length is, and where the name
	if !bytes.HasPrefix(head, []byte("PK\x03\x04")) || len(head) < fixed {
		return false
	}
	name := head[fixed:]
	n := int(binary.LittleEndian.Uint16(head[nameLength:]))
	return n <= len(name) && bytes.HasSuffix(name[:n], []byte(".npy"))
}

// Sniff takes what begins as arrays do.
func (Array) Sniff(head []byte) bool { return bytes.HasPrefix(head, []byte("\x93NUMPY")) }

// Heeds lists the settings that apply to such files.
func (Archive) Heeds() []string { return []string{"header", "tree"} }

// Open starts reading.
func (Archive) Open(src *wafer.Source, s wafer.ReadSettings) (wafer.FileReader, error) {
	f, err := openArchive(src)
	if err != nil {
		return nil, err
	}
	return open(f, s)
}

// Heeds lists the settings that apply to such files.
func (Array) Heeds() []string { return []string{"header"} }

// Open starts reading.
func (Array) Open(src *wafer.Source, s wafer.ReadSettings) (wafer.FileReader, error) {
	f, err := openArray(src)
	if err != nil {
		return nil, err
	}
	return open(f, s)
}

// Create starts writing.
func (Archive) Create(out io.Writer, s wafer.WriteSettings) (wafer.Writer, error) {
	return newWriter(out, "npz", s)
}

// Create starts writing.
func (Array) Create(out io.Writer, s wafer.WriteSettings) (wafer.Writer, error) {
	return newWriter(out, "npy", s)
}

// file is a file's arrays, to be opened by their number.
type file struct {
	format string
	name   string   // of the file
	arrays []string // "" for one without an archive
	others []string // that are no arrays
	open   func(i int) (*npz.Reader, error)
}

func openArchive(src *wafer.Source) (*file, error) {
	in, size, err := src.File()
	if err != nil {
		return nil, err
	}
	a, err := npz.NewArchive(in, size, "npzio: "+src.Name)
	if err != nil {
		return nil, err
	}
	return &file{"npz", src.Name, a.Names, a.Others, a.Open}, nil
}

func openArray(src *wafer.Source) (*file, error) {
	in, size, err := src.File()
	if err != nil {
		return nil, err
	}
	return &file{"npy", src.Name, []string{""}, nil, func(int) (*npz.Reader, error) {
		return npz.NewReader(in, size, "npzio: "+src.Name)
	}}, nil
}
