package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// A source is Barrow's source tree.
type source struct {
	root    string            // where go.mod is
	version string            // as the package says it
	files   map[string][]byte // the package's, by their names in the wheel
	readme  []byte            // what pip's index would show
	license []byte            // Barrow's own
	others  []byte            // the licences of what the program links
}

var (
	moduleLine  = regexp.MustCompile(`(?m)^module barrow$`)
	versionLine = regexp.MustCompile(`(?m)^__version__(?:: str)? = "([0-9]+(?:\.[0-9]+)*(?:(?:a|b|rc)[0-9]+)?(?:\.dev[0-9]+)?)"$`)
)

// openSource reads the source tree that dir lies in.
func openSource(dir string) (*source, error) {
	if _, err := exec.LookPath("go"); err != nil {
		return nil, errors.New("the command go is not on the path, which compiles the program: install Go (https://go.dev/dl)")
	}
	root, err := findRoot(dir)
	if err != nil {
		return nil, err
	}
	s := &source{root: root}
	if s.files, err = readPackage(filepath.Join(root, "python")); err != nil {
		return nil, err
	}
	const says = "barrow/_version.py"
	m := versionLine.FindSubmatch(s.files[says])
	if m == nil {
		return nil, fmt.Errorf(`python/%s: no line __version__ = "…" with a version of Python's form`, says)
	}
	s.version = string(m[1])
	if s.readme, err = os.ReadFile(filepath.Join(root, "docs", "python.md")); err != nil {
		return nil, err
	}
	if s.license, err = os.ReadFile(filepath.Join(root, "LICENSE")); err != nil {
		return nil, err
	}
	s.others, err = s.licenses()
	return s, err
}

// findRoot is the folder of Barrow's go.mod, dir or above it.
func findRoot(dir string) (string, error) {
	start, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for at := start; ; {
		if b, err := os.ReadFile(filepath.Join(at, "go.mod")); err == nil && moduleLine.Match(b) {
			return at, nil
		}
		up := filepath.Dir(at)
		if up == at {
			return "", fmt.Errorf("%s lies in no source of Barrow (no go.mod with \"module barrow\" there or above); run this in a clone of it", start)
		}
		at = up
	}
}

// readPackage reads what of the package goes into wheels: its modules and the mark that
// they are typed. Caches and programs put there by hand do not.
func readPackage(python string) (map[string][]byte, error) {
	files := map[string][]byte{}
	tree := os.DirFS(python)
	err := fs.WalkDir(tree, "barrow", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "__pycache__" || d.Name() == "_bin" || strings.HasPrefix(d.Name(), ".")):
			return fs.SkipDir
		case d.IsDir() || path.Ext(name) != ".py" && path.Ext(name) != ".pyi" && d.Name() != "py.typed":
			return nil
		}
		files[name], err = fs.ReadFile(tree, name)
		// A checkout on Windows gives the same wheel.
		files[name] = bytes.ReplaceAll(files[name], []byte("\r\n"), []byte("\n"))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("the Python package: %w", err)
	}
	return files, nil
}

// compile is the program for a platform, static, without the paths of this machine and with
// the package's version.
func (s *source) compile(p platform) ([]byte, error) {
	dir, err := os.MkdirTemp("", "barrow-wheel")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	out := filepath.Join(dir, path.Base(p.program()))
	if _, err := s.tool(p, "build", "-trimpath", "-ldflags=-s -w -X barrow/internal/version.release=v"+s.version, "-o", out, "./cmd/barrow"); err != nil {
		return nil, err
	}
	return os.ReadFile(out)
}

// tool runs the Go command for a platform and returns its standard output. What might make
// another program on another machine is set to Go's defaults.
func (s *source) tool(p platform, args ...string) ([]byte, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = s.root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.system, "GOARCH="+p.processor,
		"GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=", "GOWORK=off")
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s for %s: %w\n%s", args[0], p, err, bytes.TrimSpace(said.Bytes()))
	}
	return out, nil
}

// licenses are those of Go and of the modules that the program links on any platform, in
// one text: who passes the program on passes them on, too.
func (s *source) licenses() ([]byte, error) {
	type module struct {
		Path, Version, Dir string
		Main               bool
	}
	found := map[string]module{}
	for _, p := range platforms {
		out, err := s.tool(p, "list", "-deps", "-json=Module", "./cmd/barrow")
		if err != nil {
			return nil, err
		}
		for d := json.NewDecoder(bytes.NewReader(out)); ; {
			var pkg struct{ Module *module }
			if err := d.Decode(&pkg); err == io.EOF {
				break
			} else if err != nil {
				return nil, fmt.Errorf("go list: %w", err)
			}
			if m := pkg.Module; m != nil && !m.Main {
				found[m.Path] = *m
			}
		}
	}
	goroot, err := s.tool(platforms[0], "env", "GOROOT")
	if err != nil {
		return nil, err
	}
	found["Go"] = module{Path: "Go", Dir: strings.TrimSpace(string(goroot))}
	var text bytes.Buffer
	fmt.Fprintln(&text, "The program contains the following works, under these licences.")
	for _, name := range slices.Sorted(maps.Keys(found)) {
		m := found[name]
		here, err := filepath.Glob(filepath.Join(m.Dir, "*"))
		if err != nil {
			return nil, err
		}
		n := 0
		for _, file := range here {
			if !licenseName.MatchString(filepath.Base(file)) {
				continue
			}
			b, err := os.ReadFile(file)
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&text, "\n==== %s: %s\n\n%s\n", strings.TrimSpace(m.Path+" "+m.Version), filepath.Base(file), bytes.TrimSpace(b))
			n++
		}
		if n == 0 {
			return nil, fmt.Errorf("%s %s: no licence found in %s", m.Path, m.Version, m.Dir)
		}
	}
	return text.Bytes(), nil
}

var licenseName = regexp.MustCompile(`(?i)^((un)?licen[cs]e|copying|notice|patents)([.-].*)?$`)
