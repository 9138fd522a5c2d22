// Package sniff says what a file seems to be, for errors about one that is not
// what was wanted.
package sniff

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
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

// Looks says what a file that begins with head seems to be.
func Looks(head []byte) string {
	is := func(prefix string) bool { return bytes.HasPrefix(head, []byte(prefix)) }
	switch text := strings.TrimSpace(string(head)); {
	case len(head) == 0:
		return "the file is empty"
	case is("BARROWNN"), is("BARROWPT"):
		return "a weights file of Barrow from before its first release, which is not read any more: train the network again"
	case is("\x89HDF"):
		return "an HDF5 file"
	case is("PK\x03\x04"):
		return "a zip file (Keras 3 writes .keras files so; NumPy .npz files)"
	case is("\x93NUMPY"):
		return "a NumPy array (.npy)"
	case is("root"):
		return "a ROOT file"
	case is("PAR1"):
		return "a Parquet file"
	case is("\x1f\x8b"):
		return "a gzip file: unpack it first"
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
