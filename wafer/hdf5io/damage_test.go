package hdf5io

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/internal/shared"
	"barrow/wafer"
)

// samples are small files, as testdata/small.py writes them.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{"group", "rows", "frame", "blosc"} {
		data, err := os.ReadFile(filepath.Join("testdata", "small_"+name+".h5"))
		if err != nil {
			t.Fatal(err)
		}
		files[name] = data
	}
	return files
}

// readAll reads and inspects a file, and returns the first error.
func readAll(t testing.TB, data []byte) error {
	t.Helper()
	src := func() *wafer.Source {
		return &wafer.Source{Name: "x.h5", At: bytes.NewReader(data), Size: int64(len(data))}
	}
	_, looked := Format{}.Inspect(t.Context(), src(), wafer.InspectSettings{Stats: true})
	r, err := Format{}.Open(src(), wafer.ReadSettings{})
	if err != nil {
		return err
	}
	if looked != nil {
		t.Errorf("read, but not inspected: %v", looked)
	}
	var s wafer.Set
	for images := 0; ; {
		n, err := r.Read(&s, 100)
		if n == 0 {
			if err == io.EOF {
				return nil
			}
			return err
		}
		if err := s.Check(); err != nil {
			t.Errorf("%s: %v", r.Place(0), err)
		}
		if images += n; images > 1<<20 { // damage may make many rows of few bytes
			return nil
		}
	}
}

// TestDamaged cuts files off and changes bytes of them: reading ends with images or an
// error that names the file.
func TestDamaged(t *testing.T) {
	for name, data := range samples(t) {
		if err := readAll(t, data); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		tries := 5000
		noticed := shared.Damaged(t, data, tries, func(b []byte) error {
			err := readAll(t, b)
			if err != nil && !strings.HasPrefix(err.Error(), "hdf5io: x.h5: ") {
				t.Errorf("%s: the error names no file: %v", name, err)
			}
			return err
		})
		if testing.Short() {
			tries /= 10
		}
		if noticed < tries/100 {
			t.Errorf("%s: %d of %d damages were noticed", name, noticed, tries)
		}
	}
}

// FuzzRead changes bytes of a file: which, and of each four of patch a place (three
// bytes) and its new value.
func FuzzRead(f *testing.F) {
	files := samples(f)
	names := slices.Sorted(maps.Keys(files))
	f.Add(uint8(0), []byte{})
	f.Add(uint8(1), []byte{8, 0, 0, 2, 100, 0, 0, 255})
	f.Add(uint8(2), []byte{48, 1, 0, 9})
	f.Fuzz(func(t *testing.T, which uint8, patch []byte) {
		b := slices.Clone(files[names[int(which)%len(names)]])
		for ; len(patch) >= 4; patch = patch[4:] {
			b[(int(patch[0])|int(patch[1])<<8|int(patch[2])<<16)%len(b)] = patch[3]
		}
		_ = readAll(t, b) // must end, and not panic
	})
}
