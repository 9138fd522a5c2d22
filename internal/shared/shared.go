// Package shared finds, for tests, the files that lie beside the project: those of
// public data sets and of inputs that once went wrong. A test that needs one is skipped
// where it is not there. The way to them is from the project's root, so that a
// package that moves does not lose them without a word. It also damages files, for the tests of what
// reads them.
package shared

import (
	"os"
	"path/filepath"
	"testing"
)

// Data is a file or folder of the data sets, in ../shared/data from the project's root or
// where BARROW_DATA says.
func Data(t testing.TB, parts ...string) string {
	t.Helper()
	if dir := os.Getenv("BARROW_DATA"); dir != "" {
		return found(t, filepath.Join(append([]string{dir}, parts...)...))
	}
	return found(t, filepath.Join(append([]string{beside(t), "data"}, parts...)...))
}

// Case is a file or folder of the inputs that went wrong, in ../shared/cases.
func Case(t testing.TB, parts ...string) string {
	t.Helper()
	return found(t, filepath.Join(append([]string{beside(t), "cases"}, parts...)...))
}

func found(t testing.TB, path string) string {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		t.Skipf("not beside the project: %v (BARROW_DATA names the folder of the data sets)", err)
	}
	return path
}

// beside is the folder shared next to the root, which is where go.mod is.
func beside(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return filepath.Join(filepath.Dir(dir), "shared")
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the working directory")
		}
		dir = up
	}
}
