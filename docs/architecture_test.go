package docs_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestArrows holds the import diagram of architecture.md against the imports of
// the code: no package imports what its line does not name, and no line names
// what its package does not import. A line is for a room, with all packages below
// it that have no line of their own.
func TestArrows(t *testing.T) {
	allowed := diagram(t)
	rooms := slices.Sorted(maps.Keys(allowed))
	used := map[string]map[string]bool{}
	for file, imports := range sources(t) {
		from := room(rooms, filepath.ToSlash(filepath.Dir(file)))
		if from == "" {
			t.Errorf("%s lies in no room of the diagram", file)
			continue
		}
		if used[from] == nil {
			used[from] = map[string]bool{}
		}
		for _, path := range imports {
			to := room(rooms, path)
			switch {
			case to == from:
			case to == "":
				t.Errorf("%s imports %s, which lies in no room of the diagram", file, path)
			case !allowed[from][to]:
				t.Errorf("%s imports %s: the diagram has no arrow from %s to %s", file, path, from, to)
			default:
				used[from][to] = true
			}
		}
	}
	for _, from := range rooms {
		for to := range allowed[from] {
			if !used[from][to] {
				t.Errorf("the diagram has an arrow from %s to %s, which no file needs", from, to)
			}
		}
	}
}

var arrow = regexp.MustCompile(`(?m)^(\S+) → ?(.*)$`)

// diagram reads the lines "room → rooms" of architecture.md.
func diagram(t *testing.T) map[string]map[string]bool {
	t.Helper()
	b, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	allowed := map[string]map[string]bool{}
	for _, m := range arrow.FindAllStringSubmatch(string(b), -1) {
		to := map[string]bool{}
		for _, name := range strings.FieldsFunc(m[2], func(r rune) bool { return r == ',' || r == ' ' }) {
			to[name] = true
		}
		allowed[m[1]] = to
	}
	if len(allowed) < 15 {
		t.Fatalf("architecture.md has %d lines of the diagram", len(allowed))
	}
	return allowed
}

// room is the one that a package lies in: the longest that its path begins with.
func room(rooms []string, path string) string {
	best := ""
	for _, r := range rooms {
		if (path == r || strings.HasPrefix(path, r+"/")) && len(r) > len(best) {
			best = r
		}
	}
	return best
}

// sources are the house's Go files, but for tests, benchmarks and generators, with
// what they import of the house.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	files := map[string][]string{}
	root := os.DirFS("..")
	err := fs.WalkDir(root, ".", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != "." || d.Name() == "gen" || path == "bench" || d.Name() == "testdata"):
			return fs.SkipDir
		case !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		b, err := fs.ReadFile(root, path)
		if err != nil {
			return err
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, b, parser.ImportsOnly)
		if err != nil {
			return err
		}
		files[path] = nil
		for _, i := range f.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			if rest, ok := strings.CutPrefix(name, "barrow/"); ok {
				files[path] = append(files[path], rest)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 100 {
		t.Fatalf("%d Go files found", len(files))
	}
	return files
}
