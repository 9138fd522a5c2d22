package file

import (
	"fmt"
	"io"
	"os"

	"barrow/internal/outfile"
	"barrow/wafer"
)

// Writer writes images to a new file, or to a stream.
type Writer struct {
	wafer.Writer
	file   *outfile.File  // nil for a stream
	packed io.WriteCloser // nil where nothing is compressed
	types  *wafer.Types   // nil where columns are text
	vain   string         // what was asked for that the format does not have
}

// Create starts a file in the format that its ending names, CSV where it names
// none; compressed if .gz or .zst follows. The file appears under its name only by
// Close; without force an existing one is an error.
func Create(path string, force bool, s wafer.WriteSettings) (*Writer, error) {
	inner, packer := unpackedName(path)
	format, err := byEnding(inner)
	if err != nil {
		return nil, err
	}
	f, err := outfile.Create(path, force)
	if err != nil {
		return nil, err
	}
	w := &Writer{file: f, types: typesFor(format)}
	out := io.Writer(f)
	if packer != nil {
		if w.packed, err = packer.pack(f); err != nil {
			w.Abort()
			return nil, err
		}
		out = packedFile{w.packed, f}
	}
	inside, err := format.Create(out, s)
	if err != nil { // and inside is nothing, if not nil
		w.Abort()
		return nil, err
	}
	w.Writer = inside
	if w.Typed() && s.Digits > 0 {
		w.vain = fmt.Sprintf("charges of %d digits behind the decimal point: the format %s keeps numbers as they are", s.Digits, format.Name())
	}
	return w, nil
}

// Text tells whether a file of this name is lines of text, compressed or not.
func Text(path string) bool {
	inner, _ := unpackedName(path)
	format, err := byEnding(inner)
	return err == nil && typesFor(format) == nil
}

// Packed tells whether a file of this name is compressed.
func Packed(path string) bool { _, p := unpackedName(path); return p != nil }

// typesFor is nil for formats whose columns are text.
func typesFor(f wafer.Creator) *wafer.Types {
	if _, ok := f.(wafer.Untyped); ok {
		return nil
	}
	return &wafer.Types{}
}

// Typed reports whether columns must be of one kind throughout, so that it helps to
// look all images through first: see SetTypes.
func (w *Writer) Typed() bool { return w.types != nil }

// SetTypes says what kinds the columns have, by images that were looked through;
// otherwise the first ones written decide.
func (w *Writer) SetTypes(t *wafer.Types) { w.types = t }

// Write writes the images of a set, its columns as the format has them.
func (w *Writer) Write(s *wafer.Set) error {
	if w.types != nil {
		var err error
		if s, err = w.types.Apply(s); err != nil {
			return err
		}
	}
	return w.Writer.Write(s)
}

// packedFile is a compressed output with the room beside it that formats may need.
type packedFile struct {
	io.Writer
	file *outfile.File
}

// Spool makes a temporary file beside the output: see outfile.File.
func (p packedFile) Spool() (*os.File, error) { return p.file.Spool() }

// NewWriter starts writing CSV to a stream.
func NewWriter(out io.Writer, s wafer.WriteSettings) (*Writer, error) {
	format, err := usual()
	if err != nil {
		return nil, err
	}
	w, err := format.Create(out, s)
	if err != nil {
		return nil, err
	}
	return &Writer{Writer: w, types: typesFor(format)}, nil
}

// Spool makes a temporary file for what is to be written later, where the output has
// room for it. The caller closes and removes it.
func (w *Writer) Spool() (*os.File, error) {
	if w.file == nil {
		return os.CreateTemp("", "barrow-*")
	}
	return w.file.Spool()
}

// Temporary is the name that the file has until Close, "" where it has none: for whoever
// clears up after a process that was killed.
func (w *Writer) Temporary() string {
	if w.file == nil {
		return ""
	}
	return w.file.Temporary()
}

// Close completes the file and puts it in its place.
func (w *Writer) Close() error {
	err := w.Writer.Close()
	if err == nil && w.packed != nil {
		err = w.packed.Close()
	}
	if err != nil {
		w.Abort()
		return err
	}
	if w.file == nil {
		return nil
	}
	return w.file.Commit()
}

// Lost says what of the images written so far the file cannot hold: see
// wafer.Loser.
func (w *Writer) Lost() []string {
	var lost []string
	if w.vain != "" {
		lost = append(lost, w.vain)
	}
	if l, ok := w.Writer.(wafer.Loser); ok {
		lost = append(lost, l.Lost()...)
	}
	return lost
}

// Abort throws the file away; after Close it does nothing.
func (w *Writer) Abort() {
	if a, ok := w.Writer.(wafer.Aborter); ok {
		a.Abort()
	}
	if w.file != nil {
		w.file.Abort()
	}
}

// WriteAll writes a set to a file.
func WriteAll(path string, force bool, set *wafer.Set, s wafer.WriteSettings) error {
	w, err := Create(path, force, s)
	if err != nil {
		return err
	}
	defer w.Abort()
	if err := w.Write(set); err != nil {
		return err
	}
	return w.Close()
}
