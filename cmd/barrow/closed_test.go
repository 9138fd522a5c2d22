package main

import (
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A reader of standard output that goes away ends the command at once, with the exit
// status of SIGPIPE, without a word, and without files that are half written.
func TestClosedOutput(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGPIPE there")
	}
	dir := t.TempDir()
	images := filepath.Join(dir, "a.csv")
	row := strings.Repeat("1,", 47) + "1\n"
	if err := os.WriteFile(images, []byte(strings.Repeat(row, 10000)), 0o600); err != nil {
		t.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	var said strings.Builder
	code := execute([]string{"emd", images, images, "--potentials", filepath.Join(dir, "g.npz")}, strings.NewReader(""), w, &said)
	if code != 141 || said.Len() > 0 {
		t.Errorf("exit status %d, %q", code, said.String())
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	var out strings.Builder
	if code := execute([]string{"emd", images, images, "--quiet"}, strings.NewReader(""), &out, io.Discard); code != 0 || out.Len() != 20000 {
		t.Errorf("afterwards: exit status %d, %d bytes", code, out.Len())
	}
}
