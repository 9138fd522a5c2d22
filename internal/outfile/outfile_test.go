package outfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWrite(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out.txt")
	put := func(s string) func(io.Writer) error {
		return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
	}
	if err := Write(path, false, put("one")); err != nil {
		t.Fatal(err)
	}
	if err := Write(path, false, put("two")); !errors.Is(err, ErrExists) {
		t.Fatalf("overwriting without force: got %v, want ErrExists", err)
	}
	if err := Write(path, true, func(w io.Writer) error {
		io.WriteString(w, "half")
		return errors.New("broken")
	}); err == nil {
		t.Fatal("a failing fill reported no error")
	}
	if b, _ := os.ReadFile(path); string(b) != "one" {
		t.Fatalf("after failed writes the file holds %q, want the first content", b)
	}
	if err := Write(path, true, put("three")); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "three" {
		t.Fatalf("got %q", b)
	}
	entries, _ := os.ReadDir(dir)
	if len(entries) != 1 {
		t.Fatalf("temporary files left behind: %v", entries)
	}
}

func TestCheck(t *testing.T) {
	dir := t.TempDir()
	if err := Check(dir, true); err == nil {
		t.Error("a folder was accepted as an output file")
	}
	if err := Check(filepath.Join(dir, "no", "such", "out"), false); err == nil {
		t.Error("a missing folder was accepted")
	}
}

// TestAppears: a file that another process has put there in the meantime is not
// replaced unasked.
func TestAppears(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	err := Write(path, false, func(w io.Writer) error { return os.WriteFile(path, []byte("theirs"), 0o644) })
	if b, _ := os.ReadFile(path); !errors.Is(err, ErrExists) || string(b) != "theirs" {
		t.Errorf("%v, and the file holds %q", err, b)
	}
}

// TestSweep: what a killed process leaves is known by its name and removed, and
// nothing else is.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	f, err := Create(filepath.Join(dir, strings.Repeat("n", 250)), false)
	if err != nil {
		t.Fatal(err)
	}
	f.out.Close() // and no Commit, as if the process had ended here
	own := []string{".barrow-notes", "a.tmp", "out"}
	for _, name := range own {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, ".barrow-folder.tmp"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := Sweep(dir); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(own)+1 {
		t.Errorf("left: %v, %v", entries, err)
	}
}

// TestWriteAt replaces what was written before, and goes on behind it.
func TestWriteAt(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	f, err := Create(path, false)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Abort()
	io.WriteString(f, "size ?, ")
	if n, err := f.WriteAt([]byte("5"), 5); n != 1 || err != nil || !f.Regular() {
		t.Fatal(n, err)
	}
	io.WriteString(f, "seven")
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	if b, _ := os.ReadFile(path); string(b) != "size 5, seven" {
		t.Errorf("%q", b)
	}
}

// TestNoFolder: what cannot be written says so of the folder, not of a temporary file.
func TestNoFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "nodir")
	for _, err := range []error{
		Check(filepath.Join(dir, "o.csv"), false),
		Write(filepath.Join(dir, "o.csv"), true, func(io.Writer) error { return nil }),
	} {
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no folder "+dir+": ") || strings.Contains(err.Error(), temporaryEnding) {
			t.Errorf("%v", err)
		}
	}
}
