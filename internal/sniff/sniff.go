// Package sniff says what a file seems to be, for errors about one that is not
// what was wanted.
package sniff

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"
)

// headSize is how much of a file is looked at.
const headSize = 512

// Head is the first 512 bytes of a file, or all of a shorter one. Folders,
// devices and pipes are errors: nothing is read from them.
func Head(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, fmt.Errorf("%s: a folder", path)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: a device or a pipe", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, headSize)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	return head[:n], nil
}

// A format is one of other programs' files.
type format struct {
	what    string
	at      int // where in a file
	magic   string
	endings []string
	packed  bool // another file, compressed
}

var formats = []format{
	{what: "an HDF5 file", magic: "\x89HDF\r\n\x1a\n", endings: []string{".h5", ".hdf5", ".hdf"}},
	{what: "a zip file, as NumPy's .npz and Keras 3's .keras are", magic: "PK\x03\x04", endings: []string{".npz", ".zip", ".keras", ".xlsx"}},
	{what: "a NumPy array", magic: "\x93NUMPY", endings: []string{".npy"}},
	{what: "a ROOT file", magic: "root\x00", endings: []string{".root"}},
	{what: "a Parquet file", magic: "PAR1", endings: []string{".parquet", ".pq"}},
	{what: "a Feather file", magic: "ARROW1", endings: []string{".feather", ".arrow"}},
	{what: "a Python pickle", magic: "\x80", endings: []string{".pkl", ".pickle"}},
	{what: "a file compressed by gzip", magic: "\x1f\x8b", endings: []string{".gz"}, packed: true},
	{what: "a file compressed by Zstandard", magic: "\x28\xb5\x2f\xfd", endings: []string{".zst"}, packed: true},
	{what: "a file compressed by bzip2", at: 4, magic: "1AY&SY", endings: []string{".bz2"}, packed: true},
	{what: "a file compressed by xz", magic: "\xfd7zXZ\x00", endings: []string{".xz"}, packed: true},
}

// ByEnding says what files are whose names end so (".npz"), "" where that is not
// known.
func ByEnding(ending string) string {
	for _, f := range formats {
		if slices.Contains(f.endings, ending) {
			return f.what
		}
	}
	return ""
}

// Looks says what a file that begins with head seems to be.
func Looks(head []byte) string {
	for _, f := range formats {
		if len(head) > f.at && bytes.HasPrefix(head[f.at:], []byte(f.magic)) {
			if f.packed {
				return f.what + ": unpack it first"
			}
			return f.what
		}
	}
	is := func(prefix string) bool { return bytes.HasPrefix(head, []byte(prefix)) }
	switch text := strings.TrimSpace(string(head)); {
	case len(head) == 0:
		return "the file is empty"
	case is("BARROWNN"), is("BARROWPT"):
		return "a weights file of Barrow from before its first release, which is not read any more: train the network again"
	case len(bytes.Trim(head, "\x00")) == 0:
		return "the file begins with nothing but zero bytes"
	case !printable(head):
		return "a binary file of a kind that is not known here"
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		return "a JSON file"
	case strings.Contains(strings.SplitN(text, "\n", 2)[0], ","):
		return "text with commas, such as a CSV file of images"
	case strings.Contains(text, ":"):
		return "a text file, such as YAML of registers or a configuration"
	}
	return "a text file"
}

// printable reports whether bytes are text, of which the last character may be
// cut.
func printable(head []byte) bool {
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n <= 1 && utf8.FullRune(head) {
			return false
		}
		if r < ' ' && !strings.ContainsRune("\t\r\n\f", r) {
			return false
		}
		head = head[n:]
	}
	return true
}
