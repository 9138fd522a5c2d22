package shared

import (
	"os"
	"path/filepath"
	"testing"
)

func TestPaths(t *testing.T) {
	project := filepath.Join(t.TempDir(), "project")
	deep := filepath.Join(project, "a", "b", "c")
	other := t.TempDir()
	for _, dir := range []string{deep, filepath.Join(project, "..", "shared", "data", "sets"), filepath.Join(project, "..", "shared", "cases", "01"), filepath.Join(other, "sets")} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(project, "go.mod"), []byte("module m\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BARROW_DATA", "")
	same := func(got, want string) {
		t.Helper()
		a, err := os.Stat(got)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := os.Stat(want); err != nil || !os.SameFile(a, b) {
			t.Errorf("%s, want %s (%v)", got, want, err)
		}
	}
	for _, dir := range []string{project, deep} { // wherever a package is
		t.Chdir(dir)
		same(Data(t, "sets"), filepath.Join(project, "..", "shared", "data", "sets"))
		same(Case(t, "01"), filepath.Join(project, "..", "shared", "cases", "01"))
	}
	t.Setenv("BARROW_DATA", other)
	same(Data(t, "sets"), filepath.Join(other, "sets"))
	if !t.Run("absent", func(t *testing.T) {
		defer func() {
			if !t.Skipped() {
				t.Error("an absent file did not skip the test")
			}
		}()
		Data(t, "none")
	}) {
		t.Fail()
	}
}
