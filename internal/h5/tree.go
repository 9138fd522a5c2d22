package h5

import (
	"bytes"
	"math"
	"slices"
	"strconv"
	"strings"
)

// AttributeLimit is how many bytes of strings one attribute holds before they
// are split over name0, name1, …: Keras's limit, below HDF5's of 64 KiB.
const AttributeLimit = 64512

func chunkName(name string, i int) string { return name + strconv.Itoa(i) }

// A Tree is a group to be written: Groups, Datasets and attributes by name.
// Attributes named in Scalars are strings of variable length and of any size;
// those in Lists are lists of strings of fixed length, split where they are
// longer than AttributeLimit.
type Tree struct {
	Groups   map[string]*Tree
	Datasets map[string]Array
	Scalars  map[string]string
	Lists    map[string][]string
}

// An Array is a dataset to be written; an empty shape is a scalar.
type Array struct {
	Shape []int
	Data  []float32
}

// Group returns the group at a path below t, which is made where it is absent.
func (t *Tree) Group(path string) *Tree {
	for _, name := range strings.Split(path, "/") {
		if t.Groups == nil {
			t.Groups = map[string]*Tree{}
		}
		if t.Groups[name] == nil {
			t.Groups[name] = &Tree{}
		}
		t = t.Groups[name]
	}
	return t
}

// dataset says whether a dataset is at a path below t.
func (t *Tree) dataset(path string) bool {
	parts := strings.Split(path, "/")
	for _, name := range parts[:len(parts)-1] {
		if t = t.Groups[name]; t == nil {
			return false
		}
	}
	_, ok := t.Datasets[parts[len(parts)-1]]
	return ok
}

// SetDataset puts an array at a path below t; it is an error if something is
// there or the shape does not fit the data.
func (t *Tree) SetDataset(path string, a Array) error {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	if n != len(a.Data) {
		return errorf("%s: shape %v for %d values", path, a.Shape, len(a.Data))
	}
	for i, part := range strings.Split(path, "/") {
		if part == "" || part == "." || strings.ContainsRune(part, 0) {
			return errorf("%q cannot be a path in the file", path)
		}
		if above := strings.Join(strings.Split(path, "/")[:i+1], "/"); t.dataset(above) {
			return errorf("%s: there twice, as %s is a dataset", path, above)
		}
	}
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		t, path = t.Group(path[:i]), path[i+1:]
	}
	if t.Datasets == nil {
		t.Datasets = map[string]Array{}
	}
	if _, twice := t.Datasets[path]; twice || t.Groups[path] != nil {
		return errorf("%s: there twice", path)
	}
	t.Datasets[path] = a
	return nil
}

// Equal says whether two arrays have the same shape and the same bits.
func (a Array) Equal(b Array) bool {
	return slices.Equal(a.Shape, b.Shape) && bytes.Equal(rawBits(a.Data), rawBits(b.Data))
}

func rawBits(v []float32) []byte {
	b := make(buffer, 0, 4*len(v))
	for _, x := range v {
		b.u32(math.Float32bits(x))
	}
	return b
}
