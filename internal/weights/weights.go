// Package weights is the file that trained networks are kept in: a zip archive,
// stored without compression, that begins with a description in JSON,
// barrow-KIND.json, and goes on with an entry NAME.npy for every array, in
// NumPy's format. numpy.load opens it. Equal content gives equal bytes.
//
// Every entry has a checksum (CRC-32), and the description lists the arrays, so
// that a changed bit is found; sizes are held against that of the file before
// memory is taken.
package weights

import (
	"archive/zip"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"barrow/internal/npz"
	"barrow/internal/sniff"
)

// The kinds of files there are.
const (
	Network   = "network"   // of package nn, perhaps with its training
	Potential = "potential" // of package surrogate: two networks and a metric
)

// ErrUnusable is wrapped by every error about a file's content.
var ErrUnusable = errors.New("not a usable weights file")

// An Array is one named array. On writing, Type is that of Data ("" is
// [npz.Float32]; [npz.Float16] rounds) or, where Wide is set, [npz.Float64].
type Array struct {
	Name  string
	Type  npz.Type
	Shape []int
	Data  []float32 // of float32 and float16 arrays
	Wide  []float64 // of float64 arrays
}

// A File is what a weights file holds.
type File struct {
	Kind   string
	About  any // the description, on writing
	Arrays []Array

	about json.RawMessage // the description, as read
}

// version is that of the format.
const version = 1

// A description is the first entry.
type description struct {
	Version int             `json:"version"`
	About   json.RawMessage `json:"about"`
	Arrays  []string        `json:"arrays"` // names, in the order of the file
}

// entryName is the name of the description's entry.
func entryName(kind string) string { return "barrow-" + kind + ".json" }

// Write writes the file.
func (f *File) Write(w io.Writer) error {
	d := description{Version: version}
	for _, a := range f.Arrays {
		d.Arrays = append(d.Arrays, a.Name)
	}
	var err error
	if d.About, err = json.Marshal(f.About); err != nil {
		return fmt.Errorf("the description: %w", err)
	}
	about, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("the description: %w", err)
	}
	z := zip.NewWriter(w)
	if err := store(z, entryName(f.Kind), about); err != nil {
		return err
	}
	var b []byte
	for _, a := range f.Arrays {
		var values any = a.Data
		switch {
		case a.Wide != nil:
			a.Type, values = npz.Float64, a.Wide
		case a.Type == "":
			a.Type = npz.Float32
		}
		if b, err = npz.Encode(b[:0], a.Type, a.Shape, values); err != nil {
			return fmt.Errorf("array %s: %w", a.Name, err)
		}
		if err := store(z, a.Name+".npy", b); err != nil {
			return err
		}
	}
	return z.Close()
}

func store(z *zip.Writer, name string, content []byte) error {
	e, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Store})
	if err != nil {
		return err
	}
	_, err = e.Write(content)
	return err
}

// fixedHeader is the length of a zip entry's header before its name; the name's
// length is given at nameLength.
const (
	fixedHeader = 30
	nameLength  = 26
)

// KindOf tells the kind of a weights file from its beginning, or "" of any other
// file.
func KindOf(head []byte) string {
	if !bytes.HasPrefix(head, []byte("PK\x03\x04")) || len(head) < fixedHeader {
		return ""
	}
	name := head[fixedHeader:]
	if n := int(binary.LittleEndian.Uint16(head[nameLength:])); n <= len(name) {
		name = name[:n]
	}
	for _, kind := range []string{Network, Potential} {
		if string(name) == entryName(kind) {
			return kind
		}
	}
	return ""
}

