package h5

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	library "github.com/scigolib/hdf5"

	"barrow/internal/shared"
)

// sample is a tree with every structure that Encode writes: members enough for
// two levels of B-tree, an attribute above 64 KiB, and a list in parts.
func sample(t testing.TB, members int) *Tree {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	tree := &Tree{
		Scalars: map[string]string{"model_config": `{"x":"` + strings.Repeat("long ", 30000) + `"}`, "backend": "tensorflow", "empty": "", "größe": "groß"},
		Lists:   map[string][]string{"layer_names": {"a", "bcd", "e f"}, "none": {}, "long": nil},
	}
	for i := range members {
		tree.Lists["long"] = append(tree.Lists["long"], fmt.Sprintf("a name that is rather long, number %d", i))
		shape := [][]int{{}, {0}, {3}, {2, 3, 1, 4}}[i%4]
		n := 1
		for _, d := range shape {
			n *= d
		}
		data := make([]float32, n)
		for j := range data {
			data[j] = math.Float32frombits(rng.Uint32() &^ (1 << 23)) // no NaN or infinity
		}
		if err := tree.SetDataset(fmt.Sprintf("g/layer_%d/layer_%d/kernel:0", i, i), Array{shape, data}); err != nil {
			t.Fatal(err)
		}
		tree.Group(fmt.Sprintf("g/layer_%d", i)).Lists = map[string][]string{"weight_names": {fmt.Sprintf("layer_%d/kernel:0", i)}}
	}
	return tree
}

// compare checks that a group of a parsed file holds what a tree says.
func compare(t *testing.T, g *Group, want *Tree) {
	t.Helper()
	names := append(sorted(want.Groups), sorted(want.Datasets)...)
	slices.Sort(names)
	if !slices.Equal(g.Names(), names) {
		t.Fatalf("%s: members %v, want %v", g.Path(), g.Names(), names)
	}
	for name, s := range want.Scalars {
		if got, ok, err := g.String(name); got != s || !ok || err != nil {
			t.Fatalf("%s: attribute %s: %.40q, %v, %v", g.Path(), name, got, ok, err)
		}
	}
	for name, list := range want.Lists {
		if got, ok, err := g.Strings(name); !slices.Equal(got, list) || !ok || err != nil {
			t.Fatalf("%s: attribute %s: %d strings, %v, %v; want %d", g.Path(), name, len(got), ok, err, len(list))
		}
	}
	for name, a := range want.Datasets {
		d, err := g.Dataset(name)
		if err != nil {
			t.Fatal(err)
		}
		data, err := d.Float32s()
		if err != nil {
			t.Fatal(err)
		}
		if got := (Array{d.Shape(), data}); !got.Equal(a) {
			t.Fatalf("%s: %v, want %v", d.Path(), got, a)
		}
	}
	for name, sub := range want.Groups {
		g, err := g.Group(name)
		if err != nil {
			t.Fatal(err)
		}
		compare(t, g, sub)
	}
}

func TestRoundTrip(t *testing.T) {
	for _, members := range []int{0, 1, 8, 9, 33, 300, 2500} {
		tree := sample(t, members)
		data, err := Encode(tree)
		if err != nil {
			t.Fatal(err)
		}
		f, err := Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		root, err := f.Root()
		if err != nil {
			t.Fatal(err)
		}
		compare(t, root, tree)
		if _, there, err := root.String("nothing"); there || err != nil {
			t.Errorf("an absent attribute: %v, %v", there, err)
		}
		again, err := Encode(tree)
		if err != nil || !bytes.Equal(data, again) {
			t.Error("the same tree gave other bytes")
		}
	}
}

// python is the interpreter with h5py, or the test is skipped.
func python(t *testing.T) string {
	t.Helper()
	p := os.Getenv("BARROW_PYTHON")
	if p == "" {
		p = "/usr/bin/python3"
	}
	if err := exec.Command(p, "-c", "import h5py").Run(); err != nil {
		t.Skip("no h5py: apt-get install python3-h5py, or name an interpreter in BARROW_PYTHON")
	}
	return p
}

