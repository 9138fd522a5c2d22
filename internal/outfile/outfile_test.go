package outfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
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
