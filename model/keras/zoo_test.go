package keras_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/internal/npz"
	"barrow/internal/shared"
	"barrow/model"
	"barrow/model/file"
	"barrow/model/keras"
)

// TestZoo: models of all layers, in graphs that are no chain of nn's too, compute what
// the tool that wrote them does; quantised ones to the bit.
func TestZoo(t *testing.T) {
	for version, least := range map[string]int{"2": 100, "3": 85} {
		t.Run("Keras "+version, func(t *testing.T) {
			dir := t.TempDir()
			if said := string(shared.Python(t, "models", filepath.Join("testdata", "zoo.py"), version, dir)); strings.Contains(said, "NOT MADE") {
				t.Error(said)
			}
			for _, name := range []string{"slice_chain", "slice_image", "lambda_then"} { // as networks, too
				if _, err := keras.Open(filepath.Join(dir, name+".h5")); err != nil {
					t.Error(err)
				}
			}
			if held := holdZoo(t, dir); held < least {
				t.Errorf("%d files held, want %d or more", held, least)
			}
		})
	}
}

func holdZoo(t *testing.T, dir string) int {
	arrays, err := filepath.Glob(filepath.Join(dir, "*.npz"))
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, path := range arrays {
		for _, ending := range []string{".h5", ".keras"} {
			stem := strings.TrimSuffix(path, ".npz")
			if _, err := os.Stat(stem + ending); err != nil {
				continue
			}
			held++
			if err := holdAll(t.Context(), stem+ending, path, strings.HasPrefix(filepath.Base(path), "q_")); err != nil {
				t.Errorf("%s%s: %v", filepath.Base(stem), ending, err)
			}
		}
	}
	return held
}

// holdAll holds a model to all outputs in a file of arrays, which has the inputs, too.
func holdAll(ctx context.Context, path, arrays string, exact bool) error {
	got, err := file.Run(ctx, model.Source{Path: path}, arrays, path+".out.npz", true, file.Settings{Threads: 1})
	if err != nil {
		return err
	}
	f, err := os.Open(arrays)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	archive, err := npz.NewArchive(f, info.Size(), arrays)
	if err != nil {
		return err
	}
	for i, name := range archive.Names {
		if !strings.HasPrefix(name, "y") {
			continue
		}
		r, err := archive.Open(i)
		if err != nil {
			return err
		}
		want, err := r.All()
		r.Close()
		if err != nil {
			return err
		}
		a := got.Get(name)
		if a == nil {
			return fmt.Errorf("%s is not there", name)
		}
		if at, most := model.Differ(a.Data, want, exact); at >= 0 {
			return fmt.Errorf("%s: number %d of %d, %d wanted, is another, by %g at most", name, at, len(a.Data), len(want), most)
		}
		if !slices.Equal(a.Shape, r.Shape) {
			return fmt.Errorf("%s: shape %v, want %v", name, a.Shape, r.Shape)
		}
	}
	return nil
}
