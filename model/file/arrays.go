package file

import (
	"archive/zip"
	"fmt"
	"io"

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
