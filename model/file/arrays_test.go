package file

import (
	"archive/zip"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/internal/npz"
	"barrow/internal/shared"
	"barrow/model"
)

// TestPlaces: names come first, places are for what has none, and what may be either is
// an error.
func TestPlaces(t *testing.T) {
	for _, c := range []struct {
		inputs, arrays, want string
	}{
		{"x", "x", "x"},
		{"a b", "x x1", "x x1"},
		{"b x", "b x", "b x"},
		{"x1 x", "x x1", "x1 x"},
		{"a b", "a b x x1", "a b"},
		{"latent cond", "charge x latent cond y", "latent cond"},
		{"latent cond", "x latent x1", "both be the model's input latent, and there is none called cond"},
		{"b x", "x x1", "no array b for the model's input of that name"},
		{"a b", "a x1", "a x1"},
		{"a b", "a x", "no array x1 for the model's input b"},
		{"a b", "b x", "x b"},
		{"a", "pixels", "no array x for the model's input a of the shape (N, 2); it has pixels"},
	} {
		var ports []model.Port
		for _, name := range strings.Fields(c.inputs) {
			ports = append(ports, model.Port{Name: name, Shape: []int{-1, 2}})
		}
		names := strings.Fields(c.arrays)
		at, err := places(names, ports)
		got := []string{}
		for _, k := range at {
			got = append(got, names[k])
		}
		if err != nil && !strings.Contains(err.Error(), c.want) || err == nil && !slices.Equal(got, strings.Fields(c.want)) {
			t.Errorf("inputs %s of the arrays %s: %v, %v", c.inputs, c.arrays, got, err)
		}
	}
}

// TestInputs: a single array is x; what does not fit is refused with what would; what is
// too large is refused before it is read, and what is no array is called by what it is.
func TestInputs(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "in.npz")
	zeros := func(name string, shape ...int) model.Vector {
		a := &model.Array{Shape: shape}
		_, size := a.Rows()
		a.Data = make([]float64, shape[0]*size)
		return model.Vector{Name: name, Array: a}
	}
	if err := writeArrays(path, true, model.Vectors{zeros("x", 2, 8, 8, 1), zeros("latent", 2, 16)}); err != nil {
		t.Fatal(err)
	}
	ports := []model.Port{{Name: "x", Shape: []int{-1, 16}}}
	if _, err := inputs(path, ports); err == nil || !strings.Contains(err.Error(), "the array x has the shape (2, 8, 8, 1), and the model's input x is (N, 16): of that shape is latent") {
		t.Error(err)
	}
	b, err := npz.Encode(nil, npz.Float32, []int{2, 16}, make([]float32, 32))
	if err != nil {
		t.Fatal(err)
	}
	if in, err := inputs(write(t, filepath.Join(dir, "x.npy"), b), ports); err != nil || len(in) != 1 || !slices.Equal(in[0].Shape, []int{2, 16}) {
		t.Errorf("%v, %v", in, err)
	}
	if _, err := inputs(write(t, filepath.Join(dir, "x.csv"), []byte("1,2\n")), ports); err == nil || !strings.Contains(err.Error(), "CSV file of images; wanted is a file of NumPy's arrays") {
		t.Error(err)
	}

	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z := zip.NewWriter(f)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, 1) })
	w, err := z.Create("x.npy")
	if err != nil {
		t.Fatal(err)
	}
	// The header of an array of no rows, with as many in the place of padding.
	head, err := npz.Encode(nil, npz.Float32, []int{0, 16}, []float32{})
	if err != nil {
		t.Fatal(err)
	}
	const rows = maxNumbers/16 + 1
	head = []byte(strings.Replace(strings.Replace(string(head), "(0, 16)", fmt.Sprintf("(%d, 16)", rows), 1), "      \n", "\n", 1))
	if _, err := w.Write(head); err != nil {
		t.Fatal(err)
	}
	nothing := make([]byte, 1<<20)
	for range rows * 64 / len(nothing) {
		if _, err := w.Write(nothing); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := w.Write(nothing[:64]); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := inputs(path, ports); err == nil || !strings.Contains(err.Error(), "the array x has the shape (4194305, 16): more than 67108864 numbers") {
		t.Error(err)
	}
}

// TestRunSwapped: inputs that join in another order are taken as Keras takes them, by
// place and by name.
func TestRunSwapped(t *testing.T) {
	dir := t.TempDir()
	shared.Python(t, "models", "testdata/swapped.py", dir)
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"front2.h5", "front3.h5", "front3.keras", "late2.h5", "late3.h5", "late3.keras"} {
		want := arrays(t, at(name+".npz")).Get("y")
		for _, in := range []string{"in.npz", "named.npz"} {
			if _, err := Run(context.Background(), model.Source{Path: at(name)}, at(in), at("y.npz"), true, Settings{Threads: 1}); err != nil {
				t.Fatal(err)
			}
			near(t, name+" of "+in, arrays(t, at("y.npz")).Get("y"), want, 1e-6)
		}
		found, err := Inspect(at(name))
		if err != nil || !slices.Equal(found.Parts[0].Inputs, []string{"b (N, 3)", "a (N, 3)"}) {
			t.Errorf("%s: %+v, %v", name, found, err)
		}
		if _, err := Estimator(at(name), Settings{}); strings.HasPrefix(name, "front") && (err == nil || !strings.Contains(err.Error(), `its inputs "b", "a" join in another order`)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
