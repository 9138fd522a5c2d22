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
	"strings"

	"barrow/autoencoder"
	"barrow/internal/npz"
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
// vectors.npz (images, what the encoder takes of them and its outputs, to the
// bit) and README.txt, which says what the files expect. It returns their paths.
// Without force a file that is there is an error, before anything is written.
func Export(ctx context.Context, m *autoencoder.Model, format, dir string, force bool) ([]string, error) {
	f, err := exporter(format)
	if err != nil {
		return nil, err
	}
	view, err := model.Of(m)
	if err != nil {
		return nil, err
	}
	if f.Check != nil {
		if err := f.Check(view); err != nil {
			return nil, fmt.Errorf("model: %w", err)
		}
	}
	files, err := f.Export(ctx, view)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	v, err := view.Vectors(ctx, VectorCount)
	if err != nil {
		return nil, err
	}
	if err := prepare(dir, files, force); err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return writeAll(dir, files, view, v, f)
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
func prepare(dir string, files []model.File, force bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, name := range append(names(files), vectors, readme) {
		if err := outfile.Check(filepath.Join(dir, name), force); err != nil {
			return err
		}
	}
	return nil
}

func names(files []model.File) []string {
	var out []string
	for _, f := range files {
		out = append(out, f.Name)
	}
	return out
}

// writeAll writes the README last: a folder that has it is complete.
func writeAll(dir string, files []model.File, m *model.Model, v *model.Vectors, f *model.Format) (paths []string, err error) {
	if err := os.Remove(filepath.Join(dir, readme)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("model: %w", err)
	}
	add := func(name string, write func(path string) error) {
		path := filepath.Join(dir, name)
		if err == nil {
			err = write(path)
		}
		paths = append(paths, path)
	}
	whole := func(data []byte) func(path string) error {
		return func(path string) error {
			return outfile.Write(path, true, func(w io.Writer) error {
				_, err := w.Write(data)
				return err
			})
		}
	}
	for _, file := range files {
		add(file.Name, whole(file.Data))
	}
	add(vectors, func(path string) error { return writeVectors(path, m, v) })
	add(readme, whole(describe(files, m, f)))
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return paths, nil
}

func writeVectors(path string, m *model.Model, v *model.Vectors) error {
	s := m.Encoder().Shape
	w, err := npz.Create(path, true,
		npz.Array{Name: "charge", Type: npz.Float64, Row: []int{autoencoder.Cells}},
		npz.Array{Name: "x", Type: npz.Float32, Row: []int{s.H, s.W, s.C}},
		npz.Array{Name: "latent", Type: npz.Float32, Row: []int{autoencoder.Latent}})
	if err != nil {
		return err
	}
	defer w.Abort()
	for _, a := range []struct {
		name   string
		values any
	}{{"charge", v.Charge}, {"x", v.X}, {"latent", v.Latent}} {
		if err := w.Append(a.name, a.values); err != nil {
			return err
		}
	}
	return w.Commit()
}

// describe is the README.
func describe(files []model.File, m *model.Model, f *model.Format) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "An encoder of wafer images, exported by Barrow as %s.\n\n", f.About)
	for _, file := range files {
		fmt.Fprintf(&b, "%s\n    %s\n\n", file.Name, strings.ReplaceAll(file.About, "\n", "\n    "))
	}
	fmt.Fprintf(&b, `%s
    %d test vectors as NumPy arrays: charge (whole counts, V9 order), x (the image as the encoder takes it, channels
    last) and latent (the 16 outputs, exactly).

`, vectors, VectorCount)
	fmt.Fprintln(&b, m.Encoder().Contract)
	return b.Bytes()
}
