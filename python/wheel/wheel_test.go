package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// fake is a source whose program is not compiled.
func fake(t *testing.T) *source {
	t.Helper()
	s, err := openSource(".")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// open reads the wheel at path: its files in order, and their contents.
func open(t *testing.T, path string) ([]*zip.File, map[string]string) {
	t.Helper()
	z, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { z.Close() })
	text := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if _, twice := text[f.Name]; twice {
			t.Errorf("%s is there twice", f.Name)
		}
		text[f.Name] = string(b)
	}
	return z.File, text
}

// TestEveryPlatform holds what all wheels are to the format: names, tags, list of files,
// times and permissions; a text stands for the program.
func TestEveryPlatform(t *testing.T) {
	s := fake(t)
	for _, p := range platforms {
		t.Run(strings.ReplaceAll(p.String(), "/", "-"), func(t *testing.T) {
			program := []byte("program for " + p.String())
			path, size, err := s.write(t.TempDir(), p, program, false)
			if err != nil {
				t.Fatal(err)
			}
			if info, err := os.Stat(path); err != nil || info.Size() != size {
				t.Errorf("%d bytes said; %v, %v", size, info.Size(), err)
			}
			name := strings.TrimSuffix(filepath.Base(path), ".whl")
			parts := strings.Split(name, "-")
			if len(parts) != 5 || parts[0] != "barrow" || parts[1] != s.version || parts[2] != "py3" || parts[3] != "none" {
				t.Fatalf("the wheel is called %s", name)
			}
			files, text := open(t, path)
			info := "barrow-" + s.version + ".dist-info/"
			var tags []string
			for line := range strings.SplitSeq(text[info+"WHEEL"], "\n") {
				if tag, ok := strings.CutPrefix(line, "Tag: py3-none-"); ok {
					tags = append(tags, tag)
				}
			}
			if strings.Join(tags, ".") != parts[4] {
				t.Errorf("tags %q, name %s", tags, name)
			}
			if text[p.program()] != string(program) {
				t.Errorf("%s holds %q", p.program(), text[p.program()])
			}
			checkRecord(t, text, info+"RECORD")
			if last := files[len(files)-1].Name; last != info+"RECORD" {
				t.Errorf("the last file is %s", last)
			}
			for _, f := range files {
				want := fs.FileMode(0o644)
				if f.Name == p.program() {
					want = 0o755
				}
				if f.Mode() != want || f.Modified.Year() > 1980 || len(f.Extra) != 0 {
					t.Errorf("%s: %v, %v, %d bytes more", f.Name, f.Mode(), f.Modified, len(f.Extra))
				}
			}
			again := t.TempDir()
			second, _, err := s.write(again, p, program, false)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := read(t, path), read(t, second); !bytes.Equal(a, b) {
				t.Error("made twice, they differ")
			}
		})
	}
}

