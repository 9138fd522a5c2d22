package rootio

import (
	"context"
	"io"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

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
		try := func(what string, b []byte) {
			t.Helper()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			start := time.Now()
			_, err := use(b)
			runtime.ReadMemStats(&after)
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("%s, %s: %v (%v)", name, what, d, err)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 64<<20 {
				t.Errorf("%s, %s: %d MB of memory (%v)", name, what, used>>20, err)
			}
			if err != nil && !strings.HasPrefix(err.Error(), "rootio: a.root") {
				t.Errorf("%s, %s: the error names no file: %v", name, what, err)
			}
		}
		for i := range 20 {
			cut := whole[:len(whole)*i/20]
			try("cut off", cut)
			if got, err := use(cut); err == nil && got.Len() == want.Len() {
				t.Errorf("%s: whole with %d of %d bytes", name, len(cut), len(whole))
			}
		}
		n := 5000
		if testing.Short() {
			n = 500
		}
		random := rand.New(rand.NewPCG(1, 2))
		for range n {
			b := slices.Clone(whole)
			at := random.IntN(len(b))
			b[at] ^= 1 << random.IntN(8)
			try("flipped", b)
		}
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
