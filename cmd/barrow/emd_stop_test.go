package main

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestStopInsideSolve: a pair that takes many seconds is given up when the time is over.
func TestStopInsideSolve(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var file [2]string
	for k := range file {
		var row []string
		for range 160 * 160 {
			row = append(row, strconv.Itoa(r.IntN(100)))
		}
		file[k] = filepath.Join(t.TempDir(), "image.csv")
		if err := os.WriteFile(file[k], []byte(strings.Join(row, ",")+"\n"), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"emd", "nearest"} {
		var out, says bytes.Buffer
		code := execute([]string{name, file[0], file[1], "--grid", "160x160", "--max-runtime", "300ms", "--quiet"}, strings.NewReader(""), &out, &says)
		if code != resubmit || out.Len() > 0 || !strings.Contains(says.String(), "interrupted; no output was left") {
			t.Errorf("%s: code %d, %q, %q", name, code, out.String(), says.String())
		}
	}
}
