package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"barrow/internal/outfile"
	"barrow/model"
)

// VectorCount is how many test vectors an export has.
const VectorCount = 128

// The files that every export has beside those of its format.
const (
	readme  = "README.txt"
	vectors = "vectors.npz"
)

// Exports names the formats that are written.
func Exports() []string {
	var names []string
	for _, f := range Formats() {
		if f.Export != nil {
			names = append(names, f.Name)
		}
	}
	return names
}

// Export writes the model into a folder in the named format: the format's files,
// test vectors (vectors.npz, and each of its arrays as a CSV file) and README.txt,
// which says what the files expect. It returns their paths. Without force a file
// that is there is an error, before anything is written.
func Export(ctx context.Context, m *model.Model, format, dir string, force bool) ([]string, error) {
	f, err := exporter(format)
	if err != nil {
		return nil, err
	}
	e, err := makeExport(ctx, m, f)
	if err != nil {
		return nil, err
	}
	if err := e.prepare(dir, force); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return e.write(dir)
}

// makeExport makes what goes into a folder.
// Weights and results that are no numbers are errors, whatever the format.
func makeExport(ctx context.Context, m *model.Model, f *model.Format) (*export, error) {
	if err := finiteWeights(m); err != nil {
		return nil, err
	}
	if f.Check != nil {
		if err := f.Check(m); err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
	}
	v, err := m.Vectors(ctx, VectorCount)
	if err != nil {
		return nil, err
	}
	if err := finiteVectors(ctx, m, v); err != nil {
		return nil, err
	}
	files, err := f.Export(ctx, m)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	if f.Vectors != nil {
		more, err := f.Vectors(ctx, m, v)
		if err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
		v = append(v, more...)
	}
	return &export{f, m, append(files, m.Beside()...), v}, nil
}

// An export is what goes into a folder.
type export struct {
	format  *model.Format
	model   *model.Model
	files   []model.File
	vectors model.Vectors
}

func exporter(name string) (*model.Format, error) {
	for _, f := range Formats() {
		switch {
		case f.Name != name:
		case f.Export == nil:
			return nil, fmt.Errorf("model: format %q is read and not written; written are %s", name, strings.Join(Exports(), ", "))
		default:
			return &f, nil
		}
	}
	return nil, fmt.Errorf("model: format %q: the formats that are written are %s", name, strings.Join(Exports(), ", "))
}

// prepare makes the folder and checks that every file can be written.
func (e *export) prepare(dir string, force bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range e.names() {
		if err := outfile.Check(filepath.Join(dir, name), force); err != nil {
			return err
		}
	}
	return nil
}

// names are those of all files, in the order in which they are written: the README
// last, so that a folder that has it is complete.
func (e *export) names() []string {
	var out []string
	for _, f := range e.files {
		out = append(out, f.Name)
	}
	out = append(out, vectors)
	for _, v := range e.vectors {
		out = append(out, csvName(v))
	}
	return append(out, readme)
}

func csvName(v model.Vector) string { return "vectors_" + v.Name + ".csv" }

func (e *export) write(dir string) ([]string, error) {
	if err := os.Remove(filepath.Join(dir, readme)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("model: %w", err)
	}
	var contents []func(path string) error
	for _, f := range e.files {
		contents = append(contents, whole(f.Data))
	}
	contents = append(contents, func(path string) error { return writeArrays(path, true, e.vectors) })
	for _, v := range e.vectors {
		contents = append(contents, whole(csv(v)))
	}
	contents = append(contents, whole(e.describe()))
	var paths []string
	for i, name := range e.names() {
		path := filepath.Join(dir, name)
		if err := contents[i](path); err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
		paths = append(paths, path)
	}
	return paths, nil
}

func whole(data []byte) func(path string) error {
	return func(path string) error {
		return outfile.Write(path, true, func(w io.Writer) error {
			_, err := w.Write(data)
			return err
		})
	}
}

// csv has a row a sample, without a header. Nine digits keep 32-bit numbers
// exactly, and counts below 10^9.
func csv(v model.Vector) []byte {
	n, size := v.Rows()
	var b []byte
	for i := range n {
		for j, x := range v.Data[i*size : (i+1)*size] {
			if j > 0 {
				b = append(b, ',')
			}
			b = strconv.AppendFloat(b, x, 'g', 9, 64)
		}
		b = append(b, '\n')
	}
	return b
}

// describe is the README.
func (e *export) describe() []byte {
	var b bytes.Buffer
	what := "A network that estimates the EMD of two wafer images"
	switch m := e.model; {
	case m.Part("whole") != nil:
		what = "An autoencoder of wafer images"
	case m.Encoder() != nil:
		what = "An encoder of wafer images"
	case m.Part("shares") != nil:
		what = "A decoder of the trigger chip's frames"
	case m.Part("decoder") != nil:
		what = "A decoder of wafer images"
	}
	fmt.Fprintf(&b, "%s, exported by Barrow as %s.\n\n", what, e.format.About)
	for _, file := range e.files {
		fmt.Fprintf(&b, "%s\n    %s\n\n", file.Name, strings.ReplaceAll(file.About, "\n", "\n    "))
	}
	fmt.Fprintf(&b, "%s\n    %d test vectors as NumPy arrays, and each array as a CSV file, a row a vector, channels last:\n", vectors, VectorCount)
	for _, v := range e.vectors {
		fmt.Fprintf(&b, "    %-10s %-14s %s\n", v.Name, shape(v.Shape), v.About)
	}
	fmt.Fprintf(&b, "\n%s\n", e.model)
	return b.Bytes()
}

// shape is one as in 128x8x8x1.
func shape(dims []int) string {
	return strings.Join(strings.Fields(strings.Trim(fmt.Sprint(dims), "[]")), "x")
}
