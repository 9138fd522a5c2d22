package shared

import (
	"os"
	"path/filepath"
	"testing"
)

// A shell runs a script as Python does: by its path, with arguments behind it.
func TestPython(t *testing.T) {
	const shell = "/bin/sh"
	if _, err := os.Stat(shell); err != nil {
		t.Skip(err)
	}
	script := filepath.Join(t.TempDir(), "script")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	skips := func(name string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			defer func() {
				if !t.Skipped() {
					t.Error("was not skipped")
				}
			}()
			Python(t, "files", script)
		})
	}
	t.Setenv("BARROW_FILES_PYTHON", "")
	skips("unset")
	t.Setenv("BARROW_FILES_PYTHON", shell)
	write("echo Traceback >&2; echo \"ModuleNotFoundError: No module named 'uproot'\" >&2; exit 1")
	skips("no module")
	write("echo noise >&2; echo $1,$2")
	if got := string(Python(t, "files", script, "a b", "c")); got != "a b,c\n" {
		t.Errorf("printed %q", got)
	}
}
