package file

import (
	"cmp"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// unpackedName is a file's name without the ending of a compression, and that
// compression, or nil.
func unpackedName(name string) (string, *packer) {
	end := ending(name)
	for _, p := range packers() {
		if end == p.ending {
			return name[:len(name)-len(end)], &p
		}
	}
	return name, nil
}

// Expand puts the files that a pattern fits for it: a name with *, ? or [ that is
// itself no file, as the shell has them. They are in their natural order, in which
// nt_2 comes before nt_10. A pattern that fits nothing is an error.
func Expand(names ...string) ([]string, error) {
	var all []string
	for _, name := range names {
		if !strings.ContainsAny(name, "*?[") {
			all = append(all, name)
			continue
		}
		if _, err := os.Lstat(name); err == nil {
			all = append(all, name)
			continue
		}
		found, err := filepath.Glob(name)
		if err != nil {
			return nil, fmt.Errorf("wafer/file: %s: no such file, and no pattern: %w", printable(name), err)
		}
		if len(found) == 0 {
			return nil, fmt.Errorf("wafer/file: %w", &fs.PathError{Op: "pattern", Path: printable(name), Err: noFile{}})
		}
		slices.SortFunc(found, natural)
		all = append(all, found...)
	}
	return all, nil
}

// noFile is what a pattern finds that no file fits, which is a file that is not there.
type noFile struct{}

func (noFile) Error() string { return "no file fits" }

func (noFile) Is(target error) bool { return target == fs.ErrNotExist }

// natural compares names so that numbers in them count as numbers.
func natural(a, b string) int {
	x, y := a, b
	for x != "" && y != "" {
		if n, m := digits(x), digits(y); n > 0 && m > 0 {
			u, v := strings.TrimLeft(x[:n], "0"), strings.TrimLeft(y[:m], "0")
			if c := cmp.Or(cmp.Compare(len(u), len(v)), cmp.Compare(u, v)); c != 0 {
				return c
			}
			x, y = x[n:], y[m:]
			continue
		}
		if x[0] != y[0] {
			return cmp.Compare(x[0], y[0])
		}
		x, y = x[1:], y[1:]
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(a, b))
}

// digits is how many a text begins with.
func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }
