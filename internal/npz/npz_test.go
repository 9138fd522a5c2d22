package npz

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// write makes a file with an array of every type, in several pieces.
func write(t *testing.T, path string) {
	t.Helper()
	w, err := Create(path, false,
		Array{"f", Float64, []int{3}}, Array{"x", Float32, []int{2, 2}}, Array{"row", Int64, nil}, Array{"k", Int32, []int{1}}, Array{"b", Uint8, nil}, Array{"none", Float64, []int{48}})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	for _, a := range []struct {
		name   string
		values any
	}{
		{"f", []float64{1, -2.5, math.Inf(1)}}, {"x", []float32{1, 2, 3, 4}}, {"f", []float64{0, math.NaN(), 5e-324}},
		{"row", []int64{math.MinInt64, 7, 1 << 40}}, {"k", []int32{-1, math.MaxInt32}}, {"b", []uint8{0, 255}},
	} {
		if err := w.Append(a.name, a.values); err != nil {
			t.Fatal(err)
		}
	}
	for _, bad := range []error{w.Append("g", []float64{1}), w.Append("f", []float32{1, 2, 3}), w.Append("f", []float64{1, 2})} {
		if bad == nil {
			t.Error("wrong rows were accepted")
		}
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.npz")
	write(t, path)
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if got := strings.Join(f.Names(), " "); got != "f x row k b none" {
		t.Errorf("arrays %s", got)
	}
	for _, want := range []struct {
		name   string
		t      Type
		shape  []int
		values []float64
	}{
		{"f", Float64, []int{2, 3}, []float64{1, -2.5, math.Inf(1), 0, math.NaN(), 5e-324}},
		{"x", Float32, []int{1, 2, 2}, []float64{1, 2, 3, 4}},
		{"row", Int64, []int{3}, []float64{math.MinInt64, 7, 1 << 40}},
		{"k", Int32, []int{2, 1}, []float64{-1, math.MaxInt32}},
		{"b", Uint8, []int{2}, []float64{0, 255}},
		{"none", Float64, []int{0, 48}, nil},
	} {
		s, err := f.Array(want.name)
		if err != nil {
			t.Fatal(err)
		}
		var got []float64
		buf := make([]float64, 4)
		for {
			n, err := s.Read(buf)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, buf[:n]...)
		}
		same := slices.EqualFunc(got, want.values, func(a, b float64) bool { return a == b || a != a && b != b })
		if s.Type != want.t || !slices.Equal(s.Shape, want.shape) || !same {
			t.Errorf("%s: %s %v %v, want %s %v %v", want.name, s.Type, s.Shape, got, want.t, want.shape, want.values)
		}
		s.Close()
	}
	if _, err := f.Array("g"); err == nil || !strings.Contains(err.Error(), "there are f, x, row") {
		t.Errorf("an array that is not there: %v", err)
	}
	left, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// NumPy reads what is written, and what NumPy writes is read.
func TestAgainstNumPy(t *testing.T) {
	python := os.Getenv("BARROW_PYTHON")
	if python == "" {
		python = "/usr/bin/python3"
	}
	path := filepath.Join(t.TempDir(), "a.npz")
	write(t, path)
	const script = `
import sys
try:
    import numpy as np
except ImportError:
    sys.exit(77)
a = np.load(sys.argv[1])
print(" ".join(f"{k}:{a[k].dtype.str}:{a[k].shape}" for k in a.files).replace(", ", ","), a["f"][0, 1], a["row"][2])
np.savez_compressed(sys.argv[2], u=np.arange(6, dtype=np.uint16).reshape(2, 3), t=np.array([True, False]), s=np.float64(2.5), f=np.asfortranarray(np.ones((2, 2))), big=np.ones(3, ">f8"))
`
	other := filepath.Join(t.TempDir(), "b.npz")
	out, err := exec.Command(python, "-c", script, path, other).CombinedOutput()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) && exit.ExitCode() == 77 || errors.Is(err, fs.ErrNotExist) {
		t.Skipf("NumPy is not installed for %s: apt-get install python3-numpy, or set BARROW_PYTHON", python)
	}
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	const want = "f:<f8:(2,3) x:<f4:(1,2,2) row:<i8:(3,) k:<i4:(2,1) b:|u1:(2,) none:<f8:(0,48) -2.5 1099511627776\n"
	if string(out) != want {
		t.Errorf("NumPy reads %q, want %q", out, want)
	}
	f, err := Open(other)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for name, want := range map[string][]float64{"u": {0, 1, 2, 3, 4, 5}, "t": {1, 0}, "s": {2.5}} {
		s, err := f.Array(name)
		if err != nil {
			t.Fatal(err)
		}
		got := make([]float64, 10)
		n, err := s.Read(got)
		if err != nil || !slices.Equal(got[:n], want) {
			t.Errorf("%s: %v, %v", name, got[:n], err)
		}
	}
	for _, name := range []string{"f", "big"} {
		if _, err := f.Array(name); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func TestRefused(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a.npz")
	for _, arrays := range [][]Array{{{"a", "<c16", nil}}, {{"a", Float64, []int{0}}}, {{"a", Float64, nil}, {"a", Float32, nil}}} {
		if _, err := Create(path, false, arrays...); err == nil {
			t.Errorf("%v was accepted", arrays)
		}
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if _, err := Open(path); err == nil {
		t.Error("a missing file was opened")
	}
}

// FuzzHeader gives any bytes as an entry.
func FuzzHeader(f *testing.F) {
	f.Add(header(Float64, []int{1}))
	f.Add([]byte("\x93NUMPY\x02\x00\x04\x00\x00\x00{}  "))
	f.Add([]byte("\x93NUMPY"))
	f.Add([]byte("\x93NUMPY\x01\x000\x00'descr':'<f2','fortran_order':False,'shape':()  ")) // a number that is not there
	f.Fuzz(func(t *testing.T, entry []byte) {
		s, err := NewStream(io.NopCloser(bytes.NewReader(entry)), int64(len(entry)), "a")
		if err != nil {
			return
		}
		n := 1
		for _, x := range s.Shape {
			n *= x
		}
		if n*s.Type.size() > len(entry) {
			t.Fatalf("shape %v in %d bytes", s.Shape, len(entry))
		}
		if got, err := s.Read(make([]float64, n)); got != n || err != nil && n > 0 {
			t.Fatalf("%d of %d numbers: %v", got, n, err)
		}
	})
}

func TestHeaderAligned(t *testing.T) {
	for n := 1; n < 1<<40; n *= 7 {
		h := header(Float64, []int{n, 48})
		if len(h)%64 != 0 || int(binary.LittleEndian.Uint16(h[8:])) != len(h)-10 {
			t.Errorf("%d rows: a header of %d bytes", n, len(h))
		}
	}
}

// What goes to a device or a stream is spooled elsewhere: no file can be made beside
// those.
func TestWriteThrough(t *testing.T) {
	if _, err := os.Stat(os.DevNull); err != nil || runtime.GOOS == "windows" {
		t.Skip("no /dev/null")
	}
	t.Setenv("TMPDIR", t.TempDir())
	w, err := Create(os.DevNull, false, Array{Name: "a", Type: Float64})
	if err != nil {
		t.Fatal(err)
	}
	defer w.Abort()
	if got := filepath.Dir(w.arrays[0].file.Name()); got != os.TempDir() {
		t.Errorf("spooled to %s", got)
	}
	if err := errors.Join(w.Append("a", []float64{1}), w.Commit()); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(os.TempDir()); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}
