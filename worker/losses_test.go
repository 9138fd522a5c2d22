//go:build unix

package worker

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"barrow/loss"
)

// TestLosses holds the object's answers to the library's, bit by bit, on wafers and on a grid,
// and has what is refused.
func TestLosses(t *testing.T) {
	rng := rand.New(rand.NewPCG(23, 5))
	c := dial(t, fresh())
	if err := c.file.Truncate(1 << 16); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ask(typeCall, 0, "loss.list", nil, nil, ""); err != nil {
		t.Error(err)
	}
	grid, err := loss.Grid(6, 8, 2)
	if err != nil {
		t.Fatal(err)
	}
	const rows, n = 4, 48
	target, predicted := make([]float32, rows*n), make([]float32, rows*n)
	for k := range target {
		target[k], predicted[k] = rng.Float32(), rng.Float32()
	}
	units := []float64{1, 2, 3, 4}
	in := []array{put(t, c, "target", 0, target, rows, n), put(t, c, "predicted", 4096, predicted, rows, n), put(t, c, "unit", 8192, units, rows)}
	value := array{name: "value", offset: 12288, dtype: tFloat64, shape: []int{rows}}
	gradient := array{name: "gradient", offset: 16384, dtype: tFloat32, shape: []int{rows, n}}
	for recipe, of := range map[string]loss.Resources{
		`{"name":"fss:radius=2:threshold=0.5"}`:                               {},
		`{"name":"2*csi+spectral:shortest=8","height":6,"width":8,"pitch":2}`: {Lattice: grid},
	} {
		o, err := c.ask(typeOpen, 0, "loss", nil, nil, recipe)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.ask(typeCall, o.handle, "evaluate", in, []array{value, gradient}, ""); err != nil {
			t.Fatal(err)
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(recipe, `{"name":"`), `"`)
		l, err := loss.Parse(name, of)
		if err != nil {
			t.Fatal(err)
		}
		e, d := make([]float64, rows), make([]float32, rows*n)
		if err := loss.Each(context.Background(), l, units, target, predicted, e, d); err != nil {
			t.Fatal(err)
		}
		for i, v := range get[float64](t, c, value) {
			if v != e[i] {
				t.Errorf("%s: value %d is %v, want %v", name, i, v, e[i])
			}
		}
		for i, v := range get[float32](t, c, gradient) {
			if v != d[i] {
				t.Fatalf("%s: gradient %d is %v, want %v", name, i, v, d[i])
			}
		}
		for _, bad := range []struct {
			name      string
			offset    int64
			number    float32
			row, cell int
		}{{"target", 0, float32(math.NaN()), 0, 5}, {"predicted", 4096, float32(math.Inf(1)), 0, 5}} {
			put(t, c, "", bad.offset+4*5, []float32{bad.number}, 1)
			var f *failure
			if _, err := c.ask(typeCall, o.handle, "evaluate", in, []array{value}, ""); !errors.As(err, &f) || f.Row == nil || *f.Row != bad.row || *f.Cell != bad.cell || !strings.Contains(f.Message, bad.name+"[5]") {
				t.Errorf("%s: %v", bad.name, err)
			}
			put(t, c, "", bad.offset+4*5, []float32{0.5}, 1)
		}
		target[5], predicted[5] = 0.5, 0.5
	}
	for recipe, want := range map[string]string{
		`{"name":"emd@mse"}`:                     "is two losses",
		`{"name":"emd","height":4,"width":4}`:    "the pitch 0",
		`{"name":"mse","height":1,"width":4}`:    "a grid of 1×4 pixels",
		`{"name":"mse","metric":"no such file"}`: "no such file",
		`{"name":"neighbourhood:radius=9"}`:      "from 1 to 6",
		`{"name":"emd-cnn","network":"nothing"}`: "nothing",
	} {
		if _, err := c.ask(typeOpen, 0, "loss", nil, nil, recipe); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want an error with %q", recipe, err, want)
		}
	}
}
