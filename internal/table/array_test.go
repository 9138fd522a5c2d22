package table

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/internal/npz"
)

func TestLabels(t *testing.T) {
	for _, x := range []struct {
		text, column string
		labels       []string
		values       []float64
		err          string
	}{
		{"kind,a,b\ncat,1,2\ndog,3,4\n", "kind", []string{"cat", "dog"}, []float64{1, 2, 3, 4}, ""},
		{"kind,a,b\ncat,1,2\ndog,3,4\n", "1", []string{"cat", "dog"}, []float64{1, 2, 3, 4}, ""},
		{"1,2,x\n3,4,\"y, z\"\n", "3", []string{"x", "y, z"}, []float64{1, 2, 3, 4}, ""},
		{"a\tlabel\n1\t7\n2\t8\n", "label", []string{"7", "8"}, []float64{1, 2}, ""},
		{"a,b\n1,2\n", "c", nil, []float64{1, 2}, ""},
		{"a,b\n1,2\n", "0", nil, []float64{1, 2}, ""},
		{"a,b\n1,2\n", "3", nil, []float64{1, 2}, ""},
		{"a\n1\n", "a", nil, nil, "t: there is no column but the labels"},
		{"a,b,c\n1,x,y\n", "b", nil, nil, `t:2:3: "y" is not a finite number`},
	} {
		r, err := New(strings.NewReader(x.text), "t")
		if err != nil {
			t.Fatal(err)
		}
		width := r.Columns()
		ok, err := r.Label(x.column)
		var got []float64
		if err == nil {
			got, err = r.Read(nil, 9)
		}
		if x.err != "" {
			if err == nil || !strings.Contains(err.Error(), x.err) {
				t.Errorf("%q: error %v, want %q", x.text, err, x.err)
			}
			continue
		}
		if err != nil || ok != (x.labels != nil) || !slices.Equal(r.Labels(), x.labels) || !slices.Equal(got, x.values) || ok != (r.Columns() == width-1) {
			t.Errorf("%q, %s: %v, %q, %v, %v", x.text, x.column, ok, r.Labels(), got, err)
		}
	}
}

// write puts a file of NumPy's there.
func write(t *testing.T, name string, arrays []npz.Array, values []any) string {
	t.Helper()
	var file bytes.Buffer
	var w *npz.Writer
	var err error
	if strings.HasSuffix(name, ".npy") {
		w, err = npz.NewBare(&file, arrays[0])
	} else {
		w = npz.NewWriter(&file)
		for _, a := range arrays {
			err = w.Add(a)
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	for k, a := range arrays {
		if err := w.Append(a.Name, values[k]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, file.Bytes(), 0o666); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestArrays(t *testing.T) {
	images := npz.Array{Name: "x", Type: npz.Float32, Row: []int{2, 3}}
	six := []float32{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	want := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	labels := npz.Array{Name: "y", Type: npz.Float64}

	r, err := Open(write(t, "a.npy", []npz.Array{images}, []any{six}))
	if err != nil {
		t.Fatal(err)
	}
	if ok, err := r.Label("y"); ok || err != nil || !r.Array() {
		t.Errorf("an array alone has labels: %v, %v", ok, err)
	}
	var got []float64
	for n := -1; n != len(got); {
		n = len(got)
		if got, err = r.Read(got, 1); err != nil {
			t.Fatal(err)
		}
	}
	if share, ok := r.Share(); r.Columns() != 6 || !slices.Equal(got, want) || share != 1 || !ok {
		t.Errorf("%d columns, %v, share %v", r.Columns(), got, share)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}

	both := write(t, "b.npz", []npz.Array{images, labels}, []any{six, []float64{7, 0.5}})
	if r, err = Open(both); err != nil {
		t.Fatal(err)
	}
	if ok, err := r.Label("z"); ok || err != nil {
		t.Error(ok, err)
	}
	if ok, err := r.Label("x"); ok || err != nil {
		t.Error("the rows are their own labels", err)
	}
	if ok, err := r.Label("y"); !ok || err != nil {
		t.Fatal(ok, err)
	}
	got, err = r.Read(nil, 9)
	if err != nil || !slices.Equal(got, want) || !slices.Equal(r.Labels(), []string{"7", "0.5"}) || r.Place(1) != both+":2" {
		t.Errorf("%v, %q, %s, %v", got, r.Labels(), r.Place(1), err)
	}
	r.Close()

	for _, x := range []struct {
		arrays []npz.Array
		values []any
		label  string
		err    string
	}{
		{[]npz.Array{images, {Name: "z", Type: npz.Float64, Row: []int{1}}}, []any{six, []float64{1, 2}}, "", "the arrays x, z are rows of numbers"},
		{[]npz.Array{labels}, []any{[]float64{1, 2}}, "", "none of its arrays (y)"},
		{[]npz.Array{images, labels}, []any{six, []float64{1}}, "y", "the array y is (1,), float64: want a label for each of the 2 rows of x"},
		{[]npz.Array{images}, []any{[]float32{1, 2, 3, 4, float32(math.NaN()), 6}}, "", ":1:5: NaN is not a finite number"},
	} {
		r, err := Open(write(t, "c.npz", x.arrays, x.values))
		if err == nil && x.label != "" {
			_, err = r.Label(x.label)
		}
		if err == nil {
			_, err = r.Read(nil, 3)
		}
		if err == nil || !strings.Contains(err.Error(), x.err) {
			t.Errorf("error %v, want %q", err, x.err)
		}
	}
}

// FuzzLabels reads any bytes as a file with labels: no more numbers than rows have, a label for each
// row, or an error.
func FuzzLabels(f *testing.F) {
	f.Add([]byte("kind,a\ncat,1\n"), "kind")
	f.Add([]byte("1;2\n3;4\n"), "2")
	array, err := npz.Encode(nil, npz.Float64, []int{2, 2}, []float64{1, 2, 3, 4})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(array, "y")
	f.Fuzz(func(t *testing.T, data []byte, column string) {
		path := filepath.Join(t.TempDir(), "f")
		if err := os.WriteFile(path, data, 0o666); err != nil {
			t.Fatal(err)
		}
		r, err := Open(path)
		if err != nil {
			return
		}
		defer r.Close()
		labelled, err := r.Label(column)
		if err != nil {
			return
		}
		v, err := r.Read(nil, 100)
		if err != nil {
			return
		}
		rows := len(v) / r.Columns()
		if len(v) != rows*r.Columns() || rows > 0 && r.Place(rows-1) == "" || labelled && len(r.Labels()) != rows {
			t.Errorf("%d numbers in rows of %d, %d labels", len(v), r.Columns(), len(r.Labels()))
		}
		for _, x := range v {
			if math.IsNaN(x) || math.IsInf(x, 0) {
				t.Error("a number that is not finite")
			}
		}
	})
}
