package h5

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/internal/shared"
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

// samples are files with each structure, ours and h5py's.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{"own": small(t)}
	for _, name := range []string{"small_earliest.h5", "small_latest.h5"} {
		data, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	return files
}

// readAll reads whatever a file has, and returns the first error.
func readAll(data []byte, unchecked bool) error {
	f, err := open(bytes.NewReader(data), int64(len(data)), unchecked)
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
	for _, name := range []string{"s", "a3", "a7"} {
		if _, _, err := g.String(name); err != nil {
			return err
		}
	}
	for _, name := range []string{"l", "layer_names"} {
		if _, _, err := g.Strings(name); err != nil {
			return err
		}
	}
	for i, name := range g.Names() {
		if i > 20 {
			break
		}
		sub, d, err := g.Open(name)
		switch {
		case err != nil:
		case d != nil:
			err = readDataset(d)
		case sub != nil:
			err = readGroup(sub, depth+1)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readDataset reads all fields, a few rows at a time.
func readDataset(d *Dataset) error {
	_ = d.Type().String()
	// Several damages may make a shape of what takes no bytes of the file, being fill
	// values: of so many, the first and the last row are read.
	items := 1.
	for _, n := range d.Shape() {
		items *= float64(n)
	}
	if items > 1<<18 {
		rows, err := d.Rows()
		if err != nil {
			return err
		}
		for _, first := range []int{0, rows.Len() - 1} {
			if _, err := rows.Read(nil, first, 1); err != nil {
				return err
			}
		}
		return nil
	}
	fields := d.Type().Members
	if fields == nil {
		fields = []Member{{Type: d.Type()}}
	}
	for _, m := range fields {
		typ, per := m.Type, 1
		for typ.Class == Block {
			for _, n := range typ.Dims {
				per *= n
			}
			typ = typ.Base
		}
		if !typ.Number() && !typ.Words() {
			continue
		}
		if _, _, err := readElements(d, typ, m.Offset, per, 1+rowsOf(d)/3); err != nil {
			return err
		}
	}
	return nil
}

// rowsOf is the number of rows.
func rowsOf(d *Dataset) int {
	if len(d.Shape()) == 0 {
		return 1
	}
	return d.Shape()[0]
}

// TestTruncated reads files cut at every twentieth, and the small one of ours at every
// length.
func TestTruncated(t *testing.T) {
	for name, data := range samples(t) {
		if err := readAll(data, false); err != nil {
			t.Fatal(name, err)
		}
		step := max(1, len(data)/1000)
		for n := 0; n < len(data); n += step {
			if err := readAll(data[:n], false); err == nil {
				t.Fatalf("%s: cut after %d of %d bytes: no error", name, n, len(data))
			} else if !strings.HasPrefix(err.Error(), "hdf5: ") {
				t.Fatalf("%s: cut after %d: %v", name, n, err)
			}
		}
	}
}

// TestDamaged changes bytes of files, one and then several at once: the reader
// must end with a result or an error, within memory. That is where the library
// that the other tests compare with fails: of 1,500 files with one byte changed
// it ended the program for 7, out of memory.
func TestDamaged(t *testing.T) { damage(t, false) }

// TestDamagedUnchecked does the same where checksums need not fit, so that what lies
// behind them is tried.
func TestDamagedUnchecked(t *testing.T) { damage(t, true) }

func damage(t *testing.T, unchecked bool) {
	for name, data := range samples(t) {
		read := func(b []byte) error { return readAll(b, unchecked) }
		tries := 6000
		failed := shared.Damaged(t, data, tries, read)
		if testing.Short() {
			tries /= 10
		}
		rng := rand.New(rand.NewPCG(3, 4))
		for k := range tries {
			b := slices.Clone(data)
			for range 1 + rng.IntN(4) {
				b[rng.IntN(len(b))] ^= 1 << rng.IntN(8)
			}
			if shared.Bounded(t, fmt.Sprintf("%s, damage %d", name, k), b, read) != nil {
				failed++
			}
		}
		if failed < tries/50 {
			t.Errorf("%s: %d of %d damages were noticed", name, failed, 2*tries)
		}
	}
}

// FuzzRead changes bytes of a file: which, and of each four of patch a place (three
// bytes) and its new value. Whole files as inputs would take the fuzzer all its time to
// shrink.
func FuzzRead(f *testing.F) {
	files := samples(f)
	names := slices.Sorted(maps.Keys(files))
	f.Add(uint8(0), false, []byte{})
	f.Add(uint8(1), false, []byte{8, 0, 0, 2, 100, 0, 0, 255})
	f.Add(uint8(2), true, []byte{48, 1, 0, 9})
	f.Fuzz(func(t *testing.T, which uint8, unchecked bool, patch []byte) {
		b := slices.Clone(files[names[int(which)%len(names)]])
		for ; len(patch) >= 4; patch = patch[4:] {
			b[(int(patch[0])|int(patch[1])<<8|int(patch[2])<<16)%len(b)] = patch[3]
		}
		_ = readAll(b, unchecked) // must end, and not panic
	})
}
