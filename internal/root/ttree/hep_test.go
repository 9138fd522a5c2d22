package ttree_test

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"go-hep.org/x/hep/groot"
	"go-hep.org/x/hep/groot/riofs"
	"go-hep.org/x/hep/groot/rtree"
)

// hepEvent is an entry as go-hep writes it: numbers of several sizes, a fixed array,
// and arrays whose length is another branch.
type hepEvent struct {
	Bool  bool      `groot:"bool"`
	I8    int8      `groot:"i8"`
	U16   uint16    `groot:"u16"`
	I64   int64     `groot:"i64"`
	F32   float32   `groot:"f32"`
	Fixed [3]int16  `groot:"fixed"`
	N     int32     `groot:"n"`
	Data  []uint32  `groot:"data[n]"`
	Eta   []float32 `groot:"eta[n]"`
	X     []float64 `groot:"x[n]"`
}

func drawHep(r *rand.Rand) hepEvent {
	e := hepEvent{r.IntN(2) == 1, int8(r.Int()), uint16(r.Int()), r.Int64() - 1<<62, r.Float32(), [3]int16{int16(r.Int()), 2, -3}, int32(r.IntN(5)), nil, nil, nil}
	for range e.N {
		e.Data, e.Eta, e.X = append(e.Data, r.Uint32()), append(e.Eta, r.Float32()), append(e.X, r.NormFloat64())
	}
	return e
}

// TestHep reads trees of another writer, go-hep, which leaves descriptions of leaves
// out of the file, in every compression.
func TestHep(t *testing.T) {
	for name, option := range map[string]riofs.FileOption{
		"none": riofs.WithoutCompression(), "zlib": riofs.WithZlib(6), "lz4": riofs.WithLZ4(4), "zstd": riofs.WithZstd(3), "lzma": riofs.WithLZMA(3),
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.root")
			want := writeHep(t, path, 1000, option)
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := readAll(data)
			if err != nil {
				t.Fatal(err)
			}
			for name, values := range want {
				a := got[name]
				if have := append(toFloats(a.Int), a.Float...); !slices.Equal(have, values) {
					t.Errorf("%s: %d values, %v …; want %d, %v …", name, len(have), have[:min(3, len(have))], len(values), values[:3])
				}
			}
		})
	}
}

func toFloats(v []int64) (f []float64) {
	for _, n := range v {
		f = append(f, float64(n))
	}
	return f
}

// writeHep writes a tree in a folder, and returns the values of its branches.
func writeHep(t *testing.T, path string, entries int, option riofs.FileOption) map[string][]float64 {
	f, err := groot.Create(path, option)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := riofs.Dir(f).Mkdir("folder")
	if err != nil {
		t.Fatal(err)
	}
	var e hepEvent
	vars := rtree.WriteVarsFromStruct(&e)
	w, err := rtree.NewWriter(folder, "tree", vars)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]float64{}
	r := rand.New(rand.NewPCG(1, 2))
	for range entries {
		e = drawHep(r)
		if _, err := w.Write(); err != nil {
			t.Fatal(err)
		}
		for k, field := range reflect.ValueOf(e).Fields() {
			want[vars[k.Index[0]].Name] = numbers(want[vars[k.Index[0]].Name], field)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return want
}

// numbers adds the numbers of a value to list.
func numbers(list []float64, v reflect.Value) []float64 {
	switch {
	case v.Kind() == reflect.Slice || v.Kind() == reflect.Array:
		for i := range v.Len() {
			list = numbers(list, v.Index(i))
		}
		return list
	case v.Kind() == reflect.Bool:
		if v.Bool() {
			return append(list, 1)
		}
		return append(list, 0)
	}
	return append(list, v.Convert(reflect.TypeFor[float64]()).Float())
}
