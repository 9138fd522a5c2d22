package file

import (
	"archive/zip"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"barrow/internal/npz"
	"barrow/internal/outfile"
	"barrow/model"
)

// writeArrays writes arrays into one file of NumPy's. Without force an existing file
// is an error.
func writeArrays(path string, force bool, arrays model.Vectors) error {
	return outfile.Write(path, force, func(w io.Writer) error {
		archive := zip.NewWriter(w)
		for _, a := range arrays {
			b, err := encode(a.Array)
			if err != nil {
				return fmt.Errorf("array %s: %w", a.Name, err)
			}
			entry, err := archive.Create(a.Name + ".npy")
			if err != nil {
				return err
			}
			if _, err := entry.Write(b); err != nil {
				return err
			}
		}
		return archive.Close()
	})
}

// encode is an array as an entry of NumPy's archives.
func encode(a *model.Array) ([]byte, error) {
	switch a.Type {
	case model.Float64:
		return npz.Encode(nil, npz.Float64, a.Shape, a.Data)
	case model.Int64:
		whole := make([]int64, len(a.Data))
		for i, v := range a.Data {
			whole[i] = int64(v)
		}
		return npz.Encode(nil, npz.Int64, a.Shape, whole)
	}
	return npz.Encode(nil, npz.Float32, a.Shape, a.Float32s())
}

// inputs takes from a file of NumPy's, x.npz say, what a model's inputs are called
// there: x, x1, x2 and so on, or the names that the model has for them.
func inputs(path string, ports []model.Port) ([]*model.Array, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	archive, err := npz.NewArchive(f, info.Size(), path)
	if err != nil {
		return nil, err
	}
	var in []*model.Array
	for i, p := range ports {
		at := slices.Index(archive.Names, inputName(i))
		if at < 0 {
			at = slices.Index(archive.Names, p.Name)
		}
		if at < 0 {
			return nil, fmt.Errorf("%s: no array %s for the model's input %s of the shape %s; it has %s", path, inputName(i), p.Name, lengths(p.Shape), strings.Join(archive.Names, ", "))
		}
		a, err := readArray(archive, at)
		if err != nil {
			return nil, err
		}
		in = append(in, a)
	}
	return in, nil
}

// inputName is x, x1, x2 and so on.
func inputName(i int) string {
	if i == 0 {
		return "x"
	}
	return "x" + strconv.Itoa(i)
}

// lengths is a shape as in (N, 8, 8, 1).
func lengths(shape []int) string {
	words := make([]string, len(shape))
	for i, n := range shape {
		if words[i] = strconv.Itoa(n); n < 0 {
			words[i] = "N"
		}
	}
	return "(" + strings.Join(words, ", ") + ")"
}

func readArray(archive *npz.Archive, at int) (*model.Array, error) {
	r, err := archive.Open(at)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	a := &model.Array{Shape: slices.Clone(r.Shape)}
	switch t := r.Type(); {
	case t.Kind() == npz.Whole:
		a.Type = model.Int64
	case strings.HasSuffix(string(t), "f8"):
		a.Type = model.Float64
	}
	if a.Data, err = r.All(); err != nil {
		return nil, err
	}
	return a, nil
}