// checkRecord holds RECORD to the files: every one is there, with its digest and size.
func checkRecord(t *testing.T, text map[string]string, name string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(text[name])).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != len(text) {
		t.Errorf("RECORD has %d rows for %d files", len(rows), len(text))
	}
	for _, r := range rows {
		body, there := text[r[0]]
		sum := sha256.Sum256([]byte(body))
		want := []string{r[0], "sha256=" + base64.RawURLEncoding.EncodeToString(sum[:]), fmt.Sprint(len(body))}
		if r[0] == name {
			want = []string{name, "", ""}
		}
		if !there || !slices.Equal(r, want) {
			t.Errorf("RECORD says %q, want %q", r, want)
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// TestContents: what users need to read is inside, and nothing that lay about.
func TestContents(t *testing.T) {
	s := fake(t)
	for _, want := range []string{"barrow/__init__.py", "barrow/__main__.py", "barrow/_command.py", "barrow/py.typed"} {
		if _, ok := s.files[want]; !ok {
			t.Errorf("%s is not in the package", want)
		}
	}
	for name := range s.files {
		if strings.Contains(name, "__pycache__") || strings.Contains(name, "_bin") || strings.Contains(name, "tests") {
			t.Errorf("%s is in the package", name)
		}
	}
	for _, want := range []string{"==== Go: LICENSE", "==== github.com/spf13/cobra v", "Redistribution and use"} {
		if !strings.Contains(string(s.others), want) {
			t.Errorf("the licences lack %q", want)
		}
	}
	if !strings.Contains(s.metadata(), "\nVersion: "+s.version+"\n") {
		t.Errorf("metadata:\n%s", s.metadata())
	}
}

// TestMetadata holds the metadata to the rules that indexes have, as Python's packaging
// knows them, and the description to what its readers have.
func TestMetadata(t *testing.T) {
	s := fake(t)
	_, text, _ := strings.Cut(s.metadata(), "\n\n")
	for _, m := range link.FindAllString(text, -1) {
		if !strings.Contains(m, "](https://") && !strings.Contains(m, "](#") {
			t.Errorf("the description has the link %s, which leads nowhere on an index", m)
		}
	}
	if !strings.HasPrefix(text, "# Barrow in Python") || strings.Contains(text, "published") || !strings.Contains(text, "\n## The first five lines\n") {
		t.Errorf("the description begins\n%.600s", text)
	}
	for name := range strings.SplitSeq(strings.TrimSpace(field(s.metadata(), "License-File: ")), "\n") {
		if !slices.ContainsFunc(s.entries(platforms[0], nil), func(e entry) bool {
			return e.name == "barrow-"+s.version+".dist-info/licenses/"+name
		}) {
			t.Errorf("the licence %s is not in the wheel", name)
		}
	}
	const validate = `
import sys
from packaging.metadata import parse_email, Metadata
raw, unparsed = parse_email(sys.stdin.buffer.read())
assert not unparsed, unparsed
m = Metadata.from_raw(raw, validate=True)
assert m.license_expression == "BSD-3-Clause" and len(m.license_files) == 2, m
`
	for _, name := range []string{os.Getenv("BARROW_PYTHON"), "/usr/bin/python3", "python3"} {
		// Metadata 2.4 is known to packaging from 24.2 on.
		if name == "" || exec.Command(name, "-c", "import packaging as p; assert tuple(map(int, p.__version__.split('.')[:2])) >= (24, 2)").Run() != nil {
			continue
		}
		check := exec.Command(name, "-c", validate)
		check.Stdin = strings.NewReader(s.metadata())
		if out, err := check.CombinedOutput(); err != nil {
			t.Errorf("packaging.metadata: %v\n%s", err, out)
		}
		return
	}
	t.Skip("no Python with packaging 24.2 or newer found, to validate the metadata with; BARROW_PYTHON names another")
}

// field has the values of a field of metadata, one a line.
func field(metadata, name string) string {
	var all []string
	head, _, _ := strings.Cut(metadata, "\n\n")
	for line := range strings.SplitSeq(head, "\n") {
		if v, ok := strings.CutPrefix(line, name); ok {
			all = append(all, v)
		}
	}
	return strings.Join(all, "\n")
}

// TestErrors: what is wrong and what to do.
func TestErrors(t *testing.T) {
	if _, err := findRoot(filepath.VolumeName(t.TempDir()) + string(filepath.Separator)); err == nil || !strings.Contains(err.Error(), "run this in a clone") {
		t.Errorf("outside: %v", err)
	}
	var none bytes.Buffer
	for args, want := range map[string]string{
		"--platform plan9/arm":              "no wheel for plan9/arm; there are those for linux/amd64,",
		"--all --platform linux/amd64":      "give one of them",
		"here":                              `"here" is not a flag`,
		"--platform linux/amd64 --out %dir": "file exists; --force replaces it",
	} {
		dir := t.TempDir()
		if err := os.WriteFile(fake(t).path(dir, platforms[0]), nil, 0o666); err != nil {
			t.Fatal(err)
		}
		err := run(strings.Fields(strings.ReplaceAll(args, "%dir", dir)), &none, &none)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", args, err, want)
		}
	}
	if none.Len() != 0 {
		t.Errorf("printed %q", none.String())
	}
	t.Setenv("PATH", t.TempDir())
	if _, err := openSource("."); err == nil || !strings.Contains(err.Error(), "install Go") {
		t.Errorf("without Go: %v", err)
	}
}

// TestInstalled makes this platform's wheel twice, the same bytes, and installs it with
// pip, where there is a Python that has it and NumPy: the package finds its program, and
// the command passes arguments, input, exit status and signals on.
func TestInstalled(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles the program; not with -short")
	}
	var wheels [2]string
	for i := range wheels {
		var out, said bytes.Buffer
		if err := run([]string{"--out", filepath.Join(t.TempDir(), "new")}, &out, &said); err != nil {
			t.Fatal(err)
		}
		wheels[i] = strings.TrimSpace(out.String())
		if !strings.Contains(said.String(), "1/1 "+runtime.GOOS+"/"+runtime.GOARCH) {
			t.Errorf("it said %q", said.String())
		}
	}
	if !bytes.Equal(read(t, wheels[0]), read(t, wheels[1])) {
		t.Error("made twice, the wheels differ")
	}
	python := findPython(t)
	site := t.TempDir()
	pip := exec.Command(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--target", site, wheels[0])
	if out, err := pip.CombinedOutput(); err != nil {
		t.Fatalf("pip: %v\n%s", err, out)
	}
	for name, start := range map[string][]string{
		"command": {filepath.Join(site, "bin", "barrow")},
		"module":  {python, "-m", "barrow"},
	} {
		t.Run(name, func(t *testing.T) { checkCommand(t, site, start) })
	}
}

func findPython(t *testing.T) string {
	t.Helper()
	for _, name := range []string{os.Getenv("BARROW_PYTHON"), "/usr/bin/python3", "python3"} {
		if name != "" && exec.Command(name, "-c", "import numpy, pip").Run() == nil {
			return name
		}
	}
	t.Skip("no Python with NumPy and pip found (Debian: apt-get install python3-numpy python3-pip); BARROW_PYTHON names another")
	return ""
}

// checkCommand holds the installed command to what the program itself does.
func checkCommand(t *testing.T, site string, start []string) {
	command := func(args ...string) *exec.Cmd {
		c := exec.Command(start[0], append(slices.Clone(start[1:]), args...)...)
		c.Env = append(os.Environ(), "PYTHONPATH="+site, "BARROW=")
		c.Dir = t.TempDir()
		return c
	}
	c := command("emd", "-", "x y.csv")
	image := strings.Repeat("1,", 47) + "1\n"
	c.Stdin = strings.NewReader(image)
	if err := os.WriteFile(filepath.Join(c.Dir, "x y.csv"), []byte(image), 0o666); err != nil {
		t.Fatal(err)
	}
	if out, err := c.CombinedOutput(); err != nil || string(out) != "0\n" {
		t.Errorf("emd: %v, %q", err, out)
	}
	package_, err := filepath.Glob(filepath.Join(site, "barrow-*.dist-info"))
	if err != nil || len(package_) != 1 {
		t.Fatalf("installed: %v, %v", package_, err)
	}
	number := strings.TrimSuffix(strings.TrimPrefix(filepath.Base(package_[0]), "barrow-"), ".dist-info")
	out, err := command("--version").CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "barrow v"+number+", ") {
		t.Errorf("--version: %v, %q, want that of the package, %s", err, out, number)
	}
	out, err = command("no-such-command").CombinedOutput()
	if code(err) != 1 || !strings.HasPrefix(string(out), "barrow: ") {
		t.Errorf("an unknown command: %v, %q", err, out)
	}
	if runtime.GOOS == "windows" {
		return
	}
	// A run that is interrupted once it has begun ends as the program ends it.
	c = command("simulate", "--events", "1000000000", "--out", "-")
	pipe, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	c.Stderr = &said
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(pipe, make([]byte, 100)); err != nil {
		t.Errorf("no output: %v", err)
	}
	go io.Copy(io.Discard, pipe)
	if err := c.Process.Signal(syscall.SIGINT); err != nil {
		t.Error(err)
	}
	late := time.AfterFunc(time.Minute, func() { c.Process.Kill() })
	defer late.Stop()
	if err := c.Wait(); code(err) != 130 || !strings.Contains(said.String(), "barrow: interrupted") {
		t.Errorf("interrupted: %v, %q", err, said.String())
	}
}

// code is the exit status that an error of a command tells of, 0 if none.
func code(err error) int {
	if e, ok := err.(*exec.ExitError); ok {
		return e.ExitCode()
	}
	return 0
}
