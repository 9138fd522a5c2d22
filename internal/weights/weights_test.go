package weights

import (
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"barrow/internal/npz"
)

func example() *File {
	return &File{Kind: Network, About: map[string]int{"a": 1}, Arrays: []Array{
		{Name: "dense/kernel", Shape: []int{2, 2}, Data: []float32{1, -2.5, 5e-45, float32(math.Inf(-1))}},
		{Name: "dense/bias", Shape: []int{2}, Type: npz.Float16, Data: []float32{0.1, 3}},
		{Name: "metric", Shape: []int{1, 1}, Wide: []float64{math.Pi}},
		{Name: "none", Shape: []int{0}},
	}}
}

func encode(t testing.TB, f *File) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := f.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	b := encode(t, example())
	if !bytes.Equal(b, encode(t, example())) {
		t.Error("equal content gives other bytes")
	}
	f, err := Decode(b, Network)
	if err != nil {
		t.Fatal(err)
	}
	var about struct{ A int }
	if err := f.Describe(&about); err != nil || about.A != 1 {
		t.Errorf("description %+v, %v", about, err)
	}
	want := example().Arrays
	want[0].Type, want[1].Data[0], want[2].Type, want[3].Type, want[3].Data = npz.Float32, 0.099975586, npz.Float64, npz.Float32, []float32{}
	if !reflect.DeepEqual(f.Arrays, want) {
		t.Errorf("read %+v, want %+v", f.Arrays, want)
	}
}

// TestDamage cuts and changes a file at every place: it is refused, or, where the
// archive says a thing twice, what is read is still the same.
func TestDamage(t *testing.T) {
	good := encode(t, example())
	whole, err := Decode(good, Network)
	if err != nil {
		t.Fatal(err)
	}
	for i := range good {
		if _, err := Decode(good[:i], Network); !errors.Is(err, ErrUnusable) {
			t.Fatalf("cut off after %d of %d bytes: %v", i, len(good), err)
		}
		for bit := range 8 {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << bit
			f, err := Decode(bad, Network)
			if err == nil && !reflect.DeepEqual(f, whole) || err != nil && !errors.Is(err, ErrUnusable) {
				t.Fatalf("bit %d of byte %d changed: %+v, %v", bit, i, f, err)
			}
		}
	}
}

// archive is a zip file of the given entries.
func archive(t *testing.T, method uint16, entries ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(entries); i += 2 {
		e, err := z.CreateHeader(&zip.FileHeader{Name: entries[i], Method: method})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Write([]byte(entries[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	good := encode(t, example())
	potential := example()
	potential.Kind = Potential
	npy, err := npz.Encode(nil, "<f4", []int{1}, []float32{1})
	if err != nil {
		t.Fatal(err)
	}
	large := bytes.Replace(npy, []byte("(1,)"), []byte("(9,)"), 1)
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"empty":      {nil, "the file is empty"},
		"h5":         {[]byte("\x89HDF\r\n\x1a\n and so on"), "an HDF5 file"},
		"csv":        {[]byte("1,2,3\n"), "text with commas"},
		"json":       {[]byte(`{"loss": "emd"}`), "a JSON file"},
		"old":        {[]byte("BARROWNN\x01\x00\x00\x00"), "from before its first release"},
		"keras":      {archive(t, zip.Store, "metadata.json", "{}"), "a zip file, as"},
		"cut":        {good[:len(good)-40], "cut off"},
		"head":       {good[:100], "cut off"},
		"potential":  {encode(t, potential), "a network of potentials"},
		"compressed": {archive(t, zip.Deflate, entryName(Network), `{"version":1,"arrays":["a"]}`, "a.npy", strings.Repeat("0", 1<<20)), "compressed"},
		"no array":   {archive(t, zip.Store, entryName(Network), `{"version":1,"arrays":["a"]}`, "a.txt", "x"), `"a.txt" is no array`},
		"too large":  {archive(t, zip.Store, entryName(Network), `{"version":1,"arrays":["a"]}`, "a.npy", string(large)), "needs more than"},
		"newer":      {archive(t, zip.Store, entryName(Network), `{"version":2}`), "of version 2; this program reads version 1"},
		"swapped":    {archive(t, zip.Store, entryName(Network), `{"version":1,"arrays":["b"]}`, "a.npy", string(npy)), "not where its description has it"},
		"missing":    {archive(t, zip.Store, entryName(Network), `{"version":1,"arrays":["b"]}`), "it has 0 arrays, its description 1"},
		"integers":   {archive(t, zip.Store, entryName(Network), `{"version":1,"arrays":["a"]}`, "a.npy", strings.Replace(string(npy), "<f4", "<i4", 1)), "items of type int32"},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, c.content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(path, Network); !errors.Is(err, ErrUnusable) || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), path+": ") {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
	sparse := filepath.Join(dir, "sparse")
	if err := os.WriteFile(sparse, good, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(sparse, 3<<30); err == nil {
		if _, err := Open(sparse, Network); !errors.Is(err, ErrUnusable) {
			t.Errorf("a file of 3 GB: %v", err)
		}
	}
	if _, err := os.Stat("/dev/zero"); err == nil {
		if _, err := Open("/dev/zero", Network); err == nil || !strings.Contains(err.Error(), "a device") {
			t.Errorf("a device: %v", err)
		}
	}
	if _, err := Open(dir, Network); err == nil || !strings.Contains(err.Error(), "a folder") {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "absent"), Network); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func TestAgainstNumPy(t *testing.T) {
	python := os.Getenv("BARROW_PYTHON")
	if python == "" {
		python = "/usr/bin/python3"
	}
	path := filepath.Join(t.TempDir(), "a.weights")
	if err := os.WriteFile(path, encode(t, example()), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `
import sys
try:
    import numpy as np
except ImportError:
    sys.exit(77)
a = np.load(sys.argv[1])
print(a["barrow-network.json"].decode(), *(f"{k}:{a[k].dtype.str}:{a[k].shape}" for k in a.files[1:]), a["dense/kernel"][0, 1], a["dense/bias"][0])
`
	out, err := exec.Command(python, "-c", script, path).CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 77 || errors.Is(err, fs.ErrNotExist) {
		t.Skipf("NumPy is not installed for %s: apt-get install python3-numpy, or set BARROW_PYTHON", python)
	}
	const want = `{"version":1,"about":{"a":1},"arrays":["dense/kernel","dense/bias","metric","none"]}` + " dense/kernel:<f4:(2, 2) dense/bias:<f2:(2,) metric:<f8:(1, 1) none:<f4:(0,) -2.5 0.1\n"
	if err != nil || string(out) != want {
		t.Errorf("NumPy reads %q (%v), want %q", out, err, want)
	}
}

// FuzzRead gives any bytes as a file.
func FuzzRead(f *testing.F) {
	f.Add(encode(f, &File{Kind: Network, About: 1, Arrays: []Array{{Name: "a", Shape: []int{1}, Data: []float32{1}}}}))
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := Decode(b, Network)
		if err != nil {
			if !errors.Is(err, ErrUnusable) {
				t.Errorf("%v does not wrap ErrUnusable", err)
			}
			return
		}
		held := 0
		for _, a := range file.Arrays {
			held += 2 * len(a.Data)
		}
		if held > len(b) {
			t.Errorf("%d bytes of numbers in a file of %d", held, len(b))
		}
	})
}