// Open reads a file of the wanted kind. Errors name it, and say what a file of
// another sort looks like; those about its content wrap ErrUnusable.
func Open(path, kind string) (*File, error) {
	head, err := sniff.Head(path)
	if err != nil {
		return nil, err
	}
	if got := KindOf(head); got != kind {
		return nil, fmt.Errorf("%s: %w: %s", path, ErrUnusable, looks(got, head))
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	info, err := in.Stat()
	if err != nil {
		return nil, err
	}
	f, err := read(in, info.Size(), kind)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

func looks(kind string, head []byte) string {
	switch kind {
	case Network:
		return "it holds a network, but not one of potentials"
	case Potential:
		return "it holds a network of potentials, which estimates distances"
	}
	return sniff.Looks(head)
}

// Decode reads a file of the wanted kind from memory. Its errors wrap
// ErrUnusable.
func Decode(b []byte, kind string) (*File, error) {
	if got := KindOf(b); got != kind {
		return nil, fmt.Errorf("%w: %s", ErrUnusable, looks(got, b[:min(len(b), 512)]))
	}
	return read(bytes.NewReader(b), int64(len(b)), kind)
}

// read reads a file of the wanted kind and size. Its errors wrap ErrUnusable.
func read(r io.ReaderAt, size int64, kind string) (*File, error) {
	f, err := parse(r, size, kind)
	if err != nil {
		return nil, fmt.Errorf("%w: %w; copy it again, or make it anew", ErrUnusable, err)
	}
	return f, nil
}

func parse(r io.ReaderAt, size int64, kind string) (*File, error) {
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("it is cut off or damaged: %w", err)
	}
	// An archive may list a part of itself many times over.
	left := uint64(size)
	for _, e := range z.File {
		if e.Method != zip.Store || e.UncompressedSize64 != e.CompressedSize64 || e.UncompressedSize64 > left {
			return nil, fmt.Errorf("its entry %q is compressed or larger than the file: not written by Barrow", e.Name)
		}
		left -= e.UncompressedSize64
	}
	if len(z.File) == 0 || z.File[0].Name != entryName(kind) {
		return nil, fmt.Errorf("it does not begin with the entry %s", entryName(kind))
	}
	d, err := describe(z.File[0])
	if err != nil {
		return nil, err
	}
	f := &File{Kind: kind, about: d.About}
	for _, e := range z.File[1:] {
		a, err := array(e)
		if err != nil {
			return nil, err
		}
		if k := len(f.Arrays); k == len(d.Arrays) || a.Name != d.Arrays[k] {
			return nil, fmt.Errorf("its array %q is not where its description has it: the file is damaged", a.Name)
		}
		f.Arrays = append(f.Arrays, a)
	}
	if len(f.Arrays) != len(d.Arrays) {
		return nil, fmt.Errorf("it has %d arrays, its description %d: the file is damaged", len(f.Arrays), len(d.Arrays))
	}
	return f, nil
}

func describe(e *zip.File) (description, error) {
	var d description
	b, err := content(e)
	if err != nil {
		return d, err
	}
	if err := json.Unmarshal(b, &d); err != nil {
		return d, fmt.Errorf("its description is damaged: %w", err)
	}
	if d.Version != version {
		return d, fmt.Errorf("it is of version %d; this program reads version %d", d.Version, version)
	}
	return d, nil
}

// content is an entry whole, its checksum compared.
func content(e *zip.File) ([]byte, error) {
	in, err := e.Open()
	if err != nil {
		return nil, fmt.Errorf("its entry %q: %w", e.Name, err)
	}
	defer in.Close()
	b := make([]byte, e.UncompressedSize64)
	if _, err = io.ReadFull(in, b); err == nil {
		_, err = in.Read(make([]byte, 1)) // the checksum is compared at the end
	}
	if err != nil && err != io.EOF {
		return nil, fmt.Errorf("its entry %q: %w", e.Name, err)
	}
	return b, nil
}

func array(e *zip.File) (Array, error) {
	name, ok := strings.CutSuffix(e.Name, ".npy")
	if !ok {
		return Array{}, fmt.Errorf("its entry %q is no array", e.Name)
	}
	b, err := content(e)
	if err != nil {
		return Array{}, err
	}
	r, err := npz.NewReader(bytes.NewReader(b), int64(len(b)), fmt.Sprintf("its array %q", name))
	if err != nil {
		return Array{}, err
	}
	defer r.Close()
	a := Array{Name: name, Type: r.Type(), Shape: r.Shape}
	if a.Type != npz.Float64 && a.Type != npz.Float32 && a.Type != npz.Float16 {
		return Array{}, fmt.Errorf("its array %q holds items of type %s", name, r.Type())
	}
	values, err := r.All()
	if err != nil {
		return Array{}, err
	}
	if a.Type == npz.Float64 {
		a.Wide = values
		return a, nil
	}
	a.Data = make([]float32, len(values))
	for i, v := range values {
		a.Data[i] = float32(v)
	}
	return a, nil
}

// Describe sets about to what the file's description says.
func (f *File) Describe(about any) error {
	if err := json.Unmarshal(f.about, about); err != nil {
		return fmt.Errorf("%w: its description is damaged: %w", ErrUnusable, err)
	}
	return nil
}
