package source_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"barrow/internal/shared"
	"barrow/model"
	"barrow/model/file"
)

// TestPython: NumPy makes of the written file what Barrow computes.
func TestPython(t *testing.T) {
	for name, m := range models(t) {
		dir := t.TempDir()
		if _, err := file.Export(t.Context(), m, "python", dir, false); err != nil {
			t.Fatal(name, err)
		}
		scripts, _ := filepath.Glob(filepath.Join(dir, "*.py"))
		scripts = slices.DeleteFunc(scripts, func(s string) bool { return filepath.Base(s) == model.FramesScript })
		said := shared.Python(t, "models", scripts[0])
		t.Logf("%s\n%s", name, said)
		if !strings.Contains(string(said), ": ok\n") || strings.Contains(string(said), "WRONG") {
			t.Errorf("%s: %s", name, said)
		}
	}
}
