package h5

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// small is a file with each structure once.
func small(t testing.TB) []byte {
	t.Helper()
	tree := &Tree{Scalars: map[string]string{"s": "text"}, Lists: map[string][]string{"l": {"a", "bc"}}}
	if err := tree.SetDataset("g/w", Array{[]int{2, 3}, []float32{1, 2, 3, 4, 5, 6}}); err != nil {
		t.Fatal(err)
	}
	data, err := Encode(tree)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// readAll reads whatever a file has, and returns the first error.
func readAll(data []byte) error {
	f, err := Parse(data)
	if err != nil {
		return err
	}
	root, err := f.Root()
	if err != nil {
		return err
	}
	return readGroup(root, 0)
}

func readGroup(g *Group, depth int) error {
	if depth > 3 {
		return nil
	}
	for _, name := range []string{"s", "model_config", "keras_version"} {
		if _, _, err := g.String(name); err != nil {
			return err
		}
	}
	for _, name := range []string{"l", "layer_names", "weight_names"} {
		if _, _, err := g.Strings(name); err != nil {
			return err
		}
	}
	for i, name := range g.Names() {
		if i > 20 {
			break
		}
		if d, err := g.Dataset(name); err == nil {
			if _, err := d.Float32s(); err != nil {
				return err
			}
			continue
		}
		sub, err := g.Group(name)
		if err != nil {
			return err
		}
		if err := readGroup(sub, depth+1); err != nil {
			return err
		}
	}
	return nil
}

// TestTruncated reads a file cut at every length.
func TestTruncated(t *testing.T) {
	data := small(t)
	if err := readAll(data); err != nil {
		t.Fatal(err)
	}
	for n := range data {
		if err := readAll(data[:n]); err == nil {
			t.Fatalf("cut after %d of %d bytes: no error", n, len(data))
		} else if !strings.HasPrefix(err.Error(), "hdf5: ") {
			t.Fatalf("cut after %d: %v", n, err)
		}
	}
}

// TestDamaged changes each byte of a file, and then several at once: the reader
// must end with a result or an error, within memory. That is where the library
// that the other tests compare with fails: of 1,500 files with one byte changed
// it ended the program for 7, out of memory.
func TestDamaged(t *testing.T) {
	data := small(t)
	rng := rand.New(rand.NewPCG(3, 4))
	failed := 0
	try := func(b []byte) {
		if readAll(b) != nil {
			failed++
		}
	}
	b := make([]byte, len(data))
	for i := range data {
		copy(b, data)
		for _, v := range []byte{0, 1, 127, 255, data[i] ^ 1, data[i] ^ 128} {
			b[i] = v
			try(b)
		}
	}
	for range 20000 {
		copy(b, data)
		for range 1 + rng.IntN(4) {
			b[rng.IntN(len(b))] = byte(rng.Uint32())
		}
		try(b)
	}
	if failed == 0 {
		t.Error("no damage was noticed")
	}
}

// FuzzRead changes bytes of a file: each three of patch are a place and its new
// value. Whole files as inputs would take the fuzzer all its time to shrink.
func FuzzRead(f *testing.F) {
	data := small(f)
	f.Add([]byte{})
	f.Add([]byte{8, 0, 2, 100, 0, 255})
	f.Fuzz(func(t *testing.T, patch []byte) {
		b := slices.Clone(data)
		for ; len(patch) >= 3; patch = patch[3:] {
			b[int(binary.LittleEndian.Uint16(patch))%len(b)] = patch[2]
		}
		_ = readAll(b) // must end, and not panic
	})
}
