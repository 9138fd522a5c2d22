package econt

import (
	"os"
	"path/filepath"
	"testing"

	"barrow/internal/shared"
)

// dataDir is where the public test vectors lie; the test is skipped without.
func dataDir(t testing.TB) string {
	t.Helper()
	return shared.Data(t, "econt")
}

func open(t testing.TB, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func readGoldenInput(t testing.TB) []BunchCrossing {
	t.Helper()
	rows, err := ReadInput(open(t, filepath.Join(dataDir(t), "testInput.csv")), 0)
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func readGoldenConfig(t testing.TB, name string) *Registers {
	t.Helper()
	r, err := ReadRegisters(open(t, filepath.Join(dataDir(t), name, "init.yaml")))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestGolden runs every golden directory that has an output.
func TestGolden(t *testing.T) {
	dirs, err := filepath.Glob(filepath.Join(dataDir(t), "*", "testOutput.csv"))
	if err != nil || len(dirs) == 0 {
		t.Fatalf("no golden outputs: %v", err)
	}
	input := readGoldenInput(t)
	for _, path := range dirs {
		name := filepath.Base(filepath.Dir(path))
		t.Run(name, func(t *testing.T) {
			want, err := readOutput(open(t, path))
			if err != nil {
				t.Fatal(err)
			}
			if len(input) != 3564 || len(want) != 3564 {
				t.Fatalf("%d input and %d output rows; want 3564", len(input), len(want))
			}
			e, err := New(readGoldenConfig(t, name).Config)
			if err != nil {
				t.Fatal(err)
			}
			bad := 0
			for i := range input {
				var got Output
				e.Step(&input[i], &got)
				if got != want[i] {
					if bad == 0 {
						t.Errorf("row %d:\n got %08x\nwant %08x", i+1, got, want[i])
					}
					bad++
				}
			}
			if bad > 0 {
				t.Errorf("%d of %d rows differ", bad, len(input))
			}
			if e.Overflows() != 0 {
				t.Errorf("%d frames overflowed nine bits: the golden does not decide how", e.Overflows())
			}
		})
	}
}
