//go:build unix

package outfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func content(s string) func(io.Writer) error {
	return func(w io.Writer) error { _, err := io.WriteString(w, s); return err }
}

// TestModes: a new file gets what the umask leaves, one that is replaced keeps
// its permissions, also while its new content is being written.
func TestModes(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o027))
	dir := t.TempDir()
	path := filepath.Join(dir, "new")
	mode := func() os.FileMode {
		info, err := os.Lstat(path)
		if err != nil {
			t.Fatal(err)
		}
		return info.Mode()
	}
	if err := Write(path, false, content("one")); err != nil || mode() != 0o640 {
		t.Errorf("a new file under umask 027: %v, mode %o", err, mode())
	}
	for _, want := range []os.FileMode{0o600, 0o664, 0o444} {
		if err := os.Chmod(path, want); err != nil {
			t.Fatal(err)
		}
		err := Write(path, true, func(w io.Writer) error {
			names, err := filepath.Glob(filepath.Join(dir, temporaryPrefix+"*"))
			if err != nil || len(names) != 1 {
				t.Fatal(names, err)
			}
			if info, err := os.Stat(names[0]); err != nil || info.Mode()&^want != 0 {
				t.Errorf("on the way to %o: %v, mode %o", want, err, info.Mode())
			}
			return content("two")(w)
		})
		if err != nil || mode() != want {
			t.Errorf("replaced: %v, mode %o, want %o", err, mode(), want)
		}
	}
}

// TestLinks: the target is replaced and the link stays, whether the target is
// there yet or not.
func TestLinks(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"a/b", "c"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	at := func(name string) string { return filepath.Join(dir, filepath.FromSlash(name)) }
	for link, to := range map[string]string{
		"absolute": at("c/one"), "relative": "c/two", "twice": "relative", "folder": "a/b",
		"a/b/up": "../three", // the folder's real parent is meant
		"loop":   "loop", "gone": "no/such/folder/x",
	} {
		if err := os.Symlink(filepath.FromSlash(to), at(link)); err != nil {
			t.Fatal(err)
		}
	}
	for path, target := range map[string]string{"absolute": "c/one", "twice": "c/two", "folder/up": "a/three"} {
		for _, text := range []string{"first", "second"} {
			if err := Write(at(path), text == "second", content(text)); err != nil {
				t.Fatal(err)
			}
			if b, err := os.ReadFile(at(target)); err != nil || string(b) != text {
				t.Errorf("%s: %q, %v", path, b, err)
			}
		}
		if err := Write(at(path), false, content("third")); !errors.Is(err, ErrExists) {
			t.Errorf("%s: over its target without force: %v", path, err)
		}
		if info, err := os.Lstat(at(path)); err != nil || info.Mode()&os.ModeSymlink == 0 {
			t.Errorf("%s is no link any more", path)
		}
	}
	for _, path := range []string{"loop", "gone", "folder"} {
		if err := Write(at(path), true, content("x")); err == nil {
			t.Errorf("%s was written", path)
		}
	}
}

// TestThrough: devices and pipes are written to and stay what they are.
func TestThrough(t *testing.T) {
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skip(err)
	}
	for _, force := range []bool{false, true} {
		got := make(chan string)
		go func() {
			b, err := os.ReadFile(fifo)
			if err != nil {
				t.Error(err)
			}
			got <- string(b)
		}()
		if err := Check(fifo, force); err != nil {
			t.Error(err)
		}
		if err := Write(fifo, force, content("through")); err != nil {
			t.Fatal(err)
		}
		select {
		case s := <-got:
			if s != "through" {
				t.Errorf("the reader got %q", s)
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the reader got nothing")
		}
		if info, err := os.Lstat(fifo); err != nil || info.Mode()&os.ModeNamedPipe == 0 {
			t.Errorf("the pipe was replaced: %v", info.Mode())
		}
		if err := Write(os.DevNull, force, content("nothing")); err != nil {
			t.Error(err)
		}
		if info, err := os.Lstat(os.DevNull); err != nil || info.Mode()&os.ModeCharDevice == 0 {
			t.Errorf("%s was replaced: %v", os.DevNull, info.Mode())
		}
	}
}

// TestFull: a device without room is an error, which names the output, wherever the room ends.
func TestFull(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip(err)
	}
	if err := Write("/dev/full", true, content("x")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v, want that no space is left", err)
	}
	link := filepath.Join(t.TempDir(), "out")
	if err := os.Symlink("/dev/full", link); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{1, 1 << 20} {
		f, err := Create(link, true)
		if err != nil {
			t.Fatal(err)
		}
		_, err = f.Write(make([]byte, n))
		if err == nil {
			err = f.Commit()
		}
		if f.Abort(); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), link) {
			t.Errorf("%d bytes: got %v, want that no space is left in %s", n, err, link)
		}
	}
}

// TestStandardOutput: the program's own stream is written where it stands and
// stays open.
func TestStandardOutput(t *testing.T) {
	if _, err := os.Lstat("/dev/stdout"); err != nil {
		t.Skip(err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "shell"))
	if err != nil {
		t.Fatal(err)
	}
	defer func(old *os.File) { os.Stdout = old }(os.Stdout)
	os.Stdout = f
	f.WriteString("before ")
	if err := Write("/dev/stdout", false, content("it")); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(" after"); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(f.Name()); string(b) != "before it after" {
		t.Errorf("standard output holds %q, %v", b, err)
	}
}
