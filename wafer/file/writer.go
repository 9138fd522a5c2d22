package file

import (
	"io"

	"barrow/internal/outfile"
	"barrow/wafer"
)

// Writer writes images to a new file, or to a stream.
type Writer struct {
	wafer.Writer
	file *outfile.File // nil for a stream
}

// Create starts a file in the format that its ending names, CSV where it names
// none. The file appears under its name only by Close; without force an existing
// one is an error.
func Create(path string, force bool, s wafer.WriteSettings) (*Writer, error) {
	format, err := byEnding(path)
	if err != nil {
		return nil, err
	}
	f, err := outfile.Create(path, force)
	if err != nil {
		return nil, err
	}
	w, err := format.Create(f, s)
	if err != nil {
		f.Abort()
		return nil, err
	}
	return &Writer{w, f}, nil
}

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
	return &Writer{w, nil}, nil
}

// Close completes the file and puts it in its place.
func (w *Writer) Close() error {
	if err := w.Writer.Close(); err != nil {
		w.Abort()
		return err
	}
	if w.file == nil {
		return nil
	}
	return w.file.Commit()
}

// Abort throws the file away; after Close it does nothing.
func (w *Writer) Abort() {
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
