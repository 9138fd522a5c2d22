package rootio

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"barrow/internal/shared"
	"barrow/wafer"
)

// samples are small files of every kind.
func samples(t testing.TB) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, name := range []string{"small.root", "small_rntuple.root"} {
		b, err := os.ReadFile("testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files[name] = b
	}
	return files
}

// use does with a file all that can be done with one, and is the images it has.
func use(b []byte) (*wafer.Set, error) {
	_, inspectErr := Format{}.Inspect(context.Background(), memory("a.root", b), wafer.InspectSettings{Stats: true})
	r, err := Format{}.Open(memory("a.root", b), wafer.ReadSettings{})
	if err != nil {
		return nil, err
	}
	var all, part wafer.Set
	for {
		_, err := r.Read(&part, 1000)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if err := part.Check(); err != nil {
			panic("unsound images: " + err.Error())
		}
		if all.Len() < 1e5 {
			if err := all.Append(&part); err != nil {
				return nil, err
			}
		}
	}
	return &all, inspectErr
}

// TestDamaged reads files that are cut off, and files of which one byte is another:
// every time with an error or with some images, soon, and in little memory.
func TestDamaged(t *testing.T) {
	for name, whole := range samples(t) {
		want, err := use(whole)
		if err != nil || want.Len() == 0 {
			t.Fatalf("%s: %v", name, err)
		}
		shared.Damaged(t, whole, 5000, func(b []byte) error {
			got, err := use(b)
			if err == nil && len(b) < len(whole) && got.Len() < want.Len() {
				return errors.New("fewer images")
			}
			if err != nil && !strings.HasPrefix(err.Error(), "rootio: a.root") {
				t.Errorf("%s: the error names no file: %v", name, err)
			}
			return err
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, b := range samples(f) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) < 1<<20 {
			use(b)
		}
	})
}
