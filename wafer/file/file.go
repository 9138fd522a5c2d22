// Package file opens and creates files of wafer images, whatever their format:
// the one place where the formats below package wafer meet.
//
// A file to read is told by its content, by its ending where that is not
// enough; one to write by its ending. Files are streams: memory does not grow
// with them. Several files are read as one set. What a file says of itself (the
// charges' order, their unit, its columns) is in [Reader.Info].
//
// To add a format write a package with a [wafer.Format] and name it in formats.
package file

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"barrow/wafer"
	"barrow/wafer/csvio"
)

// formats are all formats: text first, which is what is written where nothing
// says another one; then those that have a signature.
func formats() []wafer.Format {
	return []wafer.Format{
		csvio.Format{},
	}
}

// Formats lists the names of all formats.
func Formats() []string {
	var names []string
	for _, f := range formats() {
		names = append(names, f.Name())
	}
	return names
}

// Dialects lists what WriteSettings.Dialect may name, format after format.
func Dialects() []string {
	var names []string
	for _, f := range formats() {
		if d, ok := f.(wafer.Dialecter); ok {
			names = append(names, d.Dialects()...)
		}
	}
	return names
}

// sniff finds the format of a file by its beginning and, where several fit, by
// its name's ending.
func sniff(head []byte, name string) (wafer.Format, error) {
	var fit []wafer.Format
	for _, f := range formats() {
		if f.Sniff(head) {
			fit = append(fit, f)
		}
	}
	switch len(fit) {
	case 0:
		what := foreign(head)
		if what == "" {
			what = "neither text nor any other format of wafer images"
		}
		return nil, fmt.Errorf("wafer/file: %s: %s; what is read here is %s", name, what, strings.Join(Formats(), ", "))
	case 1:
		return fit[0], nil
	}
	for _, f := range fit { // a signature that is text, too
		if slices.Contains(f.Endings(), ending(name)) {
			return f, nil
		}
	}
	return fit[len(fit)-1], nil
}

// byEnding finds the format to write a file of that name in.
func byEnding(name string) (wafer.Creator, error) {
	end := ending(name)
	for _, f := range formats() {
		if slices.Contains(f.Endings(), end) {
			if c, ok := f.(wafer.Creator); ok {
				return c, nil
			}
			return nil, fmt.Errorf("wafer/file: %s: files of the format %s are read, not written", name, f.Name())
		}
	}
	for _, s := range signatures {
		if slices.Contains(s.endings, end) {
			return nil, fmt.Errorf("wafer/file: %s: the ending is that of %s: not written here; want a name for %s", name, s.what, strings.Join(Formats(), ", "))
		}
	}
	return usual()
}

// usual is the format of a stream, and of a file whose name says none.
func usual() (wafer.Creator, error) { return formats()[0].(wafer.Creator), nil }

func ending(name string) string { return strings.ToLower(filepath.Ext(name)) }

// signatures are what files of other formats begin with and end in, so that
// errors can name them.
var signatures = []struct {
	what, head string
	endings    []string
}{
	{"a ROOT file", "root", []string{".root"}},
	{"a zip archive, as NumPy's .npz is", "PK\x03\x04", []string{".npz", ".zip", ".xlsx"}},
	{"a NumPy array", "\x93NUMPY", []string{".npy"}},
	{"a Parquet file", "PAR1", []string{".parquet", ".pq"}},
	{"an HDF5 file", "\x89HDF\r\n\x1a\n", []string{".h5", ".hdf5", ".hdf"}},
	{"a file compressed by gzip", "\x1f\x8b", []string{".gz"}},
	{"a file compressed by Zstandard", "\x28\xb5\x2f\xfd", []string{".zst"}},
	{"a file compressed by bzip2", "BZh", []string{".bz2"}},
	{"a file compressed by xz", "\xfd7zXZ\x00", []string{".xz"}},
	{"a Feather file", "ARROW1", []string{".feather", ".arrow"}},
	{"a Python pickle", "\x80", []string{".pkl", ".pickle"}},
}

func foreign(head []byte) string {
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.head)) {
			return s.what
		}
	}
	return ""
}
