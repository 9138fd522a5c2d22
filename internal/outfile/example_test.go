package outfile_test

import (
	"fmt"
	"io"
	"os"
	"path/filepath"

	"barrow/internal/outfile"
)

func ExampleWrite() {
	dir, _ := os.MkdirTemp("", "outfile")
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "results.txt")
	err := outfile.Write(path, false, func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "0.6437")
		return err
	})
	b, _ := os.ReadFile(path)
	fmt.Print(string(b), err)
	// Output:
	// 0.6437
	// <nil>
}