func run(t *testing.T, python, script string, args ...string) string {
	t.Helper()
	out, err := exec.Command(python, append([]string{"-c", script}, args...)...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("%v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	return string(out)
}

// dump lists a file as h5py sees it: names, shapes, types and bits.
const dump = `
import h5py, sys
def attributes(o):
    for k in sorted(o.attrs):
        v = o.attrs[k]
        if hasattr(v, 'tolist'): v = v.tolist()
        if isinstance(v, list): v = [x.decode() if isinstance(x, bytes) else x for x in v]
        print(o.name, '@' + k, len(v), v if len(v) < 100 else hash(str(v)) and (v[:9], v[-9:]))
def show(name, o):
    attributes(o)
    if isinstance(o, h5py.Dataset):
        print(o.name, o.dtype, o.shape, o[()].tobytes().hex())
f = h5py.File(sys.argv[1], 'r')
attributes(f)
f.visititems(show)
`

// TestH5py checks that the HDF5 library reads what Encode writes, bit by bit.
func TestH5py(t *testing.T) {
	py := python(t)
	for _, members := range []int{0, 9, 300} {
		tree := sample(t, members)
		data, err := Encode(tree)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "sample.h5")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		got := run(t, py, dump, path)
		var want []string
		var walk func(tree *Tree, path string)
		walk = func(tree *Tree, path string) {
			for _, name := range sorted(tree.Datasets) {
				a := tree.Datasets[name]
				shape := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(a.Shape)), ", "), "[]")
				if len(a.Shape) == 1 {
					shape += ","
				}
				want = append(want, fmt.Sprintf("%s/%s float32 (%s) %x\n", path, name, shape, rawBits(a.Data)))
			}
			for _, name := range sorted(tree.Groups) {
				walk(tree.Groups[name], path+"/"+name)
			}
		}
		walk(tree, "")
		want = append(want, "/ @layer_names 3 ['a', 'bcd', 'e f']\n", "/ @backend 10 tensorflow\n", "/ @none 0 []\n",
			"/ @empty 0 \n", "/ @größe 4 groß\n", fmt.Sprintf("/ @model_config %d (", len(tree.Scalars["model_config"])))
		for _, line := range want {
			if !strings.Contains(got, line) {
				t.Fatalf("%d members: h5py does not see %.200s in\n%.2000s", members, line, got)
			}
		}
	}
}

// variants writes the same data in every way that h5py has.
const variants = `
import h5py, numpy as np, sys
a = (np.arange(7*5*3).reshape(7,5,3).astype('f4') - 40) / 8
def file(name, **k):
    f = h5py.File(sys.argv[1] + '/' + name + '.h5', 'w', **k)
    return f
for name, how in {
  'contiguous': {}, 'chunked': dict(chunks=(3,2,3)), 'gzip': dict(chunks=(3,2,3), compression='gzip'),
  'shuffle': dict(chunks=(2,5,2), compression='gzip', shuffle=True), 'checksum': dict(chunks=(3,2,1), fletcher32=True),
  'many': dict(chunks=(1,1,1)), 'big': dict(dtype='>f4'), 'half': dict(dtype='f2'), 'double': dict(dtype='f8'),
  'lzf': dict(compression='lzf'), 'int64': dict(dtype='i8'), 'bool': dict(dtype='?'), 'scaleoffset': dict(scaleoffset=2)}.items():
    f = file(name)
    v = np.trunc(a) if name == 'int64' else a > 0 if name == 'bool' else a
    f.create_dataset('w', data=v, **how)
    f.attrs['names'] = ['ä', 'bc']
f = file('latest', libver='latest'); f['w'] = a
f = file('order', track_order=True); f['w'] = a
f = file('compact')
p = h5py.h5p.create(h5py.h5p.DATASET_CREATE); p.set_layout(h5py.h5d.COMPACT)
d = h5py.h5d.create(f.id, b'w', h5py.h5t.NATIVE_FLOAT, h5py.h5s.create_simple(a.shape), p)
d.write(h5py.h5s.ALL, h5py.h5s.ALL, a)
`

// TestReadsH5py reads files of h5py: supported ones exactly, others with an
// error that says what is wrong.
func TestReadsH5py(t *testing.T) {
	dir := t.TempDir()
	run(t, python(t), variants, dir)
	fails := map[string]string{"scaleoffset": "filter 6 (scaleoffset)"}
	for _, name := range []string{"contiguous", "compact", "chunked", "gzip", "shuffle", "checksum", "many", "big", "half", "double", "int64", "lzf", "bool", "scaleoffset", "latest", "order"} {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, name+".h5"))
			if err != nil {
				t.Fatal(err)
			}
			got, err := readW(data)
			if want := fails[name]; want != "" {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want one that says %q", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := Array{Shape: []int{7, 5, 3}}
			for i := range 7 * 5 * 3 {
				v := (float32(i) - 40) / 8
				switch {
				case name == "int64":
					v = float32(math.Trunc(float64(v)))
				case name == "bool" && v > 0:
					v = 1
				case name == "bool":
					v = 0
				}
				want.Data = append(want.Data, v)
			}
			if name == "int64" { // no −0 among integers
				for i, v := range want.Data {
					if v == 0 {
						want.Data[i] = 0
					}
				}
			}
			if !got.Equal(want) {
				t.Errorf("got %v", got)
			}
		})
	}
}

