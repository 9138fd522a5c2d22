package file_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"barrow/simulate"
	"barrow/wafer"
	"barrow/wafer/file"
)

// TestJoinLines: pieces of any length make, compressed, the bytes of one file; damage is said.
func TestJoinLines(t *testing.T) {
	s := simulate.Settings{Seed: 3}
	set, err := simulate.Generate(2000, s)
	if err != nil {
		t.Fatal(err)
	}
	for _, ending := range []string{".csv.gz", ".csv.zst"} {
		dir := t.TempDir()
		put := func(name string, from, to int) string {
			path := filepath.Join(dir, name+ending)
			if err := file.WriteAll(path, false, set.Slice(from, to), wafer.WriteSettings{}); err != nil {
				t.Fatal(err)
			}
			return path
		}
		one := put("one", 0, 2000)
		parts := []string{put("a", 0, 1), put("b", 1, 1700), put("c", 1700, 2000)}
		joined := filepath.Join(dir, "joined"+ending)
		if err := file.JoinLines(context.Background(), joined, 1, parts...); err != nil {
			t.Fatal(err)
		}
		a, errA := os.ReadFile(one)
		b, errB := os.ReadFile(joined)
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s: %d bytes, joined %d: %v, %v", ending, len(a), len(b), errA, errB)
		}
		broken, err := os.ReadFile(parts[1])
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(parts[1], broken[:len(broken)/2], 0o600); err != nil {
			t.Fatal(err)
		}
		other := filepath.Join(dir, "other"+ending)
		if err := file.JoinLines(context.Background(), other, 1, parts...); err == nil || !strings.Contains(err.Error(), "damaged, or cut off") {
			t.Errorf("%s: %v", ending, err)
		}
		if _, err := os.Stat(other); err == nil {
			t.Error("something was written")
		}
	}
	if err := file.JoinLines(context.Background(), filepath.Join(t.TempDir(), "a.csv"), 1); err == nil {
		t.Error("a file that is not compressed")
	}
}
