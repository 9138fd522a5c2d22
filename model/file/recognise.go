package file

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"barrow/model"
	"barrow/run"
)

// A kind is whose a file is.
type kind int

const (
	foreign kind = iota
	barrowNetwork
	barrowPotential
)

// wanted is what an error says beside what a file is.
const wanted = "wanted is a run's folder, a weights file of Barrow (*" + run.WeightsEnding + ") or a Keras model (.h5, or .json with its weights beside it)"

// largest is the size of the largest file of weights that is opened, in bytes:
// hundreds of times that of any network here.
const largest = 2 << 30

// recognise tells by content whose a file is, and in which format one of another
// program. Errors say what the file looks like, and what is wanted.
func recognise(path string) (kind, *model.Format, error) {
	head, err := beginning(path)
	if err != nil {
		return 0, nil, fmt.Errorf("model: %w", err)
	}
	switch {
	case bytes.HasPrefix(head, []byte("BARROWNN")):
		return barrowNetwork, nil, nil
	case bytes.HasPrefix(head, []byte("BARROWPT")):
		return barrowPotential, nil, nil
	}
	for _, f := range Formats() {
		if f.Recognise != nil && f.Recognise(head) {
			return foreign, &f, nil
		}
	}
	return 0, nil, fmt.Errorf("model: %s: %s; %s", path, looks(head), wanted)
}

// beginning is the first 512 bytes of a regular file of a sensible size.
func beginning(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	switch {
	case info.IsDir():
		return nil, fmt.Errorf("%s: a folder; %s", path, wanted)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: a device or a pipe; %s", path, wanted)
	case info.Size() > largest:
		return nil, fmt.Errorf("%s: %d bytes, more than any model here has (at most %d are read); %s", path, info.Size(), int64(largest), wanted)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 512)
	n, err := io.ReadFull(f, head)
	if err != nil && n == 0 && info.Size() > 0 {
		return nil, err
	}
	return head[:n], nil
}

// looks says what a file seems to be.
func looks(head []byte) string {
	is := func(prefix string) bool { return bytes.HasPrefix(head, []byte(prefix)) }
	switch text := strings.TrimSpace(string(head)); {
	case len(head) == 0:
		return "the file is empty"
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

// losses lists what encoders were trained with, by their files' names.
func losses(paths []string) string {
	var names []string
	for _, p := range paths {
		name := strings.TrimSuffix(filepath.Base(p), run.WeightsEnding)
		names = append(names, strings.TrimPrefix(name, run.EncoderWeights))
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}