// readW reads dataset w, and the attribute names if it is there.
func readW(data []byte) (Array, error) {
	f, err := Parse(data)
	if err != nil {
		return Array{}, err
	}
	root, err := f.Root()
	if err != nil {
		return Array{}, err
	}
	if names, ok, err := root.Strings("names"); err != nil || ok && !slices.Equal(names, []string{"ä", "bc"}) {
		return Array{}, fmt.Errorf("names %q, %v", names, err)
	}
	d, err := root.Dataset("w")
	if err != nil {
		return Array{}, err
	}
	v, err := d.Float32s()
	return Array{d.Shape(), v}, err
}

// TestLibrary compares our reader with an independent one, on our own files.
func TestLibrary(t *testing.T) {
	own := filepath.Join(t.TempDir(), "own.h5")
	data, err := Encode(sample(t, 40))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(own, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if n := compareLibrary(t, own); n < 2 {
		t.Errorf("only %d datasets", n)
	}
}

// TestLibraryRealFiles compares the two on files that Keras wrote.
func TestLibraryRealFiles(t *testing.T) {
	for folder, pattern := range map[string]string{"emd_cnn": "*.h5", "keras": "*/*.hdf5", "econt": "AE/*.hdf5"} {
		t.Run(folder, func(t *testing.T) {
			paths, err := filepath.Glob(filepath.Join(shared.Data(t, folder), filepath.FromSlash(pattern)))
			if err != nil || len(paths) == 0 {
				t.Fatalf("no %s in it (%v)", pattern, err)
			}
			for _, path := range paths {
				if n := compareLibrary(t, path); n < 2 {
					t.Errorf("%s: only %d datasets", path, n)
				}
			}
		})
	}
}

func compareLibrary(t *testing.T, path string) (datasets int) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := Parse(data)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	root, err := f.Root()
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	lib, err := library.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer lib.Close()
	lib.Walk(func(name string, o library.Object) {
		d, ok := o.(*library.Dataset)
		if !ok || strings.HasSuffix(name, "iter:0") {
			return
		}
		datasets++
		want, err := d.Read()
		if err != nil {
			t.Fatalf("%s: %s: the library: %v", path, name, err)
		}
		ours, err := root.Dataset(strings.TrimPrefix(name, "/"))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		got, err := ours.Float32s()
		if err != nil || len(got) != len(want) {
			t.Fatalf("%s: %s: %d values and %v, the library has %d", path, name, len(got), err, len(want))
		}
		for i, v := range want {
			if float64(got[i]) != v {
				t.Fatalf("%s: %s: value %d is %v, the library's %v", path, name, i, got[i], v)
			}
		}
	})
	return datasets
}

// TestSetDatasetErrors covers what cannot be written.
func TestSetDatasetErrors(t *testing.T) {
	tree := &Tree{}
	if err := tree.SetDataset("a/b", Array{[]int{2}, []float32{1, 2}}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		path string
		a    Array
		want string
	}{
		{"a/b", Array{[]int{1}, []float32{1}}, "there twice"},
		{"a", Array{[]int{1}, []float32{1}}, "there twice"},
		{"c", Array{[]int{2, 2}, []float32{1}}, "shape [2 2] for 1 values"},
		{"c//d", Array{nil, []float32{1}}, "cannot be a path"},
		{"a/b/c", Array{nil, []float32{1}}, "there twice"},
	} {
		if err := tree.SetDataset(c.path, c.a); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.path, err, c.want)
		}
	}
	for _, bad := range []*Tree{
		{Scalars: map[string]string{"x": "a\x00b"}},
		{Lists: map[string][]string{"x": {"a\x00b"}}},
		{Lists: map[string][]string{"x": {strings.Repeat("a", AttributeLimit+1)}}},
		{Groups: map[string]*Tree{"a/b": {}}},
	} {
		if _, err := Encode(bad); err == nil {
			t.Errorf("%+v was written", bad)
		}
	}
}
