package source

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"barrow/model"
)

// The functions here hold an export by running the program that it has for that, with the
// tools that there are. Where there is none, no check is made, which is an error that says
// how to make it. They return what the program says.

// verifyCpp compiles the header and its test.
func verifyCpp(ctx context.Context, dir string, _ *model.Model, _ model.Vectors) (string, error) {
	compiler := tool("g++", "clang++")
	if compiler == "" {
		return unchecked("a C++ compiler (g++, clang++)", dir, "g++ -std=c++17 -O2 -o test test.cpp && ./test")
	}
	folder, err := os.MkdirTemp("", "barrow")
	if err != nil {
		return "", fmt.Errorf("source: %w", err)
	}
	defer os.RemoveAll(folder)
	program := filepath.Join(folder, "test")
	if _, err := passes(ctx, dir, "", compiler, "-std=c++17", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, "test.cpp"); err != nil {
		return "", err
	}
	return passes(ctx, dir, ": ok\n", program)
}

// verifyGo runs the file's own test.
func verifyGo(ctx context.Context, dir string, m *model.Model, _ model.Vectors) (string, error) {
	name := m.Parts()[0].Name
	files := []string{name + ".go", name + "_test.go"}
	program := tool("go")
	if program == "" {
		return unchecked("Go", dir, "go test "+strings.Join(files, " "))
	}
	return passes(ctx, dir, "numbers equal", program, append([]string{"test", "-v", "-count=1"}, files...)...)
}

// verifyPython runs the file by itself.
func verifyPython(ctx context.Context, dir string, m *model.Model, _ model.Vectors) (string, error) {
	script := m.Parts()[0].Name + ".py"
	for _, program := range []string{tool("python3"), tool("python")} {
		if program != "" && exec.CommandContext(ctx, program, "-c", "import numpy").Run() == nil {
			return passes(ctx, dir, ": ok\n", program, script)
		}
	}
	return unchecked("Python with NumPy", dir, "python3 "+script)
}

// tool is the path of the first of the programs that there is, or "".
func tool(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

func unchecked(what, dir, how string) (string, error) {
	return "", fmt.Errorf("source: not checked: here is no %s, which runs the export's own test; where there is, in %s: %s", what, dir, how)
}

// passes runs a program in a folder, which must end well and say what it should.
func passes(ctx context.Context, dir, says, program string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = dir
	said, err := cmd.CombinedOutput()
	if ctx.Err() != nil {
		return "", ctx.Err()
	}
	if err == nil && !strings.Contains(string(said), says) {
		err = errors.New("it compares nothing")
	}
	if err != nil {
		const most = 2000
		return "", fmt.Errorf("source: %s: %s: %w\n%.*s", dir, strings.Join(cmd.Args, " "), err, most, said)
	}
	var lines []string
	for line := range strings.Lines(string(said)) {
		if strings.Contains(line, "numbers equal") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return strings.Join(lines, "; "), nil
}
